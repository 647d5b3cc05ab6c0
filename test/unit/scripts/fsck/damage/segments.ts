/** Broken segments and slices. */
import { evidenceIndexOffset, verdictsOffset } from '../../../../../src/format/segment.ts';
import type { World } from '../../../../support/world.ts';
import { withTrailing } from '../../../format/support/damage.ts';
import {
  alter,
  alterPublished,
  compacted,
  duringCompaction,
  firstSegment,
  flip,
  keysOf,
  manifestOf,
  outputOf,
} from '../support.ts';
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
    says: /^(range \d+\+\d+ is outside|expected \d+ bytes)/,
  },
  'a row of the manifest that tells of another segment': {
    breaks: async (world) => {
      const { key } = await firstSegment(world);
      await alterPublished(world, ({ runs }) => ({
        runs: runs.map((run) => ({
          ...run,
          segments: run.segments.map((entry) => ({
            ...entry,
            count: entry.count - 1,
            verdictsBytes: entry.verdictsBytes + 8,
          })),
        })),
      }));
      return [error('segments in use', key)];
    },
    says: /^is another segment than the manifest says: count, verdictsBytes/,
  },
  ...Object.fromEntries(
    Object.entries({
      header: () => 20,
      numbers: () => 64 + 30,
      verdicts: (entry: Awaited<ReturnType<typeof firstSegment>>) => verdictsOffset(entry) + 30,
      'evidence index': (entry: Awaited<ReturnType<typeof firstSegment>>) => evidenceIndexOffset(entry) + 30,
      evidence: (entry: Awaited<ReturnType<typeof firstSegment>>) => evidenceIndexOffset(entry) + 8 * 24 + 3,
      footer: (entry: Awaited<ReturnType<typeof firstSegment>>) => entry.bytes - 20,
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

/** Packs: two segments in one object, beside one more of another size. */
export const PACKS: Damages = {
  'a pack with bytes behind its segments': {
    breaks: async (world) => {
      const { key } = await firstSegment(world);
      await alter(world, key, (bytes) => withTrailing(bytes, 8));
      return [error('segments in use', key)];
    },
    says: /^has \d+ bytes where its segments end at \d+/,
  },
  'a pack with a segment that nothing names': {
    store: duringCompaction,
    breaks: async (world) => {
      const { runs } = await manifestOf(world);
      const { key } = runs[0]?.segments[0] ?? { key: '' };
      await alterPublished(world, (manifest) => ({
        runs: manifest.runs.map((run, i) => (i === 0 ? { ...run, segments: run.segments.slice(1) } : run)),
      }));
      return [error('segments in use', key)];
    },
    says: /^has a segment at \d+ where the one before ends at 0/,
  },
};

export const SLICES: Damages = {
  'a flipped bit in a slice': {
    store: compacted,
    breaks: async (world) => {
      const { sha256 } = (await firstSegment(world)).numbers;
      const bytes = await world.slices.memory.get(sha256);
      if (bytes === null) throw new Error('no slice');
      bytes[40] = (bytes[40] ?? 0) ^ 1;
      await world.slices.memory.put(sha256, bytes, 0);
      return [error('slices in KV', sha256)];
    },
    says: /^is not the slice of the numbers of segments\/.*Delete this key from KV/,
  },
  'a missing slice is no error': {
    store: compacted,
    breaks: async (world) => {
      const { sha256 } = (await firstSegment(world)).numbers;
      await world.slices.memory.delete(sha256);
      return [`warning: slices in KV: ${sha256}`];
    },
    says: /^is missing: the slice of the numbers of segments\/.*Nothing needs to be done/,
  },
};
