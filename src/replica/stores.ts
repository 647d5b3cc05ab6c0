/** Where a replica keeps its copy. */
import { MemoryObjectStore } from '../store/memory.ts';
import { R2ObjectStore } from '../store/r2.ts';
import type { ListOptions, ObjectHead, ObjectPage, ObjectStore, PutCondition, StoredObject } from '../store/store.ts';

/**
 * The part of the object store contract (src/store/store.ts) that a replica needs. It must be strongly consistent,
 * list and conditional put included: the pointer is swapped only by whoever has seen the one before, and a slice that
 * is not listed is downloaded again. It holds one object that changes, `current`, and immutable ones, `slices/HASH`.
 */
export type ReplicaStore = Pick<ObjectStore, 'get' | 'getIfChanged' | 'put' | 'list' | 'delete'>;

/**
 * @param prefix lets a bucket hold other things as well, such as `ringfence/`
 * @example r2ReplicaStore(env.REPLICA)
 */
export function r2ReplicaStore(bucket: R2Bucket, prefix = ''): ReplicaStore {
  const store = new R2ObjectStore(bucket);
  return prefix === '' ? store : new PrefixedStore(store, prefix);
}

/** Gone when the isolate is: for tests and trials. */
export function memoryReplicaStore(): ReplicaStore {
  return new MemoryObjectStore(() => Date.now());
}

/** Another store's keys under a prefix. */
export class PrefixedStore implements ReplicaStore {
  readonly #store: ReplicaStore;
  readonly #prefix: string;

  constructor(store: ReplicaStore, prefix: string) {
    this.#store = store;
    this.#prefix = prefix;
  }

  async get(key: string): Promise<StoredObject | null> {
    const object = await this.#store.get(this.#prefix + key);
    return object === null ? null : { ...object, key };
  }

  async getIfChanged(key: string, etag: string): Promise<StoredObject | 'unchanged' | null> {
    const object = await this.#store.getIfChanged(this.#prefix + key, etag);
    return object === 'unchanged' || object === null ? object : { ...object, key };
  }

  async put(
    key: string,
    bytes: Uint8Array<ArrayBuffer>,
    condition?: PutCondition,
    owner?: string,
  ): Promise<ObjectHead | null> {
    const head = await this.#store.put(this.#prefix + key, bytes, condition, owner);
    return head === null ? null : { ...head, key };
  }

  async list(prefix: string, { startAfter, ...options }: ListOptions = {}): Promise<ObjectPage> {
    const page = await this.#store.list(this.#prefix + prefix, {
      ...options,
      ...(startAfter !== undefined && { startAfter: this.#prefix + startAfter }),
    });
    const objects = page.objects.map((head) => ({ ...head, key: head.key.slice(this.#prefix.length) }));
    return { ...page, objects };
  }

  async delete(keys: readonly string[]): Promise<void> {
    await this.#store.delete(keys.map((key) => this.#prefix + key));
  }
}
