/** Horizontal bars, each with its name before it and its figure behind. */
import { max } from 'd3-array';
import { scaleBand, scaleLinear } from 'd3-scale';
import type { Figure } from '../parts.ts';
import { element, type Markup, picture } from './svg.ts';

/** Drawn at the width of half a page: on a telephone the letters shrink by a sixth only. */
const WIDTH = 420;
const NAMES = 132;
const FIGURES = 72;
const ROW = 24;
const NAME_GAP = 8;
const FIGURE_GAP = 6;
/** What NAMES holds of the usual letters; the table beside it has the whole name. */
const MAX_NAME_LENGTH = 20;
/** Thin, but there: a bar of few among many. */
const MIN_BAR = 1;

export interface Bar {
  readonly name: string;
  /** Printed at the end of the bar, whose length it is. */
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
