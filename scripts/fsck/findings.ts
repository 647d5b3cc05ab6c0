/** What checks work with: their findings, their progress, and complete listings of the store. */
import { MERGED_PREFIX, WAITING_PREFIX } from '../../src/storage/keys.ts';
import {
  listPages,
  type ObjectHead,
  type ObjectStore,
  type SliceHead,
  type SliceStore,
} from '../../src/storage/store.ts';
import { CommandError } from '../command/errors.ts';
import type { Progress, ProgressStyle } from '../command/progress.ts';

export const FSCK_PROGRESS: ProgressStyle = { bar: null, line: '{title}: {done}{ofTotal}' };

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

export interface FsckContext {
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
export async function* listObjects(
  objects: ObjectStore,
  prefix: string,
  startAfter?: string,
): AsyncGenerator<ObjectHead> {
  for await (const page of listPages(objects, prefix, MAX_PAGES, startAfter === undefined ? {} : { startAfter })) {
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
