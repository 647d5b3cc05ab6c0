/** How figures and days are printed, everywhere in a briefing. Formatters are made when first needed, not at start-up. */

/** Of a figure that does not exist: what was compared with had none. */
export const NO_FIGURE = '–';

let whole: Intl.NumberFormat | undefined;
let hundredths: Intl.NumberFormat | undefined;
let signedHundredths: Intl.NumberFormat | undefined;

/** `487,368` */
export function integer(n: number): string {
  whole ??= new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
  return minus(whole.format(n));
}

/** `48.93 %`, from a fraction of 1: two decimals, halves away from zero. */
export function percent(share: number): string {
  hundredths ??= new Intl.NumberFormat('en', percentOptions('negative'));
  return `${minus(hundredths.format(share)).slice(0, -1)} %`;
}

/** `+12.34 %`, from a fraction of what was before; what rounds to nothing has no sign. */
export function change(fraction: number | null): string {
  return fraction === null ? NO_FIGURE : `${signed(fraction)} %`;
}

/** `+1.20 points`, from the difference of two shares. */
export function points(difference: number | null): string {
  return difference === null ? NO_FIGURE : `${signed(difference)} points`;
}

function signed(fraction: number): string {
  signedHundredths ??= new Intl.NumberFormat('en', percentOptions('exceptZero'));
  return minus(signedHundredths.format(fraction)).slice(0, -1);
}

/** As percent, since that multiplies by a hundred in decimal, before it rounds: `share * 100` would round twice. */
function percentOptions(signDisplay: 'negative' | 'exceptZero'): Intl.NumberFormatOptions {
  return { style: 'percent', minimumFractionDigits: 2, maximumFractionDigits: 2, signDisplay };
}

/** A minus sign is as wide as a plus; a hyphen is not. */
function minus(text: string): string {
  return text.replace('-', '−');
}

const MONTHS = 'January February March April May June July August September October November December'.split(' ');
const ISO_DAY = /^(\d{4})-(\d\d)-(\d\d)/;

interface DayParts {
  readonly year: string;
  readonly month: string;
  readonly day: string;
}

/** @param iso a day or date-time, UTC */
function dayParts(iso: string): DayParts | null {
  const [, year, month, day] = ISO_DAY.exec(iso) ?? [];
  const name = MONTHS[Number(month) - 1];
  return year === undefined || name === undefined ? null : { year, month: name, day: String(Number(day)) };
}

/** `16 May 2025` */
export function longDay(iso: string): string {
  const parts = dayParts(iso);
  return parts === null ? iso : `${parts.day} ${parts.month} ${parts.year}`;
}

/** `16 May`, `3 Sep`: where the year is said nearby. */
export function shortDay(iso: string): string {
  const parts = dayParts(iso);
  return parts === null ? iso : `${parts.day} ${parts.month.slice(0, 3)}`;
}

/** `16 May 2025, 04:30 UTC` */
export function instant(iso: string): string {
  const time = /T(\d\d:\d\d)/.exec(iso)?.[1];
  return time === undefined ? longDay(iso) : `${longDay(iso)}, ${time} UTC`;
}

/** The first of two days, without what the second says again: `16` before `30 May 2025`. */
export function openingDay(from: string, to: string): string {
  const [a, b] = [dayParts(from), dayParts(to)];
  if (a === null || b === null || a.year !== b.year) return longDay(from);
  return a.month === b.month ? a.day : `${a.day} ${a.month}`;
}
