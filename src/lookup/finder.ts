/**
 * Finds what is known of numbers: it takes the snapshot, probes it in memory, reads what memory lacks, and folds what
 * the runs say. When storage cannot answer, the finding is null; it is never "not listed".
 */

import type { NumbersReader } from '../format/numbers-reader.ts';
import type { PagePlace } from '../format/page-directory.ts';
import { partsOf, type SegmentEntry } from '../format/segment.ts';
import type { VerdictsReader } from '../format/verdicts.ts';
import { mapConcurrent } from '../lib/concurrency.ts';
import { dayOf } from '../lib/time.ts';
import type { Basis, Finding } from '../policy/answer.ts';
import { ColumnCache } from './columns.ts';
import { Probe, View } from './probe.ts';
import { evidenceLines, foldEntries } from './record.ts';
import { type LookupContext, type Snapshot, SnapshotCache } from './snapshot.ts';

/** Some numbers have no finding in a snapshot. */
const INCOMPLETE = new Error('incomplete');

/** Numbers of a batch whose columns are held at the same time: this bounds the memory that a cold batch takes. */
const GROUP_NUMBERS = 16;

/** As many as a generation usually replaces: the youngest run, or the few that it is joined with. */
const PREPARED_SEGMENTS = 4;
/** Storage answers in tens of milliseconds; a new generation is not put off for longer than this. */
const PREPARE_MS = 500;

export interface FindOptions {
  readonly evidence: boolean;
  /** Whether findings tell what they were read from (Finding.basis). */
  readonly basis?: boolean;
}

/** What probing memory came to. `find` takes it and goes on from there. */
export interface Probed {
  /** null: finding it takes reads of storage. */
  readonly finding: Finding | null;
}

/** A Finder, or one that answers some numbers by itself (src/lookup/sandbox.ts). */
export interface LookupFinder {
  /**
   * What memory knows of a number; null: nothing. It is asked once a request, and its result handed to `find`.
   * @param now milliseconds since 1970
   */
  probe(number: number, now: number): Probed | null;
  /**
   * One entry for each number, in the same order. null: storage could not answer for this number.
   * @param begun what `probe` returned for the first number
   */
  find(numbers: readonly number[], options: FindOptions, begun?: Probed | null): Promise<readonly (Finding | null)[]>;
}

export class Finder {
  readonly snapshots: SnapshotCache;
  readonly columns: ColumnCache;
  /** Health reports go by these. */
  readonly recent: RecentLookups;
  readonly #context: LookupContext;
  readonly #verdictsInMemory = (page: PagePlace) => this.columns.verdicts.peek(page);

  constructor(context: LookupContext) {
    this.#context = context;
    this.snapshots = new SnapshotCache(context, (next, held) => this.#prepare(next, held));
    this.columns = new ColumnCache(context);
    this.recent = new RecentLookups(() => context.now());
  }

  /** What memory knows of a number. @param now milliseconds since 1970 */
  probe(number: number, now: number): Probed {
    const probe = new Probe(number);
    const snapshot = this.snapshots.peek(now);
    if (snapshot !== null) this.#walk(probe, snapshot, now, now);
    return probe;
  }

  /**
   * A finding for each number, in order; null where storage could not answer.
   * @param begun what `probe` returned for the first number; another `find` can go on from there in turn
   */
  async find(
    numbers: readonly number[],
    options: FindOptions,
    begun: Probed | null = null,
  ): Promise<(Finding | null)[]> {
    const findings = await this.#find(numbers, options, begun);
    const unknown = findings.filter((finding) => finding === null).length;
    this.recent.count(unknown > 0);
    if (unknown > 0) this.#context.log('lookup.unknown', { numbers: unknown });
    return findings;
  }

  async #find(numbers: readonly number[], options: FindOptions, begun: Probed | null): Promise<(Finding | null)[]> {
    const findings: (Finding | null)[] = numbers.map(() => null);
    try {
      await this.snapshots.use(async (snapshot) => {
        await this.#fill(findings, numbers, snapshot, options, begun);
        if (findings.includes(null)) throw INCOMPLETE;
      });
    } catch (error) {
      // Why a number has no finding has been logged where it was found out.
      if (error !== INCOMPLETE) this.#context.log('snapshot.unavailable', { reason: String(error) });
    }
    return findings;
  }

  /** Finds a number in a snapshot of any age, as at the instant `at`. Rejects when storage cannot answer. */
  async findIn(snapshot: Snapshot, number: number, at: number, options: FindOptions): Promise<Finding> {
    const probe = this.#walk(new Probe(number), snapshot, at, this.#context.now());
    return this.#complete(probe, this.#view(snapshot), at, options);
  }

  /**
   * Loads what the first lookup in a new snapshot would have to read: numbers of the young runs, which each generation
   * replaces, where memory has numbers of the snapshot before. Ends within PREPARE_MS, whatever storage does, and never
   * rejects.
   */
  async #prepare(next: Snapshot, held: Snapshot): Promise<void> {
    const { numbers } = this.columns;
    const wanted = newSegments(next, held, (entry) => numbers.peek(entry.numbers) !== undefined).slice(
      0,
      PREPARED_SEGMENTS,
    );
    // A failure shows when a lookup asks for it.
    const loaded = Promise.allSettled(wanted.map((entry) => numbers.load(next, entry)));
    if (wanted.length > 0) await Promise.race([loaded, this.#context.sleep(PREPARE_MS)]);
  }

  #view(snapshot: Snapshot): View {
    return new View(this.columns, snapshot, this.#context.objects);
  }

  /**
   * A lookup in a warm isolate does no more than this. Evidence is never kept in memory.
   * @param at what the finding is as of, and `now` that the snapshot's age is told by, in milliseconds since 1970
   */
  #walk(probe: Probe, snapshot: Snapshot, at: number, now: number): Probe {
    probe.walk(snapshot, this.columns.numbers);
    try {
      this.#settle(probe, snapshot, at, now, this.#verdictsInMemory);
    } catch {
      // A column is damaged: whoever completes the probe reports it to the log.
    }
    return probe;
  }

  /** Sets the finding of a probe, unless a column that it takes is not in memory. */
  #settle(
    probe: Probe,
    snapshot: Snapshot,
    at: number,
    now: number,
    verdictsOf: (page: PagePlace) => VerdictsReader | undefined,
  ): void {
    if (probe.columns === null) return;
    const { hundred, thousand, score } = probe.neighbours(dayOf(at / 1000));
    const record = probe.record(verdictsOf);
    if (record === undefined) return;
    const { generation } = snapshot.manifest;
    const ageSeconds = snapshot.ageSeconds(now);
    probe.finding = { generation, ageSeconds, record, hundred, thousand, score };
  }

  /** Looks up the numbers that have no finding yet. */
  async #fill(
    findings: (Finding | null)[],
    numbers: readonly number[],
    snapshot: Snapshot,
    options: FindOptions,
    begun: Probed | null,
  ): Promise<void> {
    const probeOf = (i: number) => {
      const number = numbers[i] as number;
      const probe = i === 0 && begun instanceof Probe && begun.number === number ? begun : new Probe(number);
      if (probe.snapshot === snapshot) return probe;
      const now = this.#context.now();
      return this.#walk(probe, snapshot, now, now);
    };
    // The numbers are taken in their order, until memory lacks something.
    let stopped: Probe | null = null;
    let next = 0;
    for (; next < numbers.length && stopped === null; next++) {
      if (findings[next] !== null) continue;
      const probe = probeOf(next);
      findings[next] = fromMemory(probe, snapshot, options);
      if (findings[next] === null) stopped = probe;
    }
    if (stopped === null) return;
    const first = next - 1;
    // In number order, neighbours in a batch share segments: each segment is loaded once even if there is no room to
    // keep it.
    const order = numbers.map((_, i) => i).filter((i) => i >= first && findings[i] === null);
    order.sort((a, b) => (numbers[a] as number) - (numbers[b] as number));
    const view = this.#view(snapshot);
    let group = new Map<number, Probe>();
    for (const i of order) {
      const probe = i === first ? stopped : probeOf(i);
      findings[i] = fromMemory(probe, snapshot, options);
      if (findings[i] === null) group.set(i, probe);
      if (group.size < GROUP_NUMBERS) continue;
      await this.#completeGroup(findings, group, view, options);
      group = new Map();
    }
    await this.#completeGroup(findings, group, view, options);
  }

  async #completeGroup(
    findings: (Finding | null)[],
    group: ReadonlyMap<number, Probe>,
    view: View,
    options: FindOptions,
  ): Promise<void> {
    await view.loadNumbers([...group.values()]);
    const complete = async ([i, probe]: readonly [number, Probe]) => {
      try {
        findings[i] = await this.#complete(probe, view, this.#context.now(), options);
      } catch (error) {
        const { generation } = view.snapshot.manifest;
        this.#context.log('probe.failed', { generation, reason: String(error) });
      }
    };
    // Evidence is read for each listed number by itself, several at a time. Everything else is read one after the
    // other, so that the numbers of a group share what is read and nothing is read twice.
    if (options.evidence) await mapConcurrent(group, complete);
    else for (const one of group) await complete(one);
  }

  /** Reads what a probe lacks. Rejects when storage cannot answer; the probe then keeps what has been read. */
  async #complete(probe: Probe, view: View, at: number, options: FindOptions): Promise<Finding> {
    if (probe.finding === null) {
      await view.numbersOf(probe);
      const pages = await view.pagesOf(probe.hits());
      this.#settle(probe, view.snapshot, at, this.#context.now(), (page) => pages.get(page));
    }
    const { finding } = probe;
    if (finding === null) throw new RangeError('a probe with all of its columns has no finding');
    const found = withBasis(probe, view.snapshot, finding, options);
    if (!options.evidence) return found;
    try {
      const evidence = await Promise.all(probe.hits().map((hit) => view.readEvidence(hit)));
      return { ...found, evidence: evidenceLines(foldEntries(evidence.flat())) };
    } catch (error) {
      // The verdict stands without evidence. A part of the evidence is not returned, since it would pass for all of it.
      this.#context.log('evidence.unavailable', { reason: String(error) });
      return found;
    }
  }
}

/**
 * Segments that the snapshot before has not, of numbers that memory knows something of; those of the youngest runs
 * first, which are wanted most.
 */
function newSegments(
  next: Snapshot,
  held: Snapshot,
  isInMemory: (entry: SegmentEntry) => boolean,
): readonly SegmentEntry[] {
  const before = held.runs.flatMap(({ entries }) => entries);
  const named = new Set(before.map(({ numbers }) => numbers.sha256));
  const added = next.runs.flatMap(({ entries }) => entries.filter(({ numbers }) => !named.has(numbers.sha256)));
  if (added.length === 0) return [];
  const known = before.filter(isInMemory);
  const isWanted = (entry: SegmentEntry) =>
    known.some(({ first, last }) => entry.first <= last && first <= entry.last) && !isInMemory(entry);
  return added.filter(isWanted);
}

/** The finding of a probe from memory alone; null: memory does not have all that it takes. */
function fromMemory(probe: Probe, snapshot: Snapshot, options: FindOptions): Finding | null {
  const { finding } = probe;
  if (finding === null || (options.evidence && finding.record !== null)) return null;
  const found = withBasis(probe, snapshot, finding, options);
  return options.evidence ? { ...found, evidence: [] } : found;
}

function withBasis(probe: Probe, snapshot: Snapshot, finding: Finding, { basis }: FindOptions): Finding {
  return basis ? { ...finding, basis: basisOf(snapshot, probe) } : finding;
}

/** What a finding was read from, by hash, so that it can be read again (Basis in src/policy/answer.ts). */
function basisOf({ manifest }: Snapshot, { entries, columns }: Probe): Basis {
  const segments = entries.map((entry, i) => {
    const { verdicts, evidenceIndex } = partsOf(entry, columns?.[i] as NumbersReader);
    const { key, numbers } = entry;
    return { key, numbers: numbers.sha256, verdicts: verdicts.sha256, evidence: evidenceIndex.sha256 };
  });
  return { commit: manifest.commit, segments };
}

const WINDOW_MS = 60_000;
/**
 * Lookups count as failing if this many, and a tenth, of those that read storage failed in the last two windows: not
 * for a single failed read.
 */
const MIN_FAILURES = 3;
const FAILING_SHARE = 0.1;

/** Counts how the lookups of this isolate ended that memory alone could not answer. */
export class RecentLookups {
  readonly #now: () => number;
  #window = 0;
  #asked = 0;
  #failed = 0;
  /** Of the window before this one. */
  #askedBefore = 0;
  #failedBefore = 0;

  constructor(now: () => number) {
    this.#now = now;
  }

  count(isFailed: boolean): void {
    this.#turn();
    this.#asked += 1;
    if (isFailed) this.#failed += 1;
  }

  isFailing(): boolean {
    this.#turn();
    const failed = this.#failed + this.#failedBefore;
    return failed >= MIN_FAILURES && failed >= FAILING_SHARE * (this.#asked + this.#askedBefore);
  }

  #turn(): void {
    const window = Math.floor(this.#now() / WINDOW_MS);
    if (window === this.#window) return;
    const isNext = window === this.#window + 1;
    this.#askedBefore = isNext ? this.#asked : 0;
    this.#failedBefore = isNext ? this.#failed : 0;
    this.#asked = 0;
    this.#failed = 0;
    this.#window = window;
  }
}
