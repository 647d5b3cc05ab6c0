import { describe, expect, test } from 'vitest';
import {
  decodeManifest,
  EMPTY_MANIFEST,
  encodeManifest,
  inventoryNumbers,
  type Manifest,
  NO_OUTPUT,
  type Run,
  runNumbers,
  type SegmentEntry,
} from '../../../src/format/manifest.ts';
import { wholeObject } from '../../../src/format/segment.ts';
import { encodeSegmentTable } from '../../../src/format/segment-table.ts';
import { type Bytes, ByteWriter, FormatError } from '../../../src/lib/bytes.ts';
import { frame } from '../../../src/lib/frame.ts';
import { oldTable } from '../../support/version-1.ts';
import { CASES } from './support/cases.ts';
import { embedded, everyByte, flipped, withTrailing, withVersion } from './support/damage.ts';
import { manifestInMemory, type StoredManifest } from './support/stored-manifest.ts';

const stored = CASES.manifest.runs as StoredManifest;
const full = manifestInMemory(stored);
const sample = encodeManifest(full);

function segment(first: number, last: number): SegmentEntry {
  const numbers = { bytes: 80, sha256: 'a'.repeat(64) };
  const place = { key: `segments/${first}`, offset: 0 };
  return { ...place, first, last, count: 2, numbers, verdictsBytes: 80, bytes: 400, parts: null };
}

function run(...segments: SegmentEntry[]): Run {
  return { id: 'r', newNumbers: 3, segments };
}

/** A frame around this text and table, as another writer might have made it. */
function framed(value: unknown, table: Bytes = new Uint8Array(), version = 4) {
  const writer = new ByteWriter();
  writer.text(typeof value === 'string' ? value : JSON.stringify(value));
  writer.raw(table);
  return frame('RFMF', version, writer.view());
}

/** The manifest as its JSON is: numbers of segments for the segments. */
const head = {
  ...stored,
  runs: full.runs.map(({ newNumbers, segments, ...rest }) => ({
    ...{ firstHere: newNumbers, segments: segments.length },
    ...rest,
  })),
};
const table = sample.slice(sample.length - tableBytes(full));

function tableBytes({ runs }: Manifest): number {
  let before: SegmentEntry | undefined;
  return runs.reduce((sum, { segments }) => {
    const { length } = encodeSegmentTable(segments, before);
    before = segments.at(-1) ?? before;
    return sum + length;
  }, 0);
}

describe('manifest', () => {
  test('is read as it was written', () => {
    for (const manifest of [full, EMPTY_MANIFEST]) {
      expect(decodeManifest(encodeManifest(manifest))).toEqual(manifest);
      expect(decodeManifest(embedded(encodeManifest(manifest), 3))).toEqual(manifest);
    }
    expect(encodeManifest(structuredClone(full))).toEqual(sample);
  });

  test('of version 1 lists what is set aside itself, and is not written again before an object does', () => {
    const { unscreened, ...rest }: Readonly<Record<string, unknown>> = head;
    const old = { ...rest, runs: [], compaction: null };
    const read = decodeManifest(framed({ ...old, setAside: ['b1', 'b2'] }, undefined, 1));
    const setAside = { key: null, count: 2, ids: ['b1', 'b2'] };
    expect(read).toEqual({ ...full, runs: [], compaction: null, unscreened: [], setAside, history: null });
    expect(() => encodeManifest(read)).toThrow('must be in an object');
    const none = decodeManifest(framed({ ...old, setAside: [] }, undefined, 1));
    expect(decodeManifest(encodeManifest(none)).setAside).toEqual({ key: null, count: 0 });
    expect(() => decodeManifest(framed(old, undefined, 1))).toThrow('RFMF: setAside');
  });

  test('of versions before 3 lists itself what a compaction has written, and is not written again before an object does', () => {
    const slice = (digit: string) => ({ bytes: 80, sha256: digit.repeat(64) });
    const parts = { verdicts: slice('b'), evidenceIndex: slice('c'), evidenceBlocksBytes: 8 };
    const old = ([first, last]: readonly [number, number]) =>
      wholeObject({ key: `segments/${first}`, first, last, count: 2, numbers: slice('a') }, parts);
    const runs = [run(old([1, 2]))];
    const before = { ...head, runs: [{ id: 'r', firstHere: 3, segments: 1 }] };
    const written = (
      [
        [1, 2],
        [10_000, 10_001],
      ] as const
    ).map(old);
    const compaction = { inputs: ['r2'], output: 2, resumeFrom: 20_000 };
    const table = oldTable([...(runs[0]?.segments ?? []), ...written]);
    const output = { key: null, count: 2, segments: written };
    const read = decodeManifest(framed({ ...before, compaction }, table, 2));
    expect(read).toEqual({ ...full, runs, compaction: { ...compaction, output }, history: null });
    expect(() => encodeManifest(read)).toThrow('what a compaction has written must be in an object');
    const { unscreened, ...first }: Readonly<Record<string, unknown>> = before;
    const ofFirst = decodeManifest(framed({ ...first, setAside: [], compaction }, table, 1));
    expect(ofFirst.compaction).toEqual(read.compaction);
    const empty = { ...compaction, output: 0 };
    const none = decodeManifest(framed({ ...before, compaction: empty }, oldTable(runs[0]?.segments ?? []), 2));
    expect(none.compaction).toEqual({ ...compaction, output: NO_OUTPUT });
    expect(decodeManifest(encodeManifest(none))).toEqual(none);
    const swapped = oldTable([...(runs[0]?.segments ?? []), ...written.toReversed()]);
    expect(() => decodeManifest(framed({ ...before, compaction }, swapped, 2))).toThrow('out of number order');
    // Each version has its own form of it.
    for (const version of [3, 4]) {
      expect(() => decodeManifest(framed({ ...before, compaction }, table, version))).toThrow('RFMF: compaction');
    }
    expect(() => decodeManifest(framed(before, table, 2))).toThrow('RFMF: compaction');
  });

  test('of versions before 4 says nothing of the history: each generation has an object of it', () => {
    const { history, ...before }: Readonly<Record<string, unknown>> = head;
    expect(history).not.toBeNull();
    expect(decodeManifest(framed(before, table, 3))).toEqual({ ...full, history: null });
    expect(() => decodeManifest(framed(before, table))).toThrow('RFMF: history');
  });

  test('counts its numbers', () => {
    expect(runNumbers(run(segment(1, 2), segment(10_000, 10_001)))).toBe(4);
    expect(inventoryNumbers({ ...EMPTY_MANIFEST, runs: [run(), run()] })).toBe(6);
  });

  test('members that this version does not know are passed over', () => {
    expect(decodeManifest(framed({ ...head, later: 1 }, table))).toEqual(full);
  });
});

describe('what is not a manifest is refused', () => {
  test('cut at, or with a flipped bit in, any byte; trailing bytes; another version', () => {
    for (const at of everyByte(sample)) {
      expect(() => decodeManifest(sample.slice(0, at)), `${at} bytes`).toThrow(FormatError);
      expect(() => decodeManifest(flipped(sample, at)), `byte ${at}`).toThrow(FormatError);
    }
    expect(() => decodeManifest(withTrailing(sample, 1))).toThrow(/expected a body of/);
    expect(() => decodeManifest(withVersion(sample, 5))).toThrow('RFMF: expected version 4, found 5');
  });

  test('no JSON, or no UTF-8, with a right checksum', () => {
    expect(() => decodeManifest(framed(''))).toThrow('RFMF: expected JSON');
    expect(() => decodeManifest(framed('{'))).toThrow(FormatError);
    expect(() => decodeManifest(framed('\ufeff{}'))).toThrow(FormatError);
    expect(() => decodeManifest(frame('RFMF', 3, Uint8Array.from([3, 0x22, 0xff, 0x22])))).toThrow('expected UTF-8');
  });

  test('any member missing, but for one that manifests have since batches can be withdrawn', () => {
    expect(decodeManifest(framed({ ...head, withdrawals: undefined }, table)).withdrawals).toBeNull();
    for (const name of Object.keys(head).filter((member) => member !== 'withdrawals')) {
      expect(() => decodeManifest(framed({ ...head, [name]: undefined }, table)), name).toThrow(`RFMF: ${name}`);
    }
  });

  test.each([
    ['segments that overlap', { runs: [run(segment(1, 20_000), segment(20_000, 30_000))] }],
    ['segments that share a ten-thousand-block', { runs: [run(segment(1, 20_000), segment(20_001, 30_000))] }],
  ])('%s', (_name, change) => {
    expect(() => decodeManifest(encodeManifest({ ...full, ...change }))).toThrow('out of number order');
  });

  test('segments out of order cannot be written: each begins at or after the end of the one before', () => {
    const segments = [segment(50_000, 50_001), segment(1, 2)];
    expect(() => encodeManifest({ ...full, runs: [run(...segments)] })).toThrow(RangeError);
  });

  test.each([
    ['a generation that is not whole', { generation: 1.5 }],
    ['a negative count', { publishedAt: -1 }],
    ['a number of segments that is not whole', { runs: [{ id: 'r', firstHere: 0, segments: 0.5 }] }],
  ])('%s', (_name, change) => {
    expect(() => decodeManifest(framed({ ...head, ...change }, table))).toThrow('RFMF: ');
  });

  test('more or fewer segments than the table has', () => {
    const runs = (segments: number) => [{ id: 'r', firstHere: 0, segments }];
    const one = encodeSegmentTable([segment(1, 2)]);
    const manifest = (segments: number, rows: Bytes) =>
      decodeManifest(framed({ ...head, runs: runs(segments), compaction: null }, rows));
    expect(manifest(1, one).runs[0]?.segments).toEqual([segment(1, 2)]);
    expect(() => manifest(0, one)).toThrow('bytes follow the last segment');
    expect(() => manifest(2, one)).toThrow(FormatError);
    expect(() => manifest(2 ** 53 - 1, one)).toThrow(FormatError);
    for (const at of everyByte(one)) expect(() => manifest(1, one.slice(0, at)), `${at} bytes`).toThrow(FormatError);
  });

  const oneRow = { ...head, runs: [{ id: 'r', firstHere: 0, segments: 1 }], compaction: null };
  const row = (write: (writer: ByteWriter) => void, hashes: number) => {
    const writer = new ByteWriter();
    write(writer);
    writer.raw(new Uint8Array(hashes * 32));
    return writer.view();
  };
  const key = (writer: ByteWriter, shared: number) => {
    writer.varint(shared);
    writer.text('key');
  };

  test.each<[string, string, (writer: ByteWriter) => void]>([
    [
      'a key that shares more than the one before has',
      'shares 1 characters',
      (writer) => {
        writer.varint(2);
        key(writer, 1);
      },
    ],
    ['a first row behind none', 'has no place', (writer) => writer.varint(0)],
    ['a first row in the object after none', 'has no place', (writer) => writer.varint(1)],
    ['a place that is none', 'no place', (writer) => writer.varint(3)],
    [
      'a kind of row that is none',
      'kind 10',
      (writer) => {
        writer.varint(10);
        key(writer, 0);
        for (const integer of [0, 1, 1, 1, 2, 2, 80]) writer.varint(integer);
      },
    ],
    [
      'a number beyond 2^53',
      'ends beyond 2^53',
      (writer) => {
        writer.varint(2);
        key(writer, 0);
        for (const integer of [0, 2 ** 53 - 1, 1, 1, 2, 2, 80]) writer.varint(integer);
      },
    ],
    [
      'a place beyond 2^53',
      'segment that ends beyond 2^53',
      (writer) => {
        writer.varint(2);
        key(writer, 0);
        for (const integer of [2 ** 51, 1, 1, 1, 2, 2, 80]) writer.varint(integer);
      },
    ],
    [
      'parts of version 1 that are longer than the segment',
      'in a segment of 80',
      (writer) => {
        writer.varint(6);
        key(writer, 0);
        for (const integer of [0, 1, 1, 1, 2, 2, 10]) writer.varint(integer);
        writer.raw(new Uint8Array(32));
        writer.varint(8);
      },
    ],
  ])('%s', (_name, says, write) => {
    expect(() => decodeManifest(framed(oneRow, row(write, 3)))).toThrow(says);
  });

  test('a row of versions 1 and 2 with such a key, or such a number', () => {
    const oldRow = (shared: number, first: number) =>
      row((writer) => {
        key(writer, shared);
        for (const integer of [first, 1, 1, 8, 8, 8, 8]) writer.varint(integer);
      }, 3);
    expect(() => decodeManifest(framed(oneRow, oldRow(1, 1), 2))).toThrow('shares 1 characters');
    expect(() => decodeManifest(framed(oneRow, oldRow(0, 2 ** 53 - 1), 2))).toThrow('ends beyond 2^53');
    expect(decodeManifest(framed(oneRow, oldRow(0, 7), 2)).runs[0]?.segments).toMatchObject([{ first: 7, bytes: 208 }]);
  });

  test('keys of any kind are kept', () => {
    const keys = ['segments/a-000009', 'segments/a-000010', 'segments/b-000000', '', 'a-999999', 'a-1000000', 'b'];
    const segments = keys.map((key, i) => ({ ...segment(i * 10_000, i * 10_000 + 1), key }));
    expect(decodeManifest(encodeManifest({ ...full, runs: [run(...segments)] })).runs[0]?.segments).toEqual(segments);
  });

  test('segments in neighbouring ten-thousand-blocks are as they should be', () => {
    const runs = [run(segment(1, 19_999), segment(20_000, 30_000))];
    expect(decodeManifest(encodeManifest({ ...full, runs })).runs).toEqual(runs);
  });
});
