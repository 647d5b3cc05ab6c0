/** The evaluation as text for a terminal. */

import { basename } from 'node:path';
import { NEIGHBOURHOOD_TABLE } from '../../src/generated/neighbourhood-table.ts';
import { isoDay } from '../../src/lib/time.ts';
import { scoreOfPoints } from '../../src/policy/score.ts';
import { textTable } from '../report.ts';
import {
  BASELINE_HUNDRED,
  type Estimate,
  type Evaluation,
  type Interval,
  type NullReport,
  type Threshold,
} from './evaluate.ts';
import type { FileSummary } from './history.ts';
import type { NullKind } from './replay.ts';

const NULL_NAMES: Readonly<Record<NullKind, string>> = {
  million: '(a) any number of the same million-range',
  country: '(b) any valid mobile number of the same country',
};

export function reportText(evaluation: Evaluation, files: readonly FileSummary[]): string {
  const { period, days, firstTime, knownBefore, alone, nullsEach, withoutCountry } = evaluation;
  const score = scoreOfPoints(NEIGHBOURHOOD_TABLE.suspectPoints);
  return [
    `Neighbourhood score, ${isoDay(period.from)} to ${isoDay(period.to)}`,
    '',
    ...files.map(fileLine),
    '',
    `${whole(firstTime)} numbers were first seen on ${whole(days)} days of the period; ${whole(knownBefore)} were known before it.`,
    'Each is scored against what was known the day before it was first seen.',
    `${percent(alone)} of them have no listed neighbour among their 10,000: no neighbourhood can tell these.`,
    `Each is compared with ${nullsEach} random numbers of each of two kinds, not listed by then:`,
    `  ${NULL_NAMES.million}`,
    `  ${NULL_NAMES.country}`,
    ...(withoutCountry === 0 ? [] : [`     (none for ${whole(withoutCountry)} of no country with mobile ranges)`]),
    '',
    'How many are caught before their first report, at a false-positive rate; in brackets 95 %, by resampling days',
    textTable(recallRows(evaluation)),
    '',
    `As shipped: suspect from score ${score.toFixed(2)} on`,
    textTable(evaluation.nulls.map((report) => thresholdRow(report, report.suspect))),
    '',
    `For comparison: ${BASELINE_HUNDRED} or more listed in the block of 100`,
    textTable(evaluation.nulls.map((report) => thresholdRow(report, report.baseline))),
    '',
    'Listed neighbours by scale: share of numbers that have them, and lift over random ones',
    textTable(liftRows(evaluation)),
    '',
  ].join('\n');
}

function fileLine({ path, kind, rows, refused, unreadable }: FileSummary): string {
  const left = [
    ...(refused === 0 ? [] : [`${whole(refused)} not a valid number`]),
    ...(unreadable === 0 ? [] : [`${whole(unreadable)} without the columns`]),
  ];
  const note = left.length === 0 ? '' : `; left out: ${left.join(', ')}`;
  return `${basename(path)}: ${kind}, ${whole(rows)} rows${note}`;
}

function recallRows({ nulls }: Evaluation) {
  return nulls.flatMap((report) =>
    report.score.map(({ rate, recall }, i) => ({
      'against random numbers': i === 0 ? NULL_NAMES[report.kind] : '',
      'false positives': percent(rate),
      'caught by the score': withInterval(recall),
      'by the count in 100': withInterval(report.hundred[i]?.recall ?? { value: 0, low: 0, high: 0 }),
    })),
  );
}

function thresholdRow({ kind }: NullReport, { recall, falsePositives }: Threshold) {
  return {
    'against random numbers': NULL_NAMES[kind],
    caught: withInterval(recall),
    'false positives': withInterval(falsePositives, 3),
  };
}

function liftRows({ lift }: Evaluation) {
  return lift.map(({ scale, least, firstTime, nulls }) => ({
    block: scale,
    neighbours: `${least} or more`,
    'first-time': percent(firstTime),
    'random (a)': percent(nulls.million, 3),
    'lift (a)': times(firstTime, nulls.million),
    'random (b)': percent(nulls.country, 3),
    'lift (b)': times(firstTime, nulls.country),
  }));
}

function withInterval({ value, ...interval }: Estimate, digits?: number): string {
  return `${percent(value, digits)} [${intervalText(interval, digits)}]`;
}

function intervalText({ low, high }: Interval, digits = 1): string {
  return `${(100 * low).toFixed(digits)}, ${(100 * high).toFixed(digits)}`;
}

/** Small rates keep the digits that tell them apart. */
function percent(share: number, digits = share > 0 && share < 0.01 ? 2 : 1): string {
  return `${(100 * share).toFixed(digits)} %`;
}

function times(share: number, of: number): string {
  if (of === 0) return share === 0 ? '-' : 'none random';
  const lift = share / of;
  return `${lift.toLocaleString('en-US', { maximumSignificantDigits: 3 })}x`;
}

function whole(count: number): string {
  return count.toLocaleString('en-US');
}

// The evaluation as JSON: shares are fractions of 1, days are ISO dates.

export function jsonText({ period, ...evaluation }: Evaluation, files: readonly FileSummary[]): string {
  const document = {
    period: { from: isoDay(period.from), to: isoDay(period.to) },
    files,
    suspectScore: scoreOfPoints(NEIGHBOURHOOD_TABLE.suspectPoints),
    ...evaluation,
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}
