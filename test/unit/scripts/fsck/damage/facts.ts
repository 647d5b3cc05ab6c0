/** Broken activity objects. */
import type { ActivityEntry } from '../../../../../src/format/manifest.ts';
import type { World } from '../../../../support/world.ts';
import { alter, flip, keysOf, manifestOf } from '../support.ts';
import { type Damages, deleted, error } from './damage.ts';

async function firstFacts(world: World): Promise<ActivityEntry> {
  const [entry] = (await manifestOf(world)).activity;
  if (entry === undefined) throw new Error('there is no activity');
  return entry;
}

async function otherFacts(world: World): Promise<string> {
  const { key } = await firstFacts(world);
  return (await keysOf(world, 'facts/')).find((candidate) => candidate !== key) ?? '';
}

export const FACTS: Damages = {
  'a missing activity object': {
    breaks: async (world) => [error('activity', await deleted(world, (await firstFacts(world)).key))],
    says: /^is missing\. Lookups are right; briefings of its days cannot be made/,
  },
  'another whole activity object in its place': {
    breaks: async (world) => {
      const { key } = await firstFacts(world);
      const object = await world.objects.memory.get(await otherFacts(world));
      await alter(world, key, (bytes) => object?.bytes ?? bytes);
      return [error('activity', key)];
    },
    says: /expected the directory that the manifest names, found another/,
  },
  "a flipped bit in an activity object's directory": {
    breaks: async (world) => {
      const { key } = await firstFacts(world);
      await flip(world, key, 20);
      return [error('activity', key)];
    },
    says: /expected the directory/,
  },
  'a flipped bit in a block of activity': {
    breaks: async (world) => {
      const { key, bytes } = await firstFacts(world);
      await flip(world, key, bytes - 1);
      return [error('activity', key)];
    },
    says: /block \d+ of day \d+ is damaged/,
  },
  'a missing activity object that only a retained generation names': {
    breaks: async (world) => [error('activity only they name', await deleted(world, await otherFacts(world)))],
    says: /^is missing\. Lookups and briefings are right\. Do not roll back to generation/,
  },
};
