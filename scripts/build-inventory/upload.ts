/**
 * Phase 3, first half: batches, segments, slices and activity into the store, a few at a time, each noted when it is
 * there. It begins beside phase 2, whose threads leave this one idle, with what that does not change any more.
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
import { type SpilledActivity, type SpilledSegment, segmentName } from './fold.ts';
import { readActivityFile } from './fold-activity.ts';
import { BuildError, damagedWork, type Journal } from './journal.ts';
import type { SpilledBatch } from './parse.ts';

/** A Worker's limit of open connections, and enough to hide the time on the way. */
const CONCURRENT_PUTS = 6;
/** Each is up to 2 MiB (PACK_BYTES), twice in memory. */
const CONCURRENT_PACKS = 2;
const TRIES = 3;
const RETRY_DELAY_MS = 1_000;
/** Segments that no generation names are deleted when they are GARBAGE_AGE_MS old: they are published before. */
const ATTEMPT_LIMIT_MS = GARBAGE_AGE_MS * 0.75;
/** Taken up again later than this, an attempt would hardly end in time. */
const RESUME_LIMIT_MS = GARBAGE_AGE_MS * 0.5;

interface Upload {
  readonly folder: string;
  /** Commit of the store's manifest: what was put into another store does not count. */
  readonly store: string;
  readonly journal: Journal;
  readonly context: MergeContext;
}

/**
 * The id of a batch: the build's beginning, then what it holds and which piece it is. A retry makes the same id, and
 * two pieces with the same rows make two.
 */
export function batchIdOf({ name, sha256 }: SpilledBatch, beganMs: number): string {
  return `${String(beganMs).padStart(13, '0')}-${hash('sha256', `${name}\n${sha256}`).slice(0, 32)}`;
}

/**
 * Puts what a build has made. Stopped anywhere, what was put is there, but nothing leads to the segments and activity
 * yet. They have keys of their attempt; an attempt that is too old to be finished is left to the garbage collection,
 * and begun anew.
 */
export class Uploader {
  readonly #job: Upload;
  readonly #done: Set<string>;
  #attempt: Attempt | null = null;
  #isStopped = false;
  #progress: Progress | null = null;
  /** Of what is there so far. */
  readonly #put = { bytes: 0, objects: 0 };

  constructor(job: Upload) {
    this.#job = job;
    const puts = job.journal.all('put').filter((put) => put.store === job.store);
    this.#done = new Set(puts.map(({ key }) => key));
  }

  /** Nothing more is put: what is being put is the last, and the promises of the others resolve. */
  stop(): void {
    this.#isStopped = true;
  }

  /** From now on the progress is shown, of so many bytes in all. */
  show(progress: Progress, totalBytes: number): void {
    this.#progress = progress;
    progress.begin('publishing', totalBytes, { unit: 'objects' });
    progress.advance(this.#put.bytes, this.#put.objects);
  }

  /** @throws BuildError `damaged-work`; this and the next two reject when the storage fails three times */
  async batches(batches: readonly SpilledBatch[]): Promise<void> {
    const { folder, journal, context } = this.#job;
    await mapConcurrent(
      batches,
      (batch) => {
        const key = MERGED_PREFIX + batchIdOf(batch, journal.beganMs);
        return this.#once(key, batch.bytes, async () => {
          // There already: put by an earlier try, and the same, since its id says what it holds.
          await context.objects.put(key, readBatch(folder, batch), { absent: true });
        });
      },
      CONCURRENT_PUTS,
    );
  }

  /** Segments with their slices. Returns where they are. @throws BuildError `damaged-work` */
  async segments(segments: readonly SpilledSegment[]): Promise<SegmentEntry[]> {
    const { folder, context } = this.#job;
    const places = new PackPlaces(this.#begun().id);
    const entries = segments.map(({ shape }) => ({ ...places.next(shape.bytes), ...shape }));
    await mapConcurrent(
      Map.groupBy(segments, (_, i) => (entries[i] as SegmentEntry).key),
      ([key, pack]) => {
        const bytes = pack.reduce((sum, { shape }) => sum + shape.bytes, 0);
        return this.#once(key, bytes, async () => {
          const files = pack.map((segment) => ({ shape: segment.shape, file: readSegmentFile(folder, segment) }));
          await context.objects.put(key, joined(files.map(({ file }) => file)));
          for (const file of files) await writeSlices(context.slices, file, context.now());
        });
      },
      CONCURRENT_PACKS,
    );
    return entries;
  }

  /** Returns where the objects are. @throws BuildError `damaged-work` */
  async activity(objects: readonly SpilledActivity[]): Promise<ActivityEntry[]> {
    const { folder, context } = this.#job;
    const { id } = this.#begun();
    const entries = objects.map(({ shape }, index) => ({ key: activityObjectKey(id, index), ...shape }));
    await mapConcurrent(
      entries,
      ({ key, bytes }, index) =>
        this.#once(key, bytes, async () => {
          await context.objects.put(key, readActivityFile(folder, objects[index] as SpilledActivity));
        }),
      CONCURRENT_PUTS,
    );
    return entries;
  }

  /** The attempt: the id of the run if it is published. @throws BuildError `upload-too-slow` */
  finish(): string {
    const { id, atMs } = this.#begun();
    if (this.#job.context.now() - atMs > ATTEMPT_LIMIT_MS) {
      throw new BuildError(
        'upload-too-slow',
        `the upload took more than ${ATTEMPT_LIMIT_MS / 60_000} minutes, and the store may have begun to clear its segments away: run the same command again on a faster line`,
      );
    }
    return id;
  }

  #begun(): Attempt {
    this.#attempt ??= attemptOf(this.#job.journal, this.#job.context);
    return this.#attempt;
  }

  async #once(key: string, bytes: number, work: () => Promise<void>): Promise<void> {
    if (this.#isStopped) return;
    const { journal, store, context } = this.#job;
    if (!this.#done.has(key)) {
      await inTries(work, context);
      journal.add({ event: 'put', key, store });
    }
    this.#put.bytes += bytes;
    this.#put.objects += 1;
    this.#progress?.advance(bytes, 1);
  }
}

interface Attempt {
  readonly id: string;
  readonly atMs: number;
}

function attemptOf(journal: Journal, context: MergeContext): Attempt {
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
  const file = readWhole(folder, name);
  try {
    openFrame(file, 'RFBA', 1);
  } catch (error) {
    throw damagedWork(name, error);
  }
  if (file.length !== bytes) throw damagedWork(name);
  return file;
}

function readSegmentFile(folder: string, segment: SpilledSegment): Bytes {
  const file = readWhole(folder, segmentName(segment.index));
  if (file.length !== segment.shape.bytes || crc32(file) !== segment.crc32)
    throw damagedWork(segmentName(segment.index));
  return file;
}

/** A view of what was read: a copy would be as large. */
function readWhole(folder: string, name: string): Bytes {
  const { buffer, byteOffset, length } = readFileSync(join(folder, name));
  return new Uint8Array(buffer, byteOffset, length);
}
