/**
 * Lookups as of an earlier day or generation: "was this number listed when the account was created?". AsOfFinder
 * answers from the snapshot at hand, for any day and for the generation of the snapshot. PastFinder also reads the
 * manifests of other retained generations.
 *
 * As of a day, everything counts that had been observed by the end of that UTC day, whenever it arrived. The answer is
 * computed from the evidence, whose entries keep their days apart, and from the first days of the neighbours.
 */

import { parseAttributes } from '../format/attributes.ts';
import type { EvidenceEntry } from '../format/evidence.ts';
import { decodeManifest } from '../format/manifest.ts';
import { addCounts } from '../format/records.ts';
import { blockStart, SEGMENT_ALIGNMENT } from '../format/segment.ts';
import { dayOf, SECONDS_PER_DAY } from '../lib/time.ts';
import type { EvidenceLine, Finding, RecordFacts } from '../policy/answer.ts';
import { generationKey, RETAINED_PREFIX } from '../storage/keys.ts';
import type { Finder, FindOptions } from './finder.ts';
import { neighboursAmong } from './neighbours.ts';
import { Probe, View } from './probe.ts';
import { evidenceLines, foldEntries, foldRecords } from './record.ts';
import { type ServeContext, Snapshot } from './snapshot.ts';

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

type AsOfFinding = PastFinding | OtherGeneration;

/** The manifest of this generation has to be read, if it is retained. */
interface OtherGeneration {
  readonly kind: 'other-generation';
  readonly generation: number;
  /** The snapshot at hand. */
  readonly snapshot: Snapshot;
}

/** Whether answering takes more than this snapshot and the segments that it names. */
function needsPast(asOf: AsOf, { manifest }: Snapshot): boolean {
  return 'generation' in asOf && asOf.generation !== manifest.generation;
}

export class AsOfFinder {
  readonly #finder: Finder;
  readonly #context: ServeContext;

  constructor(finder: Finder, context: ServeContext) {
    this.#finder = finder;
    this.#context = context;
  }

  /** Whether `find` would return 'other-generation'. Rejects when there is no recent snapshot. */
  async needsPast(asOf: AsOf): Promise<boolean> {
    return 'generation' in asOf && needsPast(asOf, await this.#finder.snapshots.get());
  }

  /** Rejects when storage cannot answer. */
  async find(number: number, asOf: AsOf, options: FindOptions): Promise<AsOfFinding> {
    const snapshot = await this.#finder.snapshots.get();
    if ('generation' in asOf) {
      const { generation } = asOf;
      if (needsPast(asOf, snapshot)) return { kind: 'other-generation', generation, snapshot };
      return findAsPublished(this.#finder, snapshot, number, options);
    }
    try {
      return await this.#onDay(snapshot, number, asOf.day, options);
    } catch (error) {
      // The snapshot may be so old that its segments have been collected. If there is a newer one, it is tried once.
      const newer = await this.#finder.snapshots.refresh();
      if (newer === snapshot) throw error;
      return this.#onDay(newer, number, asOf.day, options);
    }
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

/** What a generation knew when it was published. Rejects when storage cannot answer. */
async function findAsPublished(
  finder: Finder,
  snapshot: Snapshot,
  number: number,
  options: FindOptions,
): Promise<PastFinding> {
  const at = snapshot.manifest.publishedAt;
  const finding = await finder.findIn(snapshot, number, at, options);
  return { kind: 'found', finding: { ...finding, ageSeconds: 0 }, at, complete: true };
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

/** Rejects when storage cannot answer. */
async function findPast(view: View, probe: Probe, day: number): Promise<PastRecord> {
  const { number } = probe;
  const entries: EvidenceEntry[] = [];
  const neighbours = new Map<number, number>();
  let sightings = 0;
  for (const [i, segment] of probe.entries.entries()) {
    const numbers = await view.numbersAt(probe, i);
    const verdicts = await view.verdictsOf(segment);
    const low = numbers.rank(blockStart(number));
    const block = new Float64Array(numbers.rank(blockStart(number) + SEGMENT_ALIGNMENT) - low);
    numbers.copyRange(low, low + block.length, block);
    block.forEach((other, i) => {
      const firstDay = verdicts.firstDay(low + i);
      if (firstDay <= day) neighbours.set(other, Math.min(firstDay, neighbours.get(other) ?? firstDay));
    });
    const rank = numbers.find(number);
    if (rank < 0) continue;
    sightings = addCounts(sightings, verdicts.sightings(rank));
    entries.push(...(await view.readEvidence(segment, rank)));
  }
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

/** Finds what was known earlier: the snapshot answers what it can, and retained generations the rest. */
export class PastFinder {
  readonly #finder: Finder;
  readonly #asOf: AsOfFinder;
  readonly #context: ServeContext;

  constructor(finder: Finder, context: ServeContext) {
    this.#finder = finder;
    this.#asOf = new AsOfFinder(finder, context);
    this.#context = context;
  }

  /** Rejects when storage cannot answer. */
  async find(number: number, asOf: AsOf, options: FindOptions): Promise<PastFinding> {
    const found = await this.#asOf.find(number, asOf, options);
    return found.kind === 'other-generation' ? this.#inGeneration(number, found, options) : found;
  }

  async #inGeneration(
    number: number,
    { generation, snapshot }: { readonly generation: number; readonly snapshot: Snapshot },
    options: FindOptions,
  ): Promise<PastFinding> {
    const { manifest } = snapshot;
    const retained = manifest.retained.find((entry) => entry.generation === generation);
    const object =
      retained === undefined
        ? null
        : await this.#context.objects.get(generationKey(RETAINED_PREFIX, generation, retained.commit));
    if (object === null) {
      const known = manifest.retained.map((entry) => entry.generation);
      return { kind: 'not-retained', retained: [...known, manifest.generation] };
    }
    return findAsPublished(this.#finder, new Snapshot(decodeManifest(object.bytes)), number, options);
  }
}
