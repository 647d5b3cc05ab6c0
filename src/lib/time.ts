/** Days and times, in UTC: as counts since 1970, and as ISO 8601 text. */
export const SECONDS_PER_DAY = 86_400;
export const DAY_MS = SECONDS_PER_DAY * 1000;
/** Between two collections of garbage. */
export const COLLECTIONS_APART_MS = 2 * 60 * 60_000;
/** The last day of times that are kept as seconds of 32 bits. */
export const LAST_DAY = Math.floor((2 ** 32 - 1) / SECONDS_PER_DAY);

/** The UTC day, counted from 1970, of a time in seconds. */
export function dayOf(seconds: number): number {
  return Math.floor(seconds / SECONDS_PER_DAY);
}

/** The UTC day of a time in milliseconds since 1970. */
export function dayOfMs(ms: number): number {
  return dayOf(ms / 1000);
}

/** Days whose text is kept, from 2000 to 2044: more than any inventory has, and a few hundred kilobytes at most. */
const FIRST_KEPT_DAY = 10_957;
const KEPT_DAYS = 16_384;

/** Every listed number has two days, and all of them have the same few hundred. Made where the first is needed. */
let isoDays: (string | undefined)[] | null = null;

/** A day counted from 1970 as YYYY-MM-DD. */
export function isoDay(day: number): string {
  const place = day - FIRST_KEPT_DAY;
  const isKept = place >= 0 && place < KEPT_DAYS;
  const known = isKept ? isoDays?.[place] : undefined;
  if (known !== undefined) return known;
  const text = new Date(day * DAY_MS).toISOString().slice(0, 10);
  if (isKept) {
    isoDays ??= Array.from<string | undefined>({ length: KEPT_DAYS });
    isoDays[place] = text;
  }
  return text;
}

const DATE = /^(\d{4})-(\d{2})-(\d{2})$/;

/** The day of a date as YYYY-MM-DD, or null if the text is none or the calendar has no such day. */
export function parseDay(text: string): number | null {
  if (!DATE.test(text)) return null;
  const day = Date.parse(`${text}T00:00:00Z`) / DAY_MS;
  return Number.isInteger(day) && isoDay(day) === text ? day : null;
}

// Times as a feed writes them: an ISO 8601 date, or a date-time that says how far it is from UTC.

/** `T` may be a space, as RFC 3339 allows; seconds may be left out, and fractions of them are dropped. */
const DATE_TIME =
  /^(\d{4})-(\d{2})-(\d{2})[Tt ](\d{2}):(\d{2})(?::(\d{2})(?:\.\d{1,9})?)?(?:[Zz]|([+-])(\d{2})(?::?(\d{2}))?)$/;

const MINUTE_SECONDS = 60;
const HOUR_SECONDS = 3600;

/**
 * @returns seconds since 1970, UTC, rounded down; null if the text is not a date (midnight UTC) or a date-time with an
 *   offset, or names a day or a time that does not exist
 */
export function parseInstant(text: string): number | null {
  const date = DATE.exec(text);
  if (date !== null) return dayStart(date);
  const time = DATE_TIME.exec(text);
  if (time === null) return null;
  const day = dayStart(time);
  const hour = Number(time[4]);
  const minute = Number(time[5]);
  const second = Number(time[6] ?? 0);
  const offsetHours = Number(time[8] ?? 0);
  const offsetMinutes = Number(time[9] ?? 0);
  if (day === null || hour > 23 || minute > 59 || second > 59 || offsetHours > 23 || offsetMinutes > 59) return null;
  const offsetSeconds = (offsetHours * HOUR_SECONDS + offsetMinutes * MINUTE_SECONDS) * (time[7] === '-' ? -1 : 1);
  return day + hour * HOUR_SECONDS + minute * MINUTE_SECONDS + second - offsetSeconds;
}

function dayStart(match: RegExpExecArray): number | null {
  const [year, month, day] = [Number(match[1]), Number(match[2]), Number(match[3])];
  // Date.UTC carries 31 February over into March, and reads the years 0-99 as 1900-1999.
  const date = new Date(Date.UTC(year, month - 1, day));
  if (date.getUTCFullYear() !== year || date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return null;
  return date.getTime() / 1000;
}

/** The UTC date of a time in seconds, as YYYY-MM-DD. */
export function formatDay(seconds: number): string {
  return isoDay(dayOf(seconds));
}
