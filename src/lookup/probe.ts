/**
 * The search for one number in a snapshot, the same for lookups, batches, earlier days and replicas. A Probe walks over
 * the runs once: it takes the numbers columns that are in memory and leaves a place for each of the others. When these
 * are filled in, the result is as if all had been in memory, so a request that finds something missing goes on from
 * what it has.
 */

import {
  EVIDENCE_BLOCK_NUMBERS,
  EvidenceBlock,
  type EvidenceEntry,
  type EvidenceIndex,
  numbersInBlock,
} from '../format/evidence.ts';
import type { SegmentEntry } from '../format/manifest.ts';
import type { NumbersReader } from '../format/numbers-reader.ts';
import type { PagePlace } from '../format/page-directory.ts';
import { evidenceBlocksOffset, pageOf, partsOf } from '../format/segment.ts';
import type { VerdictsReader } from '../format/verdicts.ts';
import { mapConcurrent } from '../lib/concurrency.ts';
import type { Finding, RecordFacts } from '../policy/answer.ts';
import { readSegmentRange } from '../storage/slices.ts';
import type { ObjectStore } from '../storage/store.ts';
import type { ColumnCache, NumbersColumns } from './columns.ts';
import { type Neighbours, neighboursOf } from './neighbours.ts';
import { foldRecords, recordAt } from './record.ts';
import type { Snapshot } from './snapshot.ts';

/** A segment that lists a number. */
export interface Hit {
  readonly entry: SegmentEntry;
  readonly numbers: NumbersReader;
  readonly rank: number;
  /** What has its verdict. */
  readonly page: PagePlace;
}

const NO_ENTRIES: readonly SegmentEntry[] = [];
const NO_HITS: readonly Hit[] = [];

export class Probe {
  readonly number: number;
  /** Null before the first walk. */
  snapshot: Snapshot | null = null;
  /** The segments that can have the number or its neighbours, newest run first. */
  entries: readonly SegmentEntry[] = NO_ENTRIES;
  /** What is known of the number; null while a column that it takes is missing. */
  finding: Finding | null = null;
  /** The numbers column of each segment. */
  #columns: (NumbersReader | undefined)[] = [];
  #missing = 0;
  #ranks: readonly number[] | null = null;
  #hits: readonly Hit[] | null = null;
  /** Of `#today`, once they have been counted: a page of verdicts may have to be read before they are told. */
  #neighbours: Neighbours | null = null;
  #today = 0;

  constructor(number: number) {
    this.number = number;
  }

  /** The only walk over the runs of a snapshot. It forgets what was known from another snapshot. */
  walk(snapshot: Snapshot, memory: NumbersColumns): void {
    const { number } = this;
    let entries: SegmentEntry[] | null = null;
    let columns: (NumbersReader | undefined)[] | null = null;
    let missing = 0;
    for (const run of snapshot.runs) {
      const index = run.indexFor(number);
      if (index < 0) continue;
      const column = memory.peekAt(run.numbers, run.entries, index);
      const entry = run.entries[index] as SegmentEntry;
      // Mostly one run has all there is: a list that begins with its only element has no room for more.
      if (entries === null || columns === null) {
        entries = [entry];
        columns = [column];
      } else {
        entries.push(entry);
        columns.push(column);
      }
      if (column === undefined) missing += 1;
    }
    this.snapshot = snapshot;
    this.entries = entries ?? NO_ENTRIES;
    this.finding = null;
    this.#columns = columns ?? [];
    this.#missing = missing;
    this.#ranks = null;
    this.#hits = null;
    this.#neighbours = null;
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
   * The segments that list the number. No numbers column may be missing.
   * @throws FormatError if a column is damaged; the probe is then unchanged
   */
  hits(): readonly Hit[] {
    if (this.#hits !== null) return this.#hits;
    const columns = this.#present();
    const ranks = this.#ranks ?? columns.map((column) => column.find(this.number));
    let hits: Hit[] | null = null;
    for (let i = 0; i < columns.length; i++) {
      const numbers = columns[i] as NumbersReader;
      const rank = ranks[i] as number;
      if (rank < 0) continue;
      const entry = this.entries[i] as SegmentEntry;
      const hit = { entry, numbers, rank, page: pageOf(entry, numbers, rank) };
      if (hits === null) hits = [hit];
      else hits.push(hit);
    }
    this.#hits = hits ?? NO_HITS;
    return this.#hits;
  }

  /**
   * The record of the number, folded over the runs; null: it is not listed; undefined: a page of verdicts is missing.
   * No numbers column may be missing.
   * @throws FormatError if a column is damaged; the probe is then unchanged
   */
  record(verdictsOf: (page: PagePlace) => VerdictsReader | undefined): RecordFacts | null | undefined {
    let record: RecordFacts | null = null;
    for (const { page, rank } of this.hits()) {
      const verdicts = verdictsOf(page);
      if (verdicts === undefined) return undefined;
      record = foldRecords(record, recordAt(verdicts, rank - page.rank));
    }
    return record;
  }

  /**
   * What the neighbours of the number say of it; this looks for the number, too. No numbers column may be missing.
   * @param today UTC day since 1970
   */
  neighbours(today: number): Neighbours {
    if (this.#neighbours !== null && this.#today === today) return this.#neighbours;
    const columns = this.#present();
    const ranks = columns.length === 1 ? [0] : [];
    this.#neighbours = neighboursOf(columns, this.number, today, ranks);
    this.#today = today;
    this.#ranks = ranks;
    return this.#neighbours;
  }

  #present(): readonly NumbersReader[] {
    const { columns } = this;
    if (columns === null) throw new RangeError('a numbers column is missing');
    return columns;
  }
}

/** Verdicts of some ranks in a row. */
interface LoadedPage {
  readonly verdicts: VerdictsReader;
  /** Of its first record. */
  readonly rank: number;
}

/** What one request reads of a snapshot. A column that could not be loaded is not read again. */
export class View {
  readonly snapshot: Snapshot;
  readonly #columns: ColumnCache;
  readonly #objects: ObjectStore;
  readonly #numbers = new Map<string, Promise<NumbersReader>>();
  readonly #pages = new Map<string, Promise<VerdictsReader[]>>();
  readonly #evidence = new Map<string, Promise<EvidenceIndex>>();

  constructor(columns: ColumnCache, snapshot: Snapshot, objects: ObjectStore) {
    this.#columns = columns;
    this.#objects = objects;
    this.snapshot = snapshot;
  }

  /** What is being loaded is waited for, and what could not be loaded fails again at once. */
  #load<Reader>(parts: Map<string, Promise<Reader>>, what: string, load: () => Promise<Reader>): Promise<Reader> {
    const known = parts.get(what);
    if (known !== undefined) return known;
    const loading = load();
    parts.set(what, loading);
    // What has been loaded is in memory, if there is room for it.
    loading.then(
      () => parts.delete(what),
      () => undefined,
    );
    return loading;
  }

  #loadNumbers(entry: SegmentEntry): Promise<NumbersReader> {
    return this.#load(this.#numbers, entry.numbers.sha256, () => this.#columns.numbers.load(this.snapshot, entry));
  }

  /**
   * Loads the numbers columns that a group of probes lacks, several at a time. A failure shows when a probe is
   * completed.
   */
  async loadNumbers(probes: readonly Probe[]): Promise<void> {
    const missing = new Map<string, SegmentEntry>();
    for (const probe of probes) for (const entry of probe.missing()) missing.set(entry.numbers.sha256, entry);
    const loaded = new Map<string, NumbersReader>();
    await mapConcurrent(missing.values(), async (entry) => {
      const column = await this.#loadNumbers(entry).catch(() => undefined);
      if (column !== undefined) loaded.set(entry.numbers.sha256, column);
    });
    for (const probe of probes) {
      for (const [i, { numbers }] of probe.entries.entries()) {
        const column = loaded.get(numbers.sha256);
        if (column !== undefined) probe.fill(i, column);
      }
    }
  }

  /** All numbers columns of a probe, newest run first. Rejects if one cannot be loaded. */
  async numbersOf(probe: Probe): Promise<readonly NumbersReader[]> {
    await this.loadNumbers([probe]);
    // The failure is known, and nothing is read again.
    for (const entry of probe.missing()) await this.#loadNumbers(entry);
    return probe.columns ?? [];
  }

  /** The pages of some hits, loaded at the same time: this waits once, however many runs know the number. */
  async pagesOf(hits: readonly Hit[]): Promise<ReadonlyMap<PagePlace, VerdictsReader>> {
    const pages = await Promise.all(hits.map(({ entry, page }) => this.#loadPages(entry, [page])));
    return new Map(hits.map(({ page }, i) => [page, pages[i]?.[0] as VerdictsReader]));
  }

  /** Pages that have the verdicts of ranks [from, to), with the rank that each begins with; in one read. */
  async pagesBetween(entry: SegmentEntry, numbers: NumbersReader, from: number, to: number): Promise<LoadedPage[]> {
    const places: PagePlace[] = [];
    for (let rank = from; rank < to; ) {
      const page = pageOf(entry, numbers, rank);
      places.push(page);
      rank = page.rank + page.count;
    }
    const readers = await this.#loadPages(entry, places);
    return readers.map((verdicts, i) => ({ verdicts, rank: (places[i] as PagePlace).rank }));
  }

  #loadPages(entry: SegmentEntry, pages: readonly PagePlace[]): Promise<VerdictsReader[]> {
    const what = `${entry.numbers.sha256} ${pages.map(({ rank }) => rank).join(' ')}`;
    return this.#load(this.#pages, what, () => this.#columns.verdicts.load(this.snapshot, entry, pages));
  }

  /** The evidence of the number. Rejects when it cannot be read. */
  async readEvidence({ entry, numbers, rank }: Hit): Promise<EvidenceEntry[]> {
    const parts = partsOf(entry, numbers);
    const index = await this.#load(this.#evidence, parts.evidenceIndex.sha256, () =>
      this.#columns.evidence.load(entry, parts),
    );
    const block = Math.floor(rank / EVIDENCE_BLOCK_NUMBERS);
    const place = index.place(block);
    const offset = evidenceBlocksOffset(entry, parts) + place.offset;
    const bytes = await readSegmentRange(this.#objects, entry, offset, place.length);
    const columns = new EvidenceBlock();
    columns.read(bytes, place, numbersInBlock(entry.count, block), index.texts);
    return columns.entries(rank % EVIDENCE_BLOCK_NUMBERS, index);
  }
}
