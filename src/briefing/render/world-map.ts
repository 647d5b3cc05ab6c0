/** The map of a briefing: the world with a circle for each origin, whose area shows how many numbers it has. */
import { max } from 'd3-array';
import { scaleSqrt } from 'd3-scale';
import { ANCHORS, LAND, WORLD_HEIGHT, WORLD_WIDTH } from '../../generated/world.ts';
import type { Briefing, Origin } from '../briefing.ts';
import { element, type Markup, picture } from './svg.ts';
import { count, originName } from './text.ts';

interface Circle {
  readonly x: number;
  readonly y: number;
  readonly r: number;
}

/** Where a text may be put: its middle is at `y`, and it starts, ends or has its middle at `x`. */
interface Spot {
  readonly x: number;
  readonly y: number;
  readonly anchor: 'start' | 'middle' | 'end';
  /** Where a line to the circle ends, if the label does not touch the circle. */
  readonly leader: { readonly x: number; readonly y: number } | null;
}

interface Box {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

/** The average width of letters 15 units high, rather too wide than too narrow. */
const LETTER_WIDTH = 7.4;
const TEXT_HEIGHT = 18;
const GAP = 5;
/** Smaller circles may lie under a label: there are many, and the halo of the label keeps them visible. */
const CIRCLE_IN_THE_WAY = 6;
/** How many directions around a circle are tried, and how far out; the circles of East Asia need as many. */
const DIRECTIONS = 16;
const DISTANCES = [0, 10, 22, 36];
/** Of a circle, as a part of its radius, only the corners of its square and a little of its edge may be covered. */
const INNER = 0.85;

/** One spot for each text, for the circle at the same index; null if no spot is free. */
export function placeLabels(
  circles: readonly Circle[],
  texts: readonly string[],
  width: number,
  height: number,
): (Spot | null)[] {
  const large = circles.filter(({ r }) => r >= CIRCLE_IN_THE_WAY);
  const taken = large.map(boxOfCircle);
  return texts.map((text, i) => {
    const circle = circles[i];
    if (circle === undefined) return null;
    const isFree = (spot: Spot) => {
      const box = boxOfText(spot, text);
      const isInside = box.left >= 0 && box.right <= width && box.top >= 0 && box.bottom <= height;
      return isInside && !taken.some((other) => overlaps(box, other));
    };
    const others = large.filter((other) => other !== circle);
    const spot = spotsAround(circle).find((each) => isFree(each) && !crosses(each, others)) ?? null;
    if (spot !== null) taken.push(boxOfText(spot, text));
    return spot;
  });
}

/** Spots around a circle, the nearest first; at the same distance, those to the right first. */
function spotsAround({ x, y, r }: Circle): Spot[] {
  const turns = Array.from({ length: DIRECTIONS }, (_, i) => (i % 2 === 0 ? i / 2 : -(i + 1) / 2) / DIRECTIONS);
  return DISTANCES.flatMap((distance) =>
    turns.map((turn): Spot => {
      const [across, down] = [Math.cos(turn * 2 * Math.PI), Math.sin(turn * 2 * Math.PI)];
      const reach = r + GAP + distance;
      const anchor = Math.abs(across) < 0.3 ? 'middle' : across > 0 ? 'start' : 'end';
      const leader = distance === 0 ? null : { x: x + across * r, y: y + down * r };
      // A text above or below is moved by half of its height, so that it does not touch the circle.
      const fall = anchor === 'middle' ? reach + TEXT_HEIGHT / 2 : reach;
      return { x: x + across * reach, y: y + down * fall, anchor, leader };
    }),
  );
}

/** Whether the line to the label crosses another circle: the label would then seem to belong to that one. */
function crosses({ x, y, leader }: Spot, others: readonly Circle[]): boolean {
  if (leader === null) return false;
  const [across, down] = [x - leader.x, y - leader.y];
  return others.some((other) => {
    const along = ((other.x - leader.x) * across + (other.y - leader.y) * down) / (across ** 2 + down ** 2);
    const nearest = Math.min(1, Math.max(0, along));
    return Math.hypot(leader.x + nearest * across - other.x, leader.y + nearest * down - other.y) < other.r * INNER;
  });
}

function boxOfCircle({ x, y, r }: Circle): Box {
  const half = r * INNER;
  return { left: x - half, right: x + half, top: y - half, bottom: y + half };
}

function boxOfText({ x, y, anchor }: Spot, text: string): Box {
  const width = text.length * LETTER_WIDTH;
  const left = anchor === 'start' ? x : anchor === 'end' ? x - width : x - width / 2;
  return { left, right: left + width, top: y - TEXT_HEIGHT / 2, bottom: y + TEXT_HEIGHT / 2 };
}

function overlaps(a: Box, b: Box): boolean {
  return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
}

/** The radius of the largest circle. Hong Kong and Manila are 40 units apart, so neighbours stay visible. */
const MAX_RADIUS = 27;
/** The radius of a circle for one number, which must be visible. */
const MIN_RADIUS = 1.8;
/** Origins with a label; the table names the others. */
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
  return picture(about, element('path', { class: 'land', d: LAND }), drawn, placedLabels(circles));
}

/**
 * The largest circle first, so that small ones lie on top. An origin that is no place, or is unknown, has no circle.
 */
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

function placedLabels(circles: readonly PlacedOrigin[]): Markup[] {
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
