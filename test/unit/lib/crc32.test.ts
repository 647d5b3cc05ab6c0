import { crc32 as zlibCrc32 } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { crc32 } from '../../../src/lib/frame.ts';
import { embedded } from '../format/support/damage.ts';

describe('CRC-32', () => {
  // The first is the check value of CRC-32/ISO-HDLC in the catalogue of parametrised CRC algorithms.
  test.each([
    ['123456789', 0xcbf4_3926],
    ['', 0],
    ['a', 0xe8b7_be43],
    ['The quick brown fox jumps over the lazy dog', 0x414f_a339],
  ])('of %j', (text, expected) => {
    expect(crc32(new TextEncoder().encode(text))).toBe(expected);
  });

  test('is that of zlib, at any length and alignment', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat({ max: 15 }), (bytes, offset) => {
        const place = embedded(new Uint8Array(bytes), offset);
        expect(crc32(place)).toBe(zlibCrc32(place));
      }),
      { numRuns: 500 },
    );
  });
});
