/** The charts of a briefing: horizontal bars, the daily trend, and which section has which of them. */

import { max } from 'd3-array';
import { type ScaleLinear, scaleBand, scaleLinear } from 'd3-scale';
import { area, line } from 'd3-shape';
import type { Briefing, DayFigures } from '../briefing.ts';
import type { SectionId } from './report.ts';
import { largestOrigins } from './sections.ts';
import { element, type Markup, picture } from './svg.ts';
import { count, type Figure, integer, originName, share, shortDay, titled } from './text.ts';
import { worldMap } from './world-map.ts';

/** Charts are drawn at the width of half a page, so that on a telephone the letters shrink by a sixth only. */
const WIDTH = 420;
const NAMES = 132;
const FIGURES = 72;
const ROW = 24;
const NAME_GAP = 8;
const FIGURE_GAP = 6;
/** As many usual letters as fit before a bar. The table beside it has the whole name. */
const MAX_NAME_LENGTH = 20;
/** A bar of very few is thin, but visible. */
const MIN_BAR = 1;

interface Bar {
  readonly name: string;
  /** Printed at the end of the bar, whose length shows it. */
  readonly figure: Figure;
  /** Drawn solid within the bar, in the same unit. */
  readonly part?: number;
}

export function barChart(about: { id: string; title: string; description: string }, bars: readonly Bar[]): Markup {
  const height = bars.length * ROW;
  const length = scaleLinear([0, max(bars, valueOfBar) || 1], [0, WIDTH - NAMES - FIGURES]);
  const rows = scaleBand(
    bars.map((_, i) => i),
    [0, height],
  ).padding(0.3);
  const drawn = bars.map((bar, i) => {
    const y = rows(i) ?? 0;
    const end = NAMES + barLength(valueOfBar(bar), length);
    const middle = y + rows.bandwidth() / 2;
    const rect = (className: string, width: number) =>
      element('rect', { class: className, x: NAMES, y, width, height: rows.bandwidth() });
    return [
      element('text', { class: 'name', x: NAMES - NAME_GAP, y: middle }, shortened(bar.name)),
      rect(bar.part === undefined ? 'dark' : 'light', end - NAMES),
      bar.part === undefined ? [] : rect('dark', barLength(bar.part, length)),
      element(
        'text',
        { class: 'figure', x: end + FIGURE_GAP, y: middle, 'data-value': String(bar.figure.value) },
        bar.figure.text,
      ),
    ];
  });
  const base = element('line', { class: 'axis', x1: NAMES, x2: NAMES, y1: 0, y2: height });
  return picture({ ...about, width: WIDTH, height }, drawn, base);
}

function valueOfBar({ figure }: Bar): number {
  return figure.value ?? 0;
}

function barLength(value: number, length: (value: number) => number): number {
  return value === 0 ? 0 : Math.max(MIN_BAR, length(value));
}

function shortened(name: string): string {
  return name.length <= MAX_NAME_LENGTH ? name : `${name.slice(0, MAX_NAME_LENGTH - 1).trimEnd()}…`;
}

const HEIGHT = 250;
const LEFT = 58;
const RIGHT = 68;
const TOP = 12;
const BOTTOM = 26;
const LABEL_GAP = 6;
/** The names of the two lines stay this far apart where the lines end close together. */
const LINE_HEIGHT = 15;
const VALUE_TICKS = 4;
/** Names of days that fit next to each other. */
const MAX_DAY_TICKS = 5;
/** More dots would run into each other. */
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

/** Ticks between whole numbers are left out, since nothing is counted in fractions. */
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

interface Pictures {
  /** As wide as the page. */
  readonly wide?: Drawing;
  /** Beside the table. */
  readonly beside?: Drawing;
}

export interface Drawing {
  readonly caption: string;
  readonly drawing: Markup;
}

/** A section has no picture if there is nothing to draw. */
export function picturesOf(id: SectionId, briefing: Briefing): Pictures {
  switch (id) {
    case 'origins':
      return briefing.origins.length === 0 ? {} : originPictures(briefing);
    case 'channels':
      return briefing.channels.length === 0 ? {} : { beside: channelBars(briefing) };
    case 'industries':
      return briefing.industries.length === 0 ? {} : { beside: industryBars(briefing) };
    case 'trend':
      return briefing.trend.length === 0 ? {} : { beside: trendLines(briefing) };
    default:
      return {};
  }
}

function originPictures(briefing: Briefing): Pictures {
  const { shown, others } = largestOrigins(briefing);
  const rows = shown.map(({ group, captured, firstTime }) => ({ name: originName(group), captured, firstTime }));
  if (others !== null) rows.push({ name: 'Others', captured: others.captured, firstTime: others.firstTime });
  const about = {
    id: 'origin-bars',
    title: 'Captured and first-time numbers by origin',
    description: 'A bar for each origin in the order of the table beside it, its first-time part solid.',
  };
  const bars = rows.map(({ name, captured, firstTime }) => ({ name, figure: count(captured), part: firstTime }));
  return {
    wide: { caption: 'Circles: captured numbers, by area.', drawing: worldMap(briefing) },
    beside: { caption: 'Bars: captured numbers; the solid part of each: first-time.', drawing: barChart(about, bars) },
  };
}

function channelBars({ channels }: Briefing): Drawing {
  const about = {
    id: 'channel-bars',
    title: 'Shares of first-time numbers by channel',
    description: 'A bar for each channel in the order of the table beside it.',
  };
  const bars = channels.map((figures) => ({ name: titled(figures.channel), figure: share(figures.share) }));
  return { caption: 'Bars: share of first-time numbers.', drawing: barChart(about, bars) };
}

function industryBars({ industries }: Briefing): Drawing {
  const about = {
    id: 'industry-bars',
    title: 'Shares of captured numbers by industry',
    description: 'A bar for each industry in the order of the table beside it.',
  };
  const bars = industries.map((figures) => ({ name: titled(figures.industry), figure: share(figures.share) }));
  return { caption: 'Bars: share of captured numbers.', drawing: barChart(about, bars) };
}

function trendLines({ period, trend }: Briefing): Drawing {
  const caption = period.complete ? 'Numbers by day (UTC).' : 'Numbers by day (UTC); the last day is not over.';
  return { caption, drawing: trendChart(trend) };
}
