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
  /** Profile texts (profile.ts) in code unit order, each of them in use: they are stored as they stand. */
  readonly profiles: readonly string[];
  /** Evidence entries of number i are those from entryEnd[i - 1] (0 for the first) to entryEnd[i]. */
  readonly entryEnd: Uint32Array;
  readonly entries: EvidenceColumns;
  /** Texts of distinct attributes (circumstances.ts), any order, unused ones allowed. */
  readonly circumstances: readonly string[];
}

/** Evidence entries, one for each distinct set of attributes, first day and last day of a number. */
export interface EvidenceColumns {
  /** Index into `circumstances`. */
  readonly circumstance: Uint32Array;
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

export const SECONDS_PER_DAY = 86_400;

/** The UTC day, counted from 1970, of a time in seconds. */
export function dayOf(seconds: number): number {
  return Math.floor(seconds / SECONDS_PER_DAY);
}

/** The UTC day of a time in milliseconds since 1970. */
export function dayOfMs(ms: number): number {
  return dayOf(ms / 1000);
}

/** Some 20 years of days: far more than an inventory has, and a few hundred kilobytes. */
const MAX_ISO_DAYS = 8192;
/** Every listed number has two days, and all of them have the same few hundred. */
const isoDays = new Map<number, string>();

/** A day counted from 1970 as YYYY-MM-DD. */
export function isoDay(day: number): string {
  const known = isoDays.get(day);
  if (known !== undefined) return known;
  const text = new Date(day * SECONDS_PER_DAY * 1000).toISOString().slice(0, 10);
  if (isoDays.size < MAX_ISO_DAYS) isoDays.set(day, text);
  return text;
}

const DATE = /^\d{4}-\d{2}-\d{2}$/;

/** The day of a date as YYYY-MM-DD, or null if the text is none or the calendar has no such day. */
export function parseDay(text: string): number | null {
  if (!DATE.test(text)) return null;
  const day = Date.parse(`${text}T00:00:00Z`) / (SECONDS_PER_DAY * 1000);
  return Number.isInteger(day) && isoDay(day) === text ? day : null;
}
