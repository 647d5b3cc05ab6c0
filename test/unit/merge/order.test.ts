import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Detection } from '../../../src/format/attributes.ts';
import { EVIDENCE_ENTRIES } from '../../../src/format/evidence.ts';
import { inventoryNumbers } from '../../../src/format/manifest.ts';
import { loadManifest } from '../../../src/merge/publish-manifest.ts';
import { compactFully, drain } from '../../../src/merge/rebuild.ts';
import { tick } from '../../../src/merge/tick.ts';
import { detection, someDetections } from '../../support/detections.ts';
import { actualInventory, compactedBytes, expectedInventory, newWorld, upload } from '../../support/world.ts';

/** Uploads the parts one by one, with a tick after those whose index is in `ticksAfter`, then merges the rest. */
async function merged(
  parts: readonly (readonly Detection[])[],
  ticksAfter: (i: number) => boolean,
  inlineRecords: number,
) {
  const world = newWorld({ inlineRecords, compactionSegments: 1 });
  for (const [i, part] of parts.entries()) {
    await upload(world, `b${String(i).padStart(4, '0')}`, part);
    if (ticksAfter(i)) await tick(world);
    world.clock += 60_000;
  }
  await drain(world);
  return world;
}

describe('the same detections in any order and any batching', () => {
  test('give the records of a straight computation, and fully compacted the same bytes', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(detection, { minLength: 1, maxLength: 120 }),
        fc.array(fc.nat(), { minLength: 120, maxLength: 120 }),
        fc.integer({ min: 1, max: 9 }),
        fc.nat({ max: 7 }),
        fc.constantFrom(1, 50, 1_000_000),
        async (detections, keys, partCount, tickMask, inlineRecords) => {
          const expected = expectedInventory(detections);
          const shuffled = detections.map((d, i) => [keys[i] as number, d] as const).sort(([a], [b]) => a - b);
          const parts: Detection[][] = Array.from({ length: partCount }, () => []);
          for (const [i, [key, d]] of shuffled.entries()) parts[(key + i) % partCount]?.push(d);
          const world = await merged(parts, (i) => ((tickMask >> (i % 3)) & 1) === 1, inlineRecords);
          expect(await actualInventory(world.objects)).toEqual(expected);
          const { manifest } = await loadManifest(world.objects);
          expect(inventoryNumbers(manifest)).toBe(expected.size);

          const once = await merged([detections], () => false, 1_000_000);
          await compactFully(world);
          await compactFully(once);
          expect(await compactedBytes(world.objects)).toEqual(await compactedBytes(once.objects));
          expect(await actualInventory(world.objects)).toEqual(expected);
          expect(inventoryNumbers((await loadManifest(world.objects)).manifest)).toBe(expected.size);
          expect(world.storeLog.violations).toEqual([]);
        },
      ),
      { numRuns: 60 },
    );
  });

  test('a number with more attributes than are kept counts every sighting, and keeps the same evidence', async () => {
    const [base] = someDetections(1, 1);
    if (base === undefined) throw new Error('no detection');
    const many = Array.from({ length: EVIDENCE_ENTRIES + 200 }, (_, i) => ({
      ...base,
      project: `project ${i % (EVIDENCE_ENTRIES + 50)}`,
      observedAt: base.observedAt + i,
    }));
    const worlds = [
      await merged([many], () => false, 1_000_000),
      await merged(
        many.toReversed().map((d) => [d]),
        (i) => i % 7 === 0,
        10,
      ),
    ];
    for (const world of worlds) await compactFully(world);
    const [one, other] = await Promise.all(worlds.map(({ objects }) => actualInventory(objects)));
    const record = one?.get(base.number);
    expect(record?.sightings).toBe(EVIDENCE_ENTRIES + 200);
    expect(Object.keys(record?.evidence ?? {})).toHaveLength(EVIDENCE_ENTRIES);
    expect(other).toEqual(one);
  });
});
