/** Where the circle of each origin is put, in degrees. */
import { geoArea, geoCentroid } from 'd3-geo';
import type { Polygon } from 'geojson';
import { getCountries } from 'libphonenumber-js/max';
import { type Rings, readShapes, ringsOf } from './atlas.ts';

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
export function placesByOrigin(): ReadonlyMap<string, LonLat> {
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
