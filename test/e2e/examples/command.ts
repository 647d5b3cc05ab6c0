/** The command of an example's README, as a process group of its own, as a terminal has it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { EXAMPLES_FOLDER } from '../../../scripts/example.ts';
import { Started } from '../started.ts';

/** Resolves when it is ready, and rejects when it ends before. */
export async function runCommand(
  line: string,
  options: Readonly<Record<string, string | number>>,
  env: Readonly<Record<string, string>>,
): Promise<Started> {
  const [program = '', ...words] = line.split(' ');
  const given = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const command = new Started(program, [...words, ...given], { env, isGroup: true });
  await command.says('Ctrl-C stops everything.');
  return command;
}

interface Readme {
  readonly command: string;
  readonly calls: readonly { readonly curl: string; readonly status: number; readonly body: unknown }[];
}

/** The command, and the curl lines with what stands below each: `# STATUS BODY`. */
export function readReadme(example: string): Readme {
  const text = readFileSync(join(EXAMPLES_FOLDER, example, 'README.md'), 'utf8');
  const command = /^npm run example .*$/m.exec(text)?.[0];
  if (command === undefined) throw new Error(`${example}: its README has no command`);
  const calls = [...text.matchAll(/^(curl .*)\n# (\d+) (.*)$/gm)].map(([, curl = '', status, body = '']) => ({
    curl,
    status: Number(status),
    body: JSON.parse(body) as unknown,
  }));
  return { command, calls };
}
