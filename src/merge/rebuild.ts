/** Merging until nothing is left to merge: what a rebuild from the kept batches ends with. */

import type { Run } from '../format/manifest.ts';
import { compact } from './compact.ts';
import type { MergeContext } from './context.ts';
import type { LoadedManifest } from './last-published.ts';
import { loadManifest } from './publish-manifest.ts';
import { tick } from './tick.ts';

/** Far beyond what the largest store needs; a store that does not come to rest is reported, not looped on. */
const MAX_STEPS = 100_000;

/** Runs ticks until no batch is waiting or to be replayed. */
export async function drain(context: MergeContext): Promise<void> {
  for (let step = 0; step < MAX_STEPS; step++) {
    const result = await tick(context);
    if (result.batches === 0 && !result.lostRace) return;
  }
  throw new Error(`batches are still waiting after ${MAX_STEPS} ticks`);
}

/** Compacts until a single run is left, or none. */
export async function compactFully(context: MergeContext): Promise<LoadedManifest> {
  const everything = (runs: readonly Run[]) => (runs.length > 1 ? runs : []);
  for (let step = 0; step < MAX_STEPS; step++) {
    const base = await loadManifest(context.objects);
    if (base.manifest.runs.length <= 1 && base.manifest.compaction === null) return base;
    await compact(context, base, everything);
  }
  throw new Error(`the runs are not compacted after ${MAX_STEPS} steps`);
}
