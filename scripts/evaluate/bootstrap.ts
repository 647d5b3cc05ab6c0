/**
 * Intervals by resampling days: blocks come up in bursts, so the numbers of one day are no independent draws, and an
 * interval from resampled numbers would be too narrow.
 */
import type { Random } from '../../bench/support/random.ts';

export interface Interval {
  readonly low: number;
  readonly high: number;
}

export interface Estimate extends Interval {
  readonly value: number;
}

export type DayWeights = ReadonlyMap<number, number>;

/** Enough for the 2.5th and the 97.5th percentile to be the 10th from either end. */
const RESAMPLES = 400;
const TAIL = 0.025;

/** How often each day was drawn, for each resample: as many days as there are, with replacement. */
export function resampleDays(days: readonly number[], random: Random): readonly DayWeights[] {
  return Array.from({ length: RESAMPLES }, () => {
    const weights = new Map<number, number>();
    for (let i = 0; i < days.length; i++) {
      const day = days[random.below(days.length)] as number;
      weights.set(day, (weights.get(day) ?? 0) + 1);
    }
    return weights;
  });
}

/** The middle 95 % of what was found in the resamples. */
export function intervalOf(values: readonly number[]): Interval {
  const sorted = Float64Array.from(values).sort();
  const at = (share: number) => sorted[Math.round(share * (sorted.length - 1))] ?? 0;
  return { low: at(TAIL), high: at(1 - TAIL) };
}
