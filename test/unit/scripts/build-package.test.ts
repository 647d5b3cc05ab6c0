/** What is kept of declarations, on small ones; test/e2e/package.test.ts holds the package as a whole. */
import { expect, it } from 'vitest';
import { printFiles, Reachable, readFiles } from '../../../scripts/build-package/declarations.ts';
import { BuildError } from '../../../scripts/build-package/entries.ts';

function keep(texts: Readonly<Record<string, string>>) {
  const files = readFiles(new Map(Object.entries(texts)));
  const reachable = new Reachable(files, ['index.d.ts']);
  return { printed: printFiles(files, reachable), packages: [...reachable.packages.keys()] };
}

it('follows exports to what they name, and leaves out the rest with its imports', () => {
  const { printed, packages } = keep({
    'index.d.ts': "export { type Made as Thing, make } from './a/make.ts';\n",
    'a/make.d.ts': [
      "import type { Schema } from 'valibot';",
      "import { type Kind, type Other as Unused } from '../kind.ts';",
      '/** A thing. { is no bracket, and ; no end */',
      'export interface Made {',
      '    /** Of it. */',
      "    readonly kind: Kind | '}';",
      '}',
      'type Local = {',
      '    readonly one: 1;',
      '}',
      '/** or */',
      ' | {',
      '    readonly two: 2;',
      '};',
      'export declare function make(local: Local): Made;',
      'export declare const schema: Schema;',
      '',
    ].join('\n'),
    'kind.d.ts': 'export type Kind = 1;\nexport type Other = 2;\n',
    'unused.d.ts': "export * from 'valibot';\n",
  });
  expect(packages).toEqual([]);
  expect([...printed.keys()].sort()).toEqual(['a/make.d.ts', 'index.d.ts', 'kind.d.ts']);
  expect(printed.get('index.d.ts')).toBe("export { type Made as Thing, make } from './a/make.js';\nexport {};\n");
  const made = printed.get('a/make.d.ts');
  expect(made).toContain("import { type Kind } from '../kind.js';\n/** A thing.");
  expect(made).toContain('type Local = {\n    readonly one: 1;\n}\n/** or */\n | {\n    readonly two: 2;\n};');
  expect(made).not.toMatch(/valibot|schema|Unused/);
  expect(printed.get('kind.d.ts')).toBe('export type Kind = 1;\nexport {};\n');
});

it('tells the packages that are named by what is kept', () => {
  const { packages } = keep({
    'index.d.ts': "export type * from './types.ts';\n",
    'types.d.ts': [
      "import * as v from 'valibot';",
      "import type { Context } from 'hono';",
      "import type { Other } from 'other';",
      'export type Schema = v.GenericSchema<Context>;',
      '',
    ].join('\n'),
  });
  expect(packages.sort()).toEqual(['hono', 'valibot']);
});

it('stands in for a type of Workers where it is public', () => {
  const { printed } = keep({ 'index.d.ts': 'export declare function store(bucket: R2Bucket): void;\n' });
  expect(printed.get('index.d.ts')).toContain('declare global {\n    interface R2Bucket {\n    }\n}');
});

it('refuses what tsc does not write', () => {
  expect(() => keep({ 'index.d.ts': 'export default function f(): void;\n' })).toThrow(BuildError);
  expect(() => keep({ 'index.d.ts': 'export interface A {\n' })).toThrow('index.d.ts: expected whole statements');
  expect(() => keep({ 'index.d.ts': "export { A } from './a.ts';\n" })).toThrow('expected declarations in a.d.ts');
  const noSuch = { 'index.d.ts': "export { A } from './a.ts';\n", 'a.d.ts': 'export type B = 1;\n' };
  expect(() => keep(noSuch)).toThrow('index.d.ts: expected an export A of ./a.ts');
});
