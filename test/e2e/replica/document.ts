/** The project that docs/REPLICA.md describes, as somebody makes it who copies what is there. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PROJECT } from '../../../scripts/command/paths.ts';

const DOCUMENT = join(PROJECT, 'docs', 'REPLICA.md');
export const PROBE_PATH = '/probe';
const ENTRY = `import documented from './worker.ts';
import { withProbe } from './probe.ts';
export default withProbe(documented, '${PROBE_PATH}');
`;

/** The Worker with the probe around it. */
export const PROBED = 'src/probed.ts';

/**
 * The configuration and the Worker of the document, verbatim, with the built package installed.
 * @param vars in the place of the secret and of the origin's address
 */
export function writeProject(folder: string, vars: Readonly<Record<string, string>>): void {
  const text = readFileSync(DOCUMENT, 'utf8');
  mkdirSync(join(folder, 'src'), { recursive: true });
  writeFileSync(join(folder, 'wrangler.toml'), codeBlock(text, 'toml', '# wrangler.toml'));
  writeFileSync(join(folder, 'src', 'worker.ts'), codeBlock(text, 'ts', '// src/worker.ts'));
  writeFileSync(join(folder, PROBED), ENTRY);
  cpSync(join(import.meta.dirname, 'probe.ts'), join(folder, 'src', 'probe.ts'));
  const lines = Object.entries(vars).map(([name, value]) => `${name}=${JSON.stringify(value)}\n`);
  writeFileSync(join(folder, '.dev.vars'), lines.join(''), { mode: 0o600 });
  const installed = join(folder, 'node_modules', 'ringfence');
  for (const path of ['package.json', 'dist']) cpSync(join(PROJECT, path), join(installed, path), { recursive: true });
}

/** The body of the one request that the document makes of the origin: the key. */
export function keyRequest(): unknown {
  const [, body] = /curl .*? -d '(\{[^']+\})' "\$ORIGIN\/v1\/keys"/.exec(readFileSync(DOCUMENT, 'utf8')) ?? [];
  if (body === undefined) throw new Error('expected a curl line that makes a key in docs/REPLICA.md');
  return JSON.parse(body);
}

/** What tsc says of the Worker with the types that Workers have; the package's types are those it is built from. */
export function typeErrors(folder: string): string {
  const compilerOptions = {
    target: 'ES2023',
    lib: ['ES2024'],
    module: 'ESNext',
    moduleResolution: 'Bundler',
    // Node's are for what the sources of the package import.
    types: ['@cloudflare/workers-types', 'node'].map((name) =>
      join(PROJECT, 'node_modules', name === 'node' ? '@types/node' : name),
    ),
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    allowImportingTsExtensions: true,
    paths: {
      'ringfence/fetch': [join(PROJECT, 'src', 'sdk', 'middleware', 'fetch.ts')],
      'ringfence/replica': [join(PROJECT, 'src', 'replica', 'index.ts')],
    },
  };
  // Not tsconfig.json: the bundler would read it, and take the sources for the package.
  const path = join(folder, 'types.json');
  writeFileSync(path, JSON.stringify({ compilerOptions, files: [PROBED] }));
  const tsc = join(PROJECT, 'node_modules', '.bin', 'tsc');
  return spawnSync(tsc, ['-p', path], { cwd: folder, encoding: 'utf8' }).stdout;
}

function codeBlock(text: string, language: string, firstLine: string): string {
  const blocks = [...text.matchAll(/^```(\w+)\n(.*?)^```$/gms)];
  const found = blocks.filter(([, name, code]) => name === language && code?.startsWith(firstLine));
  const [block] = found;
  if (found.length !== 1 || block?.[2] === undefined) {
    throw new Error(`expected one block of ${language} in docs/REPLICA.md that starts with "${firstLine}"`);
  }
  return block[2];
}
