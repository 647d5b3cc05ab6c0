/** Records as plain values that JSON can hold, and the columns that the encoders take. */

import { type Attributes, attributesText, parseAttributes } from '../../../../src/format/attributes.ts';
import type { EvidenceEntry } from '../../../../src/format/evidence.ts';
import { type Profile, profileText, type RecordColumns } from '../../../../src/format/records.ts';
import type { VerdictsReader } from '../../../../src/format/verdicts.ts';
import { TextTable } from '../../../../src/lib/text-table.ts';

export interface PlainEntry extends Attributes {
  readonly firstSeenAt: number;
  readonly lastSeenAt: number;
  readonly sightings: number;
}

export interface PlainVerdict extends Profile {
  readonly firstDay: number;
  readonly lastDay: number;
  readonly sightings: number;
}

export interface PlainRecord extends PlainVerdict {
  readonly number: number;
  readonly evidence: readonly PlainEntry[];
}

/** The dictionary of profiles is what FORMAT.md asks for: those in use, in code unit order. */
export function recordColumns(records: readonly PlainRecord[]): RecordColumns {
  const profileTexts = records.map(({ labels, channels, industries }) => profileText({ labels, channels, industries }));
  const profiles = [...new Set(profileTexts)].sort();
  const profileIds = new Map(profiles.map((text, i) => [text, i]));
  const table = new TextTable();
  const entries = records.flatMap(({ evidence }) => evidence);
  let end = 0;
  const columns = {
    numbers: Float64Array.from(records, ({ number }) => number),
    firstDay: Uint32Array.from(records, ({ firstDay }) => firstDay),
    lastDay: Uint32Array.from(records, ({ lastDay }) => lastDay),
    sightings: Float64Array.from(records, ({ sightings }) => sightings),
    profile: Uint32Array.from(profileTexts, (text) => profileIds.get(text) ?? -1),
    profiles,
    entryEnd: Uint32Array.from(records, ({ evidence }) => {
      end += evidence.length;
      return end;
    }),
    entries: {
      attributesIndex: Uint32Array.from(entries, (entry) => table.idOf(attributesText(entry))),
      firstSeenAt: Uint32Array.from(entries, ({ firstSeenAt }) => firstSeenAt),
      lastSeenAt: Uint32Array.from(entries, ({ lastSeenAt }) => lastSeenAt),
      sightings: Float64Array.from(entries, ({ sightings }) => sightings),
    },
  };
  return { ...columns, attributes: table };
}

/** Records of these verdicts; numbers and evidence are of no account. */
export function verdictColumns(verdicts: readonly PlainVerdict[]): RecordColumns {
  return recordColumns(verdicts.map((verdict, number) => ({ ...verdict, number, evidence: [] })));
}

/** Records of this evidence; numbers and verdicts are of no account. */
export function evidenceColumns(evidence: readonly (readonly PlainEntry[])[]): RecordColumns {
  return recordColumns(
    evidence.map((entries, number) => ({
      number,
      ...{ firstDay: 0, lastDay: 0, sightings: 1, labels: [], channels: [], industries: [] },
      evidence: entries,
    })),
  );
}

export function plainVerdict(verdicts: VerdictsReader, rank: number): PlainVerdict {
  return {
    firstDay: verdicts.firstDay(rank),
    lastDay: verdicts.lastDay(rank),
    sightings: verdicts.sightings(rank),
    ...verdicts.profile(verdicts.profileId(rank)),
  };
}

export function plainEntry({ attributes, ...times }: EvidenceEntry): PlainEntry {
  return { ...parseAttributes(attributes), ...times };
}
