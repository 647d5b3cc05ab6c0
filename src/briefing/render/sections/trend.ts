import { max, min } from 'd3-array';
import type { Briefing } from '../../briefing.ts';
import { isChange } from '../chance.ts';
import { count, counted, day, dayOf, type Line, line, type Time } from '../parts.ts';
import { figures, type Section, text } from '../report.ts';

export function trendSection({ period, trend }: Briefing): Section {
  return {
    id: 'trend',
    title: 'Day by day',
    // Today is not over: that it is behind the others says nothing.
    lines: extremes(period.complete ? trend : trend.filter(({ day: iso }) => iso !== period.until)),
    tables: [
      {
        caption: 'Numbers by day (UTC)',
        columns: [text('Day'), figures('Captured'), figures('First-time')],
        rows: trend.map(({ day: iso, captured, firstTime }) => [dayIn(period, iso), count(captured), count(firstTime)]),
      },
    ],
    notes: [line`A number captured on several days counts on each of them; it is first-time on one.`],
  };
}

function dayIn(period: Briefing['period'], iso: string): Time {
  const time = dayOf(period, iso);
  return period.complete || iso !== period.until ? time : { ...time, text: `${time.text}, so far` };
}

/** The days with most and fewest captured numbers; nothing where they differ by no more than chance makes. */
function extremes(trend: Briefing['trend']): Line[] {
  const most = max(trend, ({ captured }) => captured);
  const fewest = min(trend, ({ captured }) => captured);
  if (most === undefined || fewest === undefined || !isChange(most, fewest)) return [];
  return [line`Most were captured on ${onDays(trend, most)}; fewest on ${onDays(trend, fewest)}.`];
}

function onDays(trend: Briefing['trend'], captured: number): Line {
  const days = trend.filter((figures) => figures.captured === captured);
  const [first] = days;
  const where = days.length === 1 && first !== undefined ? [day(first.day)] : counted(days.length, 'day');
  return line`${where}: ${count(captured)}`;
}
