import { describe, expect, test } from 'vitest';
import { FormatError, frame } from '../../../src/format/frame.ts';
import {
  decodeManifest,
  EMPTY_MANIFEST,
  encodeManifest,
  inventoryNumbers,
  type Manifest,
  type Run,
  runNumbers,
  type SegmentEntry,
} from '../../../src/format/manifest.ts';
import { CASES } from './support/cases.ts';
import { embedded, everyByte, flipped, withTrailing, withVersion } from './support/damage.ts';

const full = CASES.manifest.runs as Manifest;
const sample = encodeManifest(full);

function segment(first: number, last: number): SegmentEntry {
  const slice = { bytes: 80, sha256: 'a'.repeat(64) };
  const columns = { numbers: slice, verdicts: slice, evidenceIndex: slice, evidenceBlocksBytes: 8 };
  return { key: `segments/${first}`, first, last, count: 2, ...columns };
}

function run(...segments: SegmentEntry[]): Run {
  return { id: 'r', firstHere: 3, segments };
}

/** A frame around this JSON, as another writer might have made it. */
function framed(value: unknown) {
  return frame('RFMF', 1, new TextEncoder().encode(typeof value === 'string' ? value : JSON.stringify(value)));
}

describe('manifest', () => {
  test('is read as it was written', () => {
    for (const manifest of [full, EMPTY_MANIFEST]) {
      expect(decodeManifest(encodeManifest(manifest))).toEqual(manifest);
      expect(decodeManifest(embedded(encodeManifest(manifest), 3))).toEqual(manifest);
    }
    expect(encodeManifest(structuredClone(full))).toEqual(sample);
  });

  test('counts its numbers', () => {
    expect(runNumbers(run(segment(1, 2), segment(10_000, 10_001)))).toBe(4);
    expect(inventoryNumbers({ ...EMPTY_MANIFEST, runs: [run(), run()] })).toBe(6);
  });

  test('members that this version does not know are passed over', () => {
    expect(decodeManifest(framed({ ...full, later: 1 }))).toEqual(full);
  });
});

describe('what is not a manifest is refused', () => {
  test('cut at, or with a flipped bit in, any byte; trailing bytes; another version', () => {
    for (const at of everyByte(sample)) {
      expect(() => decodeManifest(sample.slice(0, at)), `${at} bytes`).toThrow(FormatError);
      expect(() => decodeManifest(flipped(sample, at)), `byte ${at}`).toThrow(FormatError);
    }
    expect(() => decodeManifest(withTrailing(sample, 1))).toThrow(/expected a body of/);
    expect(() => decodeManifest(withVersion(sample, 2))).toThrow('RFMF: expected version 1, found 2');
  });

  test('no JSON, or no UTF-8, with a right checksum', () => {
    expect(() => decodeManifest(framed(''))).toThrow('RFMF: expected JSON');
    expect(() => decodeManifest(framed('{'))).toThrow(FormatError);
    expect(() => decodeManifest(framed('\ufeff{}'))).toThrow(FormatError);
    expect(() => decodeManifest(frame('RFMF', 1, Uint8Array.from([0x22, 0xff, 0x22])))).toThrow('expected UTF-8');
  });

  test('any member missing', () => {
    for (const name of Object.keys(full)) {
      expect(() => decodeManifest(framed({ ...full, [name]: undefined })), name).toThrow(`RFMF: ${name}`);
    }
  });

  test.each([
    ['a generation that is not whole', { generation: 1.5 }],
    ['a negative count', { publishedAt: -1 }],
    ['a number beyond 2^53', { runs: [run(segment(1, 2 ** 60))] }],
    ['a hash that is none', { runs: [run({ ...segment(1, 2), numbers: { bytes: 8, sha256: 'A'.repeat(64) } })] }],
    ['a segment that ends before it begins', { runs: [run(segment(5, 4))] }],
    ['segments that overlap', { runs: [run(segment(1, 20_000), segment(20_000, 30_000))] }],
    ['segments out of order', { runs: [run(segment(50_000, 50_001), segment(1, 2))] }],
    ['segments that share a ten-thousand-block', { runs: [run(segment(1, 20_000), segment(20_001, 30_000))] }],
    [
      'a compaction with segments out of order',
      { compaction: { inputs: [], output: [segment(50_000, 50_001), segment(1, 2)], resumeFrom: 0 } },
    ],
  ])('%s', (_name, change) => {
    expect(() => decodeManifest(framed({ ...full, ...change }))).toThrow(FormatError);
  });

  test('segments in neighbouring ten-thousand-blocks are as they should be', () => {
    const runs = [run(segment(1, 19_999), segment(20_000, 30_000))];
    expect(decodeManifest(framed({ ...full, runs })).runs).toEqual(runs);
  });
});
