import { expect } from 'vitest';
import { loadManifest } from '../../src/merge/publish-manifest.ts';
import { tick } from '../../src/merge/tick.ts';
import type { World } from './world.ts';

/** As if the tick had lost the race for its compaction: the run that it published stands beside the others. */
export async function tickWithoutCompaction(world: World): Promise<void> {
  const generation = (await loadManifest(world.objects)).manifest.generation;
  let swaps = 0;
  world.storeLog.beforeCall = async (name) => {
    if (name === 'put manifest') swaps += 1;
    if (name === 'put manifest' && swaps >= 2) throw new Error('injected: stopped before the second swap');
  };
  await tick(world).catch((error: Error) => expect(error.message).toContain('injected'));
  world.storeLog.beforeCall = async () => {};
  expect((await loadManifest(world.objects)).manifest.generation).toBe(generation + 1);
}
