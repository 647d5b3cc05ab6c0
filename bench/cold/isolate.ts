/** A brand-new isolate on a store in service. It counts how many reads wait for one another. */

import type { Manifest } from '../../src/format/manifest.ts';
import { KeyRegistry } from '../../src/keys/registry.ts';
import { EVIDENCE_BUDGET, NUMBERS_BUDGET, VERDICTS_BUDGET } from '../../src/lookup/columns.ts';
import { Finder } from '../../src/lookup/finder.ts';
import { loadManifest } from '../../src/merge/publish-manifest.ts';
import { tick } from '../../src/merge/tick.ts';
import type { Finding } from '../../src/policy/answer.ts';
import { WAITING_PREFIX } from '../../src/storage/keys.ts';
import type { ObjectStore, SliceStore } from '../../src/storage/store.ts';
import { ObservedObjectStore, ObservedSliceStore, type StorageCall } from '../support/counting-stores.ts';
import { type BenchInventory, batchOf, benchContext, openStores, uploadsOf } from '../support/inventory.ts';
import { OverlayObjectStore, OverlaySliceStore } from '../support/overlay-store.ts';

/** Enough ticks that there are runs of several sizes at the end. */
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

/** The inventory with the fortnight merged on top of it, as a store in service is: a base and a few newer runs. */
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
function registryOn(objects: ObjectStore, sleep: () => Promise<void>): KeyRegistry {
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

/**
 * Stores in which reads take steps: all that are under way at an instant are answered together, one step later. So the
 * number of steps until an answer is how many reads it had to wait for one after another.
 */
class Steps {
  taken = 0;
  reads = 0;
  bytes = 0;
  #waiting: (() => void)[] = [];

  /** Around a call: a read is counted, and its answer comes a step later; anything else a lookup does not do. */
  readonly around = async <T>(call: StorageCall, make: () => Promise<T>): Promise<T> => {
    if (!call.kind.endsWith('Read')) throw new Error('a lookup only reads');
    this.reads += 1;
    const answer = await make();
    this.bytes += call.bytes;
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
    return answer;
  };

  /** Answers what waits, step by step, until the work is done. */
  async until<T>(work: Promise<T>): Promise<T> {
    let isDone = false;
    const done = work.finally(() => {
      isDone = true;
    });
    // A failure is the caller's, who gets the same promise.
    done.catch(() => {});
    // Usually there is nothing to read.
    await new Promise((resolve) => setImmediate(resolve));
    for (;;) {
      if (isDone) return done;
      // The stores below answer after real I/O: what is under way has come in when two rounds add nothing.
      await this.#quiet();
      const released = this.#waiting;
      if (released.length === 0) continue;
      this.#waiting = [];
      this.taken += 1;
      for (const release of released) release();
    }
  }

  async #quiet(): Promise<void> {
    let before = -1;
    for (let same = 0; same < 3; ) {
      await new Promise((resolve) => setTimeout(resolve, 1));
      const now = this.#waiting.length + this.reads;
      same = now === before ? same + 1 : 0;
      before = now;
    }
  }
}

/** Pauses between looks at another's read take no step. */
const soon = () => new Promise<void>((resolve) => setTimeout(resolve, 0));

/** An isolate as it comes up: nothing in memory, and one request that both the manifest and the keys are read for. */
export class Isolate {
  readonly steps = new Steps();
  readonly #finder: Finder;
  readonly #authenticated: Promise<boolean>;
  /** The most bytes of columns seen in memory. */
  peakCacheBytes = 0;

  constructor(world: ServedWorld) {
    const objects = new ObservedObjectStore(world.objects, this.steps.around);
    const slices = new ObservedSliceStore(world.slices, this.steps.around);
    // The clock stands still: refreshes of the snapshot are counted elsewhere (npm run simulate).
    const now = 0;
    this.#finder = new Finder({
      objects,
      slices,
      now: () => now,
      waitUntil: () => {},
      sleep: soon,
      log: (event, details) => {
        throw new Error(`${event} ${JSON.stringify(details)}`);
      },
    });
    // As src/edge.ts: the snapshot is asked for while the first request is being authenticated.
    this.#finder.snapshots.get().catch(() => undefined);
    const registry = registryOn(objects, soon);
    this.#authenticated = registry.authenticate(world.token).then(({ kind }) => kind === 'known');
  }

  get manifest(): Promise<Manifest> {
    return this.#finder.snapshots.get().then(({ manifest }) => manifest);
  }

  /** One lookup, from the first byte that has to be read to the answer. */
  async lookup(number: number): Promise<Finding> {
    const work = async () => {
      if (!(await this.#authenticated)) throw new Error('the key was not known');
      const [finding] = await this.#finder.find([number], { evidence: false });
      if (finding === null || finding === undefined) throw new Error('a lookup has no finding');
      return finding;
    };
    const finding = await this.steps.until(work());
    const { columns } = this.#finder;
    if (columns.bytes > NUMBERS_BUDGET + VERDICTS_BUDGET + EVIDENCE_BUDGET)
      throw new Error('a cache is over its budget');
    this.peakCacheBytes = Math.max(this.peakCacheBytes, columns.bytes);
    return finding;
  }

  get numbersBytes(): number {
    return this.#finder.columns.numbers.cache.bytes;
  }
}
