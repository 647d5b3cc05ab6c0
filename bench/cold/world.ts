/** The inventory with the fortnight merged on top of it, as a store in service is: a base and a few newer runs. */
import type { Manifest } from '../../src/format/manifest.ts';
import { openNumbersSlice } from '../../src/format/numbers-slice.ts';
import { KeyRegistry } from '../../src/keys/registry.ts';
import { loadManifest } from '../../src/merge/publish.ts';
import { tick } from '../../src/merge/tick.ts';
import { readColumn } from '../../src/store/columns.ts';
import { WAITING_PREFIX } from '../../src/store/keys.ts';
import type { ObjectStore, SliceStore } from '../../src/store/store.ts';
import { type BenchInventory, benchContext, openStores } from '../support/inventory.ts';
import { OverlaySliceStore } from '../support/overlay-slices.ts';
import { OverlayObjectStore } from '../support/overlay-store.ts';
import { batchOf, uploadsOf } from '../support/upload.ts';

/** Enough that runs of several sizes stand side by side at the end. */
const TICKS = 24;
/** The published number of client enterprises: a key each. */
const ENTERPRISES = 200;

export interface ServedWorld {
  readonly objects: ObjectStore;
  readonly slices: SliceStore;
  readonly manifest: Manifest;
  /** One of the 200 keys. */
  readonly token: string;
}

export async function servedWorld({ folder, fortnightCsv }: BenchInventory): Promise<ServedWorld> {
  const below = openStores(folder);
  const objects = new OverlayObjectStore(below.objects);
  const slices = new OverlaySliceStore(below.slices);
  const context = benchContext({ objects, slices });
  for (const [i, texts] of uploadsOf(fortnightCsv, TICKS).entries()) {
    for (const [j, csv] of texts.entries()) {
      await objects.put(`${WAITING_PREFIX}${String(i).padStart(3, '0')}-${j}`, await batchOf(csv));
    }
    await tick(context);
  }
  // Minutes without detections, until nothing is left to compact: 24 times 40,000 came at once, and not in a fortnight.
  for (let before = -1; before !== (await loadManifest(objects)).manifest.generation; ) {
    before = (await loadManifest(objects)).manifest.generation;
    await tick(context);
  }
  return { objects, slices, manifest: (await loadManifest(objects)).manifest, token: await addKeys(objects) };
}

/** @param sleep how long a lookup waits for a refresh of the keys it has, and a change for its next try */
export function registryOn(objects: ObjectStore, sleep: () => Promise<void>): KeyRegistry {
  return new KeyRegistry({
    objects,
    now: () => Date.now(),
    adminKey: null,
    waitUntil: () => {},
    report: (error) => console.error(error),
    randomBytes: (length) => crypto.getRandomValues(new Uint8Array(length)),
    sleep,
  });
}

async function addKeys(objects: ObjectStore): Promise<string> {
  const registry = registryOn(objects, async () => {});
  let token = '';
  for (let i = 0; i < ENTERPRISES; i++) {
    const created = await registry.create({ name: `enterprise ${i}`, tenant: `tenant-${i}`, scopes: ['lookup'] });
    if (created.kind !== 'created') throw new Error('no key was created');
    token = created.key;
  }
  return token;
}

/** All numbers of a run, ascending. */
export async function numbersOf(objects: ObjectStore, run: Manifest['runs'][number]): Promise<Float64Array> {
  const count = run.segments.reduce((sum, entry) => sum + entry.count, 0);
  const numbers = new Float64Array(count);
  let at = 0;
  for (const entry of run.segments) {
    const reader = openNumbersSlice(await readColumn(objects, entry, 'numbers'));
    reader.copyRange(0, reader.count, numbers.subarray(at));
    at += reader.count;
  }
  return numbers;
}
