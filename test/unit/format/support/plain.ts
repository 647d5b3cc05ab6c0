/** Records as plain values that JSON can hold, and the columns that the encoders take. */

import { type Attributes, attributesText, parseAttributes } from '../../../../src/format/attributes.ts';
import type { EvidenceEntry } from '../../../../src/format/evidence.ts';
import { type Profile, profileText, type RecordColumns } from '../../../../src/format/records.ts';
import { encodeVerdictsSteps, type Verdicts } from '../../../../src/format/verdicts.ts';
import type { Bytes } from '../../../../src/lib/bytes.ts';
import { finish } from '../../../../src/lib/cooperate.ts';
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

export function recordColumns(records: readonly PlainRecord[]): RecordColumns {
  const profiles = new Map<string, { readonly id: number; readonly profile: Profile }>();
  const idOf = ({ labels, channels, industries }: PlainRecord) => {
    const profile = { labels, channels, industries };
    const known = profiles.get(profileText(profile)) ?? { id: profiles.size, profile };
    profiles.set(profileText(profile), known);
    return known.id;
  };
  const table = new TextTable();
  const entries = records.flatMap(({ evidence }) => evidence);
  let end = 0;
  const columns = {
    numbers: Float64Array.from(records, ({ number }) => number),
    firstDay: Uint32Array.from(records, ({ firstDay }) => firstDay),
    lastDay: Uint32Array.from(records, ({ lastDay }) => lastDay),
    sightings: Float64Array.from(records, ({ sightings }) => sightings),
    profile: Uint32Array.from(records, idOf),
    profiles: [...profiles.values()].map(({ profile }) => profile),
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

/** These verdicts as one page. */
export function encodeVerdicts(records: RecordColumns): Bytes {
  return finish(encodeVerdictsSteps(records, 0, records.numbers.length));
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

export function plainVerdict(verdicts: Verdicts, rank: number): PlainVerdict {
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
