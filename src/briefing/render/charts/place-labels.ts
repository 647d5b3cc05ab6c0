/** Where a label can stand beside its circle without covering another label, a large circle, or the edge. */

export interface Circle {
  readonly x: number;
  readonly y: number;
  readonly r: number;
}

/** Of a text whose middle is at `y`, and which starts, ends or has its middle at `x`. */
export interface Spot {
  readonly x: number;
  readonly y: number;
  readonly anchor: 'start' | 'middle' | 'end';
  /** Where a line to the circle would end, if the label stands off from it. */
  readonly leader: { readonly x: number; readonly y: number } | null;
}

interface Box {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

/** Of letters 15 units high, on average; a little too wide rather than too narrow. */
const LETTER_WIDTH = 7.4;
const TEXT_HEIGHT = 18;
const GAP = 5;
/** Smaller circles may lie under a label: they are many, and the label's halo lets them be seen. */
const CIRCLE_IN_THE_WAY = 6;
/** Directions tried around a circle, and how far out: what the picture of East Asia needs. */
const DIRECTIONS = 16;
const DISTANCES = [0, 10, 22, 36];
/** Of a circle's radius: what may be covered is the corners of its square, and a little of its edge. */
const INNER = 0.85;

/** One spot for each text, which belongs to the circle at the same place; null if nowhere is free. */
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

/** Nearest first; of the same distance, those to the right first. */
function spotsAround({ x, y, r }: Circle): Spot[] {
  const turns = Array.from({ length: DIRECTIONS }, (_, i) => (i % 2 === 0 ? i / 2 : -(i + 1) / 2) / DIRECTIONS);
  return DISTANCES.flatMap((distance) =>
    turns.map((turn): Spot => {
      const [across, down] = [Math.cos(turn * 2 * Math.PI), Math.sin(turn * 2 * Math.PI)];
      const reach = r + GAP + distance;
      const anchor = Math.abs(across) < 0.3 ? 'middle' : across > 0 ? 'start' : 'end';
      const leader = distance === 0 ? null : { x: x + across * r, y: y + down * r };
      // A text above or below is moved by half its height, so that it does not touch.
      const fall = anchor === 'middle' ? reach + TEXT_HEIGHT / 2 : reach;
      return { x: x + across * reach, y: y + down * fall, anchor, leader };
    }),
  );
}

/** A line that leads across another circle would tie the label to that one. */
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
