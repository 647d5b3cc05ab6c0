/** Broken and misplaced batches. */
import { openBatch } from '../../../../../src/format/batch.ts';
import { rollback } from '../../../../../src/merge/rollback.ts';
import { someDetections } from '../../../../support/detections.ts';
import { newWorld, upload } from '../../../../support/world.ts';
import { flip, keyLike, PARTS } from '../support.ts';
import { type Damages, deleted, error, rewriteHistory } from './damage.ts';

export const BATCHES: Damages = {
  'a missing merged batch': {
    breaks: async (world) => [error('merged batches', await deleted(world, 'batches/merged/b1'))],
    says: /^is missing, and does not wait either; generation 2 merged it\. .*put it back from a copy/,
  },
  'a missing batch that is set aside': {
    breaks: async (world) => {
      await rollback(world, 2, { requeue: false });
      return [error('merged batches', await deleted(world, 'batches/merged/b2'))];
    },
    says: /merged it\. It is kept out of the inventory, and a rebuild goes on without it: put it back/,
  },
  'a damaged batch that is set aside': {
    breaks: async (world) => {
      await rollback(world, 2, { requeue: false });
      await flip(world, 'batches/merged/b2', 100);
      return [error('merged batches', 'batches/merged/b2')];
    },
    says: /^RFBA: expected checksum.*\. It is kept out of the inventory/,
  },
  'a missing batch that is to be merged again': {
    breaks: async (world) => {
      await rollback(world, 2, { requeue: true });
      return [error('merged batches', await deleted(world, 'batches/merged/b3'))];
    },
    says: /merged it\. It is kept out of the inventory/,
  },
  'a damaged merged batch': {
    breaks: async (world) => {
      await flip(world, 'batches/merged/b2', 100);
      return [error('merged batches', 'batches/merged/b2')];
    },
    says: /^RFBA: expected checksum/,
  },
  'a batch that two generations merged': {
    breaks: async (world) => {
      const key = await keyLike(world, 'history/0000000002-');
      await rewriteHistory(world, key, ['b1', 'b3']);
      return [error('history', key)];
    },
    says: /^merged batch b3, and generation 4 merged it again: its sightings count twice/,
  },
  'a batch merged again that was never merged': {
    breaks: async (world) => {
      const key = await keyLike(world, 'history/0000000002-');
      await rewriteHistory(world, key, ['b1'], ['elsewhere']);
      return [error('history', key)];
    },
    says: /^merged batch elsewhere again, which was never merged before/,
  },
  'a batch among the merged ones that nobody merged': {
    breaks: async (world) => {
      const object = await world.objects.memory.get('batches/merged/b1');
      await world.objects.memory.put('batches/merged/b9', object?.bytes ?? new Uint8Array());
      return [error('merged batches', 'batches/merged/b9')];
    },
    says: /^is among the merged batches, but no generation merged it/,
  },
  'a merged batch that waits again': {
    breaks: async (world) => {
      const object = await world.objects.memory.get('batches/merged/b1');
      await world.objects.memory.put('batches/waiting/b1', object?.bytes ?? new Uint8Array());
      // A batch in both places is dropped by the next tick; one whose merged copy is gone as well would be merged
      // again.
      await deleted(world, 'batches/merged/b1');
      return [error('waiting batches', 'batches/waiting/b1')];
    },
    says: /^was merged before, and the next tick will merge it again: its sightings will count twice\. Stop the ticks/,
  },
  'a waiting batch that cannot be read': {
    breaks: async (world) => {
      await world.objects.memory.put('batches/waiting/b9', new Uint8Array(40));
      return [error('waiting batches', 'batches/waiting/b9')];
    },
    says: /^expected magic RFBA.*Nothing of it is in the inventory/,
  },
  'a batch replaced by another': {
    breaks: async (world) => {
      const other = newWorld();
      await upload(other, 'b1', someDetections(60, 77, 200));
      const object = await other.objects.memory.get('batches/waiting/b1');
      if (object === null || openBatch(object.bytes).rows !== PARTS[1]?.length) throw new Error('no batch');
      await world.objects.memory.put('batches/merged/b1', object.bytes);
      return [error('inventory against its batches', 'manifest')];
    },
    says: /^has an inventory of \d+ numbers; its batches give \d+, and the two differ from segment 1 of 1 on\. Some lookups/,
  },
};
