/**
 * Parts of segments in isolate memory: numbers columns, pages of verdicts, evidence indexes. What memory lacks is read
 * once, from the slice store if it is there, else from the object store.
 */

import { EvidenceIndex } from '../format/evidence.ts';
import type { SegmentEntry } from '../format/manifest.ts';
import type { NumbersReader } from '../format/numbers-reader.ts';
import { openNumbersSlice } from '../format/numbers-slice.ts';
import type { PagePlace, SegmentParts, SliceShape } from '../format/page-directory.ts';
import { openPage } from '../format/segment.ts';
import type { VerdictsReader } from '../format/verdicts.ts';
import { ByteCache } from '../lib/byte-cache.ts';
import type { Bytes } from '../lib/bytes.ts';
import { readEvidenceIndex, readNumbers, readPages, readSlice } from '../storage/slices.ts';
import type { HeldSegments, LookupContext, Snapshot } from './snapshot.ts';

/**
 * Together these stay well under the 128 MB of an isolate. All numbers of 20.87 million fit (30 MB); verdicts are read
 * less.
 */
export const NUMBERS_BUDGET = 40 * 2 ** 20;
export const VERDICTS_BUDGET = 16 * 2 ** 20;
export const EVIDENCE_BUDGET = 2 * 2 ** 20;

/** Parts of a kind, by hash. */
class PartCache<Reader, Part extends SliceShape = SliceShape> {
  readonly cache: ByteCache<Reader>;
  readonly #open: (bytes: Bytes, part: Part) => Reader;

  constructor(budgetBytes: number, open: (bytes: Bytes, part: Part) => Reader) {
    this.cache = new ByteCache(budgetBytes);
    this.#open = open;
  }

  peek(part: Part): Reader | undefined {
    return this.cache.get(part.sha256);
  }

  keep(part: Part, bytes: Bytes): Reader {
    const reader = this.#open(bytes, part);
    this.cache.set(part.sha256, reader, bytes.length);
    return reader;
  }
}

/** From the slice store, or null. Slices must not be asked for before they are written, since that remembers misses. */
async function sliceOf(
  { slices, log }: LookupContext,
  snapshot: Snapshot,
  entry: SegmentEntry,
  slice: SliceShape,
): Promise<Bytes | null> {
  if (!snapshot.isSliced(entry)) return null;
  return readSlice(slices, slice, (problem) => log('slice.unusable', { problem: `${problem} of ${entry.key}` }));
}

/** The numbers column of every segment. */
export class NumbersColumns extends PartCache<NumbersReader> {
  readonly #context: LookupContext;

  constructor(context: LookupContext) {
    super(NUMBERS_BUDGET, openNumbersSlice);
    this.#context = context;
  }

  /** As `peek`, for a segment of a run by its index: what was found once is not searched for by hash again. */
  peekAt(
    held: HeldSegments<NumbersReader>,
    entries: readonly SegmentEntry[],
    index: number,
  ): NumbersReader | undefined {
    const known = held[index];
    const reader = known === undefined ? undefined : this.cache.use(known);
    if (reader !== undefined) return reader;
    const entry = entries[index];
    if (entry === undefined) return undefined;
    held[index] = this.cache.held(entry.numbers.sha256);
    return this.peek(entry.numbers);
  }

  /** From memory, the slice store or the segment. Rejects when none of them has the column undamaged. */
  async load(snapshot: Snapshot, entry: SegmentEntry): Promise<NumbersReader> {
    const cached = this.peek(entry.numbers);
    if (cached !== undefined) return cached;
    const slice = await sliceOf(this.#context, snapshot, entry, entry.numbers);
    return slice === null ? this.loadFromSegment(entry) : this.keep(entry.numbers, slice);
  }

  /** From memory or the segment. Rejects when the column is not there undamaged. */
  async loadFromSegment(entry: SegmentEntry): Promise<NumbersReader> {
    return this.peek(entry.numbers) ?? this.keep(entry.numbers, await readNumbers(this.#context.objects, entry));
  }

  /** Lets go of the columns of all segments but these. */
  retain(entries: Iterable<SegmentEntry>): void {
    const keys = new Set<string>();
    for (const { numbers } of entries) keys.add(numbers.sha256);
    this.cache.retain(keys);
  }
}

/** Pages of verdicts; of a segment of version 1, all of its verdicts. */
export class VerdictPages extends PartCache<VerdictsReader, PagePlace> {
  readonly #context: LookupContext;

  constructor(context: LookupContext) {
    super(VERDICTS_BUDGET, openPage);
    this.#context = context;
  }

  /**
   * What was found once is not searched for by hash again, as long as the directory that names the page is in memory.
   */
  override peek(page: PagePlace): VerdictsReader | undefined {
    const reader = page.held === undefined ? undefined : this.cache.use(page.held);
    if (reader !== undefined) return reader;
    page.held = this.cache.held(page.sha256);
    return super.peek(page);
  }

  /**
   * Pages of a segment that follow one another, from memory or in one read of the segment. Rejects when one of them is
   * not to be had undamaged.
   */
  async load(snapshot: Snapshot, entry: SegmentEntry, pages: readonly PagePlace[]): Promise<VerdictsReader[]> {
    const missing = pages.filter((page) => this.peek(page) === undefined);
    const loaded = new Map<PagePlace, VerdictsReader>();
    const [first] = missing;
    if (first !== undefined) {
      const slice = entry.parts === null ? null : await sliceOf(this.#context, snapshot, entry, first);
      const read = slice === null ? await readPages(this.#context.objects, entry, missing) : [slice];
      missing.forEach((page, i) => {
        loaded.set(page, this.keep(page, read[i] as Bytes));
      });
    }
    return pages.map((page) => loaded.get(page) ?? (this.peek(page) as VerdictsReader));
  }
}

export class EvidenceIndexes extends PartCache<EvidenceIndex> {
  readonly #context: LookupContext;

  constructor(context: LookupContext) {
    super(EVIDENCE_BUDGET, (bytes) => new EvidenceIndex(bytes));
    this.#context = context;
  }

  /** From memory or the segment: it is never in the slice store. Rejects when it is not there undamaged. */
  async load(entry: SegmentEntry, parts: SegmentParts): Promise<EvidenceIndex> {
    const { evidenceIndex } = parts;
    const { objects } = this.#context;
    return this.peek(evidenceIndex) ?? this.keep(evidenceIndex, await readEvidenceIndex(objects, entry, parts));
  }
}

export class ColumnCache {
  readonly numbers: NumbersColumns;
  readonly verdicts: VerdictPages;
  readonly evidence: EvidenceIndexes;

  constructor(context: LookupContext) {
    this.numbers = new NumbersColumns(context);
    this.verdicts = new VerdictPages(context);
    this.evidence = new EvidenceIndexes(context);
  }

  /** Bytes of columns in memory. */
  get bytes(): number {
    return this.numbers.cache.bytes + this.verdicts.cache.bytes + this.evidence.cache.bytes;
  }
}
