/**
 * How long numbers stay away: the product-limit (Kaplan-Meier) estimate over gaps between one day on which a number was
 * seen and the next. A gap that is open at the end of the data is censored there. Of the gaps that were open when the
 * detections began only those are known that had lasted until then, so they enter late, at the age that they had
 * (left truncation): a gap counts at an age only if it was watched at that age.
 */

import type { History } from './history.ts';

/** 97.5 % of a normal distribution lies below it: for intervals of 95 %. */
const Z95 = 1.959964;

export interface Share {
  readonly share: number;
  /** 95 %. */
  readonly low: number;
  readonly high: number;
}

export class Survival {
  /** By age of the gap in days: gaps watched, and how many of them end on that day. */
  readonly #watched: Float64Array;
  readonly #ended: Float64Array;

  constructor({ numbers, startDay, endDay }: History) {
    const oldest = numbers.reduce((most, { lastBefore }) => Math.max(most, endDay - (lastBefore ?? startDay)), 0);
    this.#watched = new Float64Array(oldest + 2);
    this.#ended = new Float64Array(oldest + 2);
    // Differences first: +1 on the first day on which a gap is watched, -1 on the day after its last.
    const watch = (from: number, to: number, isEnd: boolean) => {
      this.#add(this.#watched, from + 1, 1);
      this.#add(this.#watched, to + 1, -1);
      if (isEnd) this.#add(this.#ended, to, 1);
    };
    for (const { lastBefore, days } of numbers) {
      let last = lastBefore;
      for (const day of days) {
        if (last !== null) watch(last < startDay ? startDay - 1 - last : 0, day - last, true);
        last = day;
      }
      if (last !== null) watch(last < startDay ? startDay - 1 - last : 0, endDay - last, false);
    }
    for (let age = 1; age < this.#watched.length; age++) this.#add(this.#watched, age, this.#watched[age - 1] ?? 0);
  }

  /** The greatest age that any gap was watched at, in days. */
  get oldestDays(): number {
    return this.#watched.length - 2;
  }

  /** Gaps watched at an age in days. */
  atRisk(age: number): number {
    return this.#watched[age] ?? 0;
  }

  /**
   * Of numbers last seen `age` days ago, the share seen again in the `window` days that follow; by Greenwood's formula.
   */
  seenAgain(age: number, window: number): Share {
    let stay = 1;
    let variance = 0;
    for (let day = age + 1; day <= age + window; day++) {
      const [watched, ended] = [this.#watched[day] ?? 0, this.#ended[day] ?? 0];
      if (ended === 0) continue;
      stay *= 1 - ended / watched;
      variance += watched === ended ? 0 : ended / (watched * (watched - ended));
    }
    // Not one came back: the formula has no width for that, but of n numbers that each come back with a chance of 3/n
    // none does once in twenty times.
    if (stay === 1) return { share: 0, low: 0, high: Math.min(1, 3 / this.atRisk(age + 1)) };
    const spread = Math.exp(Z95 * Math.sqrt(variance));
    return { share: 1 - stay, low: Math.max(0, 1 - stay * spread), high: 1 - stay / spread };
  }

  #add(to: Float64Array, at: number, count: number): void {
    to[at] = (to[at] ?? 0) + count;
  }
}

/** Of `total` numbers, `again` were seen again: with Wilson's interval, which holds for shares near 0 as well. */
export function wilson(again: number, total: number): Share {
  const share = again / total;
  const z2 = Z95 ** 2 / total;
  const middle = (share + z2 / 2) / (1 + z2);
  const half = (Z95 * Math.sqrt((share * (1 - share) + z2 / 4) / total)) / (1 + z2);
  return { share, low: Math.max(0, middle - half), high: middle + half };
}

interface Cohort {
  /** Days since they were last seen, on the reference day: from, and to (exclusive). */
  readonly from: number;
  readonly to: number;
  readonly numbers: number;
  readonly again: number;
}

/**
 * The plain count, without a model: numbers known on a day, by how long they had not been seen then, and how many of
 * them were seen in the `window` days after it. Every one of them is watched to the end, so nothing is censored.
 * @param bounds days, ascending
 */
export function cohorts({ numbers }: History, day: number, window: number, bounds: readonly number[]): Cohort[] {
  const counts = bounds.slice(0, -1).map((from, i) => ({ from, to: bounds[i + 1] ?? from, numbers: 0, again: 0 }));
  for (const { lastBefore, days } of numbers) {
    const last = days.findLast((each) => each <= day) ?? lastBefore;
    if (last === null || last > day) continue;
    const cohort = counts.find(({ from, to }) => day - last >= from && day - last < to);
    if (cohort === undefined) continue;
    cohort.numbers++;
    if (days.some((each) => each > day && each <= day + window)) cohort.again++;
  }
  return counts.filter((cohort) => cohort.numbers > 0);
}

// Simple curves through the shares seen again, by least squares of relative errors on a grid: no start to depend on.

interface Point {
  readonly days: number;
  readonly share: number;
}

export interface Curve {
  readonly name: string;
  readonly formula: string;
  readonly at: (days: number) => number;
  /** Root of the mean square, and the worst, of the differences in share. */
  readonly rms: number;
  readonly worst: number;
}

/** Below it shares differ by chance and by feed more than by age; above it errors count in proportion to the share. */
const SMALL_SHARE = 0.01;
/** Values a parameter takes: 61 from end to end is one at each 10 % or so, finer than the data can tell apart. */
const GRID = 61;

type Shape = (days: number) => number;

interface Sum {
  readonly shapes: readonly Shape[];
  readonly factors: readonly number[];
  readonly error: number;
}

/** Numbers of two kinds: those of sites that change them, and those that stay in stock. */
export function twoExponentials(points: readonly Point[]): Curve {
  let best: { sum: Sum; fast: number; slow: number } | null = null;
  for (const fast of geometric(2, 60)) {
    for (const slow of geometric(100, 4000)) {
      const sum = leastSquares(points, [(d) => Math.exp(-d / fast), (d) => Math.exp(-d / slow)]);
      if (best === null || sum.error < best.sum.error) best = { sum, fast, slow };
    }
  }
  if (best === null) throw new Error('expected a grid of values, found none');
  const { sum, fast, slow } = best;
  const [a = 0, b = 0] = sum.factors;
  const formula = `${a.toFixed(3)} exp(-d / ${fast.toFixed(1)}) + ${b.toFixed(3)} exp(-d / ${slow.toFixed(0)})`;
  return curve('two exponentials', formula, sum, points);
}

/** Numbers of many kinds, each with a rate of its own. */
export function power(points: readonly Point[]): Curve {
  let best: { sum: Sum; scale: number; exponent: number } | null = null;
  for (const scale of geometric(0.5, 500)) {
    for (const exponent of geometric(0.2, 6)) {
      const sum = leastSquares(points, [(d) => (1 + d / scale) ** -exponent]);
      if (best === null || sum.error < best.sum.error) best = { sum, scale, exponent };
    }
  }
  if (best === null) throw new Error('expected a grid of values, found none');
  const { sum, scale, exponent } = best;
  const formula = `${(sum.factors[0] ?? 0).toFixed(3)} (1 + d / ${scale.toFixed(1)})^-${exponent.toFixed(2)}`;
  return curve('power', formula, sum, points);
}

function curve(name: string, formula: string, { shapes, factors }: Sum, points: readonly Point[]): Curve {
  const at = (days: number) => value(shapes, factors, days);
  const differences = points.map(({ days, share }) => Math.abs(at(days) - share));
  const squares = differences.reduce((sum, each) => sum + each ** 2, 0);
  return { name, formula, at, rms: Math.sqrt(squares / points.length), worst: Math.max(...differences) };
}

/** One or two shapes, each with the factor, 0 or more, that brings their sum closest to the points. */
function leastSquares(points: readonly Point[], shapes: readonly Shape[]): Sum {
  const [f = () => 0, g = () => 0] = shapes;
  let [ff, fg, gg, fy, gy] = [0, 0, 0, 0, 0];
  for (const { days, share } of points) {
    const weight = (share + SMALL_SHARE) ** -2;
    const [x, y] = [f(days), g(days)];
    ff += weight * x * x;
    fg += weight * x * y;
    gg += weight * y * y;
    fy += weight * x * share;
    gy += weight * y * share;
  }
  const determinant = ff * gg - fg * fg;
  const single = [fy / ff, 0];
  const both = [(fy * gg - gy * fg) / determinant, (gy * ff - fy * fg) / determinant];
  const factors = determinant > 0 && both.every((factor) => factor >= 0) ? both : single;
  const errorOf = ({ days, share }: Point) => ((value(shapes, factors, days) - share) / (share + SMALL_SHARE)) ** 2;
  return { shapes, factors, error: points.reduce((sum, point) => sum + errorOf(point), 0) };
}

function value(shapes: readonly Shape[], factors: readonly number[], days: number): number {
  return shapes.reduce((sum, shape, i) => sum + (factors[i] ?? 0) * shape(days), 0);
}

function geometric(low: number, high: number): number[] {
  return Array.from({ length: GRID }, (_, i) => low * (high / low) ** (i / (GRID - 1)));
}
