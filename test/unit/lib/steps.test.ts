/**
 * A computation in steps is a generator: called and left alone it does nothing, and the compiler has no objection. So
 * each call of one stands where something takes it up: run, finish, yield*, a loop, a variable, a return.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const PROJECT = join(import.meta.dirname, '..', '..', '..');

/** `function* name(` and, of a class, `*name(` or `async *#name(`. */
const GENERATOR = /^\s*(?:export )?(?:(?:private |static )?(?:async )?\*|(?:async )?function\*) ?(#?\w+)[<(]/gm;
/** What a line may end with for the next one to go on with it. */
const GOES_ON = /(?:[([,=?:&|+.]|=>|return|yield\*?|await)\s*$/;

/** Statements that are nothing but a call of one of these, awaited or not. */
function forgotten(text: string, names: ReadonlySet<string>): string[] {
  const call = /^\s*(?:if \(.*\) |(?:\} )?else )?(?:(?:await|void) )?(?:[\w#]+\??\.)*(#?\w+)\(/;
  const lines = text.split('\n');
  return lines.filter((line, i) => {
    const name = call.exec(line)?.[1];
    if (name === undefined || !names.has(name)) return false;
    // The declaration of a method begins like its call, and so does its signature in an interface.
    return !line.trimEnd().endsWith('{') && !line.includes('): ') && !GOES_ON.test(lines[i - 1] ?? '');
  });
}

function generatorsIn(text: string): string[] {
  return [...text.matchAll(GENERATOR)].map(([, name = '']) => name);
}

test('no computation in steps is called and left alone', () => {
  const texts = ['src', 'scripts', 'bench'].flatMap((folder) =>
    readdirSync(join(PROJECT, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name): readonly [string, string] => [
        `${folder}/${name}`,
        readFileSync(join(PROJECT, folder, name), 'utf8'),
      ]),
  );
  const names = new Set(texts.flatMap(([, text]) => generatorsIn(text)));
  for (const known of ['openBatchSteps', 'screen', 'finishSteps', '#encode', 'fold']) expect(names).toContain(known);
  expect(texts.flatMap(([path, text]) => forgotten(text, names).map((line) => `${path}: ${line.trim()}`))).toEqual([]);
});

test('one that is left alone is seen, and one that is taken up is not', () => {
  const names = new Set(
    generatorsIn('export function* checkSteps(a: number): Steps<void> {\n  *#encode(): Steps<void> {\n'),
  );
  expect([...names]).toEqual(['checkSteps', '#encode']);
  const left = [
    'checkSteps(batch);',
    'await checkSteps(batch);',
    'this.#encode();',
    'void other.checkSteps(1);',
    'if (isFull) this.#encode();',
  ];
  for (const line of left) expect(forgotten(`{\n  ${line}\n}`, names)).toHaveLength(1);
  const taken = [
    'yield* checkSteps(batch);',
    'await pace.run(checkSteps(batch));',
    'finish(this.#encode());',
    'return checkSteps(batch);',
    'await pace.run(\n    checkSteps(batch),\n  );',
    'const steps = checkSteps(batch);',
    'if (isFull) yield* this.#encode();',
    'for (const one of checkSteps(batch)) count(one);',
  ];
  for (const line of taken) expect(forgotten(`{\n  ${line}\n}`, names)).toEqual([]);
});
