import { crc32 as platforms } from 'node:zlib';
import fc from 'fast-check';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { embedded } from '../format/support/damage.ts';

let crc32: (data: Uint8Array | string) => number;

/** What an isolate has summed decides who sums, so each test has an isolate's worth. */
beforeEach(async () => {
  vi.resetModules();
  ({ crc32 } = await import('../../../src/lib/crc32.ts'));
});

describe('CRC-32', () => {
  // The first is the check value of CRC-32/ISO-HDLC in the catalogue of parametrised CRC algorithms.
  test.each([
    ['123456789', 0xcbf4_3926],
    ['', 0],
    ['a', 0xe8b7_be43],
    ['The quick brown fox jumps over the lazy dog', 0x414f_a339],
  ])('of %j', (text, expected) => {
    expect(crc32(new TextEncoder().encode(text))).toBe(expected);
    expect(crc32(text)).toBe(expected);
  });

  test('is that of zlib, at any length and alignment', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat({ max: 15 }), (bytes, offset) => {
        const place = embedded(new Uint8Array(bytes), offset);
        expect(crc32(place)).toBe(platforms(place));
      }),
      { numRuns: 500 },
    );
  });

  test('of a text is that of its UTF-8', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(crc32(text)).toBe(platforms(new TextEncoder().encode(text)));
      }),
    );
  });

  test('asks for the platform’s once much has been summed, and not before', () => {
    const asked = vi.spyOn(process, 'getBuiltinModule');
    const bytes = new Uint8Array(2 ** 20).fill(7);
    const expected = platforms(bytes);
    for (let i = 0; i < 5; i++) expect(crc32(bytes)).toBe(expected);
    expect(asked).not.toHaveBeenCalled();
    for (let i = 0; i < 3; i++) expect(crc32(bytes)).toBe(expected);
    expect(crc32('é')).toBe(platforms('é'));
    expect(asked.mock.calls).toEqual([['node:zlib']]);
    asked.mockRestore();
  });

  test('goes on by itself where there is none', () => {
    vi.stubGlobal('process', undefined);
    const bytes = new Uint8Array(3 * 2 ** 20).fill(9);
    const sums = [1, 2, 3, 4].map(() => crc32(bytes));
    vi.unstubAllGlobals();
    expect(new Set(sums)).toEqual(new Set([platforms(bytes)]));
  });
});
