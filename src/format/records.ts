/** Records in columns, as the merge hands them to the segment encoder; sums of counts; and profiles. */
import { FormatError, parseJson } from '../lib/bytes.ts';
import type { Texts } from '../lib/text-table.ts';
import { CHANNELS, type Channel, INDUSTRIES, type Industry } from './attributes.ts';

/** Up to a segment's worth of records as arrays, one entry a number: what the merge hands to the segment encoder. */
export interface RecordColumns {
  /** Ascending, distinct. */
  readonly numbers: Float64Array;
  /** UTC days since 1970. */
  readonly firstDay: Uint32Array;
  readonly lastDay: Uint32Array;
  /** Accepted detections, at least 1; MOST_COUNTED: that many or more. */
  readonly sightings: Float64Array;
  /** Index into `profiles`. */
  readonly profile: Uint32Array;
  /** Any order, unused ones allowed, each once. */
  readonly profiles: readonly Profile[];
  /** Evidence entries of number i are those from entryEnd[i - 1] (0 for the first) to entryEnd[i]. */
  readonly entryEnd: Uint32Array;
  readonly entries: EvidenceColumns;
  /** Texts of distinct attributes (attributes.ts), any order, unused ones allowed. */
  readonly attributes: Texts;
}

/** Evidence entries, one for each distinct set of attributes, first day and last day of a number. */
interface EvidenceColumns {
  /** Index into `attributes`. */
  readonly attributesIndex: Uint32Array;
  /** Seconds since 1970. */
  readonly firstSeenAt: Uint32Array;
  readonly lastSeenAt: Uint32Array;
  readonly sightings: Float64Array;
}

/** The largest count, 2^53 - 1, of sightings or of anything else that is stored: it stands for that many or more. */
export const MOST_COUNTED = Number.MAX_SAFE_INTEGER;

/**
 * A sum of counts, which stops at the largest: the same in whatever order and groups it is made, since of two counts
 * up to 2^53 - 1 the sum is exact, or at least 2^53.
 */
export function addCounts(a: number, b: number): number {
  return Math.min(a + b, MOST_COUNTED);
}

export interface Profile {
  /** In code unit order. */
  readonly labels: readonly string[];
  /** In the order of the vocabulary. */
  readonly channels: readonly Channel[];
  readonly industries: readonly Industry[];
}

export function profileText(profile: Profile): string {
  return JSON.stringify([profile.labels, profile.channels, profile.industries]);
}

/** The profile of everything known of either: in canonical order whatever order the parts came in. */
export function unionProfile(a: Profile, b: Profile): Profile {
  return {
    labels: [...new Set([...a.labels, ...b.labels])].sort(),
    channels: CHANNELS.filter((channel) => a.channels.includes(channel) || b.channels.includes(channel)),
    industries: INDUSTRIES.filter((industry) => a.industries.includes(industry) || b.industries.includes(industry)),
  };
}

/** Profiles that are known by their text; there are some hundreds in an inventory. */
const MAX_KNOWN_PROFILES = 1024;
const knownProfiles = new Map<string, Profile>();

/** The same text is the same object wherever it stands, so that lookups in all segments read one copy of it. */
export function parseProfile(text: string): Profile {
  return knownProfiles.get(text) ?? known(text, readProfile(text));
}

/** The one object for all profiles that are the same as this one, which is in canonical order. */
export function knownProfile(profile: Profile): Profile {
  const text = profileText(profile);
  return knownProfiles.get(text) ?? known(text, profile);
}

function known(text: string, profile: Profile): Profile {
  if (knownProfiles.size < MAX_KNOWN_PROFILES) knownProfiles.set(text, profile);
  return profile;
}

function readProfile(text: string): Profile {
  const value = parseJson(text, 'profile');
  const parts: unknown[] = Array.isArray(value) ? value : [];
  const [labels, channels, industries] = parts.map(textList);
  if (parts.length !== 3 || labels === undefined || channels === undefined || industries === undefined) {
    throw new FormatError('profile: expected three lists of text');
  }
  const profile: Profile = {
    labels,
    channels: CHANNELS.filter((channel) => channels.includes(channel)),
    industries: INDUSTRIES.filter((industry) => industries.includes(industry)),
  };
  if (profileText(unionProfile(profile, profile)) !== text) {
    throw new FormatError('profile: unknown or repeated names, or out of order');
  }
  return profile;
}

/** Undefined unless it is a list of texts. */
export function textList(value: unknown): string[] | undefined {
  return Array.isArray(value) && value.every((item) => typeof item === 'string') ? value : undefined;
}
