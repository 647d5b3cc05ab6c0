/**
 * The neighbourhood score: what its neighbours say of a number that nobody has reported. Numbers are bought in blocks,
 * and a block that is being used up shows number by number: it counts how many neighbours are listed, how close, and
 * how lately they were first seen.
 *
 * Only listed numbers count as neighbours. A suspect number is not listed, so it makes no other number suspect.
 *
 * Each count is worth some points (a step function that never falls). The points add up, and their sum is the logarithm
 * of the odds, in hundredths. The points are fitted on a history (`npm run fit-neighbourhood`, which writes
 * src/generated/neighbourhood-table.ts); docs/NEIGHBOURHOOD.md says how good the score is, and `npm run evaluate`
 * measures it.
 */
import { NEIGHBOURHOOD_TABLE } from '../generated/neighbourhood-table.ts';

/**
 * A neighbour is recent up to this many days after it was first seen, and of the week up to WEEK_DAYS; both inclusive.
 */
export const RECENT_DAYS = 28;
export const WEEK_DAYS = 7;

/**
 * Counts of *other* listed numbers in the aligned block of 100, 1,000 and 10,000 around a number n: those from
 * `n - n % size` up to, not including, `n - n % size + size`, each once however many runs have it. The recent ones were
 * first seen at most RECENT_DAYS before today, those of the week at most WEEK_DAYS.
 */
export interface NeighbourCounts {
  readonly hundred: number;
  readonly thousand: number;
  readonly tenThousand: number;
  readonly recentHundred: number;
  readonly recentThousand: number;
  readonly recentTenThousand: number;
  readonly weekThousand: number;
  readonly weekTenThousand: number;
}

/** Counts that are being filled in: one object can serve many numbers. */
export type CountsSoFar = { -readonly [Field in keyof NeighbourCounts]: NeighbourCounts[Field] };

export function noCounts(): CountsSoFar {
  return {
    hundred: 0,
    thousand: 0,
    tenThousand: 0,
    recentHundred: 0,
    recentThousand: 0,
    recentTenThousand: 0,
    weekThousand: 0,
    weekTenThousand: 0,
  };
}

/** The counts that are worth points. The number in the block of 10,000 adds nothing once the others are known. */
export const SCORED_COUNTS = [
  'hundred',
  'recentHundred',
  'thousand',
  'recentThousand',
  'weekThousand',
  'recentTenThousand',
  'weekTenThousand',
] as const;
export type ScoredCount = (typeof SCORED_COUNTS)[number];

export interface NeighbourhoodTable {
  /** Of a number that has a neighbour in its block of 10,000 and no points, in hundredths. */
  readonly logOdds: number;
  /** The least points of a suspect. */
  readonly suspectPoints: number;
  /** By count: `[from, points]`, ascending in both; a count below the first is worth nothing. */
  readonly points: Readonly<Record<ScoredCount, readonly (readonly [from: number, points: number])[]>>;
}

/** A script writes the table, and gives it no type. */
const TABLE: NeighbourhoodTable = NEIGHBOURHOOD_TABLE;

/** The points of every count from 0 to the last step. A larger count is worth as much as the last. */
function stepsOf(count: ScoredCount): Uint16Array {
  const steps = TABLE.points[count];
  const points = new Uint16Array((steps.at(-1)?.[0] ?? 0) + 1);
  for (const [from, worth] of steps) points.fill(worth, from);
  return points;
}

const HUNDRED = stepsOf('hundred');
const RECENT_HUNDRED = stepsOf('recentHundred');
const THOUSAND = stepsOf('thousand');
const RECENT_THOUSAND = stepsOf('recentThousand');
const WEEK_THOUSAND = stepsOf('weekThousand');
const RECENT_TEN_THOUSAND = stepsOf('recentTenThousand');
const WEEK_TEN_THOUSAND = stepsOf('weekTenThousand');

const ALL_POINTS = [
  HUNDRED,
  RECENT_HUNDRED,
  THOUSAND,
  RECENT_THOUSAND,
  WEEK_THOUSAND,
  RECENT_TEN_THOUSAND,
  WEEK_TEN_THOUSAND,
];
/** The largest value of pointsOf. */
export const MAX_POINTS = 1 + ALL_POINTS.reduce((sum, points) => sum + (points.at(-1) ?? 0), 0);

function worthOf(points: Uint16Array, count: number): number {
  return points[Math.min(count, points.length - 1)] as number;
}

/**
 * An integer that orders numbers as their scores do: 0 if none is listed in the block of 10,000, otherwise 1 and the
 * points. It never falls when a count rises.
 */
export function pointsOf(counts: NeighbourCounts): number {
  if (counts.tenThousand === 0) return 0;
  return (
    1 +
    worthOf(HUNDRED, counts.hundred) +
    worthOf(RECENT_HUNDRED, counts.recentHundred) +
    worthOf(THOUSAND, counts.thousand) +
    worthOf(RECENT_THOUSAND, counts.recentThousand) +
    worthOf(WEEK_THOUSAND, counts.weekThousand) +
    worthOf(RECENT_TEN_THOUSAND, counts.recentTenThousand) +
    worthOf(WEEK_TEN_THOUSAND, counts.weekTenThousand)
  );
}

/** Scores by points, each where it is first asked for; -1 before. */
const scores = new Float64Array(MAX_POINTS + 1).fill(-1);

/** Points to score; no points, no neighbours: 0. */
export function scoreOfPoints(points: number): number {
  const known = scores[points];
  if (known !== undefined && known >= 0) return known;
  const score = points === 0 ? 0 : 1 / (1 + Math.exp(-(points - 1 + TABLE.logOdds) / 100));
  scores[points] = score;
  return score;
}

/** A number that is not listed is suspect from this score on; docs/NEIGHBOURHOOD.md gives its false positives. */
export const SUSPECT_SCORE = scoreOfPoints(TABLE.suspectPoints);

/**
 * From 0 to below 1: the probability that this number is about to be listed, if among the numbers that are looked up
 * and not listed one in 101 is. 0 if nobody is listed in its block of 10,000. Not rounded; two decimals are meant to be
 * shown. Allocates nothing.
 */
export function scoreOf(counts: NeighbourCounts): number {
  return scoreOfPoints(pointsOf(counts));
}

/** @param score as scoreOf returned it, not rounded */
export function isSuspectScore(score: number): boolean {
  return score >= SUSPECT_SCORE;
}
