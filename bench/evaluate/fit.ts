/** Fits the table of the neighbourhood score to the first-time numbers of a period. */
import { join } from 'node:path';
import { formatted } from '../../scripts/command/formatted.ts';
import { PROJECT } from '../../scripts/command/paths.ts';
import { isoDay } from '../../src/lib/time.ts';
import {
  type NeighbourCounts,
  type NeighbourhoodTable,
  noCounts,
  SCORED_COUNTS,
  type ScoredCount,
} from '../../src/policy/score.ts';
import { hash32, Random } from '../support/random.ts';
import { operatingAt } from './evaluate.ts';
import { EvaluateError, type History } from './history.ts';
import { Nulls, type Period, replayDays } from './replay.ts';

// What the table is fitted to: first-time and null numbers of a period, grouped by the steps that their counts reach.

/**
 * Counts at which the points may rise: about evenly spaced in logarithm, since a hundred neighbours differ from eighty
 * by less than two do from one. Recent ones end earlier: there are too few blocks with more to tell.
 */
const LISTED_STEPS = [1, 2, 3, 5, 8, 13, 21, 34, 55, 90] as const;
const RECENT_STEPS = [1, 2, 3, 5, 8, 13, 21, 34, 55] as const;
export const STEPS: Readonly<Record<ScoredCount, readonly number[]>> = {
  hundred: LISTED_STEPS,
  recentHundred: RECENT_STEPS,
  thousand: LISTED_STEPS,
  recentThousand: RECENT_STEPS,
  weekThousand: RECENT_STEPS,
  recentTenThousand: RECENT_STEPS,
  weekTenThousand: RECENT_STEPS,
};

/** Null numbers for each first-time one: some 950 stand above the threshold of 0.1 % in the four months of the fit. */
const NULLS_EACH = 200;
/** No count has so many steps. */
const STEP_LIMIT = 16;

interface Cell {
  /** By SCORED_COUNTS: how many of its steps the count has reached. */
  readonly reached: readonly number[];
  /** Numbers of the period that have these. */
  firstTime: number;
  nulls: number;
}

interface Cells {
  /** Of numbers with a neighbour in their block of 10,000; the score of all others is 0. */
  readonly cells: readonly Cell[];
  /** All numbers of the period, those others included. */
  readonly firstTime: number;
  readonly nulls: number;
}

/** Null numbers are drawn from the same million-range (bench/evaluate/replay.ts, a). */
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

interface Fit {
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

// From a fit to the shipped table: whole points, and the threshold of a suspect.

/** Hundredths of logarithmic odds. */
const POINTS = 100;
/** Of null numbers from the same million-range, how many may be suspect. */
const SUSPECT_RATE = 0.001;

type Points = Record<ScoredCount, [from: number, points: number][]>;

interface FittedTable {
  readonly table: NeighbourhoodTable;
  readonly cells: Cells;
  readonly sweeps: number;
}

export function fitTable(history: History, period: Period, seed: number): FittedTable {
  const cells = collectCells(history, period, new Random(hash32(seed, 3)));
  const fit = fitRises(
    cells,
    SCORED_COUNTS.map((count) => STEPS[count].length),
  );
  const points = pointsOfFit(fit);
  const suspectPoints = thresholdOf(cells, points);
  return { table: { logOdds: Math.round(fit.logOdds * POINTS), suspectPoints, points }, cells, sweeps: fit.sweeps };
}

/** Steps that add no whole point are left out. */
function pointsOfFit({ rises }: Fit): Points {
  const points: Points = {
    hundred: [],
    recentHundred: [],
    thousand: [],
    recentThousand: [],
    weekThousand: [],
    recentTenThousand: [],
    weekTenThousand: [],
  };
  for (const [i, count] of SCORED_COUNTS.entries()) {
    let sum = 0;
    for (const [step, from] of STEPS[count].entries()) {
      sum += rises[i]?.[step] ?? 0;
      const worth = Math.round(sum * POINTS);
      if (worth > (points[count].at(-1)?.[1] ?? 0)) points[count].push([from, worth]);
    }
  }
  return points;
}

function thresholdOf({ cells, firstTime, nulls }: Cells, points: Points): number {
  const worth = cells.map((cell) => pointsOfCell(cell, points));
  const most = Math.max(0, ...worth);
  const [foundBy, nullsBy] = [new Float64Array(most + 1), new Float64Array(most + 1)];
  foundBy[0] = firstTime;
  nullsBy[0] = nulls;
  for (const [i, cell] of cells.entries()) {
    const at = worth[i] as number;
    foundBy[at] = (foundBy[at] as number) + cell.firstTime;
    nullsBy[at] = (nullsBy[at] as number) + cell.nulls;
    foundBy[0] -= cell.firstTime;
    nullsBy[0] -= cell.nulls;
  }
  return operatingAt(foundBy, nullsBy, SUSPECT_RATE).threshold;
}

/** As pointsOf has them (src/policy/score.ts): 1 and those of each count. */
function pointsOfCell(cell: Cell, points: Points): number {
  let sum = 1;
  for (const [i, count] of SCORED_COUNTS.entries()) {
    const reached = STEPS[count][(cell.reached[i] ?? 0) - 1] ?? 0;
    for (const [from, worth] of points[count].toReversed()) {
      if (from > reached) continue;
      sum += worth;
      break;
    }
  }
  return sum;
}

/** What a table was fitted to: it is said in its file. */
interface Origin extends Period {
  readonly firstTime: number;
  readonly nulls: number;
}

export const TABLE_FILE = join(PROJECT, 'src', 'generated', 'neighbourhood-table.ts');

/** The source of src/generated/neighbourhood-table.ts. */
export function tableSource({ logOdds, suspectPoints, points }: NeighbourhoodTable, origin: Origin): string {
  const { from, to, firstTime, nulls } = origin;
  const lines = SCORED_COUNTS.map((count) => `${count}: ${JSON.stringify(points[count])},`);
  return formatted(
    TABLE_FILE,
    `/**\n * Written by \`npm run fit-neighbourhood\`; do not edit. Fitted to ${firstTime} numbers first seen\n` +
      ` * ${isoDay(from)} to ${isoDay(to)}, against ${nulls} random ones. What it means: src/policy/score.ts.\n */\n` +
      `export const NEIGHBOURHOOD_TABLE = {\n` +
      `  logOdds: ${logOdds},\n  suspectPoints: ${suspectPoints},\n  points: {\n${lines.join('')}  },\n} as const;\n`,
  );
}
