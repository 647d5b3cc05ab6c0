/** Evaluates the neighbourhood score: how many first-time numbers it catches at which rates of false positives. */
import { NEIGHBOURHOOD_TABLE } from '../../src/generated/neighbourhood-table.ts';
import { isoDay } from '../../src/lib/time.ts';
import { MAX_POINTS, type NeighbourCounts, noCounts, pointsOf } from '../../src/policy/score.ts';
import { hash32, Random } from '../support/random.ts';
import { EvaluateError, type History, lastDay } from './history.ts';
import {
  countFirstTime,
  countryOfNumber,
  type KnownNumbers,
  NULL_KINDS,
  type NullKind,
  Nulls,
  type Period,
  replayDays,
} from './replay.ts';

// Intervals by resampling days: blocks come up in bursts, so the numbers of one day are no independent draws, and an
// interval from resampled numbers would be too narrow.

export interface Interval {
  readonly low: number;
  readonly high: number;
}

export interface Estimate extends Interval {
  readonly value: number;
}

type DayWeights = ReadonlyMap<number, number>;

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

// Recall at a false-positive rate, from counts of integer scores.

interface Operating {
  /** The least score that is called suspect; above every score if even the highest has too many false positives. */
  readonly threshold: number;
  /** Shares of the first-time and of the null numbers at the threshold or above. */
  readonly recall: number;
  readonly falsePositives: number;
}

/** @param counts by score */
export function shareFrom(counts: ArrayLike<number>, threshold: number): number {
  let [above, all] = [0, 0];
  for (let score = 0; score < counts.length; score++) {
    const count = counts[score] as number;
    all += count;
    if (score >= threshold) above += count;
  }
  return all === 0 ? 0 : above / all;
}

/**
 * The most that can be caught with a false-positive rate of at most `rate`. Nothing is interpolated between two
 * scores: this is what a threshold would do.
 */
export function operatingAt(firstTime: ArrayLike<number>, nulls: ArrayLike<number>, rate: number): Operating {
  const all = sumOf(nulls);
  const allowed = rate * all;
  let threshold = nulls.length;
  let above = 0;
  while (threshold > 0 && above + (nulls[threshold - 1] as number) <= allowed) {
    threshold--;
    above += nulls[threshold] as number;
  }
  return { threshold, recall: shareFrom(firstTime, threshold), falsePositives: all === 0 ? 0 : above / all };
}

function sumOf(counts: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < counts.length; i++) sum += counts[i] as number;
  return sum;
}

// What is kept of the numbers looked at: how many had each score on each day, and how many had neighbours by scale.

export const SCALES = ['10', '100', '1,000', '10,000', 'run beside it'] as const;
/** Neighbours from which on a scale counts as having some, and as having several. */
const LIFT_STEPS = [1, 3] as const;
const SEVERAL = 3;
const MAX_HUNDRED = 99;

/** Counts of values 0 to `most`, by day: days are what a bootstrap draws. */
class DailyCounts {
  readonly most: number;
  readonly #days = new Map<number, Uint32Array>();

  constructor(most: number) {
    this.most = most;
  }

  add(day: number, value: number): void {
    let counts = this.#days.get(day);
    if (counts === undefined) {
      counts = new Uint32Array(this.most + 1);
      this.#days.set(day, counts);
    }
    counts[value] = (counts[value] as number) + 1;
  }

  day(day: number): Uint32Array | undefined {
    return this.#days.get(day);
  }

  /** Each day so often as `weights` says. */
  sum(weights: ReadonlyMap<number, number>): Float64Array {
    const total = new Float64Array(this.most + 1);
    for (const [day, weight] of weights) {
      const counts = this.#days.get(day);
      if (counts === undefined) continue;
      for (let value = 0; value <= this.most; value++) {
        total[value] = (total[value] as number) + weight * (counts[value] as number);
      }
    }
    return total;
  }
}

/** First-time numbers, or null numbers of one kind. */
export class Tally {
  readonly points = new DailyCounts(MAX_POINTS);
  readonly hundred = new DailyCounts(MAX_HUNDRED);
  /** By scale, then by step. */
  readonly #having = SCALES.map(() => LIFT_STEPS.map(() => 0));
  #numbers = 0;

  get numbers(): number {
    return this.#numbers;
  }

  add(day: number, number: number, counts: NeighbourCounts, known: KnownNumbers): void {
    this.#numbers++;
    this.points.add(day, pointsOf(counts));
    this.hundred.add(day, counts.hundred);
    if (counts.tenThousand === 0) return;
    const ten = counts.hundred === 0 ? 0 : known.countTen(number);
    const run = known.runBeside(number, SEVERAL);
    for (const [scale, count] of [ten, counts.hundred, counts.thousand, counts.tenThousand, run].entries()) {
      const having = this.#having[scale] as number[];
      for (const [step, least] of LIFT_STEPS.entries()) if (count >= least) having[step] = (having[step] as number) + 1;
    }
  }

  /** The share of all numbers that have at least LIFT_STEPS[step] neighbours at SCALES[scale]. */
  share(scale: number, step: number): number {
    return this.#numbers === 0 ? 0 : (this.#having[scale]?.[step] ?? 0) / this.#numbers;
  }
}

/** False-positive rates at which recall is reported. */
const RATES = [0.0005, 0.001, 0.002, 0.005] as const;
/** The rule of thumb that the score has to beat: listed neighbours in the block of 100. */
export const BASELINE_HUNDRED = 3;
/** So many null numbers of a kind leave 500 above the lowest rate; more would only cost time. */
const WANTED_NULLS = 1_000_000;
const LEAST_NULLS = 20;
const MOST_NULLS = 500;

interface RateRow {
  readonly rate: number;
  readonly recall: Estimate;
}

export interface Threshold {
  readonly recall: Estimate;
  readonly falsePositives: Estimate;
}

export interface NullReport {
  readonly kind: NullKind;
  readonly numbers: number;
  readonly score: readonly RateRow[];
  /** The count of neighbours in the block of 100 as a score, for comparison. */
  readonly hundred: readonly RateRow[];
  readonly suspect: Threshold;
  readonly baseline: Threshold;
}

interface LiftRow {
  readonly scale: string;
  readonly least: number;
  readonly firstTime: number;
  readonly nulls: Readonly<Record<NullKind, number>>;
}

export interface Evaluation {
  readonly period: Period;
  readonly days: number;
  /** Numbers known on the morning of the first day, and first-time numbers after. */
  readonly knownBefore: number;
  readonly firstTime: number;
  readonly nullsEach: number;
  /** First-time numbers of no country with mobile ranges: they have no null numbers of that kind. */
  readonly withoutCountry: number;
  /** Share of first-time numbers that have no neighbour in their block of 10,000: no neighbourhood can tell them. */
  readonly alone: number;
  readonly nulls: readonly NullReport[];
  readonly lift: readonly LiftRow[];
}

/**
 * @param wantedNulls null numbers of each kind in all
 * @throws EvaluateError if the period has no first-time number, or nothing is known before it
 */
export function evaluate(history: History, period: Period, seed: number, wantedNulls = WANTED_NULLS): Evaluation {
  const firstTime = countFirstTime(history, period);
  const knownBefore = history.firstDays.reduce((count, day) => count + (day < period.from ? 1 : 0), 0);
  if (firstTime === 0) {
    const last = isoDay(lastDay(history));
    throw new EvaluateError(`expected first-time numbers in the period; the files have none, and end on ${last}`);
  }
  if (knownBefore === 0) throw new EvaluateError('expected numbers first seen before --from; the files have none');
  const nullsEach = Math.min(MOST_NULLS, Math.max(LEAST_NULLS, Math.ceil(wantedNulls / firstTime)));
  const { found, nulls, days, withoutCountry } = tallyPeriod(history, period, nullsEach, seed);
  const resamples = resampleDays(days, new Random(hash32(seed, 2)));
  const once = new Map(days.map((day) => [day, 1]));
  return {
    period,
    days: days.length,
    knownBefore,
    firstTime,
    nullsEach,
    withoutCountry,
    alone: 1 - found.share(SCALES.indexOf('10,000'), 0),
    nulls: NULL_KINDS.map((kind) => nullReport(kind, found, nulls[kind], once, resamples)),
    lift: liftRows(found, nulls),
  };
}

interface Tallies {
  readonly found: Tally;
  readonly nulls: Readonly<Record<NullKind, Tally>>;
  readonly days: readonly number[];
  readonly withoutCountry: number;
}

function tallyPeriod(history: History, period: Period, nullsEach: number, seed: number): Tallies {
  const draws = new Nulls(new Random(hash32(seed, 1)));
  const found = new Tally();
  const nulls = { million: new Tally(), country: new Tally() };
  const days: number[] = [];
  let withoutCountry = 0;
  const counts = noCounts();
  replayDays(history, period, (day, numbers, known) => {
    days.push(day);
    const tally = (into: Tally, number: number | null) => {
      if (number === null) return;
      known.countInto(counts, number);
      into.add(day, number, counts, known);
    };
    for (const number of numbers) {
      tally(found, number);
      const country = countryOfNumber(number);
      if (!draws.hasCountry(country)) withoutCountry++;
      for (let i = 0; i < nullsEach; i++) {
        tally(nulls.million, draws.inMillion(number, known));
        tally(nulls.country, draws.inCountry(country, known));
      }
    }
  });
  return { found, nulls, days, withoutCountry };
}

function nullReport(
  kind: NullKind,
  found: Tally,
  nulls: Tally,
  once: DayWeights,
  resamples: readonly DayWeights[],
): NullReport {
  const recallRows = (of: (tally: Tally) => DailyCounts): RateRow[] => {
    const recalls = (weights: DayWeights) => {
      const [firstTime, against] = [of(found).sum(weights), of(nulls).sum(weights)];
      return RATES.map((rate) => operatingAt(firstTime, against, rate).recall);
    };
    const value = recalls(once);
    const drawn = resamples.map(recalls);
    return RATES.map((rate, i) => ({
      rate,
      recall: { value: value[i] ?? 0, ...intervalOf(drawn.map((recall) => recall[i] ?? 0)) },
    }));
  };
  const thresholdOf = (of: (tally: Tally) => DailyCounts, threshold: number): Threshold => {
    const estimate = (tally: Tally): Estimate => {
      const shares = resamples.map((weights) => shareFrom(of(tally).sum(weights), threshold));
      return { value: shareFrom(of(tally).sum(once), threshold), ...intervalOf(shares) };
    };
    return { recall: estimate(found), falsePositives: estimate(nulls) };
  };
  return {
    kind,
    numbers: nulls.numbers,
    score: recallRows(({ points }) => points),
    hundred: recallRows(({ hundred }) => hundred),
    suspect: thresholdOf(({ points }) => points, NEIGHBOURHOOD_TABLE.suspectPoints),
    baseline: thresholdOf(({ hundred }) => hundred, BASELINE_HUNDRED),
  };
}

function liftRows(found: Tally, nulls: Readonly<Record<NullKind, Tally>>): LiftRow[] {
  return SCALES.flatMap((scale, s) =>
    LIFT_STEPS.map((least, step) => ({
      scale,
      least,
      firstTime: found.share(s, step),
      nulls: { million: nulls.million.share(s, step), country: nulls.country.share(s, step) },
    })),
  );
}
