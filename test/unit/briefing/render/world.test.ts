import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { getCountries } from 'libphonenumber-js/max';
import { expect, test } from 'vitest';
import { generateWorld, WORLD_FILE } from '../../../../scripts/generate-world.ts';
import { worldMap } from '../../../../src/briefing/render/world-map.ts';
import { ANCHORS, LAND, WORLD_HEIGHT, WORLD_WIDTH } from '../../../../src/generated/world.ts';
import { FORTNIGHT } from './fixture.ts';

const PROJECT = join(import.meta.dirname, '..', '..', '..', '..');
const MAX_FILE_BYTES = 25 * 1024;
const anchors = new Map(
  ANCHORS.split(',').map((anchor): [string, number[]] => {
    const [group = '', ...at] = anchor.split(' ');
    return [group, at.map(Number)];
  }),
);

test('the map is what the script writes; otherwise: npm run generate-world', () => {
  const written = readFileSync(join(PROJECT, WORLD_FILE), 'utf8');
  expect(written === generateWorld()).toBe(true);
  expect(Buffer.byteLength(written)).toBeLessThan(MAX_FILE_BYTES);
  expect(LAND).toMatch(/^(M\d+,\d+l[-\d, ]+Z)+$/);
});

test('every country with a number plan has a place, on the map', () => {
  for (const country of [...getCountries(), 'US/Canada']) {
    const [x = -1, y = -1] = anchors.get(country) ?? [];
    expect(x >= 0 && x <= WORLD_WIDTH && y >= 0 && y <= WORLD_HEIGHT, country).toBe(true);
  }
});

test('places lie where they should to each other', () => {
  const at = (country: string) => anchors.get(country) ?? [];
  const isWestOf = (a: string, b: string) => (at(a)[0] ?? 0) < (at(b)[0] ?? 0);
  const isNorthOf = (a: string, b: string) => (at(a)[1] ?? 0) < (at(b)[1] ?? 0);
  expect(isWestOf('US/Canada', 'GB') && isWestOf('GB', 'RU') && isWestOf('VN', 'PH') && isWestOf('PH', 'FJ')).toBe(
    true,
  );
  expect(isNorthOf('HK', 'SG') && isNorthOf('SG', 'AU') && isNorthOf('SJ', 'NO') && isNorthOf('US', 'BR')).toBe(true);
  // Overseas parts do not pull France into the Atlantic.
  expect(isWestOf('ES', 'FR') && isWestOf('FR', 'DE') && isNorthOf('FR', 'ES')).toBe(true);
});

test('circles: area in proportion, one for each place, small places included', () => {
  const { markup } = worldMap(FORTNIGHT);
  const radii = new Map(
    [...markup.matchAll(/<circle [^>]*r="([\d.]+)"[^>]*><title>([^<]*): /g)].map(([, r, title = '']) => [
      title,
      Number(r),
    ]),
  );
  expect(radii.size).toBe(FORTNIGHT.origins.length - 1);
  expect(radii.has('International')).toBe(false);
  const largest = radii.get('US/Canada') ?? 0;
  const hongKong = radii.get('Hong Kong') ?? 0;
  expect((hongKong / largest) ** 2).toBeCloseTo(89_652 / 249_035, 2);
  expect(markup.match(/class="label /g)).toHaveLength(6);
  expect(radii.get('Singapore')).toBeGreaterThan(2);
  expect(Math.min(...radii.values())).toBeGreaterThanOrEqual(1.8);
});
