import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ByteWriter } from '../../../src/format/bytes.ts';
import { circumstancesText } from '../../../src/format/circumstances.ts';
import { crc32 } from '../../../src/format/crc32.ts';
import { EvidenceIndex, encodeEvidence, evidenceIndexBytes, readEvidenceBlock } from '../../../src/format/evidence.ts';
import { type Bytes, FormatError, sealFrame } from '../../../src/format/frame.ts';
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
const some: PlainEntry[][] = Array.from({ length: 150 }, (_, i) => [{ ...plain, project: `project ${i % 7}` }, plain]);

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
    const { index, blocks } = encodeEvidence(evidenceColumns(some));
    const opened = new EvidenceIndex(embedded(index, 3));
    expect([opened.count, opened.blocks, index.length]).toEqual([150, 3, evidenceIndexBytes(150)]);
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

  test('the same evidence gives the same bytes, however its circumstances were interned', () => {
    const columns = evidenceColumns(some);
    const last = columns.circumstances.length - 1;
    const renumbered = {
      ...columns,
      circumstances: [...columns.circumstances.toReversed(), 'unused'],
      entries: { ...columns.entries, circumstance: columns.entries.circumstance.map((id) => last - id) },
    };
    expect(encodeEvidence(renumbered)).toEqual(encodeEvidence(columns));
  });
});

describe('what is not evidence is refused', () => {
  const { index, blocks } = encodeEvidence(evidenceColumns(some.slice(0, 70)));

  test('an index cut at, or with a flipped bit in, any byte; trailing bytes; another version', () => {
    for (const at of everyByte(index)) {
      expect(() => new EvidenceIndex(index.slice(0, at)), `${at} bytes`).toThrow(FormatError);
      expect(() => new EvidenceIndex(flipped(index, at)), `byte ${at}`).toThrow(FormatError);
    }
    expect(() => new EvidenceIndex(withTrailing(index, 8))).toThrow(/expected a body of/);
    expect(() => new EvidenceIndex(sealFrame(withTrailing(index, 8), 'RFEV', 1))).toThrow('2 blocks of 70 numbers');
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
    expect(() => new EvidenceIndex(edited(28, 0)).place(1)).toThrow('block 1 ends at 0, before it begins at');
  });

  test('a block cut at, or with a flipped bit in, any byte', () => {
    const place = new EvidenceIndex(index).place(1);
    const block = blocks.slice(place.offset, place.offset + place.length);
    expect(readEvidenceBlock(block, place, 6)).toHaveLength(6);
    for (const at of everyByte(block)) {
      expect(() => readEvidenceBlock(block.slice(0, at), place, 6), `${at} bytes`).toThrow(FormatError);
      expect(() => readEvidenceBlock(flipped(block, at), place, 6), `byte ${at}`).toThrow(FormatError);
    }
    expect(() => readEvidenceBlock(block, place, 5)).toThrow('bytes follow the last entry');
    expect(() => readEvidenceBlock(block, place, 7)).toThrow(FormatError);
  });

  const text = circumstancesText(plain);
  test.each([
    ['an entry that names no listed circumstances', [1, 1, 1, 0, 0, 1]],
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
    expect(() => readEvidenceBlock(block, place, 1)).toThrow(FormatError);
  });

  test('more texts than a block can have', () => {
    const writer = new ByteWriter();
    writer.varint(2 ** 53 - 1);
    writer.text(text);
    const block = writer.view();
    expect(() => readEvidenceBlock(block, { offset: 0, length: block.length, crc: crc32(block) }, 1)).toThrow(
      FormatError,
    );
  });
});
