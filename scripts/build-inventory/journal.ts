/**
 * What a build has done so far: one JSON object a line, appended when it is done, in the work folder. Run again after a
 * stop at any point, a build goes on from here.
 */

import { appendFileSync, existsSync, mkdirSync, readFileSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';
import { CommandError } from '../command/errors.ts';

/** Why a build could not go on, by what the person at the terminal does about it. */
type BuildErrorCode =
  /** The command line, or an input that is not what its name says. */
  | 'invalid-request'
  /** A file cannot be read as a whole: no such file, no header, not gzip, not UTF-8. */
  | 'invalid-input'
  /** The files changed since the build began, or the work folder belongs to another build. */
  | 'other-build'
  /** No row was accepted, so there is nothing to publish. */
  | 'no-detections'
  /** The store already has an inventory. */
  | 'store-not-empty'
  /** Another writer changed the store while it was built. */
  | 'store-changed'
  /** Segments that wait too long to be published are cleared away. */
  | 'upload-too-slow'
  /** What the work folder holds is damaged. */
  | 'damaged-work';

/**
 * Ends a build with a message for the person at the terminal. Nothing is published unless the message says so; what is
 * done so far stays in the work folder.
 */
export class BuildError extends CommandError {
  override readonly name = 'BuildError';
  readonly code: BuildErrorCode;

  constructor(code: BuildErrorCode, detail: string, options?: ErrorOptions) {
    super(`${code}: ${detail}`, options);
    this.code = code;
  }
}

/** A file of the work folder is not as this build left it. */
export function damagedWork(name: string, cause?: unknown): BuildError {
  const detail = `${name} is not what was written: delete the work folder and start again`;
  return new BuildError('damaged-work', detail, { cause });
}

const VERSION = 2;
const NAME = 'journal.ndjson';

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const slice = v.object({ bytes: count, sha256: v.string() });

const spilledBatch = v.object({
  name: v.string(),
  rows: count,
  bytes: count,
  circumstances: count,
  sha256: v.string(),
});

const spilledSegment = v.object({
  index: count,
  shape: v.object({
    first: count,
    last: count,
    count,
    numbers: slice,
    verdictsBytes: count,
    bytes: count,
    parts: v.null(),
  }),
  crc32: count,
});

const spilledActivity = v.object({
  name: v.string(),
  shape: v.object({
    firstDay: count,
    lastDay: count,
    rows: count,
    bytes: count,
    directoryBytes: count,
    crc32: count,
  }),
});

const entry = v.variant('event', [
  /** Always first. `identity` is whatever makes another build of it. */
  v.object({ event: v.literal('began'), version: v.literal(VERSION), identity: v.string(), atMs: count }),
  /** A file that has to be read from its beginning; what was done of it in pieces does not count. */
  v.object({ event: v.literal('whole'), input: count }),
  v.object({
    event: v.literal('parsed'),
    range: v.string(),
    lines: count,
    accepted: count,
    undated: count,
    rejectedByCode: v.record(v.string(), count),
    batches: v.array(spilledBatch),
  }),
  v.object({ event: v.literal('folded'), segments: v.array(spilledSegment), facts: v.array(spilledActivity) }),
  /** A part of the days, of the activity of all shares. */
  v.object({ event: v.literal('facts'), part: count, objects: v.array(spilledActivity) }),
  /** Segments are uploaded under keys of this attempt, from this time on. */
  v.object({ event: v.literal('attempt'), id: v.string(), atMs: count }),
  /**
   * A segment with its slices, an activity object or a batch has been put into the store whose manifest has this
   * commit.
   */
  v.object({ event: v.literal('put'), key: v.string(), store: v.string() }),
  /** The run is about to be published on top of this generation. */
  v.object({ event: v.literal('publishing'), generation: count, commit: v.string() }),
]);

type JournalEntry = v.InferOutput<typeof entry>;
type Event = JournalEntry['event'];
type EntryOf<E extends Event> = Extract<JournalEntry, { readonly event: E }>;

export class Journal {
  readonly #path: string;
  readonly #entries: JournalEntry[];

  private constructor(path: string, entries: JournalEntry[]) {
    this.#path = path;
    this.#entries = entries;
  }

  /**
   * Opens the journal of a work folder, or begins one.
   *
   * @throws BuildError `other-build` if the folder belongs to a build of something else
   */
  static open(folder: string, identity: string, nowMs: number): Journal {
    mkdirSync(folder, { recursive: true });
    const path = join(folder, NAME);
    const entries = existsSync(path) ? readEntries(path) : [];
    const journal = new Journal(path, entries);
    const [began] = entries;
    if (began === undefined) journal.add({ event: 'began', version: VERSION, identity, atMs: nowMs });
    else if (began.event !== 'began' || began.identity !== identity) {
      throw new BuildError(
        'other-build',
        `${folder} holds an unfinished build of other files or options, or a file was changed since: delete it, or name another folder with --work`,
      );
    }
    return journal;
  }

  add(added: JournalEntry): void {
    appendFileSync(this.#path, `${JSON.stringify(added)}\n`);
    this.#entries.push(added);
  }

  all<E extends Event>(event: E): EntryOf<E>[] {
    return this.#entries.filter((one): one is EntryOf<E> => one.event === event);
  }

  last<E extends Event>(event: E): EntryOf<E> | null {
    return this.all(event).at(-1) ?? null;
  }

  /** When the build began, in milliseconds since 1970: its clock, so that a retry makes the same of the same rows. */
  get beganMs(): number {
    return this.all('began')[0]?.atMs ?? 0;
  }
}

/** The entries up to the first that is not whole: a stop in the middle of a line costs what that line says. */
function readEntries(path: string): JournalEntry[] {
  const bytes = readFileSync(path);
  const entries: JournalEntry[] = [];
  let good = 0;
  for (let end = bytes.indexOf(0x0a); end >= 0; end = bytes.indexOf(0x0a, good)) {
    const parsed = v.safeParse(entry, parse(bytes.toString('utf8', good, end)));
    if (!parsed.success) break;
    entries.push(parsed.output);
    good = end + 1;
  }
  truncateSync(path, good);
  return entries;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
