import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FormatError } from '../../../src/lib/bytes.ts';
import { TextTable } from '../../../src/lib/text-table.ts';

/** Of all planes: unpaired surrogates are no text in UTF-8. */
const text = fc.string({ unit: 'binary', maxLength: 40 });
const utf8 = (value: string) => new TextEncoder().encode(value);

describe('a table of texts', () => {
  test('counts distinct texts up from 0, and gives them back', () => {
    const table = new TextTable();
    expect(['b', 'a', 'b', 'c', ''].map((each) => table.idOf(each))).toEqual([0, 1, 0, 2, 3]);
    expect([0, 1, 2, 3].map((id) => table.text(id))).toEqual(['b', 'a', 'c', '']);
    expect(() => table.text(4)).toThrow('no text with id 4, there are 4');
    expect(() => table.bytes(-1)).toThrow('no text with id -1, there are 4');
  });

  test('numbers texts as a Map does, in whichever form they come', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(text, fc.boolean()), { maxLength: 200 }), (given) => {
        const table = new TextTable();
        const ids = new Map<string, number>();
        for (const [value, asBytes] of given) {
          expect(table.has(value)).toBe(ids.has(value));
          if (!ids.has(value)) ids.set(value, ids.size);
          expect(asBytes ? table.idOfBytes(utf8(value)) : table.idOf(value)).toBe(ids.get(value));
        }
        expect(table.size).toBe(ids.size);
        for (const [value, id] of ids) {
          expect(table.text(id)).toBe(value);
          expect([...table.bytes(id)]).toEqual([...utf8(value)]);
        }
      }),
    );
  });

  test('keeps thousands apart that differ in few bits, each found again', () => {
    const table = new TextTable();
    const texts = Array.from(
      { length: 20_000 },
      (_, i) => `[${'x'.repeat(i % 7)}${i},"${String(i).padStart(64, '0')}"]`,
    );
    expect(texts.map((each) => table.idOf(each))).toEqual(texts.map((_, i) => i));
    expect(texts.every((each, i) => table.idOfBytes(utf8(`##${each}#`), 2, 2 + each.length) === i)).toBe(true);
  });

  test('orders texts as strings are ordered, surrogate pairs before U+E000', () => {
    const table = new TextTable();
    const ordered = [
      '',
      'a',
      'ab',
      'abcd',
      'abc\u00e9',
      'b',
      '\u00e9',
      '\ud7ff',
      '\u{10000}',
      '\u{10ffff}',
      '\ue000',
      '\uffff',
    ];
    const ids = ordered.map((each) => table.idOf(each));
    expect(ids.toSorted((a, b) => table.compare(b, a)).reverse()).toEqual(ids);
    fc.assert(
      fc.property(text, text, (a, b) => {
        const order = a < b ? -1 : a > b ? 1 : 0;
        expect(Math.sign(table.compare(table.idOf(a), table.idOf(b)))).toBe(order);
      }),
    );
  });

  test('refuses bytes that are not UTF-8', () => {
    const table = new TextTable();
    for (const bytes of [[0x80], [0x61, 0x62, 0x63, 0x64, 0xc3], [0xed, 0xa0, 0x80], [0x61, 0x61, 0x61, 0xff]]) {
      expect(() => table.idOfBytes(Uint8Array.from(bytes))).toThrow(FormatError);
    }
    expect(table.size).toBe(0);
  });
});
