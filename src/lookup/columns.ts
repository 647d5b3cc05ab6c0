/**
 * Columns of segments in isolate memory. What memory lacks is read once, from the slice store, else from the object
 * store.
 */

import { EvidenceIndex } from '../format/evidence.ts';
import type { SegmentEntry } from '../format/manifest.ts';
import type { NumbersReader } from '../format/numbers-reader.ts';
import { openNumbersSlice } from '../format/numbers-slice.ts';
import { VerdictsReader } from '../format/verdicts.ts';
import { ByteCache } from '../lib/byte-cache.ts';
import type { Bytes } from '../lib/bytes.ts';
import { type Column, readCachedColumn, readColumn } from '../storage/slices.ts';
import type { HeldSegments, LookupContext, Snapshot } from './snapshot.ts';

/**
 * Together these stay well under the 128 MB of an isolate. All numbers of 20.87 million fit (30 MB); verdicts are read
 * less.
 */
export const NUMBERS_BUDGET = 40 * 2 ** 20;
export const VERDICTS_BUDGET = 16 * 2 ** 20;
export const EVIDENCE_BUDGET = 2 * 2 ** 20;

/** One column of every segment. */
export class CachedColumn<Reader> {
  readonly cache: ByteCache<Reader>;
  readonly #context: LookupContext;
  readonly column: Column;
  readonly #open: (bytes: Bytes) => Reader;

  constructor(context: LookupContext, column: Column, budgetBytes: number, open: (bytes: Bytes) => Reader) {
    this.#context = context;
    this.column = column;
    this.#open = open;
    this.cache = new ByteCache(budgetBytes);
  }

  peek(entry: SegmentEntry): Reader | undefined {
    return this.cache.get(entry[this.column].sha256);
  }

  /** As `peek`, for a segment of a run by its index: what was found once is not searched for by hash again. */
  peekAt(held: HeldSegments<Reader>, entries: readonly SegmentEntry[], index: number): Reader | undefined {
    const known = held[index];
    const reader = known === undefined ? undefined : this.cache.use(known);
    if (reader !== undefined) return reader;
    const entry = entries[index];
    if (entry === undefined) return undefined;
    held[index] = this.cache.held(entry[this.column].sha256);
    return this.peek(entry);
  }

  /** From memory, the slice store or the segment. Rejects when none of them has the column undamaged. */
  async load(snapshot: Snapshot, entry: SegmentEntry): Promise<Reader> {
    const cached = this.peek(entry);
    if (cached !== undefined) return cached;
    const { slices, log } = this.#context;
    const report = (problem: string) => log('slice.unusable', { problem });
    // Evidence is never in the slice store, and missing slices are not there yet. Their keys must not be asked for
    // before they are written, since the slice store remembers misses.
    const isSliced = this.column !== 'evidenceIndex' && !snapshot.missingSlices.has(entry.key);
    const slice = isSliced ? await readCachedColumn(slices, entry, this.column, report) : null;
    return slice === null ? this.loadFromSegment(entry) : this.#keep(entry, slice);
  }

  /** From memory or the segment. Rejects when the column is not there undamaged. */
  async loadFromSegment(entry: SegmentEntry): Promise<Reader> {
    return this.peek(entry) ?? this.#keep(entry, await readColumn(this.#context.objects, entry, this.column));
  }

  /** Lets go of the columns of all segments but these. */
  retain(entries: Iterable<SegmentEntry>): void {
    const keys = new Set<string>();
    for (const entry of entries) keys.add(entry[this.column].sha256);
    this.cache.retain(keys);
  }

  #keep(entry: SegmentEntry, bytes: Bytes): Reader {
    const reader = this.#open(bytes);
    this.cache.set(entry[this.column].sha256, reader, bytes.length);
    return reader;
  }
}

export class ColumnCache {
  readonly numbers: CachedColumn<NumbersReader>;
  readonly verdicts: CachedColumn<VerdictsReader>;
  readonly evidence: CachedColumn<EvidenceIndex>;

  constructor(context: LookupContext) {
    this.numbers = new CachedColumn(context, 'numbers', NUMBERS_BUDGET, (bytes) => openNumbersSlice(bytes));
    this.verdicts = new CachedColumn(context, 'verdicts', VERDICTS_BUDGET, (bytes) => new VerdictsReader(bytes));
    this.evidence = new CachedColumn(context, 'evidenceIndex', EVIDENCE_BUDGET, (bytes) => new EvidenceIndex(bytes));
  }

  /** Bytes of columns in memory. */
  get bytes(): number {
    return this.numbers.cache.bytes + this.verdicts.cache.bytes + this.evidence.cache.bytes;
  }
}
