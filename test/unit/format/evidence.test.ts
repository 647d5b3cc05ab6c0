import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { attributesText } from '../../../src/format/attributes.ts';
import { type BlockPlace, EvidenceBlock, EvidenceIndex, encodeEvidence } from '../../../src/format/evidence.ts';
import { type Bytes, ByteWriter, FormatError } from '../../../src/lib/bytes.ts';
import { finish } from '../../../src/lib/cooperate.ts';
import { crc32 } from '../../../src/lib/crc32.ts';
import { sealFrame } from '../../../src/lib/frame.ts';
import { TextTable } from '../../../src/lib/text-table.ts';
import { entry } from './support/arbitrary.ts';
import { CODECS } from './support/content.ts';
import { embedded, everyByte, flipped, withTrailing, withVersion } from './support/damage.ts';
import { evidenceColumns, type PlainEntry } from './support/plain.ts';

const { encode, decode } = CODECS.evidence;

const plain: PlainEntry = {
  ...{ label: 'modem_pool_card', channel: 'otp_marketplace', industry: null, project: null, link: null, source: null },
  firstSeenAt: 1_767_614_400,
  lastSeenAt: 1_767_700_800,
  sightings: 2,
};
const range = (count: number) => Array.from({ length: count }, (_, i) => i);
const some: PlainEntry[][] = Array.from({ length: 150 }, (_, i) => [{ ...plain, project: `project ${i % 7}` }, plain]);

function readBlock(bytes: Uint8Array, place: BlockPlace, numbers: number, shared: number): EvidenceBlock {
  const block = new EvidenceBlock();
  block.read(bytes, place, numbers, shared);
  return block;
}

describe('evidence column', () => {
  test('gives each number its entries', () => {
    const numbers = fc.array(fc.array(entry, { maxLength: 5 }), { minLength: 1, maxLength: 140, size: 'max' });
    fc.assert(
      fc.property(numbers, (evidence) => {
        expect(decode(encode(evidence) as Bytes)).toEqual(evidence);
      }),
      { numRuns: 60 },
    );
  });

  test('is cut into blocks of 64 numbers, one after the other', () => {
    const { index, blocks } = finish(encodeEvidence(evidenceColumns(some)));
    const opened = new EvidenceIndex(embedded(index, 3));
    expect([opened.count, opened.blocks, opened.texts]).toEqual([150, 3, 8]);
    const places = [0, 1, 2].map((block) => opened.place(block));
    expect(places[0]?.offset).toBe(0);
    expect(places[1]?.offset).toBe(places[0]?.length);
    expect(blocks.length % 8).toBe(0);
    expect(blocks.length - (places[2]?.offset ?? 0) - (places[2]?.length ?? 0)).toBeLessThan(8);
    expect(() => opened.place(3)).toThrow('no block 3, there are 3');
    expect(() => opened.place(-1)).toThrow(RangeError);
  });

  test('a number without entries is possible, and so is a block without', () => {
    for (const evidence of [[[]], [[], [plain], []], Array.from({ length: 65 }, () => [])]) {
      expect(decode(encode(evidence) as Bytes)).toEqual(evidence);
    }
  });

  test('attributes of two blocks or more are in the index, once; those of one block in it', () => {
    const evidence = some.map((entries, i) => (i === 70 ? [{ ...plain, source: 'only here' }, plain] : entries));
    const { index, blocks } = finish(encodeEvidence(evidenceColumns(evidence)));
    const opened = new EvidenceIndex(index);
    const texts = Array.from({ length: opened.texts }, (_, i) => opened.text(i));
    expect(texts).toEqual(
      [plain, ...range(7).map((i) => ({ ...plain, project: `project ${i}` }))].map(attributesText).sort(),
    );
    const own = range(3).map((block) => {
      const place = opened.place(block);
      const bytes = blocks.subarray(place.offset, place.offset + place.length);
      const read = readBlock(bytes, place, block < 2 ? 64 : 22, opened.texts);
      return range(read.own).map((i) => read.ownText(i));
    });
    expect(own).toEqual([[], [attributesText({ ...plain, source: 'only here' })], []]);
  });

  test('the same evidence gives the same bytes, however its attributes were interned', () => {
    const columns = evidenceColumns(some);
    const { attributes } = columns;
    const last = attributes.size - 1;
    const reversed = new TextTable();
    for (let id = last; id >= 0; id--) reversed.idOfBytes(attributes.bytes(id));
    reversed.idOf('unused');
    const renumbered = {
      ...columns,
      attributes: reversed,
      entries: { ...columns.entries, attributesIndex: columns.entries.attributesIndex.map((id) => last - id) },
    };
    expect(finish(encodeEvidence(renumbered))).toEqual(finish(encodeEvidence(columns)));
  });
});

describe('what is not evidence is refused', () => {
  const { index, blocks } = finish(encodeEvidence(evidenceColumns(some.slice(0, 70))));

  test('an index cut at, or with a flipped bit in, any byte; trailing bytes; another version', () => {
    for (const at of everyByte(index)) {
      expect(() => new EvidenceIndex(index.slice(0, at)), `${at} bytes`).toThrow(FormatError);
      expect(() => new EvidenceIndex(flipped(index, at)), `byte ${at}`).toThrow(FormatError);
    }
    expect(() => new EvidenceIndex(withTrailing(index, 8))).toThrow(/expected a body of/);
    expect(() => new EvidenceIndex(sealFrame(withTrailing(index, 8), 'RFEV', 1))).toThrow('2 blocks of 70 numbers');
    expect(() => new EvidenceIndex(sealFrame(index.slice(0, 24), 'RFEV', 1))).toThrow('8 bytes of body');
    expect(() => new EvidenceIndex(withVersion(index, 2))).toThrow('RFEV: expected version 1, found 2');
  });

  test('an index whose counts or blocks contradict each other', () => {
    const edited = (at: number, value: number) => {
      const copy = index.slice();
      new DataView(copy.buffer).setUint32(at, value, true);
      return sealFrame(copy, 'RFEV', 1);
    };
    expect(() => new EvidenceIndex(edited(16, 0))).toThrow(FormatError);
    expect(() => new EvidenceIndex(edited(16, 129))).toThrow(FormatError);
    expect(() => new EvidenceIndex(edited(20, 3))).toThrow(FormatError);
    expect(() => new EvidenceIndex(edited(24, 9))).toThrow(FormatError);
    expect(() => new EvidenceIndex(edited(28, 3))).toThrow(FormatError);
    expect(() => new EvidenceIndex(edited(36, 0)).place(1)).toThrow('block 1 ends at 0, before it begins at');
    const textEnds = 32 + 2 * 8;
    expect(() => new EvidenceIndex(edited(textEnds, 2 ** 31))).toThrow('do not divide');
    const last = new DataView(index.buffer).getUint32(textEnds + 24, true);
    expect(() => new EvidenceIndex(edited(textEnds + 24, last - 1))).toThrow('do not divide');
    const indexes = range(8).map((i) => {
      const shared = range(70).map(() => [{ ...plain, source: 'x'.repeat(i + 1) }]);
      return finish(encodeEvidence(evidenceColumns(shared))).index;
    });
    const padded = indexes.filter((bytes) => bytes.at(-1) === 0);
    expect(padded).toHaveLength(7);
    for (const bytes of padded) {
      bytes[bytes.length - 1] = 1;
      expect(() => new EvidenceIndex(sealFrame(bytes, 'RFEV', 1))).toThrow('no zeros follow');
    }
  });

  test('a block cut at, or with a flipped bit in, any byte', () => {
    const place = new EvidenceIndex(index).place(1);
    const block = blocks.slice(place.offset, place.offset + place.length);
    const shared = new EvidenceIndex(index).texts;
    expect(Array.from(readBlock(block, place, 6, shared).entryEnd.subarray(0, 6))).toEqual([2, 4, 6, 8, 10, 12]);
    for (const at of everyByte(block)) {
      expect(() => readBlock(block.slice(0, at), place, 6, shared), `${at} bytes`).toThrow(FormatError);
      expect(() => readBlock(flipped(block, at), place, 6, shared), `byte ${at}`).toThrow(FormatError);
    }
    expect(() => readBlock(block, place, 5, shared)).toThrow('bytes follow the last entry');
    expect(() => readBlock(block, place, 7, shared)).toThrow(FormatError);
  });

  const text = attributesText(plain);
  test.each([
    ['an entry that names no listed attributes', [1, 1, 1, 0, 0, 1]],
    ['an entry without sightings', [1, 1, 0, 0, 0, 0]],
    ['an entry seen after 2106', [1, 1, 0, 2 ** 32, 0, 1]],
    ['an entry cut off', [1, 1, 0, 0]],
    ['entries that never end', [1, 2 ** 53 - 1, 0, 0, 0, 1]],
  ])('a block with a right checksum, but with %s', (_name, integers) => {
    const writer = new ByteWriter();
    writer.varint(1);
    writer.text(text);
    for (const integer of integers) writer.varint(integer);
    const block = writer.view();
    const place = { offset: 0, length: block.length, crc: crc32(block) };
    expect(() => readBlock(block, place, 1, 0)).toThrow(FormatError);
  });

  test('more texts than a block can have', () => {
    const writer = new ByteWriter();
    writer.varint(2 ** 53 - 1);
    writer.text(text);
    const block = writer.view();
    expect(() => readBlock(block, { offset: 0, length: block.length, crc: crc32(block) }, 1, 0)).toThrow(FormatError);
  });
});
