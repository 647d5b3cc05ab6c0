/** Segments and their slices in KV: there, whole, and as the manifest says; one segment in memory at a time. */

import type { Bytes } from '../../src/format/frame.ts';
import type { Manifest, SegmentEntry } from '../../src/format/manifest.ts';
import { numbersSlice, verdictsSlice } from '../../src/format/segment.ts';
import { messageOf } from '../../src/merge/context.ts';
import type { ObjectStore } from '../../src/store/store.ts';
import { segmentsInUse } from './contradictions.ts';
import type { Check } from './findings.ts';
import { inspectSegment } from './inspect-segment.ts';
import { type Look, REBUILD } from './look.ts';

const SEGMENT_REMEDY = `Lookups of its numbers fail or will fail. ${REBUILD}`;

/** Every segment of the runs and of a compaction under way. Returns whether all are whole. */
export async function checkSegmentsInUse(look: Look, manifest: Manifest): Promise<boolean> {
  const { objects, findings, progress } = look;
  const check = findings.begin('segments in use');
  const slices = findings.begin('slices in KV');
  const unsliced = new Set(manifest.unsliced);
  const entries = segmentsInUse(manifest);
  progress.begin('segments in use', entries.length);
  for (const entry of entries) {
    const file = await checkSegment(objects, entry, check, SEGMENT_REMEDY);
    if (unsliced.has(entry.key)) findings.count('segments whose slices a later tick will put into KV', 1);
    else if (file !== null) await checkSlices(look, entry, file, slices);
    progress.advance();
  }
  if (check.errors > 0) slices.skip('not for the segments with errors');
  return check.errors === 0;
}

/** The bytes of a segment, or null, with a problem told, if it is missing, damaged or another. */
export async function checkSegment(
  objects: ObjectStore,
  entry: SegmentEntry,
  check: Check,
  remedy: string,
): Promise<Bytes | null> {
  check.looked += 1;
  try {
    const object = await objects.get(entry.key);
    if (object === null) throw new RangeError('is missing');
    await inspectSegment(object.bytes, entry);
    return object.bytes;
  } catch (error) {
    check.error(entry.key, messageOf(error), remedy);
    return null;
  }
}

async function checkSlices({ slices }: Look, entry: SegmentEntry, file: Bytes, check: Check): Promise<void> {
  const columns = [
    { name: 'numbers', key: entry.numbers.sha256, expected: numbersSlice({ shape: entry, file }) },
    { name: 'verdicts', key: entry.verdicts.sha256, expected: verdictsSlice({ shape: entry, file }) },
  ];
  for (const { name, key, expected } of columns) {
    check.looked += 1;
    const what = `of the ${name} of ${entry.key}`;
    try {
      const found = await slices.get(key);
      if (found === null) {
        check.warning(
          key,
          `is missing: the slice ${what}`,
          'Nothing needs to be done: it is read from R2, more slowly.',
        );
      } else if (!isSame(found, expected)) {
        const remedy = 'Delete this key from KV: it is read from R2 until the segment is next rewritten.';
        check.error(key, `is not the slice ${what}: expected its ${expected.length} bytes, found others`, remedy);
      }
    } catch (error) {
      check.error(key, `could not be read: the slice ${what}: ${messageOf(error)}`, 'Look at KV; check again.');
    }
  }
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && Buffer.compare(a, b) === 0;
}
