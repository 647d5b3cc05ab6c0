import { statSync } from 'node:fs';
import { basename } from 'node:path';
import type { LineError } from '../../src/format/batch.ts';
import { MAX_AHEAD_SECONDS, MIN_OBSERVED_AT } from '../../src/ingest/validate.ts';
import type { Chunk } from './chunk.ts';
import { chunksOf } from './chunks.ts';
import type { FileSource } from './file-rows.ts';
import { readError } from './file-text.ts';
import { ImportError } from './import-error.ts';
import type { ImportIo } from './io.ts';
import { formatCount, Progress } from './progress.ts';
import { hashOf, initialState, type ProgressState, StateFile } from './progress-state.ts';
import { RejectsFile } from './rejects-file.ts';
import type { ServerLabels } from './server-labels.ts';
import { type Target, type UploadReceipt, upload } from './upload.ts';

export interface FileJob {
  readonly source: FileSource;
  readonly target: Target;
  readonly labels: ServerLabels;
  /** `observedAt` of lines without one; else the date of the file, as it was when first imported. */
  readonly observedAt: string | null;
  readonly batchSize: number;
  readonly rejectsPath: string;
  /** Another file of this import has begun the rejects file. */
  readonly sharedRejects: boolean;
  readonly stateFolder: string;
}

export interface FileSummary {
  readonly file: string;
  readonly lines: number;
  readonly accepted: number;
  readonly rejectedByCode: Readonly<Record<string, number>>;
  readonly batches: number;
  /** Lines without a date of their own, and the date they got. */
  readonly undated: number;
  readonly observedAt: string | null;
  /** Null if nothing was rejected. */
  readonly rejectsPath: string | null;
  /** Nothing was left to send. */
  readonly alreadyImported: boolean;
}

/** Code of lines that the server rejected beyond those that it gives reasons for. */
export const NOT_REPORTED = 'not-reported';

/**
 * Imports one file, from where an earlier run with the same options stopped. Stopped at any point, or failing at any
 * call, what the server acknowledged stays counted, and running it again counts nothing twice.
 * @throws ImportError
 */
export async function importFile(job: FileJob, io: ImportIo): Promise<FileSummary> {
  const file = basename(job.source.path);
  const sizeBytes = sizeOf(job.source.path);
  const sha256 = await hashOf(job.source.path);
  const { format, header, mapping } = job.source;
  const identity = { sha256, url: job.target.url, format, header, mapping, observedAt: job.observedAt };
  const stateFile = new StateFile(job.stateFolder, identity);
  const fresh = initialState({
    batchSize: job.batchSize,
    observedAt: job.observedAt ?? dateOf(job.source.path, io.now()),
    rejectsPath: job.rejectsPath,
  });
  const earlier = stateFile.load();
  if (earlier !== null && earlier.lastUpload !== null) {
    const done = await run({ job, io, stateFile, file, sizeBytes }, earlier);
    if (done !== null) return done;
    io.out.write(`${file}: the server does not know the earlier import any more; starting over\n`);
  }
  const done = await run({ job, io, stateFile, file, sizeBytes }, fresh);
  if (done === null) throw new Error('a fresh import has no earlier one to miss');
  return done;
}

interface Run {
  readonly job: FileJob;
  readonly io: ImportIo;
  readonly stateFile: StateFile;
  readonly file: string;
  readonly sizeBytes: number;
}

/** Null, with nothing changed, if the server does not know what `start` says it has taken. */
async function run({ io: { out, ...world }, ...rest }: Run, start: ProgressState): Promise<FileSummary | null> {
  const progress = new Progress(out, world.now);
  const io: ImportIo = { ...world, out: { ...out, write: (text) => progress.note(text) } };
  const context: Run = { ...rest, io };
  const { job, stateFile, file, sizeBytes } = context;
  let state = start;
  let rejects: RejectsFile | null = null;
  let readBytes = 0;
  const range = { fromRow: start.lastUpload?.firstRow ?? 0, cutAtRow: start.rows, maxRows: start.batchSize };
  const lineContext = { file, now: io.now, observedAt: start.observedAt, labels: job.labels };
  const chunks = chunksOf(job.source, range, lineContext, (count) => {
    readBytes += count;
  });
  progress.start(file, sizeBytes);
  try {
    for await (const chunk of chunks) {
      if (chunk.endRow <= start.rows) {
        if (chunk.firstRow === start.lastUpload?.firstRow) {
          if (!(await isKnown(chunk, start, job.target, io))) return null;
          if (start.finished) return summaryOf(file, start, true);
        }
        continue;
      }
      rejects ??= openRejects(context, start);
      state = await deliver(chunk, state, rejects, context);
      stateFile.save(state);
      progress.update(readBytes, countsOf(state));
    }
    progress.update(sizeBytes, countsOf(state));
  } catch (error) {
    throw stoppedAfter(error, file, state);
  } finally {
    progress.stop();
  }
  state = { ...state, finished: true };
  stateFile.save(state);
  return summaryOf(file, state, false);
}

function stoppedAfter(error: unknown, file: string, { rows }: ProgressState): unknown {
  if (!(error instanceof ImportError) || rows === 0) return error;
  const done = `${file}: ${formatCount(rows)} lines are done; run the same command again to go on from there`;
  return new ImportError(`${error.message}\n${done}`, { cause: error });
}

/** Sends the last acknowledged upload once more: a server that has it says so, and counts it no second time. */
async function isKnown(chunk: Chunk, state: ProgressState, target: Target, io: ImportIo): Promise<boolean> {
  const { body, key } = chunk.upload(state.uploads - 1);
  // Another version of the checks makes other lines of the same rows. Then there is no asking, and no sending either.
  if (key !== state.lastUpload?.key) return true;
  const receipt = await upload(body, { idempotencyKey: key, gzip: true }, target, io);
  return receipt.replayed;
}

function openRejects({ job, io, file }: Run, state: ProgressState): RejectsFile {
  if (state.rows === 0) {
    return job.sharedRejects ? RejectsFile.continue(job.rejectsPath) : RejectsFile.start(job.rejectsPath);
  }
  const batches = `${formatCount(state.uploads)} ${state.uploads === 1 ? 'batch' : 'batches'}`;
  io.out.write(`${file}: resuming after ${formatCount(state.rows)} lines, sent earlier in ${batches}\n`);
  const resumed = RejectsFile.resume(state.rejects.path, state.rejects.bytes);
  if (resumed !== null) return resumed;
  io.out.write(`${file}: ${state.rejects.path} is gone; the new one has only the lines from here on\n`);
  return RejectsFile.start(job.rejectsPath);
}

/** Sends a chunk and notes its rejects. Failing before the state is saved, the same is done again: counted once. */
async function deliver(chunk: Chunk, state: ProgressState, rejects: RejectsFile, { job, io, file }: Run) {
  let accepted = 0;
  let sent: Pick<ProgressState, 'uploads' | 'lastUpload'> = state;
  const errors = [...chunk.rejects];
  if (chunk.count > 0) {
    const { body, key } = chunk.upload(state.uploads);
    const receipt = await upload(body, { idempotencyKey: key, gzip: true }, job.target, io);
    errors.push(...serverRejects(chunk, receipt));
    accepted = receipt.accepted;
    sent = { uploads: state.uploads + 1, lastUpload: { firstRow: chunk.firstRow, key } };
  }
  errors.sort((a, b) => a.line - b.line);
  rejects.write(file, errors);
  const rejectedByCode = { ...state.rejectedByCode };
  for (const { code } of errors) rejectedByCode[code] = (rejectedByCode[code] ?? 0) + 1;
  return {
    ...state,
    ...sent,
    rows: chunk.endRow,
    accepted: state.accepted + accepted,
    undated: state.undated + chunk.undated,
    rejectedByCode,
    rejects: { path: rejects.path, bytes: rejects.bytes },
  };
}

/** One for each line that the server rejected though it passed here, by its line in the file. */
function serverRejects(chunk: Chunk, { accepted, rejected, errors }: UploadReceipt): LineError[] {
  if (accepted + rejected !== chunk.count) {
    throw new ImportError(`the server counted ${accepted + rejected} lines of an upload of ${chunk.count}`);
  }
  const rejects = errors.map(({ line, code, detail }) => ({ line: chunk.fileLine(line), code, detail }));
  const last = chunk.fileLine(chunk.count);
  const detail = `the server rejected one more of the lines ${chunk.fileLine(1)} to ${last} and did not say which`;
  for (let i = errors.length; i < rejected; i++) rejects.push({ line: last, code: NOT_REPORTED, detail });
  return rejects;
}

function countsOf(state: ProgressState) {
  return { lines: state.rows, rejected: sum(Object.values(state.rejectedByCode)) };
}

function summaryOf(file: string, state: ProgressState, alreadyImported: boolean): FileSummary {
  return {
    file,
    lines: state.rows,
    accepted: state.accepted,
    rejectedByCode: state.rejectedByCode,
    batches: state.uploads,
    undated: state.undated,
    observedAt: state.observedAt,
    rejectsPath: state.rejects.bytes > 0 ? state.rejects.path : null,
    alreadyImported,
  };
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}

function sizeOf(path: string): number {
  try {
    return statSync(path).size;
  } catch (error) {
    throw readError(path, error);
  }
}

/** When the file was last written; null if that cannot be when anything in it was observed. */
function dateOf(path: string, nowMs: number): string | null {
  const ms = Math.floor(statSync(path).mtimeMs / 1000) * 1000;
  const isPlausible = ms >= MIN_OBSERVED_AT * 1000 && ms <= nowMs + MAX_AHEAD_SECONDS * 1000;
  return isPlausible ? new Date(ms).toISOString() : null;
}
