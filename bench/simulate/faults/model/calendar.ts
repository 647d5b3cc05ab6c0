/** Days of the model, by arithmetic of its own: days since 1970 to dates and back (the civil-from-days algorithm). */

export const DAY_MS = 86_400_000;
export const DAY_SECONDS = 86_400;

export function dayOfSeconds(seconds: number): number {
  return (seconds - (((seconds % DAY_SECONDS) + DAY_SECONDS) % DAY_SECONDS)) / DAY_SECONDS;
}

export function dayOfMs(ms: number): number {
  return dayOfSeconds(Math.floor(ms / 1000));
}

/** YYYY-MM-DD of days since 1970. */
export function dateOf(day: number): string {
  const shifted = day + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const shiftedMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const dayOfMonth = dayOfYear - Math.floor((153 * shiftedMonth + 2) / 5) + 1;
  const month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9;
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
  return `${String(year).padStart(4, '0')}-${padded(month)}-${padded(dayOfMonth)}`;
}

/** Days since 1970 of YYYY-MM-DD: by the years that have gone, leap years among them. */
export function dayOfDate(date: string): number {
  const [year = 0, month = 0, day = 0] = date.split('-').map(Number);
  let days = day - 1;
  for (let past = 1970; past < year; past++) days += isLeap(past) ? 366 : 365;
  const lengths = [31, isLeap(year) ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
  for (const length of lengths.slice(0, month - 1)) days += length;
  return days;
}

function isLeap(year: number): boolean {
  return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
}

/** YYYY-MM-DDTHH:MM:SSZ of seconds since 1970. */
export function instantOf(seconds: number): string {
  const day = dayOfSeconds(seconds);
  const rest = seconds - day * DAY_SECONDS;
  return `${dateOf(day)}T${padded(Math.floor(rest / 3600))}:${padded(Math.floor(rest / 60) % 60)}:${padded(rest % 60)}Z`;
}

function padded(value: number): string {
  return String(value).padStart(2, '0');
}
