/**
 * `npm run fit-ageing -- [FILES]`: how long after it was last seen a number is still seen again, from a real history,
 * and curves through it. docs/AGEING.md says what the default levels take from it. Prints the same for the same files.
 */

import { orHelp, parseArguments } from '../scripts/command/arguments.ts';
import { userPath } from '../scripts/command/paths.ts';
import { runCommand } from '../scripts/command/run-command.ts';
import { isoDay } from '../src/lib/time.ts';
import { type Curve, cohorts, power, type Share, Survival, twoExponentials, wilson } from './fit-ageing/estimate.ts';
import { type History, readHistory } from './fit-ageing/history.ts';
import { markdownTable } from './report.ts';
import { historyFiles } from './support/shared-data.ts';

// What is printed: the counts, the estimate, the curves, and the days at which default levels could step down.

/** Days since last seen at which cohorts are cut. */
const BOUNDS = [0, 1, 8, 15, 31, 61, 91, 181, 271, 366, 541, 731, 1096, 1461, 1826, 36_500];
/** Ages in days that the estimate is printed at. */
const AGES = [1, 3, 7, 14, 21, 30, 45, 60, 90, 120, 180, 270, 365, 450, 540, 730, 900, 1095, 1280, 1460, 1825, 2190];
/** Days that the counts at several month ends look ahead, to have several of them in half a year. */
const SHORT_WINDOW = 61;
/** An estimate from fewer gaps than that is not printed. */
const MIN_AT_RISK = 500;
/** The curves are fitted to where the estimate has not come to nothing: four years. */
const FITTED_DAYS = 1460;
/** Shares that default levels step down at (docs/AGEING.md), the last for the horizon. */
const THRESHOLDS = [0.2, 0.1, 0.025, 0.005];

export function report(history: History): string {
  const { numbers, startDay, endDay } = history;
  const window = endDay - startDay + 1;
  const survival = new Survival(history);
  const points = fittedPoints(survival, window);
  const curves = [twoExponentials(points), power(points)].sort((a, b) => a.rms - b.rms);
  const sections = [
    `${numbers.length} numbers; detections of ${isoDay(startDay)} to ${isoDay(endDay)}, ${window} days`,
    `Counted: known on ${isoDay(startDay - 1)}, seen again within ${window} days`,
    markdownTable(cohorts(history, startDay - 1, window, BOUNDS).map(cohortRow)),
    `Counted at month ends: % seen again within ${SHORT_WINDOW} days`,
    markdownTable(monthEnds(history)),
    `Estimated over all gaps: seen again within ${window} days, if not seen for so long`,
    markdownTable(estimateRows(survival, window, curves)),
    'Curves, by days d since last seen',
    markdownTable(curves.map(curveRow)),
    'Where the share falls below',
    markdownTable(THRESHOLDS.map((share) => thresholdRow(share, survival, window, curves[0]))),
  ];
  return `${sections.join('\n\n')}\n`;
}

function percent(share: number): string {
  return (share * 100).toFixed(share < 0.1 ? 2 : 1);
}

function shareCells({ share, low, high }: Share) {
  return { 'seen again %': percent(share), '95 %': `${percent(low)}-${percent(high)}` };
}

function cohortRow({ from, to, numbers, again }: ReturnType<typeof cohorts>[number]) {
  return { 'last seen, days ago': span(from, to), numbers: String(numbers), ...shareCells(wilson(again, numbers)) };
}

function span(from: number, to: number): string {
  if (to - from === 1) return String(from);
  return to === BOUNDS.at(-1) ? `${from} and more` : `${from}-${to - 1}`;
}

/** One column a reference day: the inventory's, and the month ends after it that can be watched for as long. */
function monthEnds(history: History) {
  const { startDay, endDay } = history;
  const days = [startDay - 1];
  for (let day = startDay; day + SHORT_WINDOW <= endDay; day++) if (isoDay(day + 1).endsWith('-01')) days.push(day);
  const columns = days.map((day) => ({ day, counted: cohorts(history, day, SHORT_WINDOW, BOUNDS) }));
  return BOUNDS.slice(0, -1).map((from, i) => {
    const row: Record<string, string> = { 'last seen, days ago': span(from, BOUNDS[i + 1] ?? from) };
    for (const { day, counted } of columns) {
      const cohort = counted.find((each) => each.from === from);
      row[isoDay(day)] = cohort === undefined ? '' : percent(cohort.again / cohort.numbers);
    }
    return row;
  });
}

/** Each further from the one before by the same ratio, so that days, weeks, months and years count alike. */
function fittedPoints(survival: Survival, window: number) {
  const ages: number[] = [];
  const last = Math.min(FITTED_DAYS, survival.oldestDays - window);
  for (let age = 1; age <= last; age = Math.max(age + 1, Math.round(age * 1.15))) ages.push(age);
  return ages.map((days) => ({ days, share: survival.seenAgain(days, window).share }));
}

function estimateRows(survival: Survival, window: number, curves: readonly Curve[]) {
  return AGES.filter((age) => survival.atRisk(age) >= MIN_AT_RISK).map((age) => ({
    'last seen, days ago': String(age),
    'gaps at risk': String(survival.atRisk(age)),
    ...shareCells(survival.seenAgain(age, window)),
    ...Object.fromEntries(curves.map(({ name, at }) => [`${name} %`, percent(at(age))])),
  }));
}

function curveRow({ name, formula, rms, worst }: Curve) {
  return { curve: name, formula, 'rms error, points of %': percent(rms), 'worst, points of %': percent(worst) };
}

function thresholdRow(share: number, survival: Survival, window: number, curve: Curve | undefined) {
  const lastDay = survival.oldestDays - window;
  const firstBelow = (at: (days: number) => number) => {
    // From the end: an estimate may dip below a share and rise above it again.
    for (let day = lastDay; day > 0; day--) if (at(day) >= share) return day === lastDay ? 'never' : String(day + 1);
    return '1';
  };
  return {
    'share %': String(share * 100),
    'estimate, from day': firstBelow((day) => survival.seenAgain(day, window).share),
    'upper bound, from day': firstBelow((day) => survival.seenAgain(day, window).high),
    'first curve, from day': curve === undefined ? '' : firstBelow(curve.at),
  };
}

const HELP = `npm run fit-ageing -- [FILES]

FILES are an inventory (digits, first seen, last seen, sightings) and the detections after it (time, digits),
tab-separated, with or without gzip. Without FILES those of ../shared/data are read.
`;

const OPTIONS = { help: { type: 'boolean', short: 'h', default: false } } as const;

async function main(): Promise<number> {
  const { values, positionals } = parseArguments(process.argv.slice(2), OPTIONS, { positionals: true });
  if (orHelp(values.help ? null : values, HELP) === null) return 0;
  process.stdout.write(report(await readHistory(historyFiles(positionals).map(userPath))));
  return 0;
}

if (import.meta.filename === process.argv[1]) await runCommand(main, { failureStatus: 2 });
