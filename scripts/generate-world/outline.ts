/** The outline of the land as a short SVG path: whole units, each point relative to the one before. */
import { type GeoProjection, geoCentroid, geoPath } from 'd3-geo';
import type { MultiPolygon } from 'geojson';
import { polygonsOf, readShapes } from './atlas.ts';

/** South of this lies Antarctica, which has no number plan: without it the map is a fifth less high. */
const SOUTHERNMOST_DEGREES = -60;
/** A ring that comes to fewer points at this scale has no area. */
const MIN_POINTS = 3;

type Point = readonly [x: number, y: number];

export function landWithoutAntarctica(): MultiPolygon {
  const polygons = polygonsOf(readShapes('land', '110m'));
  const kept = polygons.filter(
    (coordinates) => geoCentroid({ type: 'Polygon', coordinates })[1] > SOUTHERNMOST_DEGREES,
  );
  return { type: 'MultiPolygon', coordinates: kept };
}

export function outlinePath(land: MultiPolygon, projection: GeoProjection): string {
  const rings: Point[][] = [];
  const add = (x: number, y: number) => rings.at(-1)?.push([Math.round(x), Math.round(y)]);
  const context = {
    beginPath: () => {},
    moveTo: (x: number, y: number) => {
      rings.push([]);
      add(x, y);
    },
    lineTo: add,
    arc: () => {},
    closePath: () => {},
  };
  geoPath(projection, context)(land);
  return rings
    .map(withoutStraights)
    .filter((ring) => ring.length >= MIN_POINTS)
    .map(ringPath)
    .join('');
}

/** Without points that rounding has put onto the one before, or onto the line between their neighbours. */
function withoutStraights(ring: readonly Point[]): Point[] {
  const kept: Point[] = [];
  for (const point of ring) {
    const last = kept.at(-1);
    if (last !== undefined && last[0] === point[0] && last[1] === point[1]) continue;
    const before = kept.at(-2);
    if (last !== undefined && before !== undefined && isBetween(before, last, point)) kept.pop();
    kept.push(point);
  }
  return kept;
}

function isBetween(a: Point, b: Point, c: Point): boolean {
  const along = [b[0] - a[0], b[1] - a[1], c[0] - b[0], c[1] - b[1]] as const;
  return along[0] * along[3] === along[1] * along[2] && along[0] * along[2] + along[1] * along[3] >= 0;
}

function ringPath(ring: readonly Point[]): string {
  return ring
    .map(([x, y], i) => {
      const last = ring[i - 1];
      if (last === undefined) return `M${x},${y}l`;
      const dy = y - last[1];
      // The minus of a negative number parts it from the one before.
      const step = `${x - last[0]}${dy < 0 ? '' : ','}${dy}`;
      return i === 1 || step.startsWith('-') ? step : ` ${step}`;
    })
    .join('')
    .concat('Z');
}
