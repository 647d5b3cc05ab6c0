/**
 * Going on with a file that has been repaired. An import can fail late, at a bad byte or gzip that is cut short. The
 * repaired file has another content, and often another name and date, but it has the lines that were sent. These are
 * not sent again, and the others get the date that those got, so that each line is counted once.
 */

import type { RawLine } from '../../src/ingest/body.ts';
import { isBlank } from '../../src/ingest/fields.ts';
import { type Labels, Rejection, validateLine } from '../../src/ingest/validate.ts';
import { formatCount } from '../command/progress.ts';
import { jsonOf, LINE_HASH_BYTES, LineSet, lineHash } from './chunks.ts';
import { type FileSource, rowsOf } from './file-rows.ts';
import { ImportError } from './mapping.ts';
import { initialState, type ProgressState, StateFile } from './state.ts';
import { type ImportIo, isTaken, type Target } from './upload.ts';

export interface Successor {
  /** Name of the file. */
  readonly file: string;
  readonly stateFile: StateFile;
  readonly settings: Parameters<typeof initialState>[0];
  readonly target: Target;
  readonly io: ImportIo;
}

interface Earlier {
  readonly stateFile: StateFile;
  readonly state: ProgressState;
}

interface Candidate extends Earlier {
  readonly lines: LineSet;
  /** How many of the lines are in the file. */
  found: number;
}

/**
 * The unfinished import, with the same options, of which the most lines are in this file: at least half of what was
 * sent, or of the file itself if that still breaks off.
 * @param all state files of the folder
 */
export async function findUnfinished(
  source: FileSource,
  { stateFile, settings, io }: Successor,
  all: readonly StateFile[],
): Promise<Earlier | null> {
  const candidates = all.flatMap((each) => (each.name === stateFile.name ? [] : candidateOf(each, settings.options)));
  if (candidates.length === 0) return null;
  const lines = await countFound(source, candidates, { nowMs: io.now(), observedAt: settings.observedAt });
  const [best] = candidates
    .filter((each) => each.found > 0 && each.found * 2 >= Math.min(each.lines.size, lines))
    .sort((a, b) => b.found - a.found);
  return best ?? null;
}

/** Files go on with one another; no chain of repairs is longer. */
const MAX_REPAIRS = 100;

/** The last of the files that have gone on with this one, or itself; null if nothing is known of it. */
export function latest(stateFile: StateFile, folder: string): Earlier | null {
  let at = stateFile;
  for (let i = 0; i < MAX_REPAIRS; i++) {
    const state = at.load();
    if (state === null) return null;
    if (state.continuedBy === null) return { stateFile: at, state };
    at = StateFile.named(folder, state.continuedBy);
  }
  return null;
}

function candidateOf(stateFile: StateFile, options: string): Candidate[] {
  const state = stateFile.load();
  if (state === null || state.options !== options || state.finished || state.continuedBy !== null) return [];
  const bytes = stateFile.sentLines(state, true);
  if (bytes === null || bytes.length === 0) return [];
  return [{ stateFile, state, lines: new LineSet(bytes), found: 0 }];
}

/** @returns the lines of the file that can be sent if it breaks off, else infinitely many */
async function countFound(source: FileSource, candidates: readonly Candidate[], dates: Dates): Promise<number> {
  let count = 0;
  try {
    for await (const rows of rowsOf(source, { onBytes: () => undefined })) {
      for (const row of rows) {
        if ('error' in row || !canBeSent(row.raw, dates)) continue;
        count += 1;
        const hash = lineHash(jsonOf(row.raw));
        for (const candidate of candidates) if (candidate.lines.take(hash)) candidate.found += 1;
      }
    }
    return Number.POSITIVE_INFINITY;
  } catch (error) {
    // What can be read of it counts; the import will say what is wrong.
    if (error instanceof ImportError) return count;
    throw error;
  }
}

interface Dates {
  readonly nowMs: number;
  readonly observedAt: string | null;
}

/** Of labels only the server knows, and it is not to be asked about those of a file that may be another one. */
const ANY_LABEL: Labels = { has: () => true, [Symbol.iterator]: () => [].values() };

function canBeSent(raw: RawLine, { nowMs, observedAt }: Dates): boolean {
  const dated = isBlank(raw.observedAt) ? { ...raw, observedAt } : raw;
  return !(validateLine(dated, { nowMs, labels: ANY_LABEL }) instanceof Rejection);
}

/**
 * The state from which a file begins that goes on with an earlier import: another file's, or its own if its lines are
 * read in another way by now. Saved before it is returned; stopped before that, the earlier one is found again.
 * @returns null if the earlier import had sent nothing, or the server does not have it
 */
export async function goOnWith(
  earlier: Earlier,
  { file, stateFile, settings, target, io }: Successor,
): Promise<ProgressState | null> {
  const { state } = earlier;
  const { pending } = state;
  const isPendingTaken = pending !== null && (await isTaken(pending.key, target, io));
  const known = isPendingTaken ? pending.key : (state.lastUpload?.key ?? state.before?.key ?? null);
  const isOwn = earlier.stateFile.name === stateFile.name;
  if (known === null) {
    // Now it never will be taken, so that nothing of it has to be gone on with.
    if (!isOwn) earlier.stateFile.save({ ...state, pending: null });
    return null;
  }
  if (!isPendingTaken && !(await isTaken(known, target, io))) return null;
  const bytes = earlier.stateFile.sentLines(state, isPendingTaken);
  if (bytes === null) throw new ImportError(`${file}: which lines were sent before is not known any more`);
  const lines = bytes.length / LINE_HASH_BYTES;
  const next: ProgressState = {
    ...initialState({
      ...settings,
      batchSize: state.batchSize,
      observedAt: state.observedAt ?? settings.observedAt,
    }),
    firstIndex: state.firstIndex + state.uploads + (pending === null ? 0 : 1),
    before: { lines, key: known },
  };
  stateFile.saveLinesBefore(bytes);
  stateFile.save(next);
  if (!isOwn) earlier.stateFile.save({ ...state, continuedBy: stateFile.name });
  io.out.write(
    `${file}: goes on with an import that stopped after ${formatCount(lines)} lines; they are not sent again\n`,
  );
  return next;
}
