/**
 * Lookups as of an earlier day or generation: "was this number listed when the account was created?". The snapshot at
 * hand answers for any day and for its own generation. For another retained generation, its manifest is read.
 *
 * As of a day, everything counts that had been observed by the end of that UTC day, whenever it arrived. The answer is
 * computed from the evidence, whose entries keep their days apart, and from the first days of the neighbours.
 */

import { parseAttributes } from '../format/attributes.ts';
import type { EvidenceEntry } from '../format/evidence.ts';
import { decodeManifest, type SegmentEntry } from '../format/manifest.ts';
import { addCounts } from '../format/records.ts';
import { blockStart, SEGMENT_ALIGNMENT } from '../format/segment.ts';
import { dayOf, SECONDS_PER_DAY } from '../lib/time.ts';
import type { EvidenceLine, Finding, RecordFacts } from '../policy/answer.ts';
import { generationKey, RETAINED_PREFIX } from '../storage/keys.ts';
import { readImmutable } from '../storage/store.ts';
import type { Finder, FindOptions } from './finder.ts';
import { neighboursAmong } from './neighbours.ts';
import { Probe, View } from './probe.ts';
import { evidenceLines, foldEntries, foldRecords } from './record.ts';
import { type LookupContext, Snapshot } from './snapshot.ts';

/** UTC day since 1970, or the number of a generation. */
export type AsOf = { readonly day: number } | { readonly generation: number };

export type PastFinding =
  | {
      readonly kind: 'found';
      readonly finding: Finding;
      /** Days are counted from this instant: the end of the day, or the publication of the generation. */
      readonly at: number;
      /** See PastRecord. */
      readonly complete: boolean;
    }
  | { readonly kind: 'not-retained'; readonly retained: readonly number[] };

/** Rejects when storage cannot answer. */
export type FindPast = (number: number, asOf: AsOf, options: FindOptions) => Promise<PastFinding>;

export class PastFinder {
  readonly #finder: Finder;
  readonly #context: LookupContext;

  constructor(finder: Finder, context: LookupContext) {
    this.#finder = finder;
    this.#context = context;
  }

  /** Rejects when storage cannot answer. */
  async find(number: number, asOf: AsOf, options: FindOptions): Promise<PastFinding> {
    const { snapshots } = this.#finder;
    if ('day' in asOf) return snapshots.use((snapshot) => this.#onDay(snapshot, number, asOf.day, options));
    const snapshot = await snapshots.get();
    const { generation } = asOf;
    const isPresent = generation === snapshot.manifest.generation;
    const published = isPresent ? snapshot : await this.#retained(snapshot, generation);
    if (published !== null) return this.#asPublished(published, number, options);
    const { manifest } = snapshot;
    const known = manifest.retained.map((entry) => entry.generation);
    return { kind: 'not-retained', retained: [...known, manifest.generation] };
  }

  /** Another generation, from its manifest; null: it is not retained. */
  async #retained({ manifest }: Snapshot, generation: number): Promise<Snapshot | null> {
    const retained = manifest.retained.find((entry) => entry.generation === generation);
    if (retained === undefined) return null;
    const key = generationKey(RETAINED_PREFIX, generation, retained.commit);
    return readImmutable(this.#context.objects, key, null, (bytes) => new Snapshot(decodeManifest(bytes)));
  }

  /** What a generation knew when it was published. */
  async #asPublished(snapshot: Snapshot, number: number, options: FindOptions): Promise<PastFinding> {
    const at = snapshot.manifest.publishedAt;
    const finding = await this.#finder.findIn(snapshot, number, at, options);
    return { kind: 'found', finding: { ...finding, ageSeconds: 0 }, at, complete: true };
  }

  async #onDay(snapshot: Snapshot, number: number, day: number, { evidence }: FindOptions): Promise<PastFinding> {
    const view = new View(this.#finder.columns, snapshot, this.#context.objects);
    const probe = new Probe(number);
    probe.walk(snapshot, this.#finder.columns.numbers);
    const past = await findPast(view, probe, day);
    const finding: Finding = {
      generation: snapshot.manifest.generation,
      ageSeconds: snapshot.ageSeconds(this.#context.now()),
      record: past.record,
      ...neighboursAmong(past.neighbours, number, day),
      ...(evidence ? { evidence: past.evidence } : undefined),
    };
    return { kind: 'found', finding, at: (day + 1) * SECONDS_PER_DAY * 1000 - 1, complete: past.complete };
  }
}

/** What was known of a number at the end of a day. */
interface PastRecord {
  /** Null: not listed then. */
  readonly record: RecordFacts | null;
  readonly evidence: readonly EvidenceLine[];
  /**
   * False if the number has more evidence than is kept (EVIDENCE_ENTRIES). Last seen may then have been later, and
   * sightings more, than this says.
   */
  readonly complete: boolean;
  /** First seen of each other number of its ten-thousand-block that was listed by then, UTC days since 1970. */
  readonly neighbours: ReadonlyMap<number, number>;
}

/** Ranks of a segment, the second exclusive. */
type Span = readonly [number, number];

/** Rejects when storage cannot answer. */
async function findPast(view: View, probe: Probe, day: number): Promise<PastRecord> {
  const { number } = probe;
  const entries: EvidenceEntry[] = [];
  const neighbours = new Map<number, number>();
  let sightings = 0;
  const columns = await view.numbersOf(probe);
  const block = blockStart(number);
  const spans = columns.map((numbers) => [numbers.rank(block), numbers.rank(block + SEGMENT_ALIGNMENT)] as const);
  const pagesOf = await Promise.all(
    columns.map((numbers, i) => view.pagesBetween(probe.entries[i] as SegmentEntry, numbers, ...(spans[i] as Span))),
  );
  for (const [i, numbers] of columns.entries()) {
    const [low, high] = spans[i] as Span;
    const others = new Float64Array(high - low);
    numbers.copyRange(low, high, others);
    for (const { verdicts, rank: from } of pagesOf[i] ?? []) {
      const end = Math.min(high, from + verdicts.count);
      for (let rank = Math.max(low, from); rank < end; rank++) {
        const other = others[rank - low] as number;
        const firstDay = verdicts.firstDay(rank - from);
        if (firstDay <= day) neighbours.set(other, Math.min(firstDay, neighbours.get(other) ?? firstDay));
        if (other === number) sightings = addCounts(sightings, verdicts.sightings(rank - from));
      }
    }
  }
  for (const hit of probe.hits()) entries.push(...(await view.readEvidence(hit)));
  neighbours.delete(number);
  const kept = foldEntries(entries);
  const complete = kept.reduce((sum, entry) => addCounts(sum, entry.sightings), 0) === sightings;
  const past = kept.flatMap((entry) => until(entry, day));
  return { record: past.reduce(foldEntry, null), evidence: evidenceLines(past), complete, neighbours };
}

/**
 * The part of an entry that had been observed by the end of a day. An aggregate that goes on after that day counts as
 * one sighting, its first: nobody knows when the others were, between its first and its last. Aggregated lines with the
 * same attributes, first day and last day become one entry when they are merged, in whatever order they came; so
 * together they count as one sighting here, too.
 */
function until(entry: EvidenceEntry, day: number): EvidenceEntry[] {
  if (dayOf(entry.lastSeenAt) <= day) return [entry];
  if (dayOf(entry.firstSeenAt) > day) return [];
  return [{ ...entry, lastSeenAt: entry.firstSeenAt, sightings: 1 }];
}

function foldEntry(record: RecordFacts | null, entry: EvidenceEntry): RecordFacts {
  const { label, channel, industry } = parseAttributes(entry.attributes);
  return foldRecords(record, {
    labels: [label],
    channels: [channel],
    industries: industry === null ? [] : [industry],
    firstDay: dayOf(entry.firstSeenAt),
    lastDay: dayOf(entry.lastSeenAt),
    sightings: entry.sightings,
  });
}
