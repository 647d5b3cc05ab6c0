/** How well the shipped score tells first-time numbers from null numbers, over a period. */

import { hash32, Random } from '../../bench/support/random.ts';
import { isoDay } from '../../src/format/records.ts';
import { noCounts } from '../../src/policy/neighbourhood.ts';
import { NEIGHBOURHOOD_TABLE } from '../../src/policy/neighbourhood-table.ts';
import { type DayWeights, type Estimate, intervalOf, resampleDays } from './bootstrap.ts';
import { EvaluateError } from './evaluate-error.ts';
import { type History, lastDay } from './history.ts';
import { countryOfNumber, NULL_KINDS, type NullKind, Nulls } from './nulls.ts';
import { operatingAt, shareFrom } from './recall.ts';
import { countFirstTime, type Period, replayDays } from './replay.ts';
import { type DailyCounts, LIFT_STEPS, SCALES, Tally } from './tally.ts';

/** False-positive rates at which recall is reported. */
export const RATES = [0.0005, 0.001, 0.002, 0.005] as const;
/** The rule of thumb that the score has to beat: listed neighbours in the block of 100. */
export const BASELINE_HUNDRED = 3;
/** So many null numbers of a kind leave 500 above the lowest rate; more would only cost time. */
const WANTED_NULLS = 1_000_000;
const LEAST_NULLS = 20;
const MOST_NULLS = 500;

export interface RateRow {
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

export interface LiftRow {
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
