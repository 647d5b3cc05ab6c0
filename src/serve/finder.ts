/**
 * Finds what is known of numbers: snapshot -> for each run the segment -> probe -> fold. What storage cannot answer is
 * told as null, never as "not listed".
 */
import { EVIDENCE_BLOCK_NUMBERS, numbersInBlock } from '../format/evidence.ts';
import { EvidenceBlock, type EvidenceEntry } from '../format/evidence-block.ts';
import type { SegmentEntry } from '../format/manifest.ts';
import type { NumbersReader } from '../format/numbers-reader.ts';
import { evidenceBlocksOffset } from '../format/segment.ts';
import type { Finding, RecordFacts } from '../policy/finding.ts';
import { readSegmentRange } from '../store/columns.ts';
import { sideBySide } from '../store/side-by-side.ts';
import { type CachedColumn, ColumnCache } from './column-cache.ts';
import type { ServeContext } from './context.ts';
import { factsAt, foldEvidence, foldFacts } from './facts.ts';
import { countNeighbours } from './neighbourhood.ts';
import { type Snapshot, SnapshotHolder } from './snapshot.ts';

/** Numbers of a batch whose columns are held at the same time, so that a cold batch stays within memory. */
const GROUP_NUMBERS = 16;

export interface FindOptions {
  readonly evidence: boolean;
}

export class Finder {
  readonly snapshots: SnapshotHolder;
  readonly columns: ColumnCache;
  readonly #context: ServeContext;

  constructor(context: ServeContext) {
    this.#context = context;
    this.snapshots = new SnapshotHolder(context);
    this.columns = new ColumnCache(context);
  }

  /** What is known of a number, at once: null if that takes a look at storage. */
  peek(number: number): Finding | null {
    const snapshot = this.snapshots.peek();
    if (snapshot === null) return null;
    try {
      return this.#probeInMemory(snapshot, number);
    } catch {
      // A damaged column: `find` tells the log what is wrong.
      return null;
    }
  }

  /** A finding for each number, in order; null where storage could not answer. */
  async find(numbers: readonly number[], options: FindOptions): Promise<(Finding | null)[]> {
    const findings: (Finding | null)[] = numbers.map(() => null);
    try {
      const snapshot = await this.snapshots.get();
      this.#fillFromMemory(findings, numbers, snapshot, options);
      if (!findings.includes(null)) return findings;
      await this.#fill(findings, numbers, snapshot, options);
      if (!findings.includes(null)) return findings;
      // The snapshot may be so old that its segments have been collected: once more, if there is a newer one.
      const newer = await this.snapshots.refresh();
      if (newer !== snapshot) await this.#fill(findings, numbers, newer, options);
    } catch (error) {
      this.#context.log('snapshot.unavailable', { reason: String(error) });
    }
    const unknown = findings.filter((finding) => finding === null).length;
    if (unknown > 0) this.#context.log('lookup.unknown', { numbers: unknown });
    return findings;
  }

  /** Once an isolate is warm this is all there is to a lookup; evidence is never kept in memory. */
  #fillFromMemory(
    findings: (Finding | null)[],
    numbers: readonly number[],
    snapshot: Snapshot,
    options: FindOptions,
  ): void {
    if (options.evidence) return;
    try {
      for (let i = 0; i < numbers.length; i++) findings[i] = this.#probeInMemory(snapshot, numbers[i] as number);
    } catch {
      // A damaged column. What has no finding is looked up again, number by number, and the log told what is wrong.
    }
  }

  /** null: a column that it takes is not in memory, or cannot be read. */
  #probeInMemory(snapshot: Snapshot, number: number): Finding | null {
    const { numbers, verdicts } = this.columns;
    const readers: NumbersReader[] = [];
    let record: RecordFacts | null = null;
    for (const run of snapshot.runs) {
      const index = run.indexFor(number);
      if (index < 0) continue;
      const reader = numbers.peekAt(run.numbers, run.entries, index);
      if (reader === undefined) return null;
      readers.push(reader);
      const rank = reader.find(number);
      if (rank < 0) continue;
      const column = verdicts.peek(run.entries[index] as SegmentEntry);
      if (column === undefined) return null;
      record = foldFacts(record, factsAt(column, rank));
    }
    return this.#finding(snapshot, readers, number, record);
  }

  #finding(snapshot: Snapshot, readers: readonly NumbersReader[], number: number, record: RecordFacts | null): Finding {
    const { hundred, thousand } = countNeighbours(readers, number);
    const { generation } = snapshot.manifest;
    return { generation, ageSeconds: this.snapshots.ageSeconds, record, hundred, thousand };
  }

  /** Looks up the numbers that have no finding yet. */
  async #fill(
    findings: (Finding | null)[],
    numbers: readonly number[],
    snapshot: Snapshot,
    options: FindOptions,
  ): Promise<void> {
    // In number order, neighbours in a batch share their segments, so each is loaded once even without room to keep it.
    const order = numbers.map((_, i) => i).filter((i) => findings[i] === null);
    order.sort((a, b) => (numbers[a] as number) - (numbers[b] as number));
    const view = new View(this.columns, snapshot);
    for (let from = 0; from < order.length; from += GROUP_NUMBERS) {
      const group = order.slice(from, from + GROUP_NUMBERS);
      await view.loadNumbers(group.map((i) => numbers[i] as number));
      for (const i of group) {
        try {
          findings[i] = await this.#probe(view, numbers[i] as number, options);
        } catch (error) {
          this.#context.log('probe.failed', { generation: snapshot.manifest.generation, reason: String(error) });
        }
      }
    }
  }

  async #probe(view: View, number: number, options: FindOptions): Promise<Finding> {
    const { snapshot } = view;
    const readers = [];
    const hits: { readonly entry: SegmentEntry; readonly rank: number }[] = [];
    for (const run of snapshot.runs) {
      const entry = run.segmentFor(number);
      if (entry === undefined) continue;
      const reader = this.columns.numbers.peek(entry) ?? (await view.load(this.columns.numbers, entry));
      readers.push(reader);
      const rank = reader.find(number);
      if (rank >= 0) hits.push({ entry, rank });
    }
    let record: RecordFacts | null = null;
    if (hits.length > 1) await view.loadVerdicts(hits.map(({ entry }) => entry));
    for (const { entry, rank } of hits) {
      const verdicts = this.columns.verdicts.peek(entry) ?? (await view.load(this.columns.verdicts, entry));
      record = foldFacts(record, factsAt(verdicts, rank));
    }
    const finding = this.#finding(snapshot, readers, number, record);
    if (!options.evidence) return finding;
    try {
      const entries = await Promise.all(hits.map(({ entry, rank }) => this.#readEvidence(view, entry, rank)));
      return { ...finding, evidence: foldEvidence(entries.flat()) };
    } catch (error) {
      // The verdict stands without it; part of the evidence would pass for all of it.
      this.#context.log('evidence.unavailable', { reason: String(error) });
      return finding;
    }
  }

  async #readEvidence(view: View, entry: SegmentEntry, rank: number): Promise<EvidenceEntry[]> {
    const index = await view.load(this.columns.evidence, entry);
    const block = Math.floor(rank / EVIDENCE_BLOCK_NUMBERS);
    const place = index.place(block);
    const offset = evidenceBlocksOffset(entry) + place.offset;
    const bytes = await readSegmentRange(this.#context.objects, entry, offset, place.length);
    const columns = new EvidenceBlock();
    columns.read(bytes, place, numbersInBlock(entry.count, block), index.texts);
    return columns.entries(rank % EVIDENCE_BLOCK_NUMBERS, index);
  }
}

/** One request's look at a snapshot: a column that could not be loaded is not asked for again. */
class View {
  readonly snapshot: Snapshot;
  readonly #columns: ColumnCache;
  readonly #failures = new Map<string, unknown>();

  constructor(columns: ColumnCache, snapshot: Snapshot) {
    this.#columns = columns;
    this.snapshot = snapshot;
  }

  async load<Reader>(cached: CachedColumn<Reader>, entry: SegmentEntry): Promise<Reader> {
    const id = `${cached.column} ${entry.key}`;
    if (this.#failures.has(id)) throw this.#failures.get(id);
    try {
      return await cached.load(this.snapshot, entry);
    } catch (error) {
      this.#failures.set(id, error);
      throw error;
    }
  }

  /** Loads the missing ones of these verdicts side by side: one step of waiting, however many runs know the number. */
  async loadVerdicts(entries: readonly SegmentEntry[]): Promise<void> {
    const missing = entries.filter((entry) => this.#columns.verdicts.peek(entry) === undefined);
    await Promise.all(missing.map((entry) => this.load(this.#columns.verdicts, entry)));
  }

  /** Loads the missing numbers columns of a group side by side. A failure shows when the number is looked up. */
  async loadNumbers(numbers: readonly number[]): Promise<void> {
    const missing = new Map<string, SegmentEntry>();
    for (const number of numbers) {
      for (const run of this.snapshot.runs) {
        const entry = run.segmentFor(number);
        if (entry !== undefined && this.#columns.numbers.peek(entry) === undefined) missing.set(entry.key, entry);
      }
    }
    if (missing.size === 0) return;
    await sideBySide(missing.values(), async (entry) => {
      await this.load(this.#columns.numbers, entry).catch(() => undefined);
    });
  }
}
