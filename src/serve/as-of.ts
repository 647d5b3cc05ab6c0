/**
 * What was known of a number on an earlier day: "was it listed when the account was created?" Counted is what had been
 * observed by the end of that UTC day, whenever it arrived. The answer is taken from the evidence, whose entries keep
 * their days apart, and from the first days of the neighbours.
 */
import { parseCircumstances } from '../format/circumstances.ts';
import type { EvidenceEntry } from '../format/evidence-block.ts';
import { addCounts, dayOf } from '../format/records.ts';
import { blockStart, SEGMENT_ALIGNMENT } from '../format/segment.ts';
import type { Probe } from '../lookup/probe.ts';
import type { EvidenceLine, RecordFacts } from '../policy/finding.ts';
import { evidenceLines, foldEntries, foldFacts } from './facts.ts';
import type { View } from './view.ts';

/** A number at the end of a day. */
export interface PastRecord {
  /** Null: not listed then. */
  readonly record: RecordFacts | null;
  readonly evidence: readonly EvidenceLine[];
  /**
   * False if the number has more evidence than is kept (EVIDENCE_ENTRIES), so that sightings and last seen may have been
   * later or more than this.
   */
  readonly complete: boolean;
  /** First seen of each other number of its ten-thousand-block that was listed by then, UTC days since 1970. */
  readonly neighbours: ReadonlyMap<number, number>;
}

/** Rejects when storage cannot answer. */
export async function findPast(view: View, probe: Probe, day: number): Promise<PastRecord> {
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
 * What of an entry had been observed by the end of a day. Of an aggregate that went on after it, that is one sighting, its
 * first: when between first and last the others were, nobody knows. Aggregated lines of the same circumstances, first day
 * and last day are one entry once they are merged, whichever way they came, so together they count as one sighting too.
 */
function until(entry: EvidenceEntry, day: number): EvidenceEntry[] {
  if (dayOf(entry.lastSeenAt) <= day) return [entry];
  if (dayOf(entry.firstSeenAt) > day) return [];
  return [{ ...entry, lastSeenAt: entry.firstSeenAt, sightings: 1 }];
}

function foldEntry(record: RecordFacts | null, entry: EvidenceEntry): RecordFacts {
  const { label, channel, industry } = parseCircumstances(entry.circumstances);
  return foldFacts(record, {
    labels: [label],
    channels: [channel],
    industries: industry === null ? [] : [industry],
    firstDay: dayOf(entry.firstSeenAt),
    lastDay: dayOf(entry.lastSeenAt),
    sightings: entry.sightings,
  });
}
