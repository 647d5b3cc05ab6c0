/** How many other listed numbers stand in the same block: numbers are bought in blocks. */
import type { NumbersReader } from '../format/numbers-reader.ts';

const HUNDRED = 100;
const THOUSAND = 1000;
const scratch = new Float64Array(THOUSAND);

export interface Neighbours {
  readonly hundred: number;
  readonly thousand: number;
}

/**
 * Distinct numbers of the blocks of 100 and of 1,000 around a number in any of the runs' columns, without the number
 * itself. The newest run comes first in `runs`; a number can be in several.
 */
export function countNeighbours(runs: readonly NumbersReader[], number: number): Neighbours {
  const thousandStart = number - (number % THOUSAND);
  const hundredStart = number - (number % HUNDRED);
  let hundred = 0;
  let thousand = 0;
  for (let r = 0; r < runs.length; r++) {
    const run = runs[r] as NumbersReader;
    const low = run.rank(thousandStart);
    const high = run.rank(thousandStart + THOUSAND);
    // Around most numbers that are asked for nobody is listed.
    if (low === high) continue;
    if (r === runs.length - 1) {
      // The last is the base, by far the largest: what it has in common with the others was not counted there.
      const self = run.has(number) ? 1 : 0;
      thousand += high - low - self;
      hundred += run.rank(hundredStart + HUNDRED) - run.rank(hundredStart) - self;
      continue;
    }
    run.copyRange(low, high, scratch);
    for (let i = 0; i < high - low; i++) {
      const other = scratch[i] as number;
      if (other === number || isInAny(runs, r + 1, other)) continue;
      thousand += 1;
      if (other >= hundredStart && other < hundredStart + HUNDRED) hundred += 1;
    }
  }
  return { hundred, thousand };
}

function isInAny(runs: readonly NumbersReader[], from: number, number: number): boolean {
  for (let r = from; r < runs.length; r++) if ((runs[r] as NumbersReader).has(number)) return true;
  return false;
}
