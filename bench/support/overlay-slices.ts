import { MemorySliceStore } from '../../src/store/memory.ts';
import type { SliceHead, SliceStore } from '../../src/store/store.ts';

/** As overlay-store.ts, for slices: immutable, so the newer store is just asked first. */
export class OverlaySliceStore implements SliceStore {
  readonly #below: SliceStore;
  readonly #above = new MemorySliceStore();

  constructor(below: SliceStore) {
    this.#below = below;
  }

  async get(key: string): Promise<Uint8Array<ArrayBuffer> | null> {
    return (await this.#above.get(key)) ?? this.#below.get(key);
  }

  async put(key: string, bytes: Uint8Array<ArrayBuffer>, writtenAt: number): Promise<void> {
    return this.#above.put(key, bytes, writtenAt);
  }

  async delete(key: string): Promise<void> {
    return this.#above.delete(key);
  }

  async list(cursor?: string): Promise<{ readonly slices: readonly SliceHead[]; readonly cursor?: string }> {
    return this.#above.list(cursor);
  }
}
