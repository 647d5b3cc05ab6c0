/** What the neighbourhood of a number costs a lookup, in Node: counts at every scale, and the score. */
import type { Ringfence } from './ringfence.ts';

/** Microseconds a number, the median of so many passes. */
const PASSES = 5;

/** @param today UTC day since 1970 */
export function neighbourhoodMicroseconds(ringfence: Ringfence, probes: Float64Array, today: number): number {
  const times: number[] = [];
  for (let pass = 0; pass < PASSES; pass++) {
    const start = performance.now();
    let sum = 0;
    for (let i = 0; i < probes.length; i++) sum += ringfence.neighbours(probes[i] as number, today).score;
    times.push(((performance.now() - start) * 1000) / probes.length);
    if (!(sum >= 0)) throw new RangeError('a score is not a number');
  }
  return times.sort((a, b) => a - b)[PASSES >> 1] as number;
}
