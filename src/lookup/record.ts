/** Folds what several runs know of one number into one record, and its evidence into one list. */
import { parseAttributes } from '../format/attributes.ts';
import { EVIDENCE_ENTRIES, type EvidenceEntry } from '../format/evidence.ts';
import { addCounts, unionProfile } from '../format/records.ts';
import type { VerdictsReader } from '../format/verdicts.ts';
import { crc32 } from '../lib/crc32.ts';
import { dayOf } from '../lib/time.ts';
import type { EvidenceLine, RecordFacts } from '../policy/answer.ts';

/** What a segment has of the number of this rank. @throws FormatError if the column is damaged */
export function recordAt(verdicts: VerdictsReader, rank: number): RecordFacts {
  const { labels, channels, industries } = verdicts.profile(verdicts.profileId(rank));
  const firstDay = verdicts.firstDay(rank);
  const lastDay = firstDay + verdicts.listedDays(rank);
  return { labels, channels, industries, firstDay, lastDay, sightings: verdicts.sightings(rank) };
}

/** The record of a number that two runs know: the same fold as that of the merge. */
export function foldRecords(a: RecordFacts | null, b: RecordFacts): RecordFacts {
  if (a === null) return b;
  return {
    ...unionProfile(a, b),
    firstDay: Math.min(a.firstDay, b.firstDay),
    lastDay: Math.max(a.lastDay, b.lastDay),
    sightings: addCounts(a.sightings, b.sightings),
  };
}

/**
 * Folds the entries of one number from several runs as a merge of these runs would, into canonical order: entries with
 * the same attributes, first day and last day become one, and no more are kept than a run keeps (EVIDENCE_ENTRIES). So
 * an answer does not depend on how the runs came to be.
 */
export function foldEntries(entries: readonly EvidenceEntry[]): EvidenceEntry[] {
  const folded = new Map<string, EvidenceEntry>();
  for (const entry of entries) {
    const key = `${dayOf(entry.firstSeenAt)} ${dayOf(entry.lastSeenAt)} ${entry.attributes}`;
    folded.set(key, united(folded.get(key), entry));
  }
  const orders = new Map([...folded.values()].map(({ attributes }) => [attributes, crc32(attributes)]));
  const orderOf = ({ attributes }: EvidenceEntry) => orders.get(attributes) ?? 0;
  return [...folded.values()]
    .sort(
      (a, b) =>
        orderOf(a) - orderOf(b) ||
        byText(a.attributes, b.attributes) ||
        dayOf(a.firstSeenAt) - dayOf(b.firstSeenAt) ||
        dayOf(a.lastSeenAt) - dayOf(b.lastSeenAt),
    )
    .slice(0, EVIDENCE_ENTRIES);
}

/**
 * Folded entries as answers show them: entries with the same attributes become one line, and the latest seen come
 * first.
 */
export function evidenceLines(entries: readonly EvidenceEntry[]): EvidenceLine[] {
  const lines = new Map<string, EvidenceEntry>();
  for (const entry of entries) lines.set(entry.attributes, united(lines.get(entry.attributes), entry));
  return [...lines.values()]
    .sort((a, b) => b.lastSeenAt - a.lastSeenAt || a.firstSeenAt - b.firstSeenAt)
    .map(({ attributes, ...times }) => ({ ...parseAttributes(attributes), ...times }));
}

function united(known: EvidenceEntry | undefined, entry: EvidenceEntry): EvidenceEntry {
  if (known === undefined) return entry;
  return {
    attributes: entry.attributes,
    firstSeenAt: Math.min(known.firstSeenAt, entry.firstSeenAt),
    lastSeenAt: Math.max(known.lastSeenAt, entry.lastSeenAt),
    sightings: addCounts(known.sightings, entry.sightings),
  };
}

function byText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
