/** The package as its users get it: packed, installed into an empty project, type-checked, and run. */
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { ENTRIES } from '../../scripts/build-package/entries.ts';
import { PROJECT } from '../../scripts/command/paths.ts';
import { answerOfWorkerd } from './package/workerd.ts';

const MODULES = join(PROJECT, 'node_modules');
/** Replica's number plans are most of it. */
const MAX_PACKED_BYTES = 250_000;
const MAX_CLIENT_BYTES = 16 * 1024;
const MAX_MIDDLEWARE_BYTES = 20 * 1024;

const folder = mkdtempSync(join(tmpdir(), 'ringfence-package-'));
/** As few as a project can have. */
const alone = join(folder, 'alone');
/** With the peers. */
const whole = join(folder, 'whole');
const packed = inject('packed');

beforeAll(() => {
  for (const project of [alone, whole]) install(project);
  cpSync(join(import.meta.dirname, 'package', 'project', 'alone.ts'), join(alone, 'alone.ts'));
  cpSync(join(import.meta.dirname, 'package', 'project'), whole, { recursive: true });
  for (const peer of ['hono', 'itty-router']) link(peer);
}, 120_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function npm(args: readonly string[], cwd: string): string {
  return execFileSync('npm', args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

/** Without a registry: the package has no dependencies. */
function install(project: string): void {
  mkdirSync(project);
  writeFileSync(join(project, 'package.json'), '{ "private": true, "type": "module" }');
  npm(['install', '--offline', '--no-audit', '--no-fund', '--ignore-scripts', packed.path], project);
}

function link(name: string): void {
  symlinkSync(join(MODULES, name), join(whole, 'node_modules', name), 'dir');
}

function typeErrors(project: string, files: readonly string[], options: Readonly<Record<string, unknown>>): string {
  const compilerOptions = {
    target: 'ES2023',
    lib: ['ES2023', 'DOM', 'DOM.Iterable'],
    types: [],
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    verbatimModuleSyntax: true,
    skipLibCheck: false,
    noEmit: true,
    ...options,
  };
  writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }));
  const { stdout } = spawnSync(join(MODULES, '.bin', 'tsc'), ['-p', '.'], { cwd: project, encoding: 'utf8' });
  return stdout;
}

describe('what is packed', () => {
  it('is the built entries, their types, and papers', () => {
    const paths = packed.files.map(({ path }) => path).sort();
    const others = paths.filter((path) => !/^dist\/types\/[\w/-]+\.d\.ts$/.test(path));
    expect(others).toEqual(
      [
        'CHANGELOG.md',
        'LICENSE',
        'README.md',
        'package.json',
        'dist/THIRD-PARTY-LICENSES.txt',
        ...ENTRIES.map(({ name }) => `dist/${name}.js`),
      ].sort(),
    );
  });

  it('holds no path of this machine', () => {
    const installed = join(alone, 'node_modules', 'ringfence');
    for (const { path } of packed.files) {
      const text = readFileSync(join(installed, path), 'utf8');
      expect(text.includes(PROJECT), path).toBe(false);
      expect(text, path).not.toMatch(/sourceMappingURL/);
    }
  });

  it('is small', () => {
    const sizeOf = (name: string) => packed.files.find(({ path }) => path === `dist/${name}.js`)?.size ?? Infinity;
    expect(packed.size).toBeLessThan(MAX_PACKED_BYTES);
    expect(sizeOf('client')).toBeLessThan(MAX_CLIENT_BYTES);
    for (const name of ['fetch', 'hono', 'itty-router']) expect(sizeOf(name)).toBeLessThan(MAX_MIDDLEWARE_BYTES);
  });

  it('names the licence of everything that was bundled', () => {
    const text = readFileSync(join(alone, 'node_modules', 'ringfence', 'dist', 'THIRD-PARTY-LICENSES.txt'), 'utf8');
    for (const name of ['libphonenumber-js', 'valibot']) expect(text).toMatch(new RegExp(`^${name}\n\n`, 'm'));
  });

  it('brings nothing with it', () => {
    expect(readdirSync(join(alone, 'node_modules')).filter((name) => !name.startsWith('.'))).toEqual(['ringfence']);
  });

  it('passes publint', async () => {
    const tarball = readFileSync(packed.path);
    const bytes = new Uint8Array(tarball).buffer;
    const { messages, pkg } = await publint({ pack: { tarball: bytes }, strict: true, level: 'warning' });
    expect(messages.map((message) => formatMessage(message, pkg ?? {}))).toEqual([]);
  });

  it('exports the entries that are built', () => {
    const { exports } = JSON.parse(readFileSync(join(PROJECT, 'package.json'), 'utf8')) as { readonly exports: object };
    expect(exports).toEqual({
      ...Object.fromEntries(
        ENTRIES.map(({ name, source }) => [
          name === 'client' ? '.' : `./${name}`,
          { types: `./dist/types/${source.replace('.ts', '.d.ts')}`, default: `./dist/${name}.js` },
        ]),
      ),
      './package.json': './package.json',
    });
  });
});

const MODULE_KINDS = [
  { module: 'NodeNext', moduleResolution: 'NodeNext' },
  { module: 'ESNext', moduleResolution: 'Bundler' },
];

describe.each(MODULE_KINDS)('as $module', (kind) => {
  it('type-checks in a project that has nothing else', () => {
    expect(typeErrors(alone, ['alone.ts'], kind)).toBe('');
  });

  it('type-checks with its peers', () => {
    expect(typeErrors(whole, ['worker.ts'], kind)).toBe('');
  });

  it('type-checks with the types of Workers in place of those of browsers', () => {
    const workers = join(MODULES, '@cloudflare', 'workers-types');
    expect(typeErrors(whole, ['worker.ts'], { ...kind, lib: ['ES2023'], types: [workers] })).toBe('');
  });

  it('finds a mistake', () => {
    writeFileSync(
      join(alone, 'mistake.ts'),
      "import { createClient } from 'ringfence';\ncreateClient({ url: '' }).lookup({ numbr: '' });\n",
    );
    expect(typeErrors(alone, ['mistake.ts'], kind)).toMatch(/mistake\.ts.*'numbr' does not exist/);
  });
});

const EXPECTED = {
  client: ['block', 'forbidden'],
  fetch: [403, 'block'],
  replica: ['invalid-number', 503, true, 'function'],
  hono: [403, 200, 'block'],
  ittyRouter: 403,
};

describe('runs', () => {
  it('under Node', async () => {
    const options = { absWorkingDir: whole, bundle: false, outdir: whole } as const;
    await build({ ...options, entryPoints: ['node.ts', 'main.ts', 'alone.ts'], format: 'esm', target: 'es2022' });
    const output = execFileSync(process.execPath, ['node.js'], { cwd: whole, encoding: 'utf8' });
    expect(JSON.parse(output)).toEqual(EXPECTED);
  });

  it('in workerd', async () => {
    await build({
      absWorkingDir: whole,
      entryPoints: ['worker.ts'],
      outfile: 'worker.js',
      bundle: true,
      format: 'esm',
      target: 'es2022',
      conditions: ['workerd', 'worker', 'browser'],
      external: ['node:*'],
    });
    expect(await answerOfWorkerd(whole)).toEqual(EXPECTED);
  });
});
