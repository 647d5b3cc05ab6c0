/**
 * Which runs are merged when: tiered by size, so that a minute's detections never rewrite the base, and a lookup
 * folds a handful of runs. A run is merged with what is newer once that has grown to a fifth of it, so a record is
 * rewritten some three times a tier, and 20.87 million numbers stand in at most six runs (docs/decisions/0005).
 */
import { type Run, runNumbers } from '../format/manifest.ts';

/** Runs up to this size are merged with whatever is newer at once: half a segment, two slices a minute to reload. */
export const SMALL_RUN = 32_768;
export const TIER_RATIO = 5;

/** How many of the newest runs belong together with `newer` records in front of them. */
function runsToJoin(sizes: readonly number[], newer: number, limit: number, smallRun: number): number {
  let total = newer;
  let joined = 0;
  for (const size of sizes) {
    if (size > Math.max(smallRun, TIER_RATIO * total) || total + size > limit) break;
    total += size;
    joined += 1;
  }
  return joined;
}

/** How many of the newest runs are rewritten together with `newRecords` detections, before those are served. */
export function planInline(
  runs: readonly Run[],
  compacting: readonly string[],
  newRecords: number,
  limit: number,
  smallRun = SMALL_RUN,
): number {
  const busy = runs.findIndex(({ id }) => compacting.includes(id));
  const free = busy === -1 ? runs : runs.slice(0, busy);
  return runsToJoin(free.map(runNumbers), newRecords, limit, smallRun);
}

/** The runs that a new compaction should merge, neighbours, newest first; none when the tiers are in order. */
export function planCompaction(runs: readonly Run[], smallRun = SMALL_RUN): readonly Run[] {
  const sizes = runs.map(runNumbers);
  for (let start = 0; start + 1 < sizes.length; start++) {
    const joined = runsToJoin(sizes.slice(start + 1), sizes[start] as number, Number.POSITIVE_INFINITY, smallRun);
    if (joined > 0) return runs.slice(start, start + 1 + joined);
  }
  return [];
}
