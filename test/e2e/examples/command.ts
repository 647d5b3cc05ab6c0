/** The command of an example's README, as a process group of its own, as a terminal has it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { EXAMPLES_FOLDER } from '../../../scripts/example.ts';
import { ADMIN_KEY, PROJECT } from '../local-server.ts';

export { ADMIN_KEY };

export interface Command {
  /** All that it printed so far. */
  output(): string;
  /** Ctrl-C: the terminal tells every process of the group. Resolves when the command has ended. */
  interrupt(): Promise<void>;
  /** Tells the command alone, and waits for it. */
  terminate(): Promise<void>;
  /** Some process of it is running, whoever its parent is by now. */
  isAlive(): boolean;
}

const READY = 'Ctrl-C stops everything.';

/** Resolves when it is ready, and rejects when it ends before. */
export async function runCommand(
  line: string,
  options: Readonly<Record<string, string | number>>,
  env: Readonly<Record<string, string>>,
): Promise<Command> {
  const [program = '', ...words] = line.split(' ');
  const given = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const child = spawn(program, [...words, ...given], {
    cwd: PROJECT,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, RINGFENCE_ADMIN_KEY: ADMIN_KEY, ...env },
  });
  const group = -(child.pid ?? Number.NaN);
  const ended = once(child, 'exit');
  let text = '';
  await new Promise<void>((resolve, reject) => {
    const onData = (data: Buffer) => {
      text += data.toString();
      if (text.includes(READY)) resolve();
    };
    child.stdout.on('data', onData);
    child.stderr.on('data', onData);
    ended.then(() => reject(new Error(`ended: ${text}`)), reject);
  });
  return {
    output: () => text,
    async interrupt() {
      if (isAlive(group)) process.kill(group, 'SIGINT');
      await ended;
    },
    async terminate() {
      child.kill('SIGTERM');
      await ended;
    },
    isAlive: () => isAlive(group),
  };
}

function isAlive(group: number): boolean {
  try {
    return process.kill(group, 0);
  } catch {
    return false;
  }
}

export interface Readme {
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
