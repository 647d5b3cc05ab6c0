import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  checkedSlice,
  encodeSegment,
  evidenceBlocksOffset,
  evidenceIndexOffset,
  numbersOffset,
  numbersSlice,
  openPage,
  openSegment,
  PAGE_RANKS,
  pageOf,
  SEGMENT_FOOTER_BYTES,
  SEGMENT_HEADER_BYTES,
  verdictsOffset,
  verdictsSlice,
} from '../../../src/format/segment.ts';
import { type Bytes, FormatError, sha256Hex } from '../../../src/lib/bytes.ts';
import { UNPACED } from '../../../src/lib/cooperate.ts';
import { sealFrame } from '../../../src/lib/frame.ts';
import { records } from './support/arbitrary.ts';
import { CASES } from './support/cases.ts';
import { CODECS } from './support/content.ts';
import { embedded, everyByte, flipped, withTrailing, withVersion } from './support/damage.ts';
import { EXAMPLE_RECORDS } from './support/example.ts';
import { plainVerdict, recordColumns } from './support/plain.ts';

/** Opens a segment and reads all of it. */
const readAll = CODECS.segment.decode;

const { shape, file } = await encodeSegment(recordColumns(EXAMPLE_RECORDS), UNPACED);
const { parts } = await openSegment(file, UNPACED);
/** Of version 1, whose encoder is gone. */
const old = new Uint8Array(readFileSync(resolve(import.meta.dirname, '../../golden/segment-several-blocks.v1.bin')));
/** With two blocks of evidence. */
const several = (await encodeSegment(recordColumns(CASES.segment['several-blocks']?.slice(0, 70) ?? []), UNPACED)).file;

describe('segment', () => {
  test('has each record as it was encoded', async () => {
    await fc.assert(
      fc.asyncProperty(records, async (list) => {
        const segment = await encodeSegment(recordColumns(list), UNPACED);
        expect(await readAll(segment.file)).toEqual({ shape: segment.shape, records: list });
      }),
      { numRuns: 40 },
    );
  });

  test('the same records give the same bytes', async () => {
    await fc.assert(
      fc.asyncProperty(records, async (list) => {
        const [one, other] = [list, structuredClone(list)]
          .map(recordColumns)
          .map((each) => encodeSegment(each, UNPACED));
        expect((await one)?.file).toEqual((await other)?.file);
      }),
      { numRuns: 10 },
    );
  });

  test('its parts are where its shape says, and hash to what it says', async () => {
    expect(shape.bytes).toBe(file.length);
    const [verdicts, index] = [verdictsOffset(shape), evidenceIndexOffset(shape)];
    const offsets = [numbersOffset(), verdicts, index, evidenceBlocksOffset(shape, parts)];
    expect(offsets).toEqual([64, 312, 512, 552]);
    for (const offset of offsets) expect(offset % 8).toBe(0);
    const encoded = { shape, file };
    expect(numbersSlice(encoded)).toEqual(file.subarray(64, verdicts));
    expect(verdictsSlice(encoded)).toEqual(file.subarray(verdicts, index));
    expect(await sha256Hex(numbersSlice(encoded))).toBe(shape.numbers.sha256);
    expect(await sha256Hex(verdictsSlice(encoded))).toBe(parts.verdicts.sha256);
    expect(await sha256Hex(file.slice(index, index + parts.evidenceIndex.bytes))).toBe(parts.evidenceIndex.sha256);
  });

  test('each page of verdicts is where the directory says, by itself, and hashes to what it says', async () => {
    const list = CASES.segment['several-pages'] ?? [];
    const encoded = await encodeSegment(recordColumns(list), UNPACED);
    const { numbers } = await openSegment(encoded.file, UNPACED);
    const pages = [0, PAGE_RANKS - 1, PAGE_RANKS, list.length - 1].map((rank) => pageOf(encoded.shape, numbers, rank));
    expect(pages.map(({ rank, count }) => [rank, count])).toEqual([
      ...[0, 1].map(() => [0, PAGE_RANKS]),
      ...[0, 1].map(() => [PAGE_RANKS, list.length - PAGE_RANKS]),
    ]);
    for (const page of pages) {
      const bytes = verdictsSlice(encoded).slice(page.offset, page.offset + page.bytes);
      const reader = openPage(await checkedSlice(bytes, page), page);
      for (let rank = 0; rank < reader.count; rank++) {
        const { number: _, evidence: __, ...verdict } = list[page.rank + rank] as (typeof list)[number];
        expect(plainVerdict(reader, rank)).toEqual(verdict);
      }
    }
    expect(() => pageOf(encoded.shape, numbers, 2 * PAGE_RANKS)).toThrow(RangeError);
    const [first] = pages;
    if (first === undefined) throw new Error('no page');
    expect(() => openPage(verdictsSlice(encoded).slice(0, first.bytes), { ...first, count: 3 })).toThrow(FormatError);
  });

  test('is read out of a larger buffer, at a multiple of eight bytes only', async () => {
    expect(await readAll(embedded(file, 16))).toEqual({ shape, records: EXAMPLE_RECORDS });
    for (const offset of [1, 4]) await expect(openSegment(embedded(file, offset), UNPACED)).rejects.toThrow(RangeError);
  });
});

describe('what is not a segment is refused', () => {
  test('cut at every byte', async () => {
    for (const length of everyByte(file)) {
      await expect(openSegment(file.slice(0, length), UNPACED), `${length} bytes`).rejects.toThrow(FormatError);
    }
  });

  test('a flipped bit in any byte of the file', async () => {
    for (const at of everyByte(several)) {
      const reading = (async () => readAll(flipped(several, at)))();
      await expect(reading, `byte ${at}`).rejects.toThrow(FormatError);
    }
  });

  test('trailing bytes', async () => {
    for (const count of [1, 8, 112])
      await expect(openSegment(withTrailing(file, count), UNPACED)).rejects.toThrow(FormatError);
  });

  test('another version of any of its frames', async () => {
    const frames = [0, numbersOffset(), verdictsOffset(shape), evidenceIndexOffset(shape), file.length - 112];
    for (const at of frames)
      await expect(openSegment(withVersion(file, 3, at), UNPACED), `frame at ${at}`).rejects.toThrow();
    await expect(openSegment(withVersion(file, 3), UNPACED)).rejects.toThrow('RFSG: expected version 2, found 3');
    await expect(openSegment(withVersion(file, 1), UNPACED)).rejects.toThrow('RFFT: expected version 1, found 2');
    await expect(openSegment(withVersion(file, 1, file.length - 112), UNPACED)).rejects.toThrow(
      'RFFT: expected version 2',
    );
  });

  /** The file with an edited header or footer that has a right checksum. */
  const edited = (from: number, to: number, magic: string, edit: (view: DataView) => void): Bytes => {
    const copy = file.slice();
    const part = copy.slice(from, to);
    edit(new DataView(part.buffer));
    copy.set(sealFrame(part, magic, 2), from);
    return copy;
  };

  test.each<[string, (view: DataView) => void]>([
    ['another first number', (view) => view.setBigUint64(16, 1n, true)],
    ['another last number', (view) => view.setBigUint64(24, 13_105_550_143n, true)],
    ['another count', (view) => view.setUint32(32, 4, true)],
    ['a longer numbers column', (view) => view.setUint32(36, shape.numbers.bytes + 8, true)],
    [
      'columns of other lengths with the same sum',
      (view) => {
        view.setUint32(36, shape.numbers.bytes + 8, true);
        view.setUint32(40, shape.verdictsBytes - 8, true);
      },
    ],
    ['longer evidence', (view) => view.setUint32(48, parts.evidenceBlocksBytes + 8, true)],
    ['a reserved byte', (view) => view.setUint8(63, 1)],
  ])('a header with %s', async (_name, edit) => {
    await expect(openSegment(edited(0, SEGMENT_HEADER_BYTES, 'RFSG', edit), UNPACED)).rejects.toThrow(FormatError);
  });

  test('evidence that goes on after its last block', async () => {
    const more = 8;
    const longer = withTrailing(old, more);
    longer.copyWithin(old.length - SEGMENT_FOOTER_BYTES + more, old.length - SEGMENT_FOOTER_BYTES, old.length);
    longer.fill(0, old.length - SEGMENT_FOOTER_BYTES, old.length - SEGMENT_FOOTER_BYTES + more);
    const header = longer.slice(0, SEGMENT_HEADER_BYTES);
    const view = new DataView(header.buffer);
    view.setUint32(48, view.getUint32(48, true) + more, true);
    longer.set(sealFrame(header, 'RFSG', 1));
    // The directory of today's segments knows how long it is.
    await expect(openSegment(longer, UNPACED)).rejects.toThrow(/bytes of evidence and padding/);
    const view2 = new DataView(file.buffer);
    const changed = edited(0, SEGMENT_HEADER_BYTES, 'RFSG', (edit) =>
      edit.setUint32(48, view2.getUint32(48, true) + 8, true),
    );
    await expect(openSegment(withTrailing(changed, 8), UNPACED)).rejects.toThrow(FormatError);
  });

  test('a footer with another hash', async () => {
    for (const at of [16, 48, 111]) {
      const changed = edited(file.length - SEGMENT_FOOTER_BYTES, file.length, 'RFFT', (view) => {
        view.setUint8(at, view.getUint8(at) ^ 1);
      });
      await expect(openSegment(changed, UNPACED)).rejects.toThrow(/expected a slice with hash|of other parts/);
    }
  });

  test('columns of another segment with as many bytes', async () => {
    const other = await encodeSegment(
      recordColumns(EXAMPLE_RECORDS.map((each) => ({ ...each, sightings: 3 }))),
      UNPACED,
    );
    const same = await encodeSegment(
      recordColumns(EXAMPLE_RECORDS.map((each) => ({ ...each, sightings: 4 }))),
      UNPACED,
    );
    expect(other.file.length).toBe(same.file.length);
    const mixed = same.file.slice();
    mixed.set(verdictsSlice(other), verdictsOffset(same.shape));
    await expect(openSegment(mixed, UNPACED)).rejects.toThrow(/expected a slice with hash/);
  });
});

describe('slice', () => {
  const slice = numbersSlice({ shape, file });

  test('is checked against its length and hash', async () => {
    expect(await checkedSlice(slice, shape.numbers)).toBe(slice);
    for (const at of everyByte(slice)) {
      await expect(checkedSlice(flipped(slice, at), shape.numbers), `byte ${at}`).rejects.toThrow(FormatError);
    }
    await expect(checkedSlice(slice.slice(1), shape.numbers)).rejects.toThrow('a slice of 248 bytes, found 247');
    await expect(checkedSlice(withTrailing(slice, 1), shape.numbers)).rejects.toThrow(FormatError);
  });
});
