/** The world with a circle for each origin, whose area is in proportion to its captured numbers. */
import { max } from 'd3-array';
import { scaleSqrt } from 'd3-scale';
import type { Briefing, Origin } from '../../briefing.ts';
import { originName } from '../names.ts';
import { count } from '../parts.ts';
import { ANCHORS, LAND, WORLD_HEIGHT, WORLD_WIDTH } from '../world.ts';
import { type Circle, placeLabels } from './place-labels.ts';
import { element, type Markup, picture } from './svg.ts';

/** The largest still leaves its neighbours visible: Hong Kong and Manila are 40 units apart. */
const MAX_RADIUS = 27;
/** A place with one number must be seen. */
const MIN_RADIUS = 1.8;
/** The others are named in the table. */
const MOST_LABELS = 6;

interface PlacedOrigin extends Circle {
  readonly origin: Origin;
}

export function worldMap({ origins }: Briefing): Markup {
  const circles = placed(origins);
  const drawn = circles.map(({ origin, x, y, r }) => {
    const title = element('title', {}, `${originName(origin.group)}: ${count(origin.captured).text}`);
    return element('circle', { class: 'origin', cx: x, cy: y, r, 'data-value': String(origin.captured) }, title);
  });
  const about = {
    id: 'world-map',
    width: WORLD_WIDTH,
    height: WORLD_HEIGHT,
    title: 'Captured numbers by origin on a map of the world',
    description:
      'A circle for each origin, its area in proportion to the captured numbers; the table has the figures of the largest.',
  };
  return picture(about, element('path', { class: 'land', d: LAND }), drawn, labels(circles));
}

/** Largest first, so that small circles lie on large ones. An origin that is no place, or unknown, has none. */
function placed(origins: readonly Origin[]): PlacedOrigin[] {
  const anchors = parseAnchors();
  const radius = scaleSqrt([0, max(origins, ({ captured }) => captured) || 1], [0, MAX_RADIUS]);
  return origins
    .filter(({ captured }) => captured > 0)
    .flatMap((origin) => {
      const anchor = anchors.get(origin.group);
      if (anchor === undefined) return [];
      return [{ origin, x: anchor.x, y: anchor.y, r: Math.max(MIN_RADIUS, radius(origin.captured)) }];
    });
}

function parseAnchors(): ReadonlyMap<string, { readonly x: number; readonly y: number }> {
  return new Map(
    ANCHORS.split(',').map((anchor) => {
      const [group = '', x, y] = anchor.split(' ');
      return [group, { x: Number(x), y: Number(y) }];
    }),
  );
}

function labels(circles: readonly PlacedOrigin[]): Markup[] {
  const texts = circles.slice(0, MOST_LABELS).map(({ origin }) => ({
    name: originName(origin.group),
    figure: count(origin.captured),
  }));
  const spots = placeLabels(
    circles,
    texts.map(({ name, figure }) => `${name} ${figure.text}`),
    WORLD_WIDTH,
    WORLD_HEIGHT,
  );
  return texts.flatMap(({ name, figure }, i) => {
    const spot = spots[i];
    if (spot === undefined || spot === null) return [];
    const value = element('tspan', { class: 'figure', 'data-value': String(figure.value) }, figure.text);
    const { x, y, anchor, leader } = spot;
    const text = element('text', { class: `label ${anchor}`, x, y }, `${name} `, value);
    if (leader === null) return [text];
    return [element('line', { class: 'leader', x1: leader.x, y1: leader.y, x2: x, y2: y }), text];
  });
}
