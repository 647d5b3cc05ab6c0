/** A store whose calls can be made to fail, and that counts them. */
import { MemoryObjectStore } from '../../../src/storage/memory.ts';
import type { ObjectHead, PutCondition, StoredObject } from '../../../src/storage/store.ts';

export type Failure = 'none' | 'reads' | 'writes' | 'writes-persisted' | 'all';

export class FlakyStore extends MemoryObjectStore {
  failure: Failure = 'none';
  reads = 0;
  puts = 0;
  /** Runs before a read is answered: what another writer does meanwhile. */
  meanwhile: () => Promise<void> = async () => undefined;

  // The memory store's getIfChanged reads by `get`, and so counts and fails with it.
  override async get(key: string): Promise<StoredObject | null> {
    this.reads += 1;
    if (this.failure === 'reads' || this.failure === 'all') throw new Error('get failed');
    const object = await super.get(key);
    await this.meanwhile();
    return object;
  }

  override async put(
    key: string,
    bytes: Uint8Array<ArrayBuffer>,
    condition?: PutCondition,
  ): Promise<ObjectHead | null> {
    this.puts += 1;
    if (this.failure === 'writes' || this.failure === 'all') throw new Error('put failed');
    const head = await super.put(key, bytes, condition);
    if (this.failure === 'writes-persisted') throw new Error('put failed, but persisted');
    return head;
  }
}

/** The number of the call, over and over: every key and id differs, and is the same in every run. */
export function countingBytes(): (length: number) => Uint8Array {
  let call = 0;
  return (length) => {
    call += 1;
    return Uint8Array.from({ length }, (_, i) => (call >> ((i % 2) * 8)) & 0xff);
  };
}
