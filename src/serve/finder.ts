/**
 * Finds what is known of numbers: snapshot -> for each run the segment -> probe -> fold. What storage cannot answer is
 * told as null, never as "not listed".
 */
import type { SegmentEntry } from '../format/manifest.ts';
import type { NumbersReader } from '../format/numbers-reader.ts';
import { dayOf } from '../format/records.ts';
import type { Basis, Finding, RecordFacts } from '../policy/finding.ts';
import { sideBySide } from '../store/side-by-side.ts';
import { ColumnCache } from './column-cache.ts';
import type { ServeContext } from './context.ts';
import { evidenceLines, factsAt, foldEntries, foldFacts } from './facts.ts';
import { RecentLookups } from './health.ts';
import { neighboursOf } from './neighbourhood.ts';
import { type Snapshot, SnapshotHolder } from './snapshot.ts';
import { View } from './view.ts';

/** Numbers of a batch whose columns are held at the same time, so that a cold batch stays within memory. */
const GROUP_NUMBERS = 16;

export interface FindOptions {
  readonly evidence: boolean;
  /** Whether findings tell what they were read from (Finding.basis). */
  readonly basis?: boolean;
}

export class Finder {
  readonly snapshots: SnapshotHolder;
  readonly columns: ColumnCache;
  /** For health. */
  readonly recent: RecentLookups;
  readonly #context: ServeContext;

  constructor(context: ServeContext) {
    this.#context = context;
    this.snapshots = new SnapshotHolder(context);
    this.columns = new ColumnCache(context);
    this.recent = new RecentLookups(() => context.now());
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
    const findings = await this.#find(numbers, options);
    const unknown = findings.filter((finding) => finding === null).length;
    this.recent.count(unknown > 0);
    if (unknown > 0) this.#context.log('lookup.unknown', { numbers: unknown });
    return findings;
  }

  async #find(numbers: readonly number[], options: FindOptions): Promise<(Finding | null)[]> {
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
    return findings;
  }

  /** The same in a snapshot of any age, at a moment of its own. Rejects when storage cannot answer. */
  async findIn(snapshot: Snapshot, number: number, at: number, options: FindOptions): Promise<Finding> {
    return this.#probe(new View(this.columns, snapshot, this.#context.objects), number, at, options);
  }

  /** Once an isolate is warm this is all there is to a lookup; evidence is never kept in memory. */
  #fillFromMemory(
    findings: (Finding | null)[],
    numbers: readonly number[],
    snapshot: Snapshot,
    options: FindOptions,
  ): void {
    if (options.evidence || options.basis) return;
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
    return this.#finding(snapshot, readers, number, this.#context.now(), record);
  }

  #finding(
    snapshot: Snapshot,
    readers: readonly NumbersReader[],
    number: number,
    at: number,
    record: RecordFacts | null,
  ): Finding {
    const neighbours = neighboursOf(readers, number, dayOf(at / 1000));
    const { generation } = snapshot.manifest;
    return { generation, ageSeconds: snapshot.ageSeconds(this.#context.now()), record, ...neighbours };
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
    const view = new View(this.columns, snapshot, this.#context.objects);
    for (let from = 0; from < order.length; from += GROUP_NUMBERS) {
      const group = order.slice(from, from + GROUP_NUMBERS);
      await view.loadNumbers(group.map((i) => numbers[i] as number));
      const probe = async (i: number) => {
        try {
          findings[i] = await this.#probe(view, numbers[i] as number, this.#context.now(), options);
        } catch (error) {
          this.#context.log('probe.failed', { generation: snapshot.manifest.generation, reason: String(error) });
        }
      };
      // Evidence is read for each listed number by itself, several at a time. Else the group shares what it reads: one
      // after the other, nothing is read twice.
      if (options.evidence) await sideBySide(group, probe);
      else for (const i of group) await probe(i);
    }
  }

  async #probe(view: View, number: number, at: number, options: FindOptions): Promise<Finding> {
    const { snapshot } = view;
    const readers = [];
    const entries: SegmentEntry[] = [];
    const hits: { readonly entry: SegmentEntry; readonly rank: number }[] = [];
    for (const run of snapshot.runs) {
      const entry = run.segmentFor(number);
      if (entry === undefined) continue;
      entries.push(entry);
      const reader = await view.loadNumbersOf(entry);
      readers.push(reader);
      const rank = reader.find(number);
      if (rank >= 0) hits.push({ entry, rank });
    }
    let record: RecordFacts | null = null;
    if (hits.length > 1) await view.loadVerdicts(hits.map(({ entry }) => entry));
    for (const { entry, rank } of hits) {
      const verdicts = await view.loadVerdictsOf(entry);
      record = foldFacts(record, factsAt(verdicts, rank));
    }
    const found = this.#finding(snapshot, readers, number, at, record);
    const finding = options.basis ? { ...found, basis: basisOf(snapshot, entries) } : found;
    if (!options.evidence) return finding;
    try {
      const evidence = await Promise.all(hits.map(({ entry, rank }) => view.readEvidence(entry, rank)));
      return { ...finding, evidence: evidenceLines(foldEntries(evidence.flat())) };
    } catch (error) {
      // The verdict stands without it; part of the evidence would pass for all of it.
      this.#context.log('evidence.unavailable', { reason: String(error) });
      return finding;
    }
  }
}

/** What a finding was read from, by hash: enough to read it again (src/policy/receipt.ts). */
function basisOf({ manifest }: Snapshot, entries: readonly SegmentEntry[]): Basis {
  const segments = entries.map(({ key, numbers, verdicts, evidenceIndex }) => ({
    key,
    numbers: numbers.sha256,
    verdicts: verdicts.sha256,
    evidence: evidenceIndex.sha256,
  }));
  return { commit: manifest.commit, segments };
}
