/** Broken manifests. */

import { NO_OUTPUT } from '../../../../../src/format/manifest.ts';
import { writeSetAside } from '../../../../../src/merge/failing-batches.ts';
import { tick } from '../../../../../src/merge/tick.ts';
import type { World } from '../../../../support/world.ts';
import { alterManifest, alterPublished, duringCompaction, flip, keyLike, manifestOf } from '../support.ts';
import { type Damages, deleted, error } from './damage.ts';

/** Names batches as set aside. Returns the key of the list. */
async function setAside(world: World, ids: readonly string[]): Promise<string> {
  const list = ids.map((id) => ({ id, reason: 'rollback' as const, detail: null, at: world.clock, by: null }));
  const written = await writeSetAside(world.objects.memory, 99, 'by-hand', list);
  await alterPublished(world, () => ({ setAside: written }));
  return written.key ?? '';
}

export const MANIFESTS: Damages = {
  'a wrong count of first-time numbers': {
    breaks: async (world) => {
      await alterPublished(world, ({ runs }) => ({
        runs: runs.map((run, i) => ({ ...run, newNumbers: run.newNumbers + (i === 0 ? 1 : 0) })),
      }));
      return [error('numbers, each counted once', 'manifest')];
    },
    says: /^says that \d+ numbers of run \w+ are in no older run; there are \d+\. Lookups are right/,
  },
  'counts of two runs that add up but are not theirs': {
    breaks: async (world) => {
      await alterPublished(world, ({ runs }) => ({
        runs: runs.map((run, i) => ({ ...run, newNumbers: run.newNumbers + (i === 0 ? 7 : -7) })),
      }));
      return [error('numbers, each counted once', 'manifest'), error('numbers, each counted once', 'manifest')];
    },
    says: /^says that/,
    store: duringCompaction,
  },
  'a compaction that wrote less than it says': {
    breaks: async (world) => {
      await alterPublished(world, ({ compaction }) => ({ compaction: { ...compaction, output: NO_OUTPUT } }));
      return [error('numbers, each counted once', 'manifest')];
    },
    says: /^has a compaction that wrote 0 numbers where its runs have \d+/,
    store: duringCompaction,
  },
  'a compaction whose list of output is gone': {
    breaks: async (world) => [error('manifest', await deleted(world, await keyLike(world, 'compactions/')))],
    says: /^RFCO: .* is missing\. Nothing is lost, and lookups are right: the next tick begins the compaction anew/,
    store: duringCompaction,
  },
  'a compaction whose list of output is damaged': {
    breaks: async (world) => {
      const key = await keyLike(world, 'compactions/');
      await flip(world, key, 20);
      return [error('manifest', key)];
    },
    says: /^RFCO: expected checksum/,
    store: duringCompaction,
  },
  'a compaction whose list of output is that of another chunk': {
    breaks: async (world) => {
      const { key } = (await manifestOf(world)).compaction?.output ?? NO_OUTPUT;
      await alterPublished(world, ({ compaction }) => ({ compaction: { ...compaction, output: { key, count: 2 } } }));
      return [error('manifest', key ?? '')];
    },
    says: /^RFCO: expected 2 segments in compactions\/.*, found 1/,
    store: duringCompaction,
  },
  'a list of output that only a retained generation names': {
    breaks: async (world) => {
      const key = await keyLike(world, 'compactions/');
      while ((await manifestOf(world)).compaction !== null) await tick(world);
      return [error('retained generations', await deleted(world, key))];
    },
    says: /^RFCO: .* is missing\. Lookups are right, and a rollback has no use for it/,
    store: duringCompaction,
  },
  'a flipped bit': {
    breaks: async (world) => {
      await flip(world, 'manifest', 100);
      return [error('manifest', 'manifest')];
    },
    says: /^RFMF: expected checksum .* Put a copy of manifests\/0000000004-\w+ in its place and check again/,
  },
  'no manifest any more': {
    breaks: async (world) => [error('manifest', await deleted(world, 'manifest'))],
    says: /^is missing, but there is manifests\/.*Ticks stop, and lookups answer unknown, until it is back\. Put a copy of manifests\/0000000004-\w+ in its place/,
  },
  'segments that overlap': {
    breaks: async (world) => {
      await alterManifest(world, ({ runs }) => ({
        runs: runs.map((run) => ({
          ...run,
          segments: run.segments.flatMap((entry) => [entry, { ...entry, first: entry.last }]),
        })),
      }));
      return [error('manifest', 'manifest')];
    },
    says: /out of number order/,
  },
  'a phone number where it does not belong': {
    breaks: async (world) => {
      await alterManifest(world, ({ runs }) => ({ publishedAt: `${runs[0]?.segments[0]?.first}` }));
      return [error('manifest', 'manifest')];
    },
    says: /publishedAt/,
  },
  'a compaction of runs that are gone': {
    breaks: async (world) => {
      await alterPublished(world, () => ({ compaction: { inputs: ['x', 'y'], output: NO_OUTPUT, resumeFrom: 0 } }));
      return [error('manifest', 'manifest')];
    },
    says: /^has a compaction of runs that are not neighbours/,
  },
  'a batch set aside that was never merged': {
    breaks: async (world) => {
      await setAside(world, ['elsewhere']);
      return [error('history', 'manifest')];
    },
    says: /^has batch elsewhere set aside, which was never merged/,
  },
  'a batch set aside twice': {
    breaks: async (world) => {
      await setAside(world, ['b1', 'b1']);
      return [error('batches set aside', 'manifest'), error('inventory against its batches', 'manifest')];
    },
    says: /^has a batch set aside twice/,
  },
  'a batch set aside and to be merged again': {
    breaks: async (world) => {
      await alterPublished(world, () => ({ replay: ['b1'] }));
      await setAside(world, ['b1']);
      return [error('batches set aside', 'manifest'), error('inventory against its batches', 'manifest')];
    },
    says: /^has a batch both set aside and to be merged again/,
  },
  'a list of batches set aside that is gone': {
    breaks: async (world) => {
      const key = await setAside(world, ['b1']);
      await deleted(world, `${key}-000000`);
      return [error('batches set aside', key)];
    },
    says: /^RFSA: .* is missing\. Lookups are right, but no rollback can be made/,
  },
  'a list of batches set aside that is not the one meant': {
    breaks: async (world) => {
      const key = await setAside(world, ['b1', 'b2']);
      await alterPublished(world, () => ({ setAside: { key, count: 1 } }));
      return [error('batches set aside', key)];
    },
    says: /^RFSA: expected 1 batches set aside, found 2/,
  },
};
