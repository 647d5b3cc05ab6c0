import { expect, test } from 'vitest';
import { isSound, type LoadResult, runLoad } from '../../bench/simulate/load/load.ts';

const KILLS = 2;

test('under load, killed as a whole and at its runtime: nothing acknowledged is lost, and nothing fails but at the kills', async () => {
  const result = await runLoad({ clients: 16, seconds: 6, kills: KILLS, seed: 7 });
  expect(result).toMatchObject({ wrong: [], figures: { errors: [], faults: [] } });
  expect(result.figures.uploads).toBeGreaterThan(50);
  expect(result.figures.resets).toBeGreaterThan(0);
  expect(result.downMs).toHaveLength(KILLS);
}, 120_000);

test('a run is not sound with a number wrong at rest, an error, an impossible answer, or nothing acknowledged', () => {
  const figures = { lookups: 1, uploads: 1, resent: 0, resets: 0, lookupMs: [], uploadMs: [], errors: [], faults: [] };
  const options = { clients: 1, seconds: 1, kills: 0, seed: 1 };
  const sound: LoadResult = {
    options,
    figures,
    acknowledged: 1,
    numbers: 1,
    ticks: 1,
    failedTicks: 0,
    downMs: [],
    wrong: [],
  };
  expect(isSound(sound)).toBe(true);
  expect(isSound({ ...sound, wrong: ['expected 1 to 1 sightings; found clear with 0'] })).toBe(false);
  expect(isSound({ ...sound, figures: { ...figures, errors: ['/v1/lookup answers 500'] } })).toBe(false);
  expect(isSound({ ...sound, figures: { ...figures, faults: ['listed with 2 sightings'] } })).toBe(false);
  expect(isSound({ ...sound, acknowledged: 0 })).toBe(false);
});
