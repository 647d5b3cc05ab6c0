/** The real tick on metered in-memory stores: what one tick of each kind calls, and in which order. */

import type { Random } from '../../bench/support/random.ts';
import { DEFAULT_BUDGET, type MergeContext, type TickBudget } from '../../src/merge/context.ts';
import { tick } from '../../src/merge/tick.ts';
import { MANIFEST_KEY, WAITING_PREFIX } from '../../src/store/keys.ts';
import { MINUTE_MS, TODAY } from './assumptions.ts';
import { sampleBatch } from './measured-sizes.ts';
import { type Calls, countCalls, MeteredObjectStore, MeteredSliceStore, type StorageCall } from './metered-store.ts';

const ROWS = 25;

/** Not the minute of an hour in which garbage is collected. */
const START_MS = Date.UTC(2026, 10, 2, 12, 30);

/** A store, a clock that the merge's own delays move on, and a log of all calls. */
export class MeasuredWorld {
  readonly calls: StorageCall[] = [];
  readonly objects: MeteredObjectStore;
  readonly slices: MeteredSliceStore;
  readonly context: MergeContext;
  clockMs = START_MS;
  #ids = 0;
  #uploads = 0;

  constructor(budget: TickBudget = DEFAULT_BUDGET) {
    this.objects = new MeteredObjectStore(this.calls, () => this.clockMs);
    this.slices = new MeteredSliceStore(this.calls);
    this.context = {
      objects: this.objects,
      slices: this.slices,
      now: () => this.clockMs,
      delay: async (ms) => {
        this.clockMs += ms;
      },
      // As long as the Worker's, so that keys and manifests have their real sizes.
      randomId: () => `00000000-0000-4000-8000-${String(++this.#ids).padStart(12, '0')}`,
      log: () => {},
      budget,
    };
  }

  /** Puts a batch of made-up detections into `waiting`; not counted as a call of the tick. */
  async upload(random: Random, records: number, inventory: number): Promise<void> {
    this.#uploads += 1;
    const id = `${String(this.clockMs).padStart(13, '0')}-${String(this.#uploads).padStart(12, '0')}`;
    await this.objects.memory.put(WAITING_PREFIX + id, sampleBatch(random, records, inventory));
  }

  /** One tick, then the clock goes on to the next minute. Returns its calls in order. */
  async tick(): Promise<StorageCall[]> {
    const from = this.calls.length;
    await tick(this.context);
    this.clockMs += MINUTE_MS;
    return this.calls.slice(from);
  }
}

/** The calls of a tick before and after its batches are served: up to the first swap of the manifest, and the rest. */
export function splitAtSwap(calls: readonly StorageCall[]): { readonly before: Calls; readonly after: Calls } {
  const swap = calls.findIndex(({ kind, key }) => kind === 'objectWrite' && key === MANIFEST_KEY);
  return { before: countCalls(calls.slice(0, swap + 1)), after: countCalls(calls.slice(swap + 1)) };
}

export interface MeasuredTicks {
  readonly idle: Calls;
  /** With one upload and with three, all that the tick does. */
  readonly one: Calls;
  readonly three: Calls;
}

/** Calls of whole ticks in a small store that has been running for a few minutes. */
export async function measureTicks(random: Random): Promise<MeasuredTicks> {
  const world = new MeasuredWorld();
  const tickWith = async (uploads: number): Promise<Calls> => {
    for (let i = 0; i < uploads; i++) await world.upload(random, ROWS, TODAY.numbers);
    return countCalls(await world.tick());
  };
  for (let warmup = 0; warmup < 3; warmup++) await tickWith(1);
  return { idle: await tickWith(0), one: await tickWith(1), three: await tickWith(3) };
}
