/** What a check works with: what it finds, how it tells how far it is, and whole listings of the store. */
import { MERGED_PREFIX, WAITING_PREFIX } from '../../src/storage/keys.ts';
import type { ObjectHead, ObjectStore, SliceHead, SliceStore } from '../../src/storage/store.ts';
import { listPages } from '../../src/storage/store.ts';
import { CommandError } from '../command/errors.ts';

// How far a check has come, for the person who waits: a line that changes on a terminal, else one every few seconds.

interface ProgressOutput {
  /** Whether a line can be written over. */
  readonly isTerminal: boolean;
  write(text: string): void;
}

/** Between two lines of progress where there is no terminal, and between two changes of the line where there is. */
const LINE_INTERVAL_MS = 5_000;
const CHANGE_INTERVAL_MS = 100;
const ERASE_LINE = '\r\u001b[K';

export class Progress {
  readonly #out: ProgressOutput;
  readonly #now: () => number;
  #title = '';
  #done = 0;
  #total: number | null = null;
  #lastMs = 0;
  #isDrawn = false;

  /** @param now milliseconds since 1970 */
  constructor(out: ProgressOutput, now: () => number) {
    this.#out = out;
    this.#now = now;
  }

  /** @param total how many things there are, if that is known */
  begin(title: string, total: number | null = null): void {
    this.#title = title;
    this.#done = 0;
    this.#total = total;
    // On a terminal at once; elsewhere only what takes long is told.
    if (!this.#out.isTerminal) this.#lastMs = this.#now();
    else this.#draw();
  }

  advance(by = 1): void {
    this.#done += by;
    const interval = this.#out.isTerminal ? CHANGE_INTERVAL_MS : LINE_INTERVAL_MS;
    if (this.#now() - this.#lastMs >= interval) this.#draw();
  }

  /** Writes a message that stays. */
  note(text: string): void {
    this.end();
    this.#out.write(`${text}\n`);
  }

  /** Leaves a clean line behind. */
  end(): void {
    if (this.#isDrawn) this.#out.write(ERASE_LINE);
    this.#isDrawn = false;
  }

  #draw(): void {
    this.#lastMs = this.#now();
    const done = this.#done.toLocaleString('en-US');
    const total = this.#total === null ? '' : ` of ${this.#total.toLocaleString('en-US')}`;
    const line = `${this.#title}: ${done}${total}`;
    this.#out.write(this.#out.isTerminal ? `${ERASE_LINE}${line}` : `${line}\n`);
    this.#isDrawn = this.#out.isTerminal;
  }
}

// What the checks found: how much each looked at, and its problems, the first few of them in words.

type Severity = 'error' | 'warning';

interface Problem {
  readonly severity: Severity;
  /** Of the object in the bucket, or of the slice in KV. Never a phone number. */
  readonly key: string;
  /** What is wrong with it. Never a phone number. */
  readonly what: string;
  /** What to do about it. */
  readonly remedy: string;
}

/** Problems of one check that are told one by one; the rest are counted, so that no check hides the others. */
export const PROBLEMS_TOLD = 20;

export class Check {
  readonly title: string;
  /** How many things were looked at. */
  looked = 0;
  errors = 0;
  warnings = 0;
  readonly problems: Problem[] = [];
  #skipped: string | null = null;

  constructor(title: string) {
    this.title = title;
  }

  /** Why the check was not made, or not to its end; null if it was. */
  get skipped(): string | null {
    return this.#skipped;
  }

  /** Something is lost, wrong, or will become so. */
  error(key: string, what: string, remedy: string): void {
    this.errors += 1;
    this.#tell({ severity: 'error', key, what, remedy });
  }

  /** Something is not as it should be, but no answer is wrong for it. */
  warning(key: string, what: string, remedy: string): void {
    this.warnings += 1;
    this.#tell({ severity: 'warning', key, what, remedy });
  }

  /** The check cannot be made. There must be an error elsewhere that says what stands in its way. */
  skip(reason: string): void {
    this.#skipped = reason;
  }

  #tell(problem: Problem): void {
    if (this.problems.length < PROBLEMS_TOLD) this.problems.push(problem);
  }
}

export class Findings {
  readonly checks: Check[] = [];
  /** What is neither right nor wrong, in the order it was counted. */
  readonly counts = new Map<string, number>();

  begin(title: string): Check {
    const check = new Check(title);
    this.checks.push(check);
    return check;
  }

  count(name: string, value: number): void {
    this.counts.set(name, (this.counts.get(name) ?? 0) + value);
  }

  get errors(): number {
    return this.checks.reduce((sum, { errors }) => sum + errors, 0);
  }

  get warnings(): number {
    return this.checks.reduce((sum, { warnings }) => sum + warnings, 0);
  }

  get isSound(): boolean {
    return this.errors === 0;
  }
}

// What a check works with.

export interface Look {
  readonly objects: ObjectStore;
  readonly slices: SliceStore;
  readonly findings: Findings;
  readonly progress: Progress;
}

/** The store could not be looked at, so nothing is known of it: neither sound nor broken. Exit status 2. */
export class FsckError extends CommandError {
  override readonly name = 'FsckError';
}

/** The remedy that always works, since batches are what everything else is made of. */
export const REBUILD = 'Rebuild the store from its batches: npm run fsck -- --rebuild DIR.';

// Whole listings, a page of up to 1,000 keys in memory at a time.

/** A hundred million keys; a listing that has not ended by then goes round in circles. */
const MAX_PAGES = 100_000;

/** The objects under a prefix in key order. @throws FsckError if the listing does not end */
export async function* listObjects(objects: ObjectStore, prefix: string): AsyncGenerator<ObjectHead> {
  for await (const page of listPages(objects, prefix, MAX_PAGES)) {
    yield* page.objects;
    if (page.cursor === undefined) return;
  }
  throw new FsckError(`the listing of ${prefix} has not ended after ${MAX_PAGES} pages`);
}

/** All slices. @throws FsckError if the listing does not end */
export async function* listSlices(slices: SliceStore): AsyncGenerator<SliceHead> {
  let cursor: string | undefined;
  for (let page = 0; page < MAX_PAGES; page++) {
    const listed = await slices.list(cursor);
    yield* listed.slices;
    cursor = listed.cursor;
    if (cursor === undefined) return;
  }
  throw new FsckError(`the listing of the slices has not ended after ${MAX_PAGES} pages`);
}

/** Whether a batch that was taken up is there, in either place (src/merge/take.ts). */
export async function isKept(objects: ObjectStore, id: string): Promise<boolean> {
  return (await objects.head(MERGED_PREFIX + id)) !== null || (await objects.head(WAITING_PREFIX + id)) !== null;
}
