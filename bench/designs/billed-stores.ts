/** Ringfence's stores with a count of what each call is billed as. */
import { addUsage, timesUsage, type Usage } from '../../scripts/simulate/prices.ts';
import type { ObjectStore, SliceStore } from '../../src/store/store.ts';
import { CountingObjectStore, CountingSliceStore } from '../support/counting-stores.ts';

export class BilledStores {
  readonly objects: CountingObjectStore;
  readonly slices: CountingSliceStore;

  constructor(objects: ObjectStore, slices: SliceStore) {
    this.objects = new CountingObjectStore(objects);
    this.slices = new CountingSliceStore(slices);
  }

  /** Reads of either, there or not. */
  get reads(): number {
    return this.objects.counted.reads + this.slices.counted.reads;
  }

  get bytesRead(): number {
    return this.objects.counted.readBytes + this.slices.counted.readBytes;
  }

  /** Of all calls until now. A put that is refused is billed too; deletes in R2 are free. */
  usage(): Usage {
    const [r2, kv] = [this.objects.counted, this.slices.counted];
    return {
      kvReads: kv.reads,
      kvWrites: kv.writes,
      kvDeletes: kv.deletes,
      kvLists: kv.lists,
      r2ClassA: r2.writes + r2.lists,
      r2ClassB: r2.reads,
    };
  }

  usageSince(before: Usage): Usage {
    return addUsage(this.usage(), timesUsage(before, -1));
  }
}
