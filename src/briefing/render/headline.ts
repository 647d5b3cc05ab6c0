/** The section with the headline figures of a briefing. */
import type { Briefing, ComparedFigures } from '../briefing.ts';
import { changeOf } from '../tallies.ts';
import { type Column, figures, type Section, text } from './report.ts';
import { isEnough } from './significance.ts';
import { changeFigure, count, type Figure, type Part, pointsFigure, share } from './text.ts';

/** The last columns compare: `before` and `change`, after `over` where only the days that are over are compared. */
export function headlineSection(briefing: Briefing): Section {
  const { period, compared } = briefing;
  const now = headlineFigures(briefing);
  return {
    id: 'headline',
    title: 'Headline figures',
    lines: [],
    tables: [
      {
        caption: 'Headline figures',
        columns: columnsOf(period.complete, compared),
        rows: ['Captured', 'First-time', 'First-time share', 'Inventory'].map((title, row): Part[] => [
          title,
          now[row] ?? '',
          ...comparison(briefing, row),
        ]),
      },
    ],
    notes: [],
  };
}

function columnsOf(isComplete: boolean, compared: ComparedFigures | null): Column[] {
  const now = [text('Figure'), figures(isComplete ? 'This period' : 'So far')];
  if (compared === null) return now;
  const before = [figures('Before'), figures('Change')];
  return isComplete ? [...now, ...before] : [...now, figures('Days over'), ...before];
}

/** The cells of a row that compare the figure of the period. */
function comparison({ period, compared, previous }: Briefing, row: number): Part[] {
  if (compared === null) return [];
  const before = headlineFigures(previous)[row] ?? '';
  const cells = [before, headlineChange(compared, previous)[row] ?? ''];
  return period.complete ? cells : [headlineFigures(compared)[row] ?? '', ...cells];
}

function headlineFigures({
  captured,
  firstTime,
  firstTimeShare,
  inventory,
}: Omit<ComparedFigures, 'period'>): Figure[] {
  // If nothing was captured, there is no share.
  return [count(captured), count(firstTime), share(captured === 0 ? null : firstTimeShare), count(inventory)];
}

/** No change is shown for counts that are too small. */
function headlineChange(now: ComparedFigures, before: ComparedFigures): Figure[] {
  const change = (a: number, b: number) => changeFigure(isEnough(b) ? changeOf(a, b) : null);
  const isShared = isEnough(now.captured) && isEnough(before.captured);
  return [
    change(now.captured, before.captured),
    change(now.firstTime, before.firstTime),
    pointsFigure(isShared ? now.firstTimeShare - before.firstTimeShare : null),
    change(now.inventory, before.inventory),
  ];
}
