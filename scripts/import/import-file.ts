/** Imports one file, from where an earlier run stopped to its end, and counts each line once. */
import { hash } from 'node:crypto';
import { statSync } from 'node:fs';
import { basename } from 'node:path';
import type { LineError } from '../../src/format/batch.ts';
import { UploadNotes } from '../../src/ingest/accept.ts';
import { formatCount, Progress, type ProgressStyle } from '../command/progress.ts';
import { type Chunk, type ChunkRange, chunksOf, LineSet } from './chunks.ts';
import { findUnfinished, goOnWith, latest, type Successor } from './earlier-import.ts';
import { type FileSource, mayBeObserved } from './file-rows.ts';
import { ImportError } from './mapping.ts';
import { hashOf, hasSent, initialState, type ProgressState, RejectsFile, StateFile } from './state.ts';
import {
  type ImportIo,
  isTaken,
  KeyUsed,
  type ServerLabels,
  type Target,
  type UploadReceipt,
  upload,
} from './upload.ts';

interface FileJob {
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
  /** Lines that an import of the file as it was before had sent. */
  readonly sentBefore: number;
  readonly rejectedByCode: Readonly<Record<string, number>>;
  readonly batches: number;
  /** Lines without a date of their own, and the date they got. */
  readonly undated: number;
  readonly observedAt: string | null;
  /** Accepted lines that got the default label, the default channel. */
  readonly unlabelled: number;
  readonly channelless: number;
  /** Names of columns and properties that were passed over (src/ingest/accept.ts). */
  readonly ignoredFields: readonly string[];
  /** Null if nothing was rejected. */
  readonly rejectsPath: string | null;
  /** Nothing was left to send. */
  readonly alreadyImported: boolean;
  /** Uploads of an earlier import that could not be asked about: other lines are made of the file by now. */
  readonly unasked: number;
  /** Batches that the server has and does not count, by their state there: `set-aside`, `withdrawn`, `held`. */
  readonly uncounted: Readonly<Record<string, readonly string[]>>;
}

/** Code of lines that the server rejected beyond those that it gives reasons for. */
const NOT_REPORTED = 'not-reported';

/** States of a batch on the server in which its detections are counted, or will be. */
const COUNTED: ReadonlySet<string> = new Set(['waiting', 'merged']);

/**
 * Imports one file, from where an earlier run with the same options stopped. Stopped at any point, or failing at any
 * call, what the server acknowledged stays counted, and running it again counts nothing twice. A file that was imported
 * to its end is sent again with the keys that it had: the server counts nothing of it a second time, and says what
 * became of it.
 * @throws ImportError
 */
export async function importFile(job: FileJob, io: ImportIo): Promise<FileSummary> {
  const file = basename(job.source.path);
  const sizeBytes = statSync(job.source.path).size;
  const sha256 = await hashOf(job.source.path);
  const { format, header, mapping } = job.source;
  const options = { url: job.target.url, format: { ...format, gzip: undefined }, header, mapping };
  const settings = {
    options: hash('sha256', JSON.stringify({ ...options, observedAt: job.observedAt })),
    batchSize: job.batchSize,
    observedAt: job.observedAt ?? dateOf(job.source.path, io.now()),
    rejectsPath: job.rejectsPath,
  };
  const identity = { sha256, url: job.target.url, format, header, mapping, observedAt: job.observedAt };
  const stateFile = StateFile.of(job.stateFolder, identity);
  const successor = { file, stateFile, settings, target: job.target, io };
  let start = await startOf(job, successor);
  for (;;) {
    const done = await run({ job, io, stateFile, file, sizeBytes, uncounted: new Map() }, start);
    if (typeof done === 'object') return done;
    const next = done === 'other lines' ? await goOnWith({ stateFile, state: start }, successor) : null;
    if (next === null) io.out.write(`${file}: the server does not know the earlier import any more; starting over\n`);
    start = next ?? (await again(start, successor));
  }
}

/** All of the file once more, but for what an earlier import sent, if the server still has that. */
async function again(state: ProgressState, { settings, target, io }: Successor): Promise<ProgressState> {
  const { before, firstIndex } = state;
  const fresh = startOver(state, settings);
  return before !== null && (await isTaken(before.key, target, io)) ? { ...fresh, before, firstIndex } : fresh;
}

/** From where this file goes on; where it begins anew, nothing of it was sent. */
async function startOf({ source, stateFolder }: FileJob, successor: Successor): Promise<ProgressState> {
  const { stateFile, settings } = successor;
  const last = latest(stateFile, stateFolder);
  const isOwn = last?.stateFile.name === stateFile.name;
  if (last !== null && isOwn && hasSent(last.state)) return last.state;
  const earlier = isOwn ? null : last;
  const unfinished = earlier ?? (await findUnfinished(source, successor, StateFile.in(stateFolder)));
  const next = unfinished === null ? null : await goOnWith(unfinished, successor);
  return next ?? startOver(last?.state ?? initialState(settings), settings);
}

/** With the date and the size of before, it sends the same uploads: what the server has of them counts once. */
function startOver({ batchSize, observedAt }: ProgressState, settings: Successor['settings']): ProgressState {
  return initialState({ ...settings, batchSize, observedAt: observedAt ?? settings.observedAt });
}

interface Run {
  readonly job: FileJob;
  readonly io: ImportIo;
  readonly stateFile: StateFile;
  readonly file: string;
  readonly sizeBytes: number;
  /** Batches by their state on the server, but for those that are counted. */
  readonly uncounted: Map<string, string[]>;
}

/**
 * Nothing has changed if the server does not know what `start` says it has taken, or other lines are made of the file
 * than those of an upload that may be under way.
 */
type Undone = 'unknown' | 'other lines';

export const IMPORT_PROGRESS: ProgressStyle = {
  bar: '{title} [{bar}] {percentage}% | {lines} lines, {rejected} rejected | {eta_formatted} left',
  line: '{title}: {percentage}%, {lines} lines, {rejected} rejected',
};

async function run({ io: { out, ...world }, ...rest }: Run, start: ProgressState): Promise<FileSummary | Undone> {
  const progress = new Progress(out, world.now, IMPORT_PROGRESS);
  const io: ImportIo = { ...world, out: { ...out, write: (text) => progress.note(text.trimEnd()) } };
  const context: Run = { ...rest, io };
  const { job, file, sizeBytes } = context;
  const notes = new UploadNotes();
  let readBytes = 0;
  const lineContext = { file, now: io.now, observedAt: start.observedAt, labels: job.labels };
  const chunks = chunksOf(job.source, rangeOf(context, start), lineContext, {
    onBytes: (count) => {
      readBytes += count;
    },
    onNames: (names) => notes.names(names),
  });
  const onState = (state: ProgressState) => progress.update(readBytes, countsOf(state));
  progress.begin(file, sizeBytes, countsOf(start));
  try {
    const end = start.finished
      ? await ask(chunks, start, context, onState)
      : await send(chunks, start, context, onState);
    if (typeof end === 'string') return end;
    progress.update(sizeBytes, countsOf(end.state));
    const { ignoredFields } = notes.finish();
    return { ...summaryOf(context, end.state), ignoredFields, ...end.found };
  } finally {
    progress.end();
  }
}

function rangeOf({ stateFile, file }: Run, start: ProgressState): ChunkRange {
  const before = stateFile.linesBefore(start);
  if (start.before !== null && before === null) {
    throw new ImportError(`${file}: which lines were sent before is not known any more`);
  }
  return {
    fromRow: start.finished ? 0 : (start.lastUpload?.firstRow ?? 0),
    cutAtRow: start.rows,
    maxRows: start.batchSize,
    before: before === null ? null : new LineSet(before),
  };
}

interface End {
  readonly state: ProgressState;
  readonly found: Pick<FileSummary, 'alreadyImported' | 'unasked'>;
}

type Chunks = AsyncIterable<Chunk>;

/** Sends what is left, and the last acknowledged upload once more, to see whether the server has it. */
async function send(
  chunks: Chunks,
  start: ProgressState,
  context: Run,
  onState: (state: ProgressState) => void,
): Promise<End | Undone> {
  const { stateFile, file } = context;
  let state = start;
  let rejects: RejectsFile | null = null;
  try {
    for await (const chunk of chunks) {
      if (chunk.endRow <= start.rows) {
        if (chunk.firstRow === start.lastUpload?.firstRow && !(await isKnown(chunk, start, context))) return 'unknown';
        continue;
      }
      if (rejects === null && isOtherThanPending(chunk, start)) return 'other lines';
      rejects ??= openRejects(context, start);
      state = await deliver(chunk, state, rejects, context);
      stateFile.save(state);
      onState(state);
    }
  } catch (error) {
    throw stoppedAfter(error, file, state);
  }
  if (state.rows > 0) {
    state = { ...state, finished: true };
    stateFile.save(state);
  }
  return { state, found: { alreadyImported: false, unasked: 0 } };
}

/** Sends all of it again with the keys it had, each counted once, to learn what became of it. */
async function ask(
  chunks: Chunks,
  start: ProgressState,
  context: Run,
  onState: (state: ProgressState) => void,
): Promise<End | Undone> {
  const { io, file, stateFile } = context;
  io.out.write(`${file}: imported before; asking the server what it has of it\n`);
  if (start.before !== null && !(await isTaken(start.before.key, context.job.target, io))) return 'unknown';
  const known = new Set([...stateFile.keys(start), start.lastUpload?.key]);
  let index = start.firstIndex;
  let unasked = 0;
  for await (const chunk of chunks) {
    if (chunk.count === 0) continue;
    const key = chunk.keys(index).find((each) => known.has(each));
    index += 1;
    // Another version of the checks makes other lines of the same rows: these must not be sent.
    if (key === undefined) unasked += 1;
    else if (!(await sendChunk(chunk, key, context)).replayed) return 'unknown';
    onState(start);
  }
  return { state: start, found: { alreadyImported: true, unasked } };
}

function stoppedAfter(error: unknown, file: string, { rows }: ProgressState): unknown {
  if (!(error instanceof ImportError) || rows === 0) return error;
  const done = `${file}: ${formatCount(rows)} lines are done; run the same command again to go on from there`;
  return new ImportError(`${error.message}\n${done}`, { cause: error });
}

async function sendChunk(chunk: Chunk, key: string, { job, io, uncounted }: Run): Promise<UploadReceipt> {
  const receipt = await upload(chunk.body(), { idempotencyKey: key, gzip: true }, job.target, io);
  if (receipt.state !== undefined && !COUNTED.has(receipt.state)) {
    uncounted.set(receipt.state, [...(uncounted.get(receipt.state) ?? []), receipt.batch]);
  }
  return receipt;
}

/** A server that has the last acknowledged upload says so, and counts it no second time. */
async function isKnown(chunk: Chunk, state: ProgressState, context: Run): Promise<boolean> {
  const key = chunk.keys(state.firstIndex + state.uploads - 1).find((each) => each === state.lastUpload?.key);
  // Another version of the checks makes other lines of the same rows. Then there is no asking, and no sending either.
  return key === undefined || (await sendChunk(chunk, key, context)).replayed;
}

function isOtherThanPending(chunk: Chunk, { pending, firstIndex, uploads }: ProgressState): boolean {
  return pending !== null && !chunk.keys(firstIndex + uploads).includes(pending.key);
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
async function deliver(chunk: Chunk, state: ProgressState, rejects: RejectsFile, context: Run): Promise<ProgressState> {
  let sent = state;
  const errors = [...chunk.rejects];
  if (chunk.count > 0) {
    const { key, receipt } = await sendNew(chunk, state, context);
    errors.push(...serverRejects(chunk, receipt));
    context.stateFile.noteKey(state, key);
    sent = {
      ...state,
      uploads: state.uploads + 1,
      lastUpload: { firstRow: chunk.firstRow, key },
      pending: null,
      lines: state.lines + chunk.count,
      accepted: state.accepted + receipt.accepted,
      unlabelled: state.unlabelled + (receipt.defaulted?.label ?? 0),
      channelless: state.channelless + (receipt.defaulted?.channel ?? 0),
    };
  }
  errors.sort((a, b) => a.line - b.line);
  rejects.write(context.file, errors);
  const rejectedByCode = { ...state.rejectedByCode };
  for (const { code } of errors) rejectedByCode[code] = (rejectedByCode[code] ?? 0) + 1;
  return {
    ...sent,
    rows: chunk.endRow,
    sentBefore: state.sentBefore + chunk.sentBefore,
    undated: state.undated + chunk.undated,
    rejectedByCode,
    rejects: { path: rejects.path, bytes: rejects.bytes },
  };
}

/**
 * Notes what it is about to send, and sends it: whatever comes between, it is known which lines the server may have.
 */
async function sendNew(chunk: Chunk, state: ProgressState, context: Run) {
  const { stateFile } = context;
  const keys = chunk.keys(state.firstIndex + state.uploads);
  stateFile.noteLines(state, chunk.hashes);
  // Not from the first again: if one was sent before, it is that one that the server may have.
  const from = Math.max(0, keys.indexOf(state.pending?.key ?? ''));
  for (const [attempt, key] of [...keys.entries()].slice(from)) {
    stateFile.save({ ...state, pending: { key, lines: chunk.count } });
    try {
      return { key, receipt: await sendChunk(chunk, key, context) };
    } catch (error) {
      // An earlier import has asked for it and used it up (isTaken): this very upload cannot have been taken with it.
      if (!(error instanceof KeyUsed) || attempt === keys.length - 1) throw error;
    }
  }
  throw new Error('an upload has at least one key');
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

function summaryOf(
  { file, uncounted }: Run,
  state: ProgressState,
): Omit<FileSummary, 'ignoredFields' | keyof End['found']> {
  return {
    file,
    lines: state.rows,
    accepted: state.accepted,
    sentBefore: state.sentBefore,
    rejectedByCode: state.rejectedByCode,
    batches: state.uploads,
    undated: state.undated,
    observedAt: state.observedAt,
    unlabelled: state.unlabelled,
    channelless: state.channelless,
    rejectsPath: state.rejects.bytes > 0 ? state.rejects.path : null,
    uncounted: Object.fromEntries(uncounted),
  };
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}

/** When the file was last written; null if that cannot be when anything in it was observed. */
function dateOf(path: string, nowMs: number): string | null {
  const ms = Math.floor(statSync(path).mtimeMs / 1000) * 1000;
  return mayBeObserved(ms, nowMs) ? new Date(ms).toISOString() : null;
}
