/**
 * Logistic regression whose every coefficient is a rise: what a count is worth when it reaches one more step. Rises are
 * not negative, so that no further neighbour can clear a number, and a quadratic penalty keeps those small that few
 * numbers speak for. Fitted one coefficient at a time (Newton's step, cut at 0) until none moves: the loss is convex,
 * so the way there does not matter.
 */
import type { Cell, Cells } from './cells.ts';

/** The prior that the score states (scoreOf): for each number that is about to be listed, 100 that are not. */
const NULLS_PER_FIRST_TIME = 100;
/** 1 does hardly worse on months that were not fitted. */
const PENALTY = 5;
/** In logarithmic odds; points are hundredths. */
const TOLERANCE = 1e-5;
/** Some 300 are needed. */
const MAX_SWEEPS = 5000;
/** Newton's step is only good near the optimum. */
const LONGEST_STEP = 1;

export interface Fit {
  readonly logOdds: number;
  /** By count, then by step: what reaching it adds, in logarithmic odds. */
  readonly rises: readonly (readonly number[])[];
  readonly sweeps: number;
}

/** @param steps by count, how many there are */
export function fitRises({ cells, firstTime, nulls }: Cells, steps: readonly number[]): Fit {
  const state = new FitState(cells, (NULLS_PER_FIRST_TIME * firstTime) / nulls);
  const rises = steps.map((count) => new Array<number>(count).fill(0));
  let logOdds = state.improve(() => true, 0, 0, Number.NEGATIVE_INFINITY);
  for (let sweep = 1; sweep <= MAX_SWEEPS; sweep++) {
    const before = logOdds;
    logOdds = state.improve(() => true, logOdds, 0, Number.NEGATIVE_INFINITY);
    let moved = Math.abs(logOdds - before);
    for (const [count, ofCount] of rises.entries()) {
      for (const [step, rise] of ofCount.entries()) {
        const better = state.improve((cell) => (cell.reached[count] ?? 0) > step, rise, PENALTY, 0);
        ofCount[step] = better;
        moved = Math.max(moved, Math.abs(better - rise));
      }
    }
    if (moved < TOLERANCE) return { logOdds, rises, sweeps: sweep };
  }
  throw new RangeError(`expected the fit to settle within ${MAX_SWEEPS} sweeps`);
}

/** The logarithmic odds of each cell under the coefficients so far. */
class FitState {
  readonly #cells: readonly Cell[];
  readonly #nullWeight: number;
  readonly #logOdds: Float64Array;

  constructor(cells: readonly Cell[], nullWeight: number) {
    this.#cells = cells;
    this.#nullWeight = nullWeight;
    this.#logOdds = new Float64Array(cells.length);
  }

  /** One step for the coefficient of the cells that have it; returns its new value. */
  improve(has: (cell: Cell) => boolean, value: number, penalty: number, least: number): number {
    let slope = 2 * penalty * value;
    let curvature = 2 * penalty + Number.MIN_VALUE;
    for (const [i, cell] of this.#cells.entries()) {
      if (!has(cell)) continue;
      const weight = cell.firstTime + this.#nullWeight * cell.nulls;
      const probability = 1 / (1 + Math.exp(-(this.#logOdds[i] as number)));
      slope += weight * probability - cell.firstTime;
      curvature += weight * probability * (1 - probability);
    }
    const step = Math.min(LONGEST_STEP, Math.max(-LONGEST_STEP, -slope / curvature));
    const better = Math.max(least, value + step);
    for (const [i, cell] of this.#cells.entries()) {
      if (has(cell)) this.#logOdds[i] = (this.#logOdds[i] as number) + better - value;
    }
    return better;
  }
}
