/** What is kept of the numbers looked at: how many had each score on each day, and how many had neighbours by scale. */
import { MAX_POINTS, type NeighbourCounts, pointsOf } from '../../src/policy/neighbourhood.ts';
import type { KnownNumbers } from './known.ts';

export const SCALES = ['10', '100', '1,000', '10,000', 'run beside it'] as const;
/** Neighbours from which on a scale counts as having some, and as having several. */
export const LIFT_STEPS = [1, 3] as const;
const SEVERAL = 3;
const MAX_HUNDRED = 99;

/** Counts of values 0 to `most`, by day: days are what a bootstrap draws. */
export class DailyCounts {
  readonly most: number;
  readonly #days = new Map<number, Uint32Array>();

  constructor(most: number) {
    this.most = most;
  }

  add(day: number, value: number): void {
    let counts = this.#days.get(day);
    if (counts === undefined) {
      counts = new Uint32Array(this.most + 1);
      this.#days.set(day, counts);
    }
    counts[value] = (counts[value] as number) + 1;
  }

  day(day: number): Uint32Array | undefined {
    return this.#days.get(day);
  }

  /** Each day so often as `weights` says. */
  sum(weights: ReadonlyMap<number, number>): Float64Array {
    const total = new Float64Array(this.most + 1);
    for (const [day, weight] of weights) {
      const counts = this.#days.get(day);
      if (counts === undefined) continue;
      for (let value = 0; value <= this.most; value++) {
        total[value] = (total[value] as number) + weight * (counts[value] as number);
      }
    }
    return total;
  }
}

/** First-time numbers, or null numbers of one kind. */
export class Tally {
  readonly points = new DailyCounts(MAX_POINTS);
  readonly hundred = new DailyCounts(MAX_HUNDRED);
  /** By scale, then by step. */
  readonly #having = SCALES.map(() => LIFT_STEPS.map(() => 0));
  #numbers = 0;

  get numbers(): number {
    return this.#numbers;
  }

  add(day: number, number: number, counts: NeighbourCounts, known: KnownNumbers): void {
    this.#numbers++;
    this.points.add(day, pointsOf(counts));
    this.hundred.add(day, counts.hundred);
    if (counts.tenThousand === 0) return;
    const ten = counts.hundred === 0 ? 0 : known.countTen(number);
    const run = known.runBeside(number, SEVERAL);
    for (const [scale, count] of [ten, counts.hundred, counts.thousand, counts.tenThousand, run].entries()) {
      const having = this.#having[scale] as number[];
      for (const [step, least] of LIFT_STEPS.entries()) if (count >= least) having[step] = (having[step] as number) + 1;
    }
  }

  /** The share of all numbers that have at least LIFT_STEPS[step] neighbours at SCALES[scale]. */
  share(scale: number, step: number): number {
    return this.#numbers === 0 ? 0 : (this.#having[scale]?.[step] ?? 0) / this.#numbers;
  }
}
