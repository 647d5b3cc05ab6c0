/** The most memory that a merge holds beyond the store, seen at each object that it writes: then it holds the most. */
import type { ObjectHead, PutCondition } from '../../src/store/store.ts';
import { CountingObjectStore } from '../support/counting-stores.ts';
import type { OverlayObjectStore } from '../support/overlay-store.ts';

export class WatchedObjectStore extends CountingObjectStore {
  peakBytes = 0;
  readonly #overlay: OverlayObjectStore;
  readonly #before: number;

  constructor(overlay: OverlayObjectStore) {
    super(overlay);
    this.#overlay = overlay;
    this.#before = this.#heldBytes();
  }

  override async put(
    key: string,
    bytes: Uint8Array<ArrayBuffer>,
    condition?: PutCondition,
  ): Promise<ObjectHead | null> {
    this.peakBytes = Math.max(this.peakBytes, this.#heldBytes() - this.#before);
    return super.put(key, bytes, condition);
  }

  /** Live bytes of this process beyond what the store holds in its place. Needs --expose-gc. */
  #heldBytes(): number {
    if (globalThis.gc === undefined) throw new Error('run with --expose-gc');
    globalThis.gc();
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    return heapUsed + arrayBuffers - this.#overlay.heldBytes;
  }
}
