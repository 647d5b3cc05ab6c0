/** Broken copies of manifests, and a broken history. */
import { encodeHistory } from '../../../../../src/merge/history.ts';
import { alterManifest, alterPublished, flip, keyLike, manifestOf } from '../support.ts';
import { type Damages, deleted, error } from './damage.ts';

export const GENERATIONS: Damages = {
  'a missing retained manifest': {
    breaks: async (world) => [
      error('retained generations', await deleted(world, await keyLike(world, 'manifests/0000000002-'))),
    ],
    says: /^is missing\. Do not roll back to generation 2\./,
  },
  'a retained generation that the history does not lead to': {
    breaks: async (world) => {
      const { retained } = await manifestOf(world);
      await alterManifest(world, () => ({ commit: 'other' }), await keyLike(world, 'manifests/0000000002-'));
      const object = await world.objects.memory.get(`manifests/0000000002-${retained[1]?.commit}`);
      await world.objects.memory.put('manifests/0000000002-other', object?.bytes ?? new Uint8Array());
      await alterPublished(world, () => ({
        retained: retained.map((entry) => (entry.generation === 2 ? { ...entry, commit: 'other' } : entry)),
      }));
      return [
        error('retained generations', await keyLike(world, 'manifests/0000000003-')),
        error('history', 'manifest'),
      ];
    },
    says: /^has parent \w+, but generation 2 is commit other/,
  },
  'a damaged retained manifest': {
    breaks: async (world) => {
      const key = await keyLike(world, 'manifests/0000000003-');
      await flip(world, key, -1);
      return [error('retained generations', key)];
    },
    says: /^RFMF: expected checksum/,
  },
  'a retained manifest of another history': {
    breaks: async (world) => {
      const key = await keyLike(world, 'manifests/0000000003-');
      await alterManifest(world, () => ({ parent: 'another' }), key);
      return [error('retained generations', key)];
    },
    says: /^has parent another, but generation 2 is commit \w+\. Two histories were mixed/,
  },
  'the manifest of another generation': {
    breaks: async (world) => {
      const key = await keyLike(world, 'manifests/0000000003-');
      await alterManifest(world, () => ({ generation: 2 }), key);
      return [error('retained generations', key)];
    },
    says: /^is the manifest of generation 2/,
  },
  'no copy of the current manifest': {
    breaks: async (world) => [
      error('retained generations', await deleted(world, await keyLike(world, 'manifests/0000000004-'))),
    ],
    says: /^is missing: the copy of the current manifest\. Put a copy of the object manifest there/,
  },
  'a copy that is not like the current manifest': {
    breaks: async (world) => {
      const key = await keyLike(world, 'manifests/0000000004-');
      await alterManifest(world, () => ({ publishedAt: 1 }), key);
      return [error('retained generations', key)];
    },
    says: /^is not a copy of the current manifest/,
  },
  'a hole in the history': {
    breaks: async (world) => [error('history', await deleted(world, await keyLike(world, 'history/0000000002-')))],
    says: /^is missing\. Lookups are right\. Do not roll back beyond generation 2\.$/,
  },
  'a hole in the history where no manifest is retained either': {
    breaks: async (world) => {
      await alterPublished(world, ({ retained }) => ({
        retained: retained.filter(({ generation }) => generation !== 2),
      }));
      await deleted(world, await keyLike(world, 'manifests/0000000002-'));
      return [error('history', await deleted(world, await keyLike(world, 'history/0000000002-')))];
    },
    says: /^is missing/,
  },
  'a damaged object of the history': {
    breaks: async (world) => {
      const key = await keyLike(world, 'history/0000000003-');
      await flip(world, key, -1);
      return [error('history', key)];
    },
    says: /^RFHI: expected checksum/,
  },
  'a history that ends early': {
    breaks: async (world) => {
      const key = await keyLike(world, 'history/0000000003-');
      const commit = key.slice('history/0000000003-'.length);
      const entry = { generation: 3, commit, parent: null, writtenAt: 0, batches: ['b2'], replayed: [] };
      await world.objects.memory.put(key, encodeHistory([entry]));
      return [error('history', key)];
    },
    says: /^names null as its parent/,
  },
};
