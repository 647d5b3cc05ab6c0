/** What documents and comments point to exists: files, sections, decisions, npm scripts. */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, normalize } from 'node:path';
import { expect, test } from 'vitest';
import * as keys from '../../src/storage/keys.ts';
import { EDGE_MAY_IMPORT } from '../support/edge-imports.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const FOLDERS = ['src', 'scripts', 'bench', 'test', 'docs', 'examples'];
/** Written by commands, and not kept. */
const WRITTEN = new Set(['bench/results/small']);
interface Text {
  readonly file: string;
  readonly text: string;
}
interface Citation {
  readonly where: string;
  readonly cited: string;
}

const files = new Set(
  FOLDERS.flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && !/node_modules|\.wrangler/.test(entry.parentPath))
      .map((entry) => join(entry.parentPath, entry.name).slice(ROOT.length + 1)),
  ),
);
for (const entry of readdirSync(ROOT, { withFileTypes: true })) if (entry.isFile()) files.add(entry.name);
const folders = new Set([...files].flatMap((file) => parents(file)));
const names = new Set([...files].map((file) => basename(file)));

const documents = read((file) => file.endsWith('.md'));
const code = read((file) => /\.(ts|mjs|toml)$/.test(file) && !file.startsWith('src/generated/'));
const decisions = [...files].filter((file) => /^docs\/decisions\/\d{4}-[\w-]+\.md$/.test(file)).sort();

function parents(file: string): string[] {
  const parent = dirname(file);
  return parent === '.' ? [] : [parent, ...parents(parent)];
}

function read(isWanted: (file: string) => boolean): Text[] {
  return [...files].filter(isWanted).map((file) => ({ file, text: readFileSync(join(ROOT, file), 'utf8') }));
}

/** All lines that are prose: of code the comments, of documents what is not in a code block. The others are empty. */
function prose({ file, text }: Text): string {
  if (file.endsWith('.md')) return text.replaceAll(/^```[\s\S]*?^```$/gm, (block) => block.replaceAll(/[^\n]/g, ''));
  return text
    .split('\n')
    .map((line) => (/^\s*(\/\*\*|\*|\/\/|#)/.test(line) ? line : (/ (\/\/ .*|\/\*\* .*\*\/)$/.exec(line)?.[1] ?? '')))
    .join('\n');
}

function citations(texts: readonly Text[], pattern: RegExp): Citation[] {
  return texts.flatMap((one) =>
    [...prose(one).matchAll(pattern)].map((match) => {
      const line = prose(one).slice(0, match.index).split('\n').length;
      return { where: `${one.file}:${line}`, cited: match[1] ?? '' };
    }),
  );
}

/** A word in capitals stands for a name: `bench/results/NAME.json`. `docs/decisions/0002` is short for its file. */
function exists(path: string): boolean {
  if (/(^|\/)[A-Z]{3,}(\.json)?($|\/)/.test(path) || WRITTEN.has(path)) return true;
  if (/^docs\/decisions\/\d{4}$/.test(path)) return decisions.some((file) => file.startsWith(`${path}-`));
  return files.has(path) || folders.has(path);
}

/** As GitHub makes them of headings. */
function anchors(text: string): string[] {
  return [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

test('every path that is named in full exists', () => {
  const paths = /(?<![\w/.@-])((?:docs|src|scripts|bench|test|examples)\/[\w./-]*\w)/g;
  const found = citations([...documents, ...code], paths);
  expect(found.length).toBeGreaterThan(100);
  // An example cites its own files from its own folder.
  const isFound = ({ where, cited }: Citation) => exists(cited) || exists(join(dirname(where), cited));
  expect(found.filter((one) => !isFound(one))).toEqual([]);
});

test('every file that is named alone exists somewhere', () => {
  const fileNames = /(?<![\w/.'"`*<-])`?([A-Za-z][\w-]*\.(?:ts|mjs|md|toml))\b/g;
  const found = citations([...documents, ...code], fileNames);
  expect(found.length).toBeGreaterThan(50);
  expect(found.filter(({ cited }) => !names.has(cited))).toEqual([]);
});

test('every link leads to a file, and every anchor to a heading', () => {
  const found = documents.flatMap(({ file, text }) =>
    [...prose({ file, text }).matchAll(/\]\(([^)\s]+)\)/g)]
      .map(([, target = '']) => target)
      .filter((target) => !/^https?:/.test(target))
      .map((target) => ({ file, target })),
  );
  expect(found.length).toBeGreaterThan(30);
  const broken = found.filter(({ file, target }) => {
    const [path = '', anchor] = target.split('#');
    const cited = path === '' ? file : normalize(join(dirname(file), path));
    if (!files.has(cited) && !folders.has(cited)) return true;
    return anchor !== undefined && !anchors(readFileSync(join(ROOT, cited), 'utf8')).includes(anchor);
  });
  expect(broken).toEqual([]);
});

test('every decision that is cited exists, each has a number of its own, and its heading says which', () => {
  const numbers = decisions.map((file) => basename(file).slice(0, 4));
  expect(new Set(numbers).size).toBe(numbers.length);
  for (const file of decisions) {
    const number = basename(file).slice(0, 4);
    expect(readFileSync(join(ROOT, file), 'utf8'), file).toMatch(new RegExp(`^# ${number} \\S`));
  }
  const found = [
    ...citations(documents, /(?:\(|, | and )(00\d\d)(?=[),. ])/g),
    ...citations([...documents, ...code], /[Dd]ecisions? (\d{4})/g),
  ];
  expect(found.length).toBeGreaterThan(10);
  expect(found.filter(({ cited }) => !numbers.includes(cited))).toEqual([]);
});

test('no comment cites a design document, which there is none of', () => {
  expect(citations([...documents, ...code], /\b(DESIGN)[: )]/g)).toEqual([]);
});

test('every npm script that is named exists', () => {
  const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { scripts: object };
  // In code blocks too.
  const found = [...documents, ...code].flatMap(({ file, text }) =>
    [...text.matchAll(/npm run (?:--silent )?([a-z][\w-]*)/g)].map(([, cited = '']) => ({ file, cited })),
  );
  expect(found.length).toBeGreaterThan(50);
  expect(found.filter(({ cited }) => !Object.hasOwn(scripts, cited))).toEqual([]);
});

test('docs/FORMAT.md names every key and every magic that is written', () => {
  const format = readFileSync(join(ROOT, 'docs/FORMAT.md'), 'utf8');
  const written = Object.values(keys).filter((key) => typeof key === 'string');
  expect(written.length).toBeGreaterThan(20);
  expect(written.filter((key) => !format.includes(`| \`${key}`) && !format.includes(`with \`${key}\``))).toEqual([]);

  const src = code.filter(({ file }) => file.startsWith('src/'));
  const magics = new Set(
    src.flatMap(({ text }) => [...text.matchAll(/'(RF[A-Z]{2})'/g)].map(([, magic = '']) => magic)),
  );
  expect(magics.size).toBeGreaterThan(20);
  const table = format.slice(format.indexOf('| magic | structure'), format.indexOf('## Segment'));
  const described = format.replace(table, '');
  // A version after the first has a line of its own, with its magic, in the table of versions.
  const newer = src.flatMap(({ text }) =>
    [
      ...text.matchAll(/framedJson\(\s*'(RF[A-Z]{2})',\s*(\d+)/g),
      ...text.matchAll(/MAGIC = '(RF[A-Z]{2})';\n(?:export )?const \w*VERSION = (\d+);/g),
    ].filter(([, , version]) => Number(version) > 1),
  );
  expect(newer.length).toBeGreaterThan(1);
  const versions = format.slice(format.indexOf('## Versions'));
  const isTold = ([, magic, version]: readonly string[]) =>
    new RegExp(`^\\| ${version} of .*\`${magic}\``, 'm').test(versions);
  expect(newer.filter((one) => !isTold(one)).map(([, magic]) => magic)).toEqual([]);
  // In the table, and once more where its body is described.
  expect([...magics].filter((magic) => !table.includes(`\`${magic}\``))).toEqual([]);
  expect([...magics].filter((magic) => !described.includes(`\`${magic}\``))).toEqual([]);
});

test('docs/OPERATING.md tells every log event of src, by the Worker that logs it, and invents none', () => {
  const src = code.filter(({ file }) => file.startsWith('src/'));
  const calls = src.flatMap(({ file, text }) =>
    [...text.matchAll(/(?<!Math\.|console\.)\b(?:log|reportAs|logged)\((?:\s*merge,)?\s*([^\s,:)]+)/g)].map(
      ([, event = '']) => ({ file, event }),
    ),
  );
  // Functions that hand an event on call it `event`; whatever else is logged is a name that can be found.
  const named = calls.filter(({ event }) => event.startsWith("'"));
  expect(calls.filter((call) => !named.includes(call) && !/^(event|\{)$/.test(call.event))).toEqual([]);
  const logged = new Map<string, string[]>();
  for (const { file, event } of named) {
    const name = event.slice(1, -1);
    logged.set(name, [...(logged.get(name) ?? []), file]);
  }
  expect(logged.size).toBeGreaterThan(40);

  const operating = readFileSync(join(ROOT, 'docs/OPERATING.md'), 'utf8');
  const [, section = ''] = /^## What the events mean\n([\s\S]*?)^## /m.exec(operating) ?? [];
  const told = [...section.matchAll(/^\| (`.*?`) \| (edge|control|both|replica) \|/gm)].flatMap(
    ([, names = '', where]) => [...names.matchAll(/`([^`]+)`/g)].map(([, name = '']) => ({ name, where })),
  );
  expect(told.map(({ name }) => name).sort()).toEqual([...logged.keys()].sort());
  const isOfEdge = (file: string) => EDGE_MAY_IMPORT.some((part) => file === part || file.startsWith(`${part}/`));
  const wrong = told.filter(({ name, where }) => {
    const inEdge = logged.get(name)?.some(isOfEdge) === true;
    return name.startsWith('replica.') ? where !== 'replica' : inEdge !== (where === 'edge' || where === 'both');
  });
  expect(wrong).toEqual([]);
});

test('commands that are told are those that work: the Node of the project, and lines that keep their ends', () => {
  // Outside of npm scripts `node` is whatever Node the machine has, which may not run TypeScript.
  const plain = [...documents, ...code].flatMap(({ file, text }) =>
    [...text.matchAll(/`node (?:bench|scripts|test)\/[^`]*\.ts[ `].*/g)].map(([found]) => `${file}: ${found}`),
  );
  expect(plain).toEqual([]);
  // `curl -d` strips them.
  const told = [...documents, ...code].filter(({ file }) => !file.startsWith('test/'));
  const uploads = told.flatMap(({ file, text }) =>
    text.split('\n').flatMap((line) => (/curl.*x-ndjson/.test(line) ? [{ file, line }] : [])),
  );
  expect(uploads.length).toBeGreaterThan(2);
  expect(uploads.filter(({ line }) => !line.includes('--data-binary'))).toEqual([]);
});
