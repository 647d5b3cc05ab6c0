/** Broken segments and slices. */
import {
  evidenceBlocksOffset,
  evidenceIndexOffset,
  segmentBytes,
  verdictsOffset,
} from '../../../../../src/format/segment.ts';
import type { World } from '../../../../support/world.ts';
import { alter, duringCompaction, firstSegment, flip, keysOf, outputOf } from '../support.ts';
import { type Damages, deleted, error } from './damage.ts';

export const SEGMENTS: Damages = {
  'a missing segment': {
    breaks: async (world) => [error('segments in use', await deleted(world, (await firstSegment(world)).key))],
    says: /^is missing\. Lookups of its numbers fail/,
  },
  'another whole segment in its place': {
    breaks: async (world) => {
      const { key } = await firstSegment(world);
      const other = (await keysOf(world, 'segments/')).find((candidate) => candidate !== key);
      const object = await world.objects.memory.get(other ?? '');
      await alter(world, key, (bytes) => object?.bytes ?? bytes);
      return [error('segments in use', key)];
    },
    says: /^is another segment than the manifest says: (first, )?(last, )?count, numbers, verdicts/,
  },
  ...Object.fromEntries(
    Object.entries({
      header: () => 20,
      numbers: () => 64 + 30,
      verdicts: (entry: Awaited<ReturnType<typeof firstSegment>>) => verdictsOffset(entry) + 30,
      'evidence index': (entry: Awaited<ReturnType<typeof firstSegment>>) => evidenceIndexOffset(entry) + 30,
      evidence: (entry: Awaited<ReturnType<typeof firstSegment>>) => evidenceBlocksOffset(entry) + 3,
      footer: (entry: Awaited<ReturnType<typeof firstSegment>>) => segmentBytes(entry) - 20,
    }).map(([part, at]) => [
      `a flipped bit in a segment's ${part}`,
      {
        breaks: async (world: World) => {
          const entry = await firstSegment(world);
          await flip(world, entry.key, at(entry));
          return [error('segments in use', entry.key)];
        },
        says: /expected|damaged/,
      },
    ]),
  ),
  'a missing segment of a compaction under way': {
    breaks: async (world) => {
      const [written] = await outputOf(world);
      const key = written?.key ?? '';
      return [error('segments in use', await deleted(world, key))];
    },
    says: /^is missing/,
    store: duringCompaction,
  },
  'a missing segment that only a retained generation names': {
    breaks: async (world) => {
      const { key } = await firstSegment(world);
      const other = (await keysOf(world, 'segments/')).find((candidate) => candidate !== key) ?? '';
      return [error('segments only they name', await deleted(world, other))];
    },
    says: /^is missing\. Lookups are right\. Do not roll back to generation \d\.$/,
  },
};

export const SLICES: Damages = {
  'a flipped bit in a slice': {
    breaks: async (world) => {
      const { sha256 } = (await firstSegment(world)).verdicts;
      const bytes = await world.slices.memory.get(sha256);
      if (bytes === null) throw new Error('no slice');
      bytes[40] = (bytes[40] ?? 0) ^ 1;
      await world.slices.memory.put(sha256, bytes, 0);
      return [error('slices in KV', sha256)];
    },
    says: /^is not the slice of the verdicts of segments\/.*Delete this key from KV/,
  },
  'a missing slice is no error': {
    breaks: async (world) => {
      const { sha256 } = (await firstSegment(world)).numbers;
      await world.slices.memory.delete(sha256);
      return [`warning: slices in KV: ${sha256}`];
    },
    says: /^is missing: the slice of the numbers of segments\/.*Nothing needs to be done/,
  },
};
