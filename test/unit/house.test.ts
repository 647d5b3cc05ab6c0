/** How the code is laid out, held by its imports alone: types count, since a reader follows them too. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, test } from 'vitest';

const PROJECT = join(import.meta.dirname, '..', '..');

/** What each folder of src may import from, besides itself. Whoever adds a dependency says here that it is meant. */
const LAYERS: Readonly<Record<string, readonly string[]>> = {
  lib: [],
  generated: [],
  phone: ['generated', 'lib'],
  format: ['lib'],
  storage: ['format', 'lib'],
  keys: ['storage', 'lib'],
  policy: ['phone', 'format', 'generated', 'lib'],
  tenants: ['policy', 'format', 'storage', 'lib'],
  lookup: ['policy', 'phone', 'format', 'storage', 'generated', 'lib'],
  ingest: ['policy', 'phone', 'format', 'storage', 'lib'],
  quality: ['phone', 'format', 'storage', 'lib'],
  merge: ['quality', 'format', 'storage', 'lib'],
  briefing: ['phone', 'format', 'storage', 'generated', 'lib'],
  sdk: ['generated', 'policy', 'lib'],
  // Ships to npm beside the sdk, whose types of a lookup it has.
  replica: ['sdk', 'lookup', 'policy', 'phone', 'format', 'storage', 'lib'],
  api: [
    'sdk',
    'lookup',
    'policy',
    'tenants',
    'keys',
    'ingest',
    'merge',
    'quality',
    'briefing',
    'replica',
    'phone',
    'format',
    'storage',
    'generated',
    'lib',
  ],
};
/** Entry points and wiring: they may import from every folder, and no folder from them. */
const TOP = ['edge.ts', 'control.ts', 'wiring'];

/** Files under 40 lines that one file imports, or none, and why each is a file all the same. */
const SMALL: Readonly<Record<string, string>> = {
  'src/edge.ts': 'an entry point: what the platform calls',
  'src/control.ts': 'an entry point: what the platform calls',
  'src/generated/number-plan.ts': 'generated; few lines, and long ones',
  'src/generated/world.ts': 'generated; few lines, and long ones',
  'src/replica/index.ts': 'an entry point of the npm package',
  'src/sdk/client/index.ts': 'an entry point of the npm package',
  'src/sdk/middleware/fetch.ts': 'an entry point of the npm package',
  'src/sdk/middleware/hono.ts': 'an entry point of the npm package',
  'src/sdk/middleware/itty-router.ts': 'an entry point of the npm package',
  'scripts/build-inventory/worker.ts': 'what a worker thread starts with',
  'scripts/local/edge-with-cron.ts': 'a Worker of its own',
  'scripts/local/guard.ts': 'loaded into a process before anything else',
  'bench/evaluate.ts': 'a command',
  'bench/fit-neighbourhood.ts': 'a command',
  'bench/probe/precompiled-wasm.ts': 'imported before the library that it prepares the platform for',
  'bench/probe/wasm.d.ts': 'declares a kind of module',
  'bench/simulate/faults/first-failure.ts': 'a process of its own',
  'bench/simulate/faults/thread.ts': 'what a worker thread starts with',
  'bench/stall/control.ts': 'a Worker of its own',
  'bench/startup/empty.ts': 'a Worker of its own, which the edge is measured against',
  'src/sdk/middleware/turnstile.ts': 'the protocol of another service, found by its name',
};

/** Has the version of the API. */
const VERSION = 'package.json';

const SMALL_LINES = 40;

interface SourceFile {
  readonly text: string;
  /** Files of the project that it imports, types included, by path. */
  readonly imports: readonly string[];
}

function filesIn(folder: string): string[] {
  return readdirSync(join(PROJECT, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) return filesIn(path);
    return entry.name.endsWith('.ts') ? [path] : [];
  });
}

/** Whatever is written like a path to another file: nothing else is, and so no form of an import escapes. */
const IMPORT = /'(\.{1,2}\/[^'\n]+\.(?:ts|json|wasm))'/g;

function read(path: string): SourceFile {
  const text = readFileSync(join(PROJECT, path), 'utf8');
  const imports = [...text.matchAll(IMPORT)].map(([, to = '']) => relative(PROJECT, join(PROJECT, dirname(path), to)));
  return { text, imports: [...new Set(imports)] };
}

function readAll(folders: readonly string[]): ReadonlyMap<string, SourceFile> {
  return new Map(folders.flatMap(filesIn).map((path) => [path, read(path)]));
}

/**
 * `src/format/batch.ts` is in the folder `format`; an entry point is a folder of its own, and so is whatever is not of
 * src.
 */
function folderOf(path: string): string {
  const [top, folder] = path.split('/');
  return top === 'src' && folder !== undefined ? folder : path;
}

/** Groups of files that reach each other by imports (Tarjan's strongly connected components). */
function circlesOf(files: ReadonlyMap<string, SourceFile>): string[][] {
  const order = new Map<string, number>();
  const lowest = new Map<string, number>();
  const open: string[] = [];
  const circles: string[][] = [];
  const visit = (path: string): number => {
    const index = order.size;
    order.set(path, index);
    open.push(path);
    let low = index;
    for (const next of files.get(path)?.imports ?? []) {
      if (!files.has(next)) continue;
      if (!order.has(next)) low = Math.min(low, visit(next));
      else if (open.includes(next)) low = Math.min(low, order.get(next) ?? low);
    }
    lowest.set(path, low);
    if (low === index) {
      const circle = open.splice(open.indexOf(path));
      if (circle.length > 1) circles.push(circle.sort());
    }
    return low;
  };
  for (const path of files.keys()) if (!order.has(path)) visit(path);
  return circles;
}

const src = readAll(['src']);
const tools = readAll(['scripts', 'bench']);
const all = new Map([...src, ...tools]);

test('every import is found: the pattern sees what the files say', () => {
  const missing = [...all].flatMap(([path, { imports }]) =>
    imports
      .filter((next) => /^(src|scripts|bench)\//.test(next) && !next.endsWith('.wasm') && !all.has(next))
      .map((next) => `${path} -> ${next}`),
  );
  expect(missing).toEqual([]);
  expect(src.size).toBeGreaterThan(100);
  expect([...src.values()].reduce((sum, { imports }) => sum + imports.length, 0)).toBeGreaterThan(500);
});

test('each folder of src is listed, and imports from those below it only', () => {
  const wrong = [...src].flatMap(([path, { imports }]) => {
    const folder = folderOf(path);
    if (TOP.includes(folder)) return [];
    const allowed = LAYERS[folder];
    if (allowed === undefined) return [`${path}: a folder that is not listed`];
    return imports
      .filter((next) => next !== VERSION && folderOf(next) !== folder && !allowed.includes(folderOf(next)))
      .map((next) => `${path} -> ${next}`);
  });
  expect(wrong).toEqual([]);
});

test('the list of folders has no circle, and no folder that is gone', () => {
  const folders = new Map(Object.entries(LAYERS).map(([folder, imports]) => [folder, { text: '', imports }]));
  expect(circlesOf(folders)).toEqual([]);
  expect(Object.keys(LAYERS).filter((folder) => ![...src.keys()].some((path) => folderOf(path) === folder))).toEqual(
    [],
  );
});

test('docs/ARCHITECTURE.md shows these folders and dependencies', () => {
  const shown = new Map<string, string[]>();
  const rows = readFileSync(join(PROJECT, 'docs/ARCHITECTURE.md'), 'utf8').matchAll(
    /^\| `([a-z]+)` \| .* \| (.*)\|$/gm,
  );
  for (const [, folder = '', imports = ''] of rows) {
    const others = Object.keys(LAYERS).filter((other) => other !== folder);
    const isAll = imports.trim() === 'all folders below';
    shown.set(folder, isAll ? others : [...imports.matchAll(/`([a-z]+)`/g)].map(([, other = '']) => other));
  }
  const sorted = (folders: Iterable<[string, readonly string[]]>) =>
    Object.fromEntries([...folders].map(([folder, imports]) => [folder, imports.toSorted()]));
  expect(sorted(shown)).toEqual(sorted(Object.entries(LAYERS)));
});

test('no files import each other in a circle', () => {
  expect(circlesOf(all)).toEqual([]);
});

/** What each folder at the top may not import from. */
const ABOVE: Readonly<Record<string, readonly string[]>> = {
  src: ['scripts', 'bench', 'test'],
  scripts: ['bench', 'test'],
  bench: ['test'],
};

test('src imports from neither scripts, bench nor test; scripts from neither bench nor test; bench not from test', () => {
  const topOf = (path: string) => path.split('/')[0] ?? '';
  const wrong = [...all].flatMap(([path, { imports }]) => {
    const above = ABOVE[topOf(path)] ?? [];
    return imports.filter((next) => above.includes(topOf(next))).map((next) => `${path} -> ${next}`);
  });
  expect(wrong).toEqual([]);
});

test('nothing in src does without giving way: its pacer is handed in', () => {
  const users = [...src].filter(([, { text }]) => /\bUNPACED\b/.test(text));
  expect(users.map(([path]) => path)).toEqual(['src/lib/cooperate.ts']);
});

describe(`files under ${SMALL_LINES} lines with at most one importer`, () => {
  const importers = new Map<string, number>();
  for (const { imports } of all.values()) {
    for (const path of imports) importers.set(path, (importers.get(path) ?? 0) + 1);
  }
  const small = [...all]
    .filter(([path, { text }]) => text.split('\n').length <= SMALL_LINES && (importers.get(path) ?? 0) <= 1)
    .map(([path]) => path);

  test('belong to their importer, unless they are listed with a reason', () => {
    expect(small.filter((path) => SMALL[path] === undefined)).toEqual([]);
  });

  test('and the list has nothing that needs no listing any more', () => {
    expect(Object.keys(SMALL).filter((path) => !small.includes(path))).toEqual([]);
  });
});

test('the search for circles finds one', () => {
  const file = (...imports: string[]): SourceFile => ({ text: '', imports });
  const files = new Map([
    ['a', file('b')],
    ['b', file('c', 'd')],
    ['c', file('a')],
    ['d', file()],
  ]);
  expect(circlesOf(files)).toEqual([['a', 'b', 'c']]);
});
