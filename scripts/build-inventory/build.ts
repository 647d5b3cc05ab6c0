/**
 * A whole inventory from files, in bounded memory: an external sort whose sorted pieces are the batches that the store
 * keeps, and whose merge is the merge's own fold (docs/decisions/0010-bulk-build.md).
 *
 *   1. read     pieces of the files -> batches, rows in number order, in the work folder
 *   2. fold     batches -> the segments of one run and the facts of each day, in the work folder
 *   3. publish  batches, segments, slices and facts -> the store, and one generation that has them
 */
import { createHash } from 'node:crypto';
import { readdirSync, rmdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { reachedBy } from '../../src/format/facts-reached.ts';
import { parseInstant } from '../../src/ingest/instant.ts';
import type { MergeContext } from '../../src/merge/context.ts';
import { loadManifest, publish } from '../../src/merge/publish.ts';
import { UsageError } from '../command/errors.ts';
import { checkMapping, type Mapping } from '../import/mapping.ts';
import { BuildError } from './build-error.ts';
import { foldFacts } from './facts-parts.ts';
import { type FoldedBatches, foldBatches, foldedBefore } from './fold-batches.ts';
import { inputOf, type OpenedFile, openFile, RANGE_BYTES } from './inputs.ts';
import { Journal } from './journal.ts';
import { type ParsedInput, parseInputs } from './parse-inputs.ts';
import type { BuildProgress } from './progress.ts';
import { rejectsBefore, writeRejects } from './rejects.ts';
import { type BuildSummary, summaryOf } from './summary.ts';
import { assertEmpty, changed, openGeneration, publishedBefore } from './target.ts';
import type { TaskRunner } from './tasks.ts';
import { batchIdOf, type Uploaded, upload } from './upload.ts';

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

export interface BuildDeps {
  readonly context: MergeContext;
  readonly runner: TaskRunner;
  readonly progress: BuildProgress;
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
  const rejectsPath = isPublished
    ? rejectsBefore(request.rejectsPath, parsed)
    : await writeRejects(request.rejectsPath, folder, parsed);
  clock.end('read');

  if (batches.length === 0) {
    progress.end();
    cleanUp(folder);
    const why = rejectsPath === null ? 'the files have no rows' : `all rows were rejected, see ${rejectsPath}`;
    throw new BuildError('no-detections', `expected at least one detection, but ${why}; nothing was published`);
  }
  const folded = isPublished
    ? foldedBefore(journal)
    : await foldBatches({ folder, batches, runner, progress }, journal);
  const facts = isPublished ? [] : await foldFacts({ folder, runner, progress }, journal);
  clock.end('fold');

  if (!isPublished) {
    const store = (await openGeneration(context)).manifest.commit;
    const { segments } = folded;
    const uploaded = await upload({ folder, batches, segments, facts, store, journal, context, progress });
    await publishRun(uploaded, { parsed, folded, batchIds }, journal, context);
  }
  progress.end();
  clock.end('publish');
  const { generation } = (await loadManifest(context.objects)).manifest;
  cleanUp(folder);
  const { seconds, cpuSeconds } = clock;
  return summaryOf({ parsed, folded, rejectsPath, seconds, cpuSeconds, generation });
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
  return createHash('sha256').update(what).digest('hex');
}

interface Built {
  readonly parsed: readonly ParsedInput[];
  readonly folded: FoldedBatches;
  readonly batchIds: string[];
}

/** The swap of the manifest, on a store that still has no inventory. @throws BuildError if it has one by now */
async function publishRun(
  { attempt, entries, facts }: Uploaded,
  { parsed, folded, batchIds }: Built,
  journal: Journal,
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
      runs: [{ id: attempt, firstHere: numbers, segments: entries }],
      facts,
      reached: reachedBy(base.manifest.reached, generation + 1, Math.min(...facts.map(({ firstDay }) => firstDay))),
      lastTick: { at: context.now(), batches: batchIds.length, detections, newNumbers: numbers, unreadable: 0 },
    },
    { batches: batchIds, replayed: [] },
  );
  if (published === null) throw changed();
}

/** Deletes what a build has written, and the folder if nothing else is in it. */
function cleanUp(folder: string): void {
  const own =
    /^(journal\.ndjson|\d+-(\d+|whole)(-\d+\.batch(\.texts)?|\.rejects)|\d{6,}\.segment|\d{6,}-\d+\.(piece|facts))(\.part)?$/;
  const names = readdirSync(folder);
  // The journal last: stopped in between, the next run finds that everything is published.
  const files = names.filter((name) => own.test(name)).sort((a, b) => Number(isJournal(a)) - Number(isJournal(b)));
  for (const name of files) rmSync(join(folder, name));
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
