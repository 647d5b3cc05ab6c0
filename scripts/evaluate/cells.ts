/** What the table is fitted to: first-time and null numbers of a period, grouped by the steps that their counts reach. */

import type { Random } from '../../bench/support/random.ts';
import { type NeighbourCounts, noCounts, SCORED_COUNTS, type ScoredCount } from '../../src/policy/neighbourhood.ts';
import { EvaluateError } from './evaluate-error.ts';
import type { History } from './history.ts';
import { Nulls } from './nulls.ts';
import { type Period, replayDays } from './replay.ts';

/**
 * Counts at which the points may rise: about evenly spaced in logarithm, since a hundred neighbours differ from eighty
 * by less than two do from one. Fresh ones end earlier: there are too few blocks with more to tell.
 */
const LISTED_STEPS = [1, 2, 3, 5, 8, 13, 21, 34, 55, 90] as const;
const FRESH_STEPS = [1, 2, 3, 5, 8, 13, 21, 34, 55] as const;
export const STEPS: Readonly<Record<ScoredCount, readonly number[]>> = {
  hundred: LISTED_STEPS,
  freshHundred: FRESH_STEPS,
  thousand: LISTED_STEPS,
  freshThousand: FRESH_STEPS,
  weekThousand: FRESH_STEPS,
  freshTenThousand: FRESH_STEPS,
  weekTenThousand: FRESH_STEPS,
};

/** Null numbers for each first-time one: some 950 stand above the threshold of 0.1 % in the four months of the fit. */
const NULLS_EACH = 200;
/** No count has so many steps. */
const STEP_LIMIT = 16;

export interface Cell {
  /** By SCORED_COUNTS: how many of its steps the count has reached. */
  readonly reached: readonly number[];
  /** Numbers of the period that have these. */
  firstTime: number;
  nulls: number;
}

export interface Cells {
  /** Of numbers with a neighbour in their block of 10,000; the score of all others is 0. */
  readonly cells: readonly Cell[];
  /** All numbers of the period, those others included. */
  readonly firstTime: number;
  readonly nulls: number;
}

/** Null numbers are drawn from the same million-range (scripts/evaluate/nulls.ts, a). */
export function collectCells(history: History, period: Period, random: Random): Cells {
  const draws = new Nulls(random);
  const cells = new Map<number, Cell>();
  const totals = { firstTime: 0, nulls: 0 };
  const counts = noCounts();
  const add = (to: 'firstTime' | 'nulls') => {
    totals[to]++;
    if (counts.tenThousand === 0) return;
    const cell = cellOf(cells, counts);
    cell[to]++;
  };
  replayDays(history, period, (_, numbers, known) => {
    for (const number of numbers) {
      known.countInto(counts, number);
      add('firstTime');
      for (let i = 0; i < NULLS_EACH; i++) {
        const drawn = draws.inMillion(number, known);
        if (drawn === null) continue;
        known.countInto(counts, drawn);
        add('nulls');
      }
    }
  });
  if (totals.firstTime === 0) throw new EvaluateError('expected first-time numbers in the period; the files have none');
  return { cells: [...cells.values()], ...totals };
}

function cellOf(cells: Map<number, Cell>, counts: NeighbourCounts): Cell {
  let key = 0;
  for (const name of SCORED_COUNTS) key = key * STEP_LIMIT + stepsReached(STEPS[name], counts[name]);
  const known = cells.get(key);
  if (known !== undefined) return known;
  const reached = SCORED_COUNTS.map((name) => stepsReached(STEPS[name], counts[name]));
  const cell = { reached, firstTime: 0, nulls: 0 };
  cells.set(key, cell);
  return cell;
}

export function stepsReached(steps: readonly number[], count: number): number {
  let reached = 0;
  while (reached < steps.length && count >= (steps[reached] as number)) reached++;
  return reached;
}
