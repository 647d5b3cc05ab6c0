/** Captured and first-time numbers by day: one area before the other, since the second is a part of the first. */
import { max } from 'd3-array';
import { type ScaleLinear, scaleLinear } from 'd3-scale';
import { area, line } from 'd3-shape';
import type { DayFigures } from '../../briefing.ts';
import { integer, shortDay } from '../format.ts';
import { element, type Markup, picture } from './svg.ts';

const WIDTH = 420;
const HEIGHT = 250;
const LEFT = 58;
const RIGHT = 68;
const TOP = 12;
const BOTTOM = 26;
const LABEL_GAP = 6;
/** Names of the two lines stay this far apart, where the lines end together. */
const LINE_HEIGHT = 15;
const VALUE_TICKS = 4;
/** Day names that fit side by side. */
const MAX_DAY_TICKS = 5;
/** More would run into each other. */
const MAX_DOTS = 45;
const DOT_RADIUS = 2;

type Scale = ScaleLinear<number, number>;
type Series = 'captured' | 'firstTime';

export function trendChart(trend: readonly DayFigures[]): Markup {
  const days = scaleLinear([0, trend.length - 1], [LEFT, WIDTH - RIGHT]);
  const values = scaleLinear([0, max(trend, ({ captured }) => captured) || 1], [HEIGHT - BOTTOM, TOP]).nice(
    VALUE_TICKS,
  );
  const about = {
    id: 'trend-chart',
    width: WIDTH,
    height: HEIGHT,
    title: 'Captured and first-time numbers by day',
    description: 'A line for captured and one for first-time numbers; the table beside it has the figures of each day.',
  };
  return picture(
    about,
    valueAxis(values),
    dayAxis(trend, days),
    series(trend, 'captured', 'light', days, values),
    series(trend, 'firstTime', 'dark', days, values),
    labels(trend, values),
  );
}

function series(trend: readonly DayFigures[], of: Series, className: string, days: Scale, values: Scale): Markup[] {
  const x = (_: DayFigures, i: number) => days(i);
  const y = (figures: DayFigures) => values(figures[of]);
  const shapes = [
    element('path', { class: className, d: area(x, values(0), y)(trend) ?? '' }),
    element('path', { class: 'line', d: line(x, y)(trend) ?? '' }),
  ];
  if (trend.length > MAX_DOTS) return shapes;
  const dots = trend.map((figures, i) => {
    return element('circle', { class: 'dot', cx: days(i), cy: y(figures), r: DOT_RADIUS });
  });
  return [...shapes, ...dots];
}

/** Ticks between whole numbers count nothing. */
function valueAxis(values: Scale): Markup[][] {
  const ticks = values.ticks(VALUE_TICKS).filter(Number.isInteger);
  return ticks.map((tick) => {
    const y = values(tick);
    return [
      element('line', { class: tick === 0 ? 'axis' : 'grid', x1: LEFT, x2: WIDTH - RIGHT, y1: y, y2: y }),
      element('text', { class: 'tick value', x: LEFT - LABEL_GAP, y }, integer(tick)),
    ];
  });
}

function dayAxis(trend: readonly DayFigures[], days: Scale): Markup[] {
  const step = Math.ceil(trend.length / MAX_DAY_TICKS);
  const ticks = trend.map(({ day }, i) => ({ day, i })).filter(({ i }) => i % step === 0);
  return ticks.map(({ day, i }) =>
    element('text', { class: 'tick day', x: days(i), y: HEIGHT - BOTTOM + LINE_HEIGHT }, shortDay(day)),
  );
}

function labels(trend: readonly DayFigures[], values: Scale): Markup[] {
  const last = trend.at(-1);
  if (last === undefined) return [];
  const x = WIDTH - RIGHT + LABEL_GAP;
  const lower = values(last.firstTime);
  const upper = Math.min(values(last.captured), lower - LINE_HEIGHT);
  return [
    element('text', { class: 'label', x, y: upper }, 'Captured'),
    element('text', { class: 'label', x, y: lower }, 'First-time'),
  ];
}
