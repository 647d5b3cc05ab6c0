/** How many other listed numbers stand in the same block: numbers are bought in blocks. */
import type { NumbersReader } from '../format/numbers-reader.ts';

/** The largest block that is counted. */
const BLOCK_LIMIT = 1000;
const scratch = new Float64Array(BLOCK_LIMIT);

/**
 * Distinct numbers of [number - number % size, + size) in any of the runs' columns, without the number itself. The
 * newest run comes first in `runs`; a number can be in several.
 */
export function countNeighbours(runs: readonly NumbersReader[], number: number, size: number): number {
  const from = number - (number % size);
  let count = 0;
  for (let r = 0; r < runs.length; r++) {
    const run = runs[r] as NumbersReader;
    const low = run.rank(from);
    const high = run.rank(from + size);
    if (r === runs.length - 1) {
      // The last is the base, by far the largest: what it has in common with the others was not counted there.
      count += high - low - (run.has(number) ? 1 : 0);
      continue;
    }
    if (low === high) continue;
    run.copyRange(low, high, scratch);
    for (let i = 0; i < high - low; i++) {
      const other = scratch[i] as number;
      if (other !== number && !isInAny(runs, r + 1, other)) count += 1;
    }
  }
  return count;
}

function isInAny(runs: readonly NumbersReader[], from: number, number: number): boolean {
  for (let r = from; r < runs.length; r++) if ((runs[r] as NumbersReader).has(number)) return true;
  return false;
}
