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
 * @param found is given what each run finds of the number itself (NumbersReader.find)
 */
export function neighboursOf(
  runs: readonly NumbersReader[],
  number: number,
  today: number,
  found: number[] = [],
): Neighbours {
  clear();
  const start = blockStart(number);
  for (let r = runs.length - 1; r >= 0; r--) {
    const run = runs[r] as NumbersReader;
    block.look(run, start, number);
    found[r] = block.self;
    // Around most numbers that are looked up, nobody is listed.
    if (block.low === block.high) continue;
    if (r === runs.length - 1) addBase(run, number, today);
    else addNewer(runs, r, number, today);
  }
  return summary();
}

/** Numbers of a block that are read one by one; of more, ranks are searched for. */
const FEW = 32;

/** The block of 10,000 around a number in one run: one object for all lookups, which take turns. */
const block = {
  /** Ranks of the first number of the block, and of the first one behind it. */
  low: 0,
  high: 0,
  /** What the run finds of the number itself (NumbersReader.find). */
  self: 0,
  /** How many numbers are in `few`, which are all of the block; -1: they are not read. */
  taken: 0,
  few: new Float64Array(FEW),

  look(run: NumbersReader, start: number, number: number): void {
    this.low = run.rank(start);
    this.taken = run.takeFrom(this.low, start + SEGMENT_ALIGNMENT, this.few);
    if (this.taken < 0) {
      this.self = run.findNear(number);
      this.high = run.rankNear(start + SEGMENT_ALIGNMENT);
      return;
    }
    this.high = this.low + this.taken;
    const rank = this.rank(run, number);
    this.self = rank < this.high && this.few[rank - this.low] === number ? rank : ~rank;
  },

  /** The rank of a number of the block. */
  rank(run: NumbersReader, number: number): number {
    if (this.taken < 0) return run.rankNear(number);
    let before = 0;
    while (before < this.taken && (this.few[before] as number) < number) before += 1;
    return this.low + before;
  },
};

/**
 * Counts in the last run, the base, which is by far the largest. Counts of its ranks stand for its numbers: what newer
 * runs share with it is not counted again.
 */
function addBase(run: NumbersReader, number: number, today: number): void {
  const { recency } = run;
  const { low, high, self } = block;
  const others = self >= 0 ? -1 : 0;
  const selfDay = self >= 0 && recency !== null ? recency.firstDay(self) : -1;
  const recentSelf = selfDay >= today - RECENT_DAYS ? 1 : 0;
  const weekSelf = selfDay >= today - WEEK_DAYS ? 1 : 0;
  counts.tenThousand = high - low + others;
  const thousandLow = block.rank(run, number - (number % THOUSAND));
  const thousandHigh = block.rank(run, number - (number % THOUSAND) + THOUSAND);
  counts.thousand = thousandHigh - thousandLow + others;
  const isAlone = thousandLow === thousandHigh;
  const hundredLow = isAlone ? thousandLow : block.rank(run, number - (number % HUNDRED));
  const hundredHigh = isAlone ? thousandLow : block.rank(run, number - (number % HUNDRED) + HUNDRED);
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
function addNewer(runs: readonly NumbersReader[], r: number, number: number, today: number): void {
  const run = runs[r] as NumbersReader;
  const { recency } = run;
  const { low, high, taken } = block;
  let numbers: Float64Array = block.few;
  if (taken < 0) {
    scratch ??= new Float64Array(SEGMENT_ALIGNMENT);
    numbers = scratch;
    run.copyRange(low, high, numbers);
  }
  const thousandStart = number - (number % THOUSAND);
  for (let i = 0; i < high - low; i++) {
    const other = numbers[i] as number;
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
