/**
 * The search for one number in a snapshot, the same for lookups, batches, earlier days and replicas. A Probe walks over
 * the runs once: it takes the numbers columns that are in memory and leaves a place for each of the others. When these
 * are filled in, the result is as if all had been in memory, so a request that finds something missing goes on from
 * what it has.
 */

import { EVIDENCE_BLOCK_NUMBERS, EvidenceBlock, type EvidenceEntry, numbersInBlock } from '../format/evidence.ts';
import type { SegmentEntry } from '../format/manifest.ts';
import type { NumbersReader } from '../format/numbers-reader.ts';
import { evidenceBlocksOffset } from '../format/segment.ts';
import type { VerdictsReader } from '../format/verdicts.ts';
import { mapConcurrent } from '../lib/concurrency.ts';
import type { Finding, RecordFacts } from '../policy/answer.ts';
import { readSegmentRange } from '../storage/slices.ts';
import type { ObjectStore } from '../storage/store.ts';
import type { CachedColumn, ColumnCache } from './columns.ts';
import { type Neighbours, neighboursOf } from './neighbours.ts';
import { foldRecords, recordAt } from './record.ts';
import type { Snapshot } from './snapshot.ts';

export class Probe {
  readonly number: number;
  /** Null before the first walk. */
  snapshot: Snapshot | null = null;
  /** The segments that can have the number or its neighbours, newest run first. */
  entries: SegmentEntry[] = [];
  /** What is known of the number; null while a column that it takes is missing. */
  finding: Finding | null = null;
  /** The numbers column of each segment. */
  #columns: (NumbersReader | undefined)[] = [];
  #missing = 0;
  #ranks: readonly number[] | null = null;

  constructor(number: number) {
    this.number = number;
  }

  /** The only walk over the runs of a snapshot. It forgets what was known from another snapshot. */
  walk(snapshot: Snapshot, memory: CachedColumn<NumbersReader>): void {
    const { number } = this;
    const entries: SegmentEntry[] = [];
    const columns: (NumbersReader | undefined)[] = [];
    let missing = 0;
    for (const run of snapshot.runs) {
      const index = run.indexFor(number);
      if (index < 0) continue;
      const column = memory.peekAt(run.numbers, run.entries, index);
      entries.push(run.entries[index] as SegmentEntry);
      columns.push(column);
      if (column === undefined) missing += 1;
    }
    this.snapshot = snapshot;
    this.entries = entries;
    this.finding = null;
    this.#columns = columns;
    this.#missing = missing;
    this.#ranks = null;
  }

  /** The numbers columns, newest run first; null if one is missing. */
  get columns(): readonly NumbersReader[] | null {
    return this.#missing === 0 ? (this.#columns as NumbersReader[]) : null;
  }

  /** The segments whose numbers columns are missing. */
  missing(): readonly SegmentEntry[] {
    return this.#missing === 0 ? [] : this.entries.filter((_, i) => this.#columns[i] === undefined);
  }

  fill(i: number, column: NumbersReader): void {
    if (this.#columns[i] === undefined) this.#missing -= 1;
    this.#columns[i] = column;
  }

  /**
   * The segments that list the number, and its rank in each. No numbers column may be missing.
   * @throws FormatError if a column is damaged; the probe is then unchanged
   */
  hits(): readonly { readonly entry: SegmentEntry; readonly rank: number }[] {
    return this.#rank().flatMap((rank, i) => (rank < 0 ? [] : [{ entry: this.entries[i] as SegmentEntry, rank }]));
  }

  /**
   * The record of the number, folded over the runs; null: it is not listed; undefined: a verdicts column is missing. No
   * numbers column may be missing.
   * @throws FormatError if a column is damaged; the probe is then unchanged
   */
  record(verdictsOf: (entry: SegmentEntry) => VerdictsReader | undefined): RecordFacts | null | undefined {
    const ranks = this.#rank();
    let record: RecordFacts | null = null;
    for (let i = 0; i < ranks.length; i++) {
      const rank = ranks[i] as number;
      if (rank < 0) continue;
      const verdicts = verdictsOf(this.entries[i] as SegmentEntry);
      if (verdicts === undefined) return undefined;
      record = foldRecords(record, recordAt(verdicts, rank));
    }
    return record;
  }

  /**
   * What the neighbours of the number say of it; this looks for the number, too. No numbers column may be missing.
   * @param today UTC day since 1970
   */
  neighbours(today: number): Neighbours {
    const ranks: number[] = [];
    const neighbours = neighboursOf(this.#present(), this.number, today, ranks);
    this.#ranks = ranks;
    return neighbours;
  }

  /** The rank of the number in each numbers column, below 0 where a column lacks it. All columns must be there. */
  #rank(): readonly number[] {
    this.#ranks ??= this.#present().map((column) => column.find(this.number));
    return this.#ranks;
  }

  #present(): readonly NumbersReader[] {
    const { columns } = this;
    if (columns === null) throw new RangeError('a numbers column is missing');
    return columns;
  }
}

/** What one request reads of a snapshot. A column that could not be loaded is not read again. */
export class View {
  readonly snapshot: Snapshot;
  readonly #columns: ColumnCache;
  readonly #objects: ObjectStore;
  readonly #failures = new Map<string, unknown>();

  constructor(columns: ColumnCache, snapshot: Snapshot, objects: ObjectStore) {
    this.#columns = columns;
    this.#objects = objects;
    this.snapshot = snapshot;
  }

  async #load<Reader>(cached: CachedColumn<Reader>, entry: SegmentEntry): Promise<Reader> {
    const id = `${cached.column} ${entry.key}`;
    if (this.#failures.has(id)) throw this.#failures.get(id);
    try {
      return await cached.load(this.snapshot, entry);
    } catch (error) {
      this.#failures.set(id, error);
      throw error;
    }
  }

  /**
   * Loads the numbers columns that a group of probes lacks, several at a time. A failure shows when a probe is
   * completed.
   */
  async loadNumbers(probes: readonly Probe[]): Promise<void> {
    const missing = new Map<string, SegmentEntry>();
    for (const probe of probes) for (const entry of probe.missing()) missing.set(entry.key, entry);
    const loaded = new Map<string, NumbersReader>();
    await mapConcurrent(missing.values(), async (entry) => {
      const column = await this.#load(this.#columns.numbers, entry).catch(() => undefined);
      if (column !== undefined) loaded.set(entry.key, column);
    });
    for (const probe of probes) {
      for (const [i, { key }] of probe.entries.entries()) {
        const column = loaded.get(key);
        if (column !== undefined) probe.fill(i, column);
      }
    }
  }

  /** All numbers columns of a probe, newest run first. Rejects if one cannot be loaded. */
  async numbersOf(probe: Probe): Promise<readonly NumbersReader[]> {
    await this.loadNumbers([probe]);
    // The failure is known, and nothing is read again.
    for (const entry of probe.missing()) await this.#load(this.#columns.numbers, entry);
    return probe.columns ?? [];
  }

  /**
   * The verdicts columns of some segments, loaded at the same time: this waits once, however many runs know the number.
   */
  async verdictsOf(entries: readonly SegmentEntry[]): Promise<ReadonlyMap<SegmentEntry, VerdictsReader>> {
    const { verdicts } = this.#columns;
    return new Map(
      await Promise.all(
        entries.map(async (entry) => [entry, verdicts.peek(entry) ?? (await this.#load(verdicts, entry))] as const),
      ),
    );
  }

  /** The evidence of the number of this rank. Rejects when it cannot be read. */
  async readEvidence(entry: SegmentEntry, rank: number): Promise<EvidenceEntry[]> {
    const index = await this.#load(this.#columns.evidence, entry);
    const block = Math.floor(rank / EVIDENCE_BLOCK_NUMBERS);
    const place = index.place(block);
    const offset = evidenceBlocksOffset(entry) + place.offset;
    const bytes = await readSegmentRange(this.#objects, entry, offset, place.length);
    const columns = new EvidenceBlock();
    columns.read(bytes, place, numbersInBlock(entry.count, block), index.texts);
    return columns.entries(rank % EVIDENCE_BLOCK_NUMBERS, index);
  }
}
