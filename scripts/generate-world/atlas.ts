/** The outlines of the package world-atlas (Natural Earth, public domain), as GeoJSON. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FeatureCollection, MultiPolygon, Polygon } from 'geojson';
import { feature } from 'topojson-client';
import type { GeometryCollection, Topology } from 'topojson-specification';

const ATLAS = join(import.meta.dirname, '..', '..', 'node_modules', 'world-atlas');

export type Shapes = FeatureCollection<Polygon | MultiPolygon, { readonly name?: string }>;
/** Rings of [longitude, latitude] in degrees: the outer one, then its holes. */
export type Rings = Polygon['coordinates'];

/** @param name of the file and of the object in it, such as `land` at `110m` */
export function readShapes(name: 'land' | 'countries', scale: '110m' | '50m'): Shapes {
  const topology = JSON.parse(readFileSync(join(ATLAS, `${name}-${scale}.json`), 'utf8')) as Topology;
  const object = topology.objects[name];
  if (object?.type !== 'GeometryCollection') throw new Error(`world-atlas has no collection "${name}" at ${scale}`);
  return feature(topology, object as GeometryCollection) as Shapes;
}

export function polygonsOf(shapes: Shapes): Rings[] {
  return shapes.features.flatMap(({ geometry }) => ringsOf(geometry));
}

export function ringsOf(geometry: Polygon | MultiPolygon): Rings[] {
  return geometry.type === 'Polygon' ? [geometry.coordinates] : geometry.coordinates;
}
