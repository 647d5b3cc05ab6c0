/** A period day by day, as it would have been used: each day's first-time numbers against what was known the day before. */
import type { History } from './history.ts';
import { KnownNumbers } from './known.ts';

export interface Period {
  /** UTC days since 1970, both inclusive. */
  readonly from: number;
  readonly to: number;
}

/** @param visit called for each day that has first-time numbers, in order; they are ascending, `known` is that morning's */
export function replayDays(
  history: History,
  { from, to }: Period,
  visit: (day: number, firstTime: readonly number[], known: KnownNumbers) => void,
): void {
  const byDay = new Map<number, number[]>();
  for (const [i, day] of history.firstDays.entries()) {
    if (day < from || day > to) continue;
    const numbers = byDay.get(day) ?? [];
    if (numbers.length === 0) byDay.set(day, numbers);
    numbers.push(history.numbers[i] as number);
  }
  const known = new KnownNumbers(history);
  for (const day of [...byDay.keys()].sort((a, b) => a - b)) {
    known.startDay(day);
    visit(day, byDay.get(day) ?? [], known);
  }
}

export function countFirstTime({ firstDays }: History, { from, to }: Period): number {
  let count = 0;
  for (const day of firstDays) if (day >= from && day <= to) count++;
  return count;
}
