/** What `npm start` and the others say when the project is not installed as they need it. */
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { PROJECT } from '../../../../scripts/command/paths.ts';

const folder = mkdtempSync(join(tmpdir(), 'ringfence-run-'));
afterAll(() => rmSync(folder, { recursive: true }));

const WHOLE = [
  ...['wrangler', 'valibot', 'esbuild', 'miniflare', 'node'].map((name) => `${name}/package.json`),
  'node/bin/node',
  '@cloudflare/workerd-linux-64/package.json',
  '@esbuild/linux-x64/package.json',
  '.package-lock.json',
];
/** Another Node than this one, as far as the script can tell. */
const nodeOf = (version: string) =>
  `data:text/javascript,${encodeURIComponent(
    `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '${version}' } })`,
  )}`;

let projects = 0;
function run({
  files = WHOLE,
  version = '24.21.0',
  env = {},
}: {
  readonly files?: readonly string[];
  readonly version?: string;
  readonly env?: Readonly<Record<string, string>>;
}) {
  const project = join(folder, String(projects++));
  const put = (path: string, text: string) => {
    mkdirSync(dirname(join(project, path)), { recursive: true });
    writeFileSync(join(project, path), text);
  };
  for (const file of files) put(`node_modules/${file}`, '{}');
  put(
    'scripts/hello.mjs',
    'console.log(JSON.stringify(process.argv.slice(2)), import.meta.filename === process.argv[1])',
  );
  copyFileSync(join(PROJECT, 'scripts', 'run.mjs'), join(project, 'scripts', 'run.mjs'));
  const args = ['--import', nodeOf(version), join(project, 'scripts', 'run.mjs'), 'scripts/hello.mjs', '--a', 'b c'];
  const { NODE_ENV: _, ...own } = process.env;
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', env: { ...own, ...env } });
  return { status, stdout, stderr };
}

test('runs the script with its arguments, as if it had been run itself', () => {
  expect(run({})).toEqual({ status: 0, stdout: '["--a","b c"] true\n', stderr: '' });
});

const without = (start: string) => WHOLE.filter((file) => !file.startsWith(start));

test.each([
  ['before npm install', { files: [] }, /not installed yet: run `npm install` first/],
  ['before npm install, on an older Node', { files: [], version: '18.0.0' }, /run `npm install` first/],
  ['with NODE_ENV=production', { files: [], env: { NODE_ENV: 'production' } }, /run `npm install --include=dev`/],
  ['without development dependencies', { files: ['.package-lock.json'] }, /run `npm install --include=dev`/],
  ['with some of them', { files: without('wrangler') }, /run `npm install --include=dev`/],
  [
    'without install scripts, on an older Node',
    { files: without('node/bin'), version: '20.19.0' },
    /Node 24 is missing.*--ignore-scripts\): run `npm rebuild --ignore-scripts=false`/,
  ],
  ['by an older Node', { version: '20.19.0' }, /this is Node 20\.19\.0, .* run it with `npm start`/],
  ['without workerd', { files: without('@cloudflare') }, /workerd.*run `npm install --include=optional`/],
  ['without esbuild', { files: without('@esbuild') }, /esbuild.*run `npm install --include=optional`/],
])('%s: one sentence that says what to do', (_, options, message) => {
  const { status, stdout, stderr } = run(options);
  expect(stderr).toMatch(message);
  expect(stderr.trimEnd().split('\n')).toHaveLength(1);
  expect([status, stdout]).toEqual([1, '']);
});

test('without install scripts, on a Node that is new enough, it runs', () => {
  expect(run({ files: without('node/bin'), version: '24.1.0' })).toMatchObject({ status: 0, stderr: '' });
});

test('every script of the package that is one of the project goes through it', () => {
  const { scripts } = JSON.parse(readFileSync(join(PROJECT, 'package.json'), 'utf8')) as {
    readonly scripts: Readonly<Record<string, string>>;
  };
  const own = Object.values(scripts).filter((script) => script.includes('node '));
  expect(own.length).toBeGreaterThan(15);
  for (const script of own)
    expect(script).toMatch(/^node scripts\/run\.mjs (?:scripts|bench)\/[a-z-]+\.ts(?: --[a-z]+)?$/);
});
