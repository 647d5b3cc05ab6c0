/** From a fit to the shipped table: whole points, and the threshold of a suspect. */

import { hash32, Random } from '../../bench/support/random.ts';
import { isoDay } from '../../src/format/records.ts';
import { type NeighbourhoodTable, SCORED_COUNTS, type ScoredCount } from '../../src/policy/neighbourhood.ts';
import { type Cell, type Cells, collectCells, STEPS } from './cells.ts';
import { type Fit, fitRises } from './fit.ts';
import type { History } from './history.ts';
import { operatingAt } from './recall.ts';
import type { Period } from './replay.ts';

/** Hundredths of logarithmic odds. */
const POINTS = 100;
/** Of null numbers from the same million-range, how many may be suspect. */
export const SUSPECT_RATE = 0.001;

type Points = Record<ScoredCount, [from: number, points: number][]>;

export interface FittedTable {
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
    freshHundred: [],
    thousand: [],
    freshThousand: [],
    weekThousand: [],
    freshTenThousand: [],
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

/** As pointsOf has them (src/policy/neighbourhood.ts): 1 and those of each count. */
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
export interface Origin extends Period {
  readonly firstTime: number;
  readonly nulls: number;
}

/** The source of src/policy/neighbourhood-table.ts, as Biome formats it. */
export function tableSource({ logOdds, suspectPoints, points }: NeighbourhoodTable, origin: Origin): string {
  const { from, to, firstTime, nulls } = origin;
  const lines = SCORED_COUNTS.map((count) => `    ${count}: ${listText(points[count], `    ${count}: `.length)},\n`);
  return (
    `/**\n * Written by \`npm run fit-neighbourhood\`; do not edit. Fitted to ${firstTime} numbers first seen\n` +
    ` * ${isoDay(from)} to ${isoDay(to)}, against ${nulls} random ones. What it means: src/policy/neighbourhood.ts.\n */\n` +
    `import type { NeighbourhoodTable } from './neighbourhood.ts';\n\n` +
    `export const NEIGHBOURHOOD_TABLE: NeighbourhoodTable = {\n` +
    `  logOdds: ${logOdds},\n  suspectPoints: ${suspectPoints},\n  points: {\n${lines.join('')}  },\n};\n`
  );
}

/** Biome's line width; a list that does not fit, or has an only element, goes one element a line or stays on one. */
const LINE_WIDTH = 120;

function listText(list: readonly (readonly [number, number])[], indent: number): string {
  const parts = list.map(([from, worth]) => `[${from}, ${worth}]`);
  const line = `[${parts.join(', ')}]`;
  // An array of several arrays is always broken; one that holds a single array is not.
  if (list.length < 2 && indent + line.length < LINE_WIDTH) return line;
  return `[\n${parts.map((part) => `      ${part},\n`).join('')}    ]`;
}
