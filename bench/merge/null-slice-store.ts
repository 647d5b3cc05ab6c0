import type { SliceHead, SliceStore } from '../../src/store/store.ts';

/** Takes slices and keeps none: a merge only writes them. */
export class NullSliceStore implements SliceStore {
  async get(): Promise<null> {
    return null;
  }

  async put(): Promise<void> {}

  async delete(): Promise<void> {}

  async list(): Promise<{ slices: readonly SliceHead[] }> {
    return { slices: [] };
  }
}
