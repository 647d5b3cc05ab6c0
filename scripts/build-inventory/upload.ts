/**
 * Phase 3, first half: batches, segments, slices and activity into the store, a few at a time, each noted when it is
 * there.
 */
import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import type { ActivityEntry, SegmentEntry } from '../../src/format/manifest.ts';
import { joined } from '../../src/format/segment.ts';
import type { Bytes } from '../../src/lib/bytes.ts';
import { mapConcurrent } from '../../src/lib/concurrency.ts';
import { messageOf } from '../../src/lib/errors.ts';
import { openFrame } from '../../src/lib/frame.ts';
import { activityObjectKey } from '../../src/merge/activity.ts';
import { GARBAGE_AGE_MS } from '../../src/merge/collect-garbage.ts';
import type { MergeContext } from '../../src/merge/context.ts';
import { PackPlaces } from '../../src/merge/segment-writer.ts';
import { MERGED_PREFIX } from '../../src/storage/keys.ts';
import { writeSlices } from '../../src/storage/slices.ts';
import type { Progress } from '../command/progress.ts';
import { readActivityFile, type SpilledActivity, type SpilledSegment, segmentName } from './fold.ts';
import { BuildError, damagedWork, type Journal } from './journal.ts';
import type { SpilledBatch } from './parse.ts';

/** A Worker's limit of open connections, and enough to hide the time on the way. */
const CONCURRENT_PUTS = 6;
/** Each is up to 4 MiB, twice in memory. */
const CONCURRENT_PACKS = 2;
const TRIES = 3;
const RETRY_DELAY_MS = 1_000;
/** Segments that no generation names are deleted when they are GARBAGE_AGE_MS old: they are published before. */
const ATTEMPT_LIMIT_MS = GARBAGE_AGE_MS * 0.75;
/** Taken up again later than this, an attempt would hardly end in time. */
const RESUME_LIMIT_MS = GARBAGE_AGE_MS * 0.5;

interface Upload {
  readonly folder: string;
  readonly batches: readonly SpilledBatch[];
  readonly segments: readonly SpilledSegment[];
  readonly activity: readonly SpilledActivity[];
  /** Commit of the store's manifest: what was put into another store does not count. */
  readonly store: string;
  readonly journal: Journal;
  readonly context: MergeContext;
  readonly progress: Progress;
}

export interface Uploaded {
  /** The attempt: the id of the run if it is published. */
  readonly attempt: string;
  readonly entries: SegmentEntry[];
  readonly activity: ActivityEntry[];
}

/**
 * The id of a batch: the build's beginning, then what it holds and which piece it is. A retry makes the same id, and
 * two pieces with the same rows make two.
 */
export function batchIdOf({ name, sha256 }: SpilledBatch, beganMs: number): string {
  return `${String(beganMs).padStart(13, '0')}-${hash('sha256', `${name}\n${sha256}`).slice(0, 32)}`;
}

/**
 * Stopped anywhere, what was put is there, but nothing leads to the segments and activity yet. They have keys of their
 * attempt; an attempt that is too old to be finished is left to the garbage collection, and begun anew.
 *
 * @throws BuildError `damaged-work`, or `upload-too-slow`; rejects when the storage fails three times
 */
export async function upload(job: Upload): Promise<Uploaded> {
  const { batches, segments, store, journal, context, progress, folder } = job;
  const attempt = attemptOf(journal, context);
  const puts = journal.all('put').filter((put) => put.store === store);
  const done = new Set(puts.map(({ key }) => key));
  const places = new PackPlaces(attempt.id);
  const entries = segments.map(({ shape }) => ({ ...places.next(shape.bytes), ...shape }));
  const packs = Map.groupBy(segments, (_, i) => (entries[i] as SegmentEntry).key);
  const activity = job.activity.map(({ shape }, index) => ({ key: activityObjectKey(attempt.id, index), ...shape }));
  const shapes = [...segments, ...job.activity].map(({ shape }) => shape);
  const total = [...batches, ...shapes].reduce((sum, { bytes }) => sum + bytes, 0);
  progress.begin('publishing', total, { unit: 'objects' });
  const put = async (key: string, bytes: number, work: () => Promise<void>) => {
    if (!done.has(key)) {
      await inTries(work, context);
      journal.add({ event: 'put', key, store });
    }
    progress.advance(bytes, 1);
  };
  await mapConcurrent(
    batches,
    (batch) => {
      const key = MERGED_PREFIX + batchIdOf(batch, journal.beganMs);
      return put(key, batch.bytes, async () => {
        // There already: put by an earlier try, and the same, since its id says what it holds.
        await context.objects.put(key, readBatch(folder, batch), { absent: true });
      });
    },
    CONCURRENT_PUTS,
  );
  await mapConcurrent(
    packs,
    ([key, pack]) => {
      const bytes = pack.reduce((sum, { shape }) => sum + shape.bytes, 0);
      return put(key, bytes, async () => {
        const files = pack.map((segment) => ({ shape: segment.shape, file: readSegmentFile(folder, segment) }));
        await context.objects.put(key, joined(files.map(({ file }) => file)));
        for (const file of files) await writeSlices(context.slices, file, context.now());
      });
    },
    CONCURRENT_PACKS,
  );
  await mapConcurrent(
    activity,
    ({ key, bytes }, index) =>
      put(key, bytes, async () => {
        await context.objects.put(key, readActivityFile(folder, job.activity[index] as SpilledActivity));
      }),
    CONCURRENT_PUTS,
  );
  if (context.now() - attempt.atMs > ATTEMPT_LIMIT_MS) {
    throw new BuildError(
      'upload-too-slow',
      `the upload took more than ${ATTEMPT_LIMIT_MS / 60_000} minutes, and the store may have begun to clear its segments away: run the same command again on a faster line`,
    );
  }
  return { attempt: attempt.id, entries, activity };
}

function attemptOf(journal: Journal, context: MergeContext): { readonly id: string; readonly atMs: number } {
  const last = journal.last('attempt');
  if (last !== null && context.now() - last.atMs <= RESUME_LIMIT_MS) return last;
  const attempt = { id: context.randomId(), atMs: context.now() };
  journal.add({ event: 'attempt', ...attempt });
  return attempt;
}

async function inTries(work: () => Promise<void>, context: MergeContext): Promise<void> {
  for (let left = TRIES - 1; ; left--) {
    try {
      return await work();
    } catch (error) {
      if (left === 0 || error instanceof BuildError) throw error;
      context.log('upload.retried', { reason: messageOf(error) });
      await context.sleep(RETRY_DELAY_MS * (TRIES - left));
    }
  }
}

function readBatch(folder: string, { name, bytes }: SpilledBatch): Bytes {
  const file = new Uint8Array(readFileSync(join(folder, name)));
  try {
    openFrame(file, 'RFBA', 1);
  } catch (error) {
    throw damagedWork(name, error);
  }
  if (file.length !== bytes) throw damagedWork(name);
  return file;
}

function readSegmentFile(folder: string, segment: SpilledSegment): Bytes {
  const file = new Uint8Array(readFileSync(join(folder, segmentName(segment.index))));
  if (file.length !== segment.shape.bytes || crc32(file) !== segment.crc32)
    throw damagedWork(segmentName(segment.index));
  return file;
}
