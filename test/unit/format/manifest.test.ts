import { describe, expect, test } from 'vitest';
import {
  decodeManifest,
  EMPTY_MANIFEST,
  encodeManifest,
  inventoryNumbers,
  NO_OUTPUT,
  type Run,
  runNumbers,
  type SegmentEntry,
} from '../../../src/format/manifest.ts';
import { encodeSegmentTable } from '../../../src/format/segment.ts';
import { type Bytes, ByteWriter, FormatError } from '../../../src/lib/bytes.ts';
import { frame } from '../../../src/lib/frame.ts';
import { CASES } from './support/cases.ts';
import { embedded, everyByte, flipped, withTrailing, withVersion } from './support/damage.ts';
import { manifestInMemory, type StoredManifest } from './support/stored-manifest.ts';

const stored = CASES.manifest.runs as StoredManifest;
const full = manifestInMemory(stored);
const sample = encodeManifest(full);

function segment(first: number, last: number): SegmentEntry {
  const slice = { bytes: 80, sha256: 'a'.repeat(64) };
  const columns = { numbers: slice, verdicts: slice, evidenceIndex: slice, evidenceBlocksBytes: 8 };
  return { key: `segments/${first}`, first, last, count: 2, ...columns };
}

function run(...segments: SegmentEntry[]): Run {
  return { id: 'r', newNumbers: 3, segments };
}

/** A frame around this text and table, as another writer might have made it. */
function framed(value: unknown, table: Bytes = new Uint8Array(), version = 3) {
  const writer = new ByteWriter();
  writer.text(typeof value === 'string' ? value : JSON.stringify(value));
  writer.raw(table);
  return frame('RFMF', version, writer.view());
}

/** The manifest as its JSON is: numbers of segments for the segments. */
const head = {
  ...stored,
  runs: full.runs.map(({ id, newNumbers, segments }) => ({ id, firstHere: newNumbers, segments: segments.length })),
};
const table = encodeSegmentTable(full.runs.flatMap(({ segments }) => segments));

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
    const before = { ...rest, compaction: null };
    const read = decodeManifest(framed({ ...before, setAside: ['b1', 'b2'] }, table, 1));
    const setAside = { key: null, count: 2, ids: ['b1', 'b2'] };
    expect(read).toEqual({ ...full, compaction: null, unscreened: [], setAside });
    expect(() => encodeManifest(read)).toThrow('must be in an object');
    const none = decodeManifest(framed({ ...before, setAside: [] }, table, 1));
    expect(decodeManifest(encodeManifest(none)).setAside).toEqual({ key: null, count: 0 });
    expect(() => decodeManifest(framed(before, table, 1))).toThrow('RFMF: setAside');
  });

  test('of versions before 3 lists itself what a compaction has written, and is not written again before an object does', () => {
    const written = [segment(1, 2), segment(10_000, 10_001)];
    const compaction = { inputs: ['r2'], output: 2, resumeFrom: 20_000 };
    const rows = encodeSegmentTable([...full.runs.flatMap(({ segments }) => segments), ...written]);
    const output = { key: null, count: 2, segments: written };
    const read = decodeManifest(framed({ ...head, compaction }, rows, 2));
    expect(read).toEqual({ ...full, compaction: { ...compaction, output } });
    expect(() => encodeManifest(read)).toThrow('what a compaction has written must be in an object');
    const { unscreened, ...first }: Readonly<Record<string, unknown>> = head;
    const ofFirst = decodeManifest(framed({ ...first, setAside: [], compaction }, rows, 1));
    expect(ofFirst.compaction).toEqual(read.compaction);
    const none = decodeManifest(framed({ ...head, compaction: { ...compaction, output: 0 } }, table, 2));
    expect(none.compaction).toEqual({ ...compaction, output: NO_OUTPUT });
    expect(decodeManifest(encodeManifest(none))).toEqual(none);
    const swapped = encodeSegmentTable([...full.runs.flatMap(({ segments }) => segments), ...written.toReversed()]);
    expect(() => decodeManifest(framed({ ...head, compaction }, swapped, 2))).toThrow('out of number order');
    // Each version has its own form of it.
    expect(() => decodeManifest(framed({ ...head, compaction }, rows, 3))).toThrow('RFMF: compaction');
    expect(() => decodeManifest(framed(head, table, 2))).toThrow('RFMF: compaction');
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
    expect(() => decodeManifest(withVersion(sample, 4))).toThrow('RFMF: expected version 3, found 4');
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
    ['segments out of order', { runs: [run(segment(50_000, 50_001), segment(1, 2))] }],
    ['segments that share a ten-thousand-block', { runs: [run(segment(1, 20_000), segment(20_001, 30_000))] }],
  ])('%s', (_name, change) => {
    expect(() => decodeManifest(encodeManifest({ ...full, ...change }))).toThrow('out of number order');
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

  test('a key that shares more than the one before has, and a number beyond 2^53', () => {
    const writer = new ByteWriter();
    writer.varint(1);
    writer.text('key');
    const rest = (first: number, span: number) => {
      for (const integer of [first, span, 1, 8, 8, 8, 8]) writer.varint(integer);
      writer.raw(new Uint8Array(96));
      return framed({ ...head, runs: [{ id: 'r', firstHere: 0, segments: 1 }], compaction: null }, writer.view());
    };
    expect(() => decodeManifest(rest(1, 1))).toThrow('shares 1 characters');
    writer.clear();
    writer.varint(0);
    writer.text('key');
    expect(() => decodeManifest(rest(2 ** 53 - 1, 1))).toThrow('ends beyond 2^53');
  });

  test('keys of any kind are kept', () => {
    const keys = ['segments/a-000001', 'segments/a-000002', 'segments/b-000000', ''];
    const segments = keys.map((key, i) => ({ ...segment(i * 10_000, i * 10_000 + 1), key }));
    expect(decodeManifest(encodeManifest({ ...full, runs: [run(...segments)] })).runs[0]?.segments).toEqual(segments);
  });

  test('segments in neighbouring ten-thousand-blocks are as they should be', () => {
    const runs = [run(segment(1, 19_999), segment(20_000, 30_000))];
    expect(decodeManifest(encodeManifest({ ...full, runs })).runs).toEqual(runs);
  });
});
