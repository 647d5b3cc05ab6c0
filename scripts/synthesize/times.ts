/** When in the fortnight something was observed. */
import type { Random } from '../../bench/support/random.ts';

/** 2025-05-16 to 2025-05-30, both included, in UTC. */
export const FORTNIGHT_DAYS = 15;
const DAY_SECONDS = 86_400;
/** By day, of 200: the 16th was a Friday, and weekends are quieter. Chosen, not published. */
const DAY_WEIGHTS: readonly number[] = [14, 11, 10, 14, 14, 15, 14, 14, 11, 10, 14, 15, 15, 15, 14];
const WEIGHT_SUM = DAY_WEIGHTS.reduce((sum, weight) => sum + weight, 0);
const DAY_OF = Uint8Array.from(DAY_WEIGHTS.flatMap((weight, day) => new Array<number>(weight).fill(day)));

/** A day of the fortnight, from 0. */
export function drawDay(random: Random): number {
  return DAY_OF[random.below(WEIGHT_SUM)] ?? 0;
}

/** A second of that day, after the start of the fortnight; noon is busiest. */
export function drawSecond(day: number, random: Random): number {
  return day * DAY_SECONDS + Math.floor((random.below(DAY_SECONDS) + random.below(DAY_SECONDS)) / 2);
}
