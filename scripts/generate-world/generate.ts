/** The text of the map's file. */
import { geoEqualEarth, geoPath } from 'd3-geo';
import { landWithoutAntarctica, outlinePath } from './outline.ts';
import { placesByOrigin } from './places.ts';

export const WORLD_FILE = 'src/briefing/render/world.ts';
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
