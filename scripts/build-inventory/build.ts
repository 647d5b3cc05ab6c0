/**
 * A whole inventory from files, in bounded memory: an external sort whose sorted pieces are the batches that the store
 * keeps, and whose merge is the merge's own fold (docs/decisions/0010-bulk-build.md).
 *
 *   1. read     pieces of the files -> batches, rows in number order, in the work folder
 *   2. fold     batches -> the segments of one run and the activity of each day, in the work folder
 *   3. publish  batches, segments, slices and activity -> the store, and one generation that has them
 */

import { hash } from 'node:crypto';
import { createReadStream, existsSync, readdirSync, rmdirSync, rmSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import type { LineError } from '../../src/format/batch.ts';
import { type ActivityEntry, type Manifest, type SegmentEntry, watermarkAt } from '../../src/format/manifest.ts';
import { mapConcurrent } from '../../src/lib/concurrency.ts';
import { UNPACED } from '../../src/lib/cooperate.ts';
import { messageOf } from '../../src/lib/errors.ts';
import { parseInstant } from '../../src/lib/time.ts';
import type { MergeContext } from '../../src/merge/context.ts';
import { batchesSince, NO_BATCHES } from '../../src/merge/history.ts';
import type { LoadedManifest } from '../../src/merge/last-published.ts';
import { loadManifest, publish } from '../../src/merge/publish-manifest.ts';
import type { ObjectStore } from '../../src/storage/store.ts';
import { UsageError } from '../command/errors.ts';
import { formatCount, type Progress, type ProgressStyle } from '../command/progress.ts';
import { rejectedRows, row } from '../command/summary.ts';
import { checkMapping, type Mapping } from '../import/mapping.ts';
import { RejectsFile } from '../import/state.ts';
import { inputOf, type OpenedFile, openFile, RANGE_BYTES } from './inputs.ts';
import { BuildError, Journal } from './journal.ts';
import { rejectsName, type SpilledBatch } from './parse.ts';
import {
  type FoldedBatches,
  foldActivity,
  foldBatches,
  foldedBefore,
  type ParsedInput,
  parseInputs,
} from './phases.ts';
import type { TaskRunner } from './tasks.ts';
import { batchIdOf, Uploader } from './upload.ts';

export const BUILD_PROGRESS: ProgressStyle = {
  bar: '{title} [{bar}] {percentage}% | {count} {unit}, {rate} a second | {eta_formatted} left',
  line: '{title}: {percentage}%, {count} {unit}, {rate} a second, {left} s left',
};

// What a build did, for a person and for a benchmark.

export interface BuildSummary {
  readonly rows: number;
  readonly accepted: number;
  readonly rejectedByCode: Readonly<Record<string, number>>;
  /** Rows without a date of their own. */
  readonly undated: number;
  readonly numbers: number;
  readonly batches: number;
  readonly batchBytes: number;
  readonly segments: number;
  readonly segmentBytes: number;
  /** Of the segments: what is also in the slice store. */
  readonly sliceBytes: number;
  readonly generation: number;
  /** By phase: read, fold, publish. */
  readonly seconds: Readonly<Record<string, number>>;
  /** Likewise, of all threads of this process: without workerd's. */
  readonly cpuSeconds: Readonly<Record<string, number>>;
  /** The most rows of batches that a fold had in memory at once. */
  readonly heldRows: number;
  /** Of this process, all its threads, in bytes; without workerd's. */
  readonly peakMemoryBytes: number;
  /** Null if nothing was rejected. */
  readonly rejectsPath: string | null;
}

function summaryOf(built: {
  readonly parsed: readonly ParsedInput[];
  readonly folded: FoldedBatches;
  readonly rejectsPath: string | null;
  readonly seconds: Readonly<Record<string, number>>;
  readonly cpuSeconds: Readonly<Record<string, number>>;
  readonly generation: number;
}): BuildSummary {
  const { parsed, folded, rejectsPath, seconds, cpuSeconds, generation } = built;
  const ranges = parsed.flatMap((input) => input.ranges.map((range) => range.parsed));
  const rejectedByCode: Record<string, number> = {};
  for (const range of ranges) {
    for (const [code, count] of Object.entries(range.rejectedByCode)) {
      rejectedByCode[code] = (rejectedByCode[code] ?? 0) + count;
    }
  }
  const accepted = sum(ranges.map((range) => range.accepted));
  const batches = ranges.flatMap((range) => range.batches);
  return {
    rows: accepted + sum(Object.values(rejectedByCode)),
    accepted,
    rejectedByCode,
    undated: sum(ranges.map((range) => range.undated)),
    numbers: sum(folded.segments.map(({ shape }) => shape.count)),
    batches: batches.length,
    batchBytes: sum(batches.map(({ bytes }) => bytes)),
    segments: folded.segments.length,
    segmentBytes: sum(folded.segments.map(({ shape }) => shape.bytes)),
    sliceBytes: sum(folded.segments.map(({ shape }) => shape.numbers.bytes)),
    generation,
    seconds,
    cpuSeconds,
    heldRows: folded.heldRows,
    peakMemoryBytes: process.resourceUsage().maxRSS * 1024,
    rejectsPath,
  };
}

export function summaryText(summary: BuildSummary): string {
  const { rejectedByCode, seconds, rejectsPath } = summary;
  const lines = [
    `built generation ${summary.generation}`,
    row('rows read', summary.rows),
    row('accepted', summary.accepted),
    ...rejectedRows(rejectedByCode),
    row('distinct numbers', summary.numbers),
    row('batches', summary.batches, `, ${mb(summary.batchBytes)}`),
    row('segments', summary.segments, `, ${mb(summary.segmentBytes)}, of them ${mb(summary.sliceBytes)} in KV too`),
  ];
  for (const [phase, time] of Object.entries(seconds)) lines.push(row(`${phase}, seconds`, Math.round(time * 10) / 10));
  lines.push(row('peak memory, MB', Math.round(summary.peakMemoryBytes / 1e6)));
  if (summary.undated > 0) {
    lines.push(
      `  ${formatCount(summary.undated)} rows had no observedAt and got the date of their file, or --observed-at`,
    );
  }
  if (rejectsPath !== null) lines.push(`  rejected rows are listed in ${rejectsPath}`);
  return `${lines.join('\n')}\n`;
}

function mb(bytes: number): string {
  return `${formatCount(Math.round(bytes / 1e6))} MB`;
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}

// The rejected rows of all inputs in one file, as the import writes it: file, line, code, detail; never a number.

const ROWS_AT_ONCE = 1000;

/** Replaces an older file. Returns its path, or null if nothing was rejected. */
async function writeRejects(path: string, folder: string, inputs: readonly ParsedInput[]): Promise<string | null> {
  const file = RejectsFile.start(path);
  for (const { input, ranges } of inputs) {
    // Lines were counted in each piece, from 1.
    let before = input.layout?.lines ?? 0;
    for (const { range, parsed } of ranges) {
      const source = join(folder, rejectsName(range));
      if (existsSync(source))
        await copy(source, range.isWhole ? 0 : before, (rejects) => file.write(input.path, rejects));
      before += parsed.lines;
    }
  }
  return file.bytes > 0 ? path : null;
}

/** Whether an earlier run has written them, and had begun to delete its files: there was nothing to publish. */
function areRejectsGone(folder: string, inputs: readonly ParsedInput[]): boolean {
  const rejecting = inputs.flatMap(({ ranges }) =>
    ranges.filter(({ parsed }) => Object.keys(parsed.rejectedByCode).length > 0),
  );
  return rejecting.some(({ range }) => !existsSync(join(folder, rejectsName(range))));
}

/** The path of the file that an earlier run of the build has written, or null if nothing was rejected. */
function rejectsBefore(path: string, inputs: readonly ParsedInput[]): string | null {
  const codes = inputs.flatMap(({ ranges }) => ranges.flatMap(({ parsed }) => Object.keys(parsed.rejectedByCode)));
  return codes.length > 0 ? path : null;
}

async function copy(source: string, before: number, write: (rejects: readonly LineError[]) => void): Promise<void> {
  let held: LineError[] = [];
  for await (const text of createInterface({ input: createReadStream(source), crlfDelay: Number.POSITIVE_INFINITY })) {
    const { line, code, detail } = JSON.parse(text) as LineError;
    held.push({ line: before + line, code, detail });
    if (held.length < ROWS_AT_ONCE) continue;
    write(held);
    held = [];
  }
  write(held);
}

// The store that a build publishes to: whether it may, and whether it already has.

/** @throws BuildError `store-not-empty` */
function assertEmpty({ runs, compaction, generation }: Manifest): void {
  if (runs.length === 0 && compaction === null) return;
  throw new BuildError(
    'store-not-empty',
    `the store has an inventory already, generation ${generation}: a build needs one that is new. Give another --state, or send the files with npm run import`,
  );
}

/**
 * Makes sure that there is a manifest. Batches may only be put among the merged ones when there is: without, they are
 * the sign of a store that has lost it, and nothing would be published on top of them (src/storage/manifest-object.ts).
 * The first generation has no runs; stopped after it, the store is one that lists nothing.
 *
 * @throws BuildError `store-changed`
 */
async function openGeneration(context: MergeContext): Promise<LoadedManifest> {
  const base = await loadManifest(context.objects);
  assertEmpty(base.manifest);
  if (base.etag !== null) return base;
  const opened = await publish(context, base, {}, NO_BATCHES);
  if (opened === null) throw changed();
  assertEmpty(opened.manifest);
  return opened;
}

/** The generation that an earlier run of this build has published, though it did not live to note it. */
async function publishedBefore(objects: ObjectStore, journal: Journal, batchIds: readonly string[]): Promise<boolean> {
  const publishing = journal.last('publishing');
  const [first] = batchIds;
  if (publishing === null || first === undefined) return false;
  const { manifest } = await loadManifest(objects);
  if (manifest.commit === publishing.commit) return false;
  return (await batchesSince(objects, manifest, publishing.generation, UNPACED)).includes(first);
}

function changed(): BuildError {
  return new BuildError(
    'store-changed',
    'another writer published while the inventory was built, and it was not published: stop whatever else works on the store, and run the same command again',
  );
}

export interface BuildRequest {
  /** Paths; the names say the formats, as for the import. */
  readonly files: readonly string[];
  readonly mapping?: Mapping;
  /** Whether delimited files begin with a header. Default: unless a column is mapped by number. */
  readonly header?: boolean;
  /** Of rows without one. Default: the date of their file. */
  readonly observedAt?: string;
  /** Configured labels: others are rejected. */
  readonly labels: readonly string[];
  /** Where a build keeps what it has done; empty, or of the same build. */
  readonly workFolder: string;
  readonly rejectsPath: string;
  /** Smaller ones for tests. */
  readonly rangeBytes?: number;
  readonly maxBatchRows?: number;
}

interface BuildDeps {
  readonly context: MergeContext;
  readonly runner: TaskRunner;
  readonly progress: Progress;
}

/**
 * Builds and publishes. Rejected rows are no failure; they are counted, and written to a file. Stopped anywhere, or
 * failing at any call, the same request goes on from there; the inventory is published once.
 *
 * @throws BuildError
 */
export async function buildInventory(request: BuildRequest, deps: BuildDeps): Promise<BuildSummary> {
  const { context, runner, progress } = deps;
  const { workFolder: folder } = request;
  const files = openFiles(request);
  const journal = Journal.open(folder, identityOf(request, files), context.now());
  const inputs = files.map((file) => inputOf(file, request.observedAt ?? null, journal.beganMs));
  const clock = new PhaseClock(context.now);
  if (journal.last('publishing') === null) assertEmpty((await loadManifest(context.objects)).manifest);

  const { labels, rangeBytes = RANGE_BYTES, maxBatchRows } = request;
  const parsing = { inputs, folder, labels, rangeBytes, ...(maxBatchRows !== undefined && { maxBatchRows }) };
  const parsed = await parseInputs(parsing, journal, runner, progress);
  const batches = parsed.flatMap(({ ranges }) => ranges.flatMap((range) => range.parsed.batches));
  const batchIds = batches.map((batch) => batchIdOf(batch, journal.beganMs));
  // Asked before any file of the work folder is: a stop while they were deleted leaves the journal alone.
  const isPublished = await publishedBefore(context.objects, journal, batchIds);
  const rejectsPath =
    isPublished || areRejectsGone(folder, parsed)
      ? rejectsBefore(request.rejectsPath, parsed)
      : await writeRejects(request.rejectsPath, folder, parsed);
  clock.end('read');

  if (batches.length === 0) {
    progress.end();
    await cleanUp(folder, context);
    const why = rejectsPath === null ? 'the files have no rows' : `all rows were rejected, see ${rejectsPath}`;
    throw new BuildError('no-detections', `expected at least one detection, but ${why}; nothing was published`);
  }
  const built = { folder, parsed, batches, batchIds, journal };
  const folded = isPublished ? foldedBefore(journal) : await foldAndPublish(built, deps, clock);
  progress.end();
  clock.end('publish');
  const { generation } = (await loadManifest(context.objects)).manifest;
  await cleanUp(folder, context);
  const { seconds, cpuSeconds } = clock;
  return summaryOf({ parsed, folded, rejectsPath, seconds, cpuSeconds, generation });
}

interface Built {
  readonly folder: string;
  readonly parsed: readonly ParsedInput[];
  readonly batches: readonly SpilledBatch[];
  readonly batchIds: string[];
  readonly journal: Journal;
}

/** Phases 2 and 3. What is folded is put as soon as it is there. */
async function foldAndPublish(built: Built, deps: BuildDeps, clock: PhaseClock): Promise<FoldedBatches> {
  const { context, runner, progress } = deps;
  const { folder, batches, journal } = built;
  const store = (await openGeneration(context)).manifest.commit;
  const uploader = new Uploader({ folder, store, journal, context });
  const [folded] = await beside(uploader, foldBatches({ folder, batches, runner, progress }, journal), () =>
    uploader.batches(batches),
  );
  const [activity, entries] = await beside(uploader, foldActivity({ folder, runner, progress }, journal), () =>
    uploader.segments(folded.segments),
  );
  clock.end('fold');
  const shapes = [...folded.segments, ...activity].map(({ shape }) => shape);
  uploader.show(progress, sum([...batches, ...shapes].map(({ bytes }) => bytes)));
  const uploaded = { entries, activity: await uploader.activity(activity), attempt: uploader.finish() };
  await publishRun(uploaded, folded, built, context);
  return folded;
}

/** Uploads beside other work. When one of the two fails, the other has ended too before that is told. */
async function beside<T, U>(uploader: Uploader, work: Promise<T>, upload: () => Promise<U>): Promise<[T, U]> {
  const [done, uploaded] = await Promise.allSettled([
    work.catch((error: unknown) => {
      uploader.stop();
      throw error;
    }),
    upload(),
  ]);
  if (done.status === 'rejected') throw done.reason;
  if (uploaded.status === 'rejected') throw uploaded.reason;
  return [done.value, uploaded.value];
}

function openFiles(request: BuildRequest): OpenedFile[] {
  const { files, mapping = { map: {}, set: {} }, header, observedAt } = request;
  if (files.length === 0) throw new BuildError('invalid-request', 'name at least one file');
  if (observedAt !== undefined && parseInstant(observedAt) === null) {
    throw new BuildError('invalid-request', '--observed-at: expected YYYY-MM-DD, or a date-time with Z or an offset');
  }
  if (files.some((path) => resolve(path) === resolve(request.rejectsPath))) {
    throw new BuildError('invalid-request', '--rejects: this is one of the files to read, and would be overwritten');
  }
  try {
    checkMapping(mapping);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    throw new BuildError('invalid-request', error.message, { cause: error });
  }
  return files.map((path) => openFile(resolve(path), mapping, header));
}

/** Whatever would make other batches or other segments of the same work folder. */
function identityOf(
  { observedAt, labels, rangeBytes, maxBatchRows }: BuildRequest,
  files: readonly OpenedFile[],
): string {
  const what = JSON.stringify({ files, observedAt, labels, rangeBytes: rangeBytes ?? RANGE_BYTES, maxBatchRows });
  return hash('sha256', what);
}

interface Uploaded {
  readonly entries: SegmentEntry[];
  readonly activity: ActivityEntry[];
  /** The id of the run. */
  readonly attempt: string;
}

/** The swap of the manifest, on a store that still has no inventory. @throws BuildError if it has one by now */
async function publishRun(
  { attempt, entries, activity }: Uploaded,
  folded: FoldedBatches,
  { parsed, batchIds, journal }: Built,
  context: MergeContext,
): Promise<void> {
  const base = await loadManifest(context.objects);
  if (base.etag === null) throw changed();
  assertEmpty(base.manifest);
  const { generation, commit } = base.manifest;
  journal.add({ event: 'publishing', generation, commit });
  const numbers = folded.segments.reduce((sum, { shape }) => sum + shape.count, 0);
  const detections = parsed.flatMap(({ ranges }) => ranges).reduce((sum, { parsed }) => sum + parsed.accepted, 0);
  const published = await publish(
    context,
    base,
    {
      runs: [{ id: attempt, newNumbers: numbers, segments: entries }],
      activity,
      watermarks: watermarkAt(
        base.manifest.watermarks,
        generation + 1,
        Math.min(...activity.map(({ firstDay }) => firstDay)),
      ),
      lastTick: { at: context.now(), batches: batchIds.length, detections, newNumbers: numbers, unreadable: 0 },
    },
    { batches: batchIds, replayed: [] },
  );
  if (published === null) throw changed();
}

/** Deletes what a build has written, and the folder if nothing else is in it. What cannot be deleted is logged. */
async function cleanUp(folder: string, { log }: Pick<MergeContext, 'log'>): Promise<void> {
  try {
    await deleteWork(folder);
  } catch (error) {
    // The journal is there still: the next run of the same build finds that it is done, and deletes the rest.
    log('work.left', { reason: messageOf(error) });
  }
}

async function deleteWork(folder: string): Promise<void> {
  const own =
    /^(journal\.ndjson|\d+-(\d+|whole)(-\d+\.batch(\.texts)?|\.rejects)|\d{6,}\.segment|\d{6,}-\d+\.(piece|facts))(\.part)?$/;
  const names = readdirSync(folder);
  const files = names.filter((name) => own.test(name));
  const [journal, others] = [files.filter(isJournal), files.filter((name) => !isJournal(name))];
  // Several at a time: to give back gigabytes takes the system a second, in one thread.
  await mapConcurrent(others, (name) => rm(join(folder, name)));
  // The journal last: stopped in between, the next run finds that everything is published.
  for (const name of journal) rmSync(join(folder, name));
  if (files.length === names.length) rmdirSync(folder);
}

function isJournal(name: string): boolean {
  return name.startsWith('journal');
}

/** Times of the phases, on the wall and of all threads. */
class PhaseClock {
  readonly seconds: Record<string, number> = {};
  readonly cpuSeconds: Record<string, number> = {};
  readonly #now: () => number;
  #lastMs: number;
  #lastCpu = process.cpuUsage();

  constructor(now: () => number) {
    this.#now = now;
    this.#lastMs = now();
  }

  end(phase: string): void {
    const now = this.#now();
    const { user, system } = process.cpuUsage(this.#lastCpu);
    this.seconds[phase] = (now - this.#lastMs) / 1000;
    this.cpuSeconds[phase] = (user + system) / 1e6;
    this.#lastMs = now;
    this.#lastCpu = process.cpuUsage();
  }
}
