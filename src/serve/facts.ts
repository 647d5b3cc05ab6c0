/** The fold of a lookup: what several runs know of one number, as one. */
import { parseCircumstances } from '../format/circumstances.ts';
import type { EvidenceEntry } from '../format/evidence-block.ts';
import { unionProfile } from '../format/profile.ts';
import type { VerdictsReader } from '../format/verdicts.ts';
import type { EvidenceLine, RecordFacts } from '../policy/finding.ts';

export function factsAt(verdicts: VerdictsReader, rank: number): RecordFacts {
  const { labels, channels, industries } = verdicts.profile(verdicts.profileId(rank));
  return {
    labels,
    channels,
    industries,
    firstDay: verdicts.firstDay(rank),
    lastDay: verdicts.lastDay(rank),
    sightings: verdicts.sightings(rank),
  };
}

/** The record of a number that several runs know: the same fold as the merge's. */
export function foldFacts(a: RecordFacts | null, b: RecordFacts): RecordFacts {
  if (a === null) return b;
  return {
    ...unionProfile(a, b),
    firstDay: Math.min(a.firstDay, b.firstDay),
    lastDay: Math.max(a.lastDay, b.lastDay),
    sightings: a.sightings + b.sightings,
  };
}

/** Evidence of one number from several runs: lines of the same circumstances are one, the latest seen come first. */
export function foldEvidence(entries: readonly EvidenceEntry[]): EvidenceLine[] {
  const lines = new Map<string, EvidenceEntry>();
  for (const entry of entries) {
    const known = lines.get(entry.circumstances) ?? { ...entry, sightings: 0 };
    lines.set(entry.circumstances, {
      circumstances: entry.circumstances,
      firstSeenAt: Math.min(known.firstSeenAt, entry.firstSeenAt),
      lastSeenAt: Math.max(known.lastSeenAt, entry.lastSeenAt),
      sightings: known.sightings + entry.sightings,
    });
  }
  return [...lines.values()]
    .map(({ circumstances, ...times }) => ({ ...parseCircumstances(circumstances), ...times }))
    .sort((a, b) => b.lastSeenAt - a.lastSeenAt || a.firstSeenAt - b.firstSeenAt);
}
