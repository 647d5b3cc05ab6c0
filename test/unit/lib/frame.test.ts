import { describe, expect, test } from 'vitest';
import { FormatError } from '../../../src/lib/bytes.ts';
import { frame, openFrame, openHashedFrame, roundUp8 } from '../../../src/lib/frame.ts';
import { embedded, everyByte, flipped, withTrailing, withVersion } from '../format/support/damage.ts';

const body = Uint8Array.from([1, 2, 3, 4, 5]);
const framed = frame('TEST', 1, body);

describe('frame', () => {
  test('is header and body', () => {
    const expected = [0x54, 0x45, 0x53, 0x54, 1, 0, 0, 0, 5, 0, 0, 0, 0xf4, 0x99, 0x0b, 0x47, 1, 2, 3, 4, 5];
    expect(Array.from(framed)).toEqual(expected);
    expect(openFrame(framed, 'TEST', 1)).toEqual(body);
    expect(openFrame(embedded(framed, 3), 'TEST', 1)).toEqual(body);
    expect(openFrame(frame('TEST', 65_535, new Uint8Array()), 'TEST', 65_535)).toHaveLength(0);
  });

  test('is refused when cut or with any byte changed', () => {
    for (const at of everyByte(framed)) {
      expect(() => openFrame(framed.slice(0, at), 'TEST', 1), `${at} bytes`).toThrow(FormatError);
      expect(() => openFrame(flipped(framed, at), 'TEST', 1), `byte ${at}`).toThrow(FormatError);
    }
  });

  test('says what was expected and what was found', () => {
    expect(() => openFrame(framed.slice(0, 9), 'TEST', 1)).toThrow('TEST: expected at least 16 bytes, found 9');
    expect(() => openFrame(framed, 'REST', 1)).toThrow('expected magic REST, found "TEST"');
    expect(() => openFrame(withVersion(framed, 2), 'TEST', 1)).toThrow('TEST: expected version 1, found 2');
    expect(() => openFrame(framed, 'TEST', 2)).toThrow('TEST: expected version 2, found 1');
    expect(() => openFrame(flipped(framed, 6), 'TEST', 1)).toThrow('expected reserved bytes of zero, found 64');
    expect(() => openFrame(withTrailing(framed, 1), 'TEST', 1)).toThrow('expected a body of 5 bytes, found 6');
    expect(() => openFrame(flipped(framed, 16), 'TEST', 1)).toThrow('expected checksum 470b99f4, found');
  });

  test('of bytes whose hash has been checked only the checksum is not looked at', () => {
    const damaged = flipped(framed, framed.length - 1);
    expect(openHashedFrame(damaged, 'TEST', 1)).toEqual(damaged.subarray(16));
    expect(openHashedFrame(flipped(framed, 12), 'TEST', 1)).toEqual(body);
    for (let at = 0; at < 12; at++) {
      expect(() => openHashedFrame(flipped(framed, at), 'TEST', 1), `byte ${at}`).toThrow(FormatError);
    }
    for (const at of everyByte(framed)) {
      expect(() => openHashedFrame(framed.slice(0, at), 'TEST', 1), `${at} bytes`).toThrow(FormatError);
    }
  });

  test('roundUp8', () => {
    expect([0, 1, 7, 8, 9].map(roundUp8)).toEqual([0, 8, 8, 8, 16]);
  });
});
