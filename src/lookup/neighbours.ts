/**
 * What the neighbours of a number are, and what they say of it: numbers are bought in blocks (docs/NEIGHBOURHOOD.md).
 */
import type { NumbersReader } from '../format/numbers-reader.ts';
import { blockStart, SEGMENT_ALIGNMENT } from '../format/segment.ts';
import { NEIGHBOURHOOD_TABLE } from '../generated/neighbourhood-table.ts';
import { noCounts, RECENT_DAYS, SCORED_COUNTS, scoreOf, WEEK_DAYS } from '../policy/score.ts';

const HUNDRED = 100;
const THOUSAND = 1000;
/**
 * The largest step of any count in the table: larger counts get no more points. Hundreds and thousands are counted
 * exactly.
 */
const CAP = Math.max(...SCORED_COUNTS.map((count) => NEIGHBOURHOOD_TABLE.points[count].at(-1)?.[0] ?? 0));
/** Made where it is first needed: 80 KB, which nearly no isolate needs before its first answer. */
let scratch: Float64Array | null = null;

export interface Neighbours {
  /** *Other* listed numbers in the same block of 100, and of 1,000, exactly. */
  readonly hundred: number;
  readonly thousand: number;
  readonly score: number;
}

/** One object for all lookups. They take turns: each fills and reads it without waiting in between. */
const counts = noCounts();

const NOBODY: Neighbours = { hundred: 0, thousand: 0, score: 0 };

/**
 * Counts the distinct listed numbers around a number, without the number itself. First seen is taken from the oldest
 * run that has a number: runs are in the order of arrival, so that is the earliest.
 *
 * @param runs numbers columns, newest run first
 * @param today UTC day since 1970
 */
export function neighboursOf(runs: readonly NumbersReader[], number: number, today: number): Neighbours {
  clear();
  for (let r = runs.length - 1; r >= 0; r--) {
    const run = runs[r] as NumbersReader;
    const block = blockStart(number);
    const low = run.rankNear(block);
    const high = run.rankNear(block + SEGMENT_ALIGNMENT);
    // Around most numbers that are looked up, nobody is listed.
    if (low === high) continue;
    if (r === runs.length - 1) addBase(run, number, low, high, today);
    else addNewer(runs, r, number, low, high, today);
  }
  return summary();
}

/**
 * Counts in the last run, the base, which is by far the largest. Counts of its ranks stand for its numbers: what newer
 * runs share with it is not counted again.
 */
function addBase(run: NumbersReader, number: number, low: number, high: number, today: number): void {
  const { recency } = run;
  const self = run.findNear(number);
  const others = self >= 0 ? -1 : 0;
  const selfDay = self >= 0 && recency !== null ? recency.firstDay(self) : -1;
  const recentSelf = selfDay >= today - RECENT_DAYS ? 1 : 0;
  const weekSelf = selfDay >= today - WEEK_DAYS ? 1 : 0;
  counts.tenThousand = high - low + others;
  const thousandLow = run.rankNear(number - (number % THOUSAND));
  const thousandHigh = run.rankNear(number - (number % THOUSAND) + THOUSAND);
  counts.thousand = thousandHigh - thousandLow + others;
  const isAlone = thousandLow === thousandHigh;
  const hundredLow = isAlone ? thousandLow : run.rankNear(number - (number % HUNDRED));
  const hundredHigh = isAlone ? thousandLow : run.rankNear(number - (number % HUNDRED) + HUNDRED);
  counts.hundred = hundredHigh - hundredLow + others;
  if (recency === null || recency.newestDay < today - RECENT_DAYS) return;
  const [recentLow, recentHigh] = [recency.before(low), recency.before(high)];
  if (recentLow === recentHigh) return;
  // One is added since the number itself may be among them.
  const cap = CAP + 1;
  counts.recentTenThousand = recency.countSince(recentLow, recentHigh, today - RECENT_DAYS, cap) - recentSelf;
  counts.weekTenThousand = recency.countSince(recentLow, recentHigh, today - WEEK_DAYS, cap) - weekSelf;
  if (counts.thousand === 0 || counts.recentTenThousand === 0) return;
  const [from, to] = [recency.before(thousandLow), recency.before(thousandHigh)];
  counts.recentThousand = recency.countSince(from, to, today - RECENT_DAYS, cap) - recentSelf;
  counts.weekThousand = recency.countSince(from, to, today - WEEK_DAYS, cap) - weekSelf;
  if (counts.recentThousand === 0 || counts.hundred === 0) return;
  const hundred = recency.countSince(recency.before(hundredLow), recency.before(hundredHigh), today - RECENT_DAYS, cap);
  counts.recentHundred = hundred - recentSelf;
}

/** Counts the numbers of a newer run that no older run has. */
function addNewer(
  runs: readonly NumbersReader[],
  r: number,
  number: number,
  low: number,
  high: number,
  today: number,
): void {
  const { recency } = runs[r] as NumbersReader;
  scratch ??= new Float64Array(SEGMENT_ALIGNMENT);
  const block = scratch;
  (runs[r] as NumbersReader).copyRange(low, high, block);
  const thousandStart = number - (number % THOUSAND);
  for (let i = 0; i < high - low; i++) {
    const other = block[i] as number;
    const isNear = other >= thousandStart && other < thousandStart + THOUSAND;
    if ((!isNear && isCapped()) || other === number || isInAny(runs, r + 1, other)) continue;
    add(number, other, recency === null ? -1 : recency.firstDay(low + i), today);
  }
}

/** Whether more numbers of the block of 10,000 would make no difference to the score. */
function isCapped(): boolean {
  return counts.tenThousand > 0 && counts.recentTenThousand >= CAP && counts.weekTenThousand >= CAP;
}

function isInAny(runs: readonly NumbersReader[], from: number, number: number): boolean {
  for (let r = from; r < runs.length; r++) if ((runs[r] as NumbersReader).has(number)) return true;
  return false;
}

/**
 * Counts the same from a list.
 *
 * @param firstDays first seen of each other listed number of the block of 10,000
 * @param today UTC day since 1970
 */
export function neighboursAmong(firstDays: ReadonlyMap<number, number>, number: number, today: number): Neighbours {
  clear();
  for (const [other, firstDay] of firstDays) add(number, other, firstDay, today);
  return summary();
}

function clear(): void {
  counts.hundred = 0;
  counts.thousand = 0;
  counts.tenThousand = 0;
  counts.recentHundred = 0;
  counts.recentThousand = 0;
  counts.recentTenThousand = 0;
  counts.weekThousand = 0;
  counts.weekTenThousand = 0;
}

/** @param firstDay UTC day since 1970; -1: before the days that recency keeps */
function add(number: number, other: number, firstDay: number, today: number): void {
  const isRecent = firstDay >= today - RECENT_DAYS;
  const isOfWeek = firstDay >= today - WEEK_DAYS;
  counts.tenThousand += 1;
  if (isRecent) counts.recentTenThousand += 1;
  if (isOfWeek) counts.weekTenThousand += 1;
  if (other - (other % THOUSAND) !== number - (number % THOUSAND)) return;
  counts.thousand += 1;
  if (isRecent) counts.recentThousand += 1;
  if (isOfWeek) counts.weekThousand += 1;
  if (other - (other % HUNDRED) !== number - (number % HUNDRED)) return;
  counts.hundred += 1;
  if (isRecent) counts.recentHundred += 1;
}

function summary(): Neighbours {
  if (counts.tenThousand === 0) return NOBODY;
  return { hundred: counts.hundred, thousand: counts.thousand, score: scoreOf(counts) };
}
