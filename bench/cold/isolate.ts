/**
 * A brand-new isolate of the edge Worker on a store in service: nothing in memory, and nothing in the caches around.
 */

import { EVIDENCE_BUDGET, NUMBERS_BUDGET, VERDICTS_BUDGET } from '../../src/lookup/columns.ts';
import type { LookupAnswer } from '../../src/policy/answer.ts';
import { ObservedObjectStore, ObservedSliceStore } from '../support/counting-stores.ts';
import { type EdgeIsolate, startEdgeIsolate } from '../support/edge-isolate.ts';
import { type Taken, VirtualReads } from './virtual-reads.ts';
import type { ServedWorld } from './world.ts';

export interface Looked extends Taken {
  /** Whether there is a record of the number, even if it has aged out. */
  readonly isListed: boolean;
}

export class ColdIsolate {
  readonly reads = new VirtualReads();
  readonly #token: string;
  readonly #edge: EdgeIsolate;
  /** The most bytes of columns seen in memory. */
  peakCacheBytes = 0;

  constructor(world: ServedWorld) {
    this.#token = world.token;
    const { around, sleep } = this.reads;
    const objects = new ObservedObjectStore(world.objects, around);
    const slices = new ObservedSliceStore(world.slices, around);
    // The clock stands still: refreshes of the snapshot are counted elsewhere (npm run simulate).
    const now = Date.now();
    this.#edge = startEdgeIsolate({ objects, slices }, { now: () => now, sleep, waitUntil: () => {} });
  }

  /** One lookup, from the first byte that has to be read to the answer. */
  async lookup(number: number): Promise<Looked> {
    const path = `/v1/lookup?number=%2B${number}`;
    const { value, ...taken } = await this.reads.until(() => this.#edge.get(path, this.#token));
    const { verdict, expired } = value as LookupAnswer;
    const { bytes } = this.#edge.isolate.finder.columns;
    if (bytes > NUMBERS_BUDGET + VERDICTS_BUDGET + EVIDENCE_BUDGET) throw new Error('a cache is over its budget');
    this.peakCacheBytes = Math.max(this.peakCacheBytes, bytes);
    return { ...taken, isListed: verdict === 'listed' || expired === true };
  }

  get numbersBytes(): number {
    return this.#edge.isolate.finder.columns.numbers.cache.bytes;
  }
}
