/** What a store must be once everything is over: nothing waits, nothing is lost, sound by fsck, and to be rebuilt. */

import type { MergeContext } from '../../../src/merge/context.ts';
import { loadManifest } from '../../../src/merge/publish.ts';
import { compactFully } from '../../../src/merge/rebuild.ts';
import { parseBounds } from '../../../src/quality/bounds.ts';
import { MemoryObjectStore, MemorySliceStore } from '../../../src/store/memory.ts';
import { checkStore } from '../../fsck/check-store.ts';
import { Findings } from '../../fsck/findings.ts';
import { Progress } from '../../fsck/progress.ts';
import { rebuild } from '../../fsck/rebuild.ts';
import type { Town } from './actors/actor.ts';
import { isInInventory } from './model/generation.ts';
import type { World } from './world.ts';

/**
 * Ticks until a store is at rest: more than there are batches, each of which may take one, and a compaction. With the
 * smallest budgets a withdrawal computes one number at a time, and every one takes a compaction of a segment a tick.
 */
const MAX_TICKS = 2_000;
const TICK_MS = 60_000;

/** In calm weather: cron goes on until there is nothing left for it to do. */
export async function comeToRest(world: World): Promise<void> {
  for (let ticks = 0; ticks < MAX_TICKS; ticks++) {
    await world.scheduler.sleep(TICK_MS);
    const isolate = world.newIsolate();
    const outcome = await isolate.cron('* * * * *');
    isolate.evict();
    if (outcome !== 'done') world.broken('a tick in calm weather succeeds', outcome?.failure ?? 'it was stopped');
    if (world.isOver || isAtRest(world)) return;
  }
  world.broken('a store comes to rest', `not within ${MAX_TICKS} ticks`);
}

function isAtRest({ model, bucket }: World): boolean {
  const { replay, ledger, isCompacting, pending } = model.current;
  const isDue = [...ledger.cases.values()].some(({ due }) => due.size > 0);
  return (
    replay.size === 0 && pending.size === 0 && !isDue && !isCompacting && bucket.keys('batches/waiting/').length === 0
  );
}

/** Everything that was acknowledged is in the inventory, or kept out of it as people and bounds have decided. */
export function checkNothingLost({ world, acknowledged }: Town): void {
  const { merged } = world.model.current;
  for (const { batch, feed } of acknowledged) {
    const isThere = merged.has(batch) && world.bucket.get(`batches/merged/${batch}`) !== undefined;
    const isEmpty = feed.body.detections.length === 0;
    if (!isThere && !isEmpty) world.broken('nothing acknowledged is lost', batch);
  }
}

/** Beside the virtual clock: on copies of the stores, with real time and real files. */
export async function checkStores(world: World): Promise<void> {
  const original = await copyOf(world);
  const progress = new Progress({ isTerminal: false, write: () => {} }, () => 0);
  const findings = new Findings();
  await checkStore({ ...original, findings, progress }, { verifyBatches: true });
  if (!findings.isSound) {
    const problem = findings.checks.flatMap(({ problems }) => problems).find(({ severity }) => severity === 'error');
    return world.broken('a store at rest passes fsck', `${problem?.key}: ${problem?.what}`);
  }
  // There must be something to build a store from.
  const { current, batches } = world.model;
  if (![...batches.keys()].some((batch) => isInInventory(current, batch))) return;
  const rebuilt = contextOn(world, { objects: new MemoryObjectStore(), slices: new MemorySliceStore() });
  await rebuild(original.objects, rebuilt, progress);
  await compactFully(contextOn(world, original));
  const [ours, theirs] = [await segmentsOf(original.objects), await segmentsOf(rebuilt.objects as MemoryObjectStore)];
  const isSame =
    ours.length === theirs.length && ours.every((bytes, i) => Buffer.compare(bytes, theirs[i] ?? bytes) === 0);
  if (!isSame) world.broken('a store is rebuilt from its batches to the same bytes', `${ours.length} segments`);
}

interface Copies {
  readonly objects: MemoryObjectStore;
  readonly slices: MemorySliceStore;
}

async function copyOf({ bucket, cache }: World): Promise<Copies> {
  const objects = new MemoryObjectStore();
  const slices = new MemorySliceStore();
  for (const key of bucket.keys('')) await objects.put(key, bucket.get(key)?.bytes ?? new Uint8Array());
  for (const [key, { bytes, writtenAt }] of cache.all()) await slices.put(key, bytes, writtenAt);
  return { objects, slices };
}

function contextOn({ deps, now }: World, { objects, slices }: Copies): MergeContext {
  let ids = 0;
  return {
    objects,
    slices,
    now: () => now,
    delay: async () => {},
    randomId: () => `rebuilt${String(++ids).padStart(25, '0')}`,
    log: () => {},
    budget: deps.budget,
    bounds: parseBounds(deps.settings.RINGFENCE_QUALITY),
  };
}

async function segmentsOf(objects: MemoryObjectStore): Promise<Uint8Array[]> {
  const { manifest } = await loadManifest(objects);
  const segments: Uint8Array[] = [];
  for (const { key } of manifest.runs.flatMap((run) => run.segments)) {
    segments.push((await objects.get(key))?.bytes ?? new Uint8Array());
  }
  return segments;
}
