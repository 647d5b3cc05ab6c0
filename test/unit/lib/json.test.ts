/** A name that an object has twice is found, however it is written; and no other is. */
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { repeatedName } from '../../../src/lib/json.ts';

const find = (text: string, options?: Parameters<typeof repeatedName>[2]) =>
  repeatedName(text, JSON.parse(text), options);

test.each([
  ['{}', null],
  ['[]', null],
  ['"a:b"', null],
  ['{"a":1,"b":2}', null],
  ['{"a":1,"a":2}', 'a'],
  ['{"a" \t\r\n: 1, "a"\n:2}', 'a'],
  ['{"a":1,"\\u0061":2}', 'a'],
  ['{"\\"":1,"a":"\\":","b":2}', null],
  ['{"a\\\\":1,"a\\\\":2}', 'a\\'],
  ['{"a":"a","b":["a","a"]}', null],
  ['{"a":{"a":1}}', null],
  ['{"x":{"a":1,"b":{"a":1},"a":2}}', 'a'],
  ['[{"a":1},{"a":1}]', null],
  ['[{"a":1},{"b":1,"b":1}]', 'b'],
  ['{"__proto__":1,"__proto__":2}', '__proto__'],
  ['{"1":1,"1":2}', '1'],
])('%s', (text, name) => {
  expect(find(text)).toBe(name);
});

describe('only what is asked for', () => {
  it('names that matter', () => {
    const matters = (name: string) => name === 'b';
    expect(find('{"a":1,"a":2}', { matters })).toBeNull();
    expect(find('{"a":1,"a":2,"b":1,"b":2}', { matters })).toBe('b');
  });

  it('levels', () => {
    const text = '{"x":{"a":{"b":1,"b":2},"c":1,"c":2}}';
    expect([1, 2, 3].map((levels) => find(text, { levels }))).toEqual([null, 'c', 'b']);
  });
});

/** JSON as pairs, so that an object can have a name twice. */
type Tree = string | number | null | readonly Tree[] | { readonly pairs: readonly (readonly [string, Tree])[] };

const { tree } = fc.letrec<{ tree: Tree; name: string }>((tie) => ({
  // Not a backslash alone: beside it, JSON.parse of V8 takes "\"" for the name "\\".
  name: fc.constantFrom('number', 'label', 'a', '"', 'x\\', ':', '":', '{', 'ü', ''),
  tree: fc.oneof(
    { depthSize: 'small' },
    tie('name'),
    fc.constantFrom(null, 0, -1.5e3),
    fc.array(tie('tree'), { maxLength: 3 }),
    fc.record({ pairs: fc.array(fc.tuple(tie('name'), tie('tree')), { maxLength: 4 }) }),
  ),
}));

function write(value: Tree, gap: string, isEscaped: boolean): string {
  const quote = (text: string) =>
    isEscaped
      ? `"${[...text].map((char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`).join('')}"`
      : JSON.stringify(text);
  if (typeof value === 'string') return quote(value);
  if (value === null || typeof value === 'number') return JSON.stringify(value);
  if ('pairs' in value) {
    const members = value.pairs.map(([name, each]) => `${quote(name)}${gap}:${gap}${write(each, gap, !isEscaped)}`);
    return `{${gap}${members.join(`${gap},`)}${gap}}`;
  }
  return `[${value.map((each) => write(each, gap, isEscaped)).join(`,${gap}`)}]`;
}

function hasRepeated(value: Tree): boolean {
  if (value === null || typeof value !== 'object') return false;
  if (!('pairs' in value)) return value.some(hasRepeated);
  const names = value.pairs.map(([name]) => name);
  return new Set(names).size < names.length || value.pairs.some(([, each]) => hasRepeated(each));
}

test('any JSON, escaped or spaced in any way', () => {
  fc.assert(
    fc.property(tree, fc.constantFrom('', ' ', '\n\t'), fc.boolean(), (value, gap, isEscaped) => {
      const text = write(value, gap, isEscaped);
      expect(find(text) !== null).toBe(hasRepeated(value));
    }),
    { numRuns: 5000 },
  );
});
