/** `npm run generate-world`: writes the map that briefings are drawn on. A test holds the file in step with it. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type GeoProjection, geoArea, geoCentroid, geoEqualEarth, geoPath } from 'd3-geo';
import type { FeatureCollection, MultiPolygon, Polygon } from 'geojson';
import { getCountries } from 'libphonenumber-js/max';
import { feature } from 'topojson-client';
import type { GeometryCollection, Topology } from 'topojson-specification';
import { takesNothing } from './command/arguments.ts';
import { PROJECT } from './command/paths.ts';
import { runCommand } from './command/run-command.ts';

// The outlines of the package world-atlas (Natural Earth, public domain), as GeoJSON.

const ATLAS = join(import.meta.dirname, '..', 'node_modules', 'world-atlas');

type Shapes = FeatureCollection<Polygon | MultiPolygon, { readonly name?: string }>;
/** Rings of [longitude, latitude] in degrees: the outer one, then its holes. */
type Rings = Polygon['coordinates'];

/** @param name of the file and of the object in it, such as `land` at `110m` */
function readShapes(name: 'land' | 'countries', scale: '110m' | '50m'): Shapes {
  const topology = JSON.parse(readFileSync(join(ATLAS, `${name}-${scale}.json`), 'utf8')) as Topology;
  const object = topology.objects[name];
  if (object?.type !== 'GeometryCollection') throw new Error(`world-atlas has no collection "${name}" at ${scale}`);
  return feature(topology, object as GeometryCollection) as Shapes;
}

function polygonsOf(shapes: Shapes): Rings[] {
  return shapes.features.flatMap(({ geometry }) => ringsOf(geometry));
}

function ringsOf(geometry: Polygon | MultiPolygon): Rings[] {
  return geometry.type === 'Polygon' ? [geometry.coordinates] : geometry.coordinates;
}

// Where the circle of each origin is put, in degrees.

type LonLat = readonly [longitude: number, latitude: number];

/** Natural Earth's names where neither the long nor the short English name of CLDR is the same. */
const NATURAL_EARTH_NAMES: Readonly<Record<string, string>> = {
  'Antigua and Barb.': 'AG',
  'Bosnia and Herz.': 'BA',
  'British Virgin Is.': 'VG',
  'Cabo Verde': 'CV',
  'Cayman Is.': 'KY',
  'Central African Rep.': 'CF',
  Congo: 'CG',
  'Cook Is.': 'CK',
  "Côte d'Ivoire": 'CI',
  'Dem. Rep. Congo': 'CD',
  'Dominican Rep.': 'DO',
  'Eq. Guinea': 'GQ',
  eSwatini: 'SZ',
  'Faeroe Is.': 'FO',
  'Falkland Is.': 'FK',
  'Fr. Polynesia': 'PF',
  Macedonia: 'MK',
  'Marshall Is.': 'MH',
  'N. Mariana Is.': 'MP',
  'S. Sudan': 'SS',
  'Saint Lucia': 'LC',
  'Solomon Is.': 'SB',
  'St-Barthélemy': 'BL',
  'St-Martin': 'MF',
  'St. Kitts and Nevis': 'KN',
  'St. Pierre and Miquelon': 'PM',
  'St. Vin. and Gren.': 'VC',
  'São Tomé and Principe': 'ST',
  'Trinidad and Tobago': 'TT',
  Turkey: 'TR',
  'Turks and Caicos Is.': 'TC',
  'U.S. Virgin Is.': 'VI',
  Vatican: 'VA',
  'W. Sahara': 'EH',
  'Wallis and Futuna Is.': 'WF',
  Åland: 'AX',
};

/**
 * Set by hand: the group of two countries, whose circle is to lie on both; places that are no country of their own in
 * the atlas, or that its scale leaves out; and those of several islands.
 */
const BY_HAND: Readonly<Record<string, LonLat>> = {
  'US/Canada': [-99, 46],
  US: [-98, 39],
  AC: [-14.4, -7.9],
  BQ: [-68.3, 12.2],
  CC: [96.8, -12.2],
  CX: [105.7, -10.5],
  GF: [-53.1, 3.9],
  GI: [-5.4, 36.1],
  GP: [-61.6, 16.3],
  IO: [72.4, -7.3],
  MQ: [-61.0, 14.7],
  RE: [55.5, -21.1],
  SH: [-5.7, -15.9],
  SJ: [16.0, 78.6],
  TA: [-12.3, -37.1],
  TK: [-171.8, -9.2],
  TV: [179.2, -8.5],
  YT: [45.2, -12.8],
};

/** By origin: one for every country with a number plan, sorted by code. */
function placesByOrigin(): ReadonlyMap<string, LonLat> {
  const places = new Map(Object.entries(BY_HAND));
  const codes = codesByName();
  for (const { geometry, properties } of readShapes('countries', '50m').features) {
    const code = codes.get(properties.name ?? '');
    if (code !== undefined && !places.has(code)) places.set(code, centreOf(ringsOf(geometry)));
  }
  const missing = getCountries().filter((code) => !places.has(code));
  if (missing.length > 0) throw new Error(`no place on the map for: ${missing.join(', ')}`);
  return new Map([...places].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function codesByName(): ReadonlyMap<string, string> {
  const codes = new Map(Object.entries(NATURAL_EARTH_NAMES));
  for (const style of ['long', 'short'] as const) {
    const names = new Intl.DisplayNames('en', { type: 'region', style });
    for (const code of getCountries()) codes.set(names.of(code) ?? code, code);
  }
  return codes;
}

/** Of the largest polygon: overseas parts would pull the middle of all into the sea. */
function centreOf(polygons: readonly Rings[]): LonLat {
  const shapes = polygons.map((coordinates): Polygon => ({ type: 'Polygon', coordinates }));
  const largest = shapes.reduce((a, b) => (geoArea(b) > geoArea(a) ? b : a));
  return geoCentroid(largest);
}

// The outline of the land as a short SVG path: whole units, each point relative to the one before.

/** South of this lies Antarctica, which has no number plan: without it the map is a fifth less high. */
const SOUTHERNMOST_DEGREES = -60;
/** A ring that comes to fewer points at this scale has no area. */
const MIN_POINTS = 3;

type Point = readonly [x: number, y: number];

function landWithoutAntarctica(): MultiPolygon {
  const polygons = polygonsOf(readShapes('land', '110m'));
  const kept = polygons.filter(
    (coordinates) => geoCentroid({ type: 'Polygon', coordinates })[1] > SOUTHERNMOST_DEGREES,
  );
  return { type: 'MultiPolygon', coordinates: kept };
}

function outlinePath(land: MultiPolygon, projection: GeoProjection): string {
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

// The text of the map's file.

export const WORLD_FILE = 'src/generated/world.ts';
const WIDTH = 960;
/** The map is cut in the Bering Strait, so that neither Russia nor Alaska is, and East Asia has room for labels. */
const CENTRE_LONGITUDE = 11;
/** Above and below, so that a circle at the edge of the land is not cut. */
const MARGIN = 8;

/** Equal Earth: areas are true to each other, so that no origin looks weightier for its latitude. */
export function generateWorld(): string {
  const land = landWithoutAntarctica();
  const projection = geoEqualEarth().rotate([-CENTRE_LONGITUDE, 0]).fitWidth(WIDTH, { type: 'Sphere' });
  const [x, y] = projection.translate();
  const [[, top], [, bottom]] = geoPath(projection).bounds(land);
  projection.translate([x, y - top + MARGIN]);
  const anchors = [...placesByOrigin()].map(([origin, [lon, lat]]) => {
    const point = projection([lon, lat]);
    if (point === null) throw new Error(`${origin} lies beyond the map`);
    return `${origin} ${Math.round(point[0])} ${Math.round(point[1])}`;
  });
  return `/** Written by \`npm run generate-world\` from Natural Earth's outlines; changes made here are lost. */

/** Units of the picture. */
export const WORLD_WIDTH = ${WIDTH};
export const WORLD_HEIGHT = ${Math.ceil(bottom - top) + 2 * MARGIN};

/** The middle of every origin, as "code x y", separated by commas. */
export const ANCHORS =
  '${anchors.join(',')}';

/** An SVG path. */
export const LAND =
  '${outlinePath(land, projection)}';
`;
}

const HELP = 'npm run generate-world writes the map that briefings are drawn on. It takes no options.\n';

if (import.meta.filename === process.argv[1])
  await runCommand(async () => {
    if (takesNothing(process.argv.slice(2), HELP)) return 0;
    const text = generateWorld();
    writeFileSync(join(PROJECT, WORLD_FILE), text);
    console.log(`${WORLD_FILE}: ${Buffer.byteLength(text)} bytes`);
    return 0;
  });
