/** Broken objects of batches that were taken back. */
import { tick } from '../../../../../src/merge/tick.ts';
import { withdraw } from '../../../../../src/merge/withdraw.ts';
import type { World } from '../../../../support/world.ts';
import { alterPublished, flip, fourMinutes, keysOf, manifestOf } from '../support.ts';
import { type Damages, deleted, error } from './damage.ts';

/** One is withdrawn, one is being taken out. */
async function withdrawn(): Promise<World> {
  const world = await fourMinutes();
  await withdraw(world, 'b1', 'key-1');
  await tick(world);
  world.clock += 60_000;
  await withdraw(world, 'b2', 'key-1');
  return world;
}

const current = async (world: World) => (await manifestOf(world)).withdrawals?.key ?? '';

export const WITHDRAWALS: Damages = {
  'a damaged list': {
    breaks: async (world) => {
      const key = await current(world);
      await flip(world, key, 40);
      return [error('retained generations', key), error('withdrawn batches', key)];
    },
    says: /^RFWL: expected checksum .* No batch can be withdrawn, and no rollback made, until it is back/,
    store: withdrawn,
  },
  'the list of an earlier generation is gone': {
    breaks: async (world) => {
      const [first = ''] = await keysOf(world, 'withdrawals/');
      return [error('retained generations', await deleted(world, first))];
    },
    says: /^RFWL: withdrawals\/\S+ is missing\. Lookups are right\. A rollback to generation 5 will fail/,
    store: withdrawn,
  },
  'a damaged mark': {
    breaks: async (world) => {
      await flip(world, 'batches/withdrawn/b1', 20);
      return [error('withdrawn batches', 'batches/withdrawn/b1')];
    },
    says: /^RFWB: expected checksum .* The batch stays withdrawn/,
    store: withdrawn,
  },
  'a withdrawn batch that is gone is no error': {
    breaks: async (world) => [`warning: withdrawn batches: ${await deleted(world, 'batches/merged/b1')}`],
    says: /^is missing\. It is withdrawn, so nothing depends on it/,
    store: withdrawn,
  },
  'a batch that is gone while it is taken out': {
    breaks: async (world) => [error('withdrawn batches', await deleted(world, 'batches/merged/b2'))],
    says: /^is missing\. It is withdrawn, but what the inventory has of it cannot be taken out without it\. Rebuild/,
    store: withdrawn,
  },
  'a replacement of nothing': {
    breaks: async (world) => {
      await alterPublished(world, ({ withdrawals }) => ({ withdrawals: { ...withdrawals, replacing: true } }));
      return [error('manifest', 'manifest')];
    },
    says: /^takes out withdrawn batches, but has none, or no compaction that does/,
    store: withdrawn,
  },
};
