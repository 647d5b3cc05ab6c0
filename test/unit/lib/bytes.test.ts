import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ByteReader, ByteWriter, FormatError, fromHex, toHex } from '../../../src/lib/bytes.ts';

const item = fc.oneof(fc.maxSafeNat(), fc.nat({ max: 300 }), fc.string({ unit: 'binary', maxLength: 40 }));

function written(write: (writer: ByteWriter) => void): Uint8Array {
  const writer = new ByteWriter();
  write(writer);
  return writer.view().slice();
}

describe('variable-length integers and texts', () => {
  test('are read as they were written, one after the other', () => {
    fc.assert(
      fc.property(fc.array(item, { maxLength: 100 }), (items) => {
        const bytes = written((writer) => {
          for (const each of items) typeof each === 'number' ? writer.varint(each) : writer.text(each);
        });
        const reader = new ByteReader(bytes);
        for (const each of items) expect(typeof each === 'number' ? reader.varint() : reader.text()).toBe(each);
        expect(reader.atEnd).toBe(true);
      }),
    );
  });

  test('are whole wherever the writer has to grow', () => {
    for (let before = 1_000; before < 1_030; before++) {
      for (const text of ['', 'abc', 'a'.repeat(130)]) {
        const bytes = written((writer) => {
          writer.raw(new Uint8Array(before));
          writer.text(text);
          writer.varint(2 ** 40);
        });
        const reader = new ByteReader(bytes, before);
        expect([reader.text(), reader.varint(), reader.atEnd]).toEqual([text, 2 ** 40, true]);
      }
    }
  });

  test.each([
    [0, [0]],
    [127, [0x7f]],
    [128, [0x80, 1]],
    [300, [0xac, 2]],
    [2 ** 28 - 1, [0xff, 0xff, 0xff, 0x7f]],
    [2 ** 28, [0x80, 0x80, 0x80, 0x80, 1]],
    [2 ** 31 - 1, [0xff, 0xff, 0xff, 0xff, 7]],
    [2 ** 31, [0x80, 0x80, 0x80, 0x80, 8]],
    [2 ** 32, [0x80, 0x80, 0x80, 0x80, 0x10]],
    [2 ** 53 - 1, [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f]],
  ])('%i is LEB128', (value, bytes) => {
    expect(Array.from(written((writer) => writer.varint(value)))).toEqual(bytes);
    expect(new ByteReader(Uint8Array.from(bytes)).varint()).toBe(value);
  });

  test.each([-1, 0.5, 2 ** 53, Number.NaN, Number.POSITIVE_INFINITY])('%d is not written', (value) => {
    expect(() => new ByteWriter().varint(value)).toThrow(RangeError);
  });

  test.each([
    ['nothing', []],
    ['cut off', [0x80]],
    ['a last group of zero', [0x80, 0]],
    ['a value of 2^53', [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10]],
    ['more than eight groups', [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 1]],
  ])('an integer is refused: %s', (_name, bytes) => {
    expect(() => new ByteReader(Uint8Array.from(bytes)).varint()).toThrow(FormatError);
  });

  test.each([
    ['cut off', [3, 0x61, 0x62]],
    ['of a length beyond any file', [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f, 0x61]],
    ['a lone continuation byte', [1, 0x80]],
    ['an overlong form', [2, 0xc0, 0x80]],
    ['a surrogate', [3, 0xed, 0xa0, 0x80]],
  ])('a text is refused: %s', (_name, bytes) => {
    expect(() => new ByteReader(Uint8Array.from(bytes)).text()).toThrow(FormatError);
  });

  test('a byte order mark is a character like any other', () => {
    expect(new ByteReader(Uint8Array.from([4, 0xef, 0xbb, 0xbf, 0x61])).text()).toBe('\ufeffa');
  });

  test('a writer grows, and starts anew when cleared', () => {
    const writer = new ByteWriter();
    writer.raw(new Uint8Array(5000).fill(7));
    writer.varint(300);
    expect(writer.length).toBe(5002);
    expect(Array.from(writer.view().subarray(4998))).toEqual([7, 7, 0xac, 2]);
    writer.clear();
    expect(writer.length).toBe(0);
  });

  test('a writer that began with no room writes the same', () => {
    const write = (writer: ByteWriter) => {
      writer.varint(5);
      writer.varint(2 ** 40);
      writer.text('abc');
      return Array.from(writer.view());
    };
    expect(write(new ByteWriter(0))).toEqual(write(new ByteWriter()));
  });
});

describe('hexadecimal text', () => {
  test('stands for its bytes, of a hash and of any other length', () => {
    const bytes = fc.oneof(fc.uint8Array({ minLength: 32, maxLength: 32 }), fc.uint8Array({ maxLength: 70 }));
    fc.assert(
      fc.property(bytes, bytes, (one, other) => {
        // Both before either is looked at: neither is a view of what the other was made in.
        const texts = [one, other].map(toHex);
        expect(texts).toEqual([one, other].map((each) => Buffer.from(each).toString('hex')));
        expect(texts.map((text) => Buffer.from(fromHex(text)))).toEqual([one, other].map((each) => Buffer.from(each)));
        const inWriter = written((writer) => {
          for (const text of texts) writer.hex(text);
        });
        expect(Buffer.from(inWriter).toString('hex')).toBe(texts.join(''));
      }),
    );
  });
});
