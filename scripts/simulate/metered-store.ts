/** The in-memory stores with every call written down: what it was, on which key, how many bytes went over the wire. */

import type { Random } from '../../bench/support/random.ts';
import { SEGMENT_PREFIX } from '../../src/store/keys.ts';
import { MemoryObjectStore, MemorySliceStore } from '../../src/store/memory.ts';
import type {
  ListOptions,
  ObjectPage,
  ObjectStore,
  PutCondition,
  SliceStore,
  StoredObject,
} from '../../src/store/store.ts';
import type { Usage } from './prices.ts';

/** One kind a latency and a price. */
export type CallKind =
  | 'objectRead'
  | 'objectWrite'
  | 'objectList'
  | 'objectDelete'
  | 'sliceRead'
  | 'sliceWrite'
  | 'sliceDelete'
  | 'sliceList';

export type Calls = Readonly<Record<CallKind, number>>;

export const NO_CALLS: Calls = {
  objectRead: 0,
  objectWrite: 0,
  objectList: 0,
  objectDelete: 0,
  sliceRead: 0,
  sliceWrite: 0,
  sliceDelete: 0,
  sliceList: 0,
};

export interface StorageCall {
  readonly kind: CallKind;
  readonly key: string;
  readonly bytes: number;
}

export function countCalls(log: readonly StorageCall[]): Calls {
  const calls = { ...NO_CALLS };
  for (const { kind } of log) calls[kind] += 1;
  return calls;
}

/** What the calls are billed as. Deletes in R2 are free. */
export function usageOf(calls: Calls): Usage {
  return {
    r2ClassA: calls.objectWrite + calls.objectList,
    r2ClassB: calls.objectRead,
    kvReads: calls.sliceRead,
    kvWrites: calls.sliceWrite,
    kvDeletes: calls.sliceDelete,
    kvLists: calls.sliceList,
  };
}

/** A key as SegmentWriter makes them: 36 characters of attempt, six of index. */
export function segmentKey(random: Random, index: number): string {
  const hex = (digits: number) =>
    random
      .below(16 ** digits)
      .toString(16)
      .padStart(digits, '0');
  return `${SEGMENT_PREFIX}${hex(8)}-${hex(4)}-4${hex(3)}-8${hex(3)}-${hex(6)}${hex(6)}-${String(index).padStart(6, '0')}`;
}

export class MeteredObjectStore implements ObjectStore {
  readonly memory: MemoryObjectStore;
  readonly #log: StorageCall[];

  constructor(log: StorageCall[], now: () => number) {
    this.#log = log;
    this.memory = new MemoryObjectStore(now);
  }

  async get(key: string): Promise<StoredObject | null> {
    const object = await this.memory.get(key);
    this.#note('objectRead', key, object?.sizeBytes ?? 0);
    return object;
  }

  async getIfChanged(key: string, etag: string): Promise<StoredObject | 'unchanged' | null> {
    const object = await this.memory.getIfChanged(key, etag);
    this.#note('objectRead', key, object === null || object === 'unchanged' ? 0 : object.sizeBytes);
    return object;
  }

  async getRange(key: string, offset: number, length: number): Promise<Uint8Array<ArrayBuffer> | null> {
    this.#note('objectRead', key, length);
    return this.memory.getRange(key, offset, length);
  }

  async head(key: string) {
    this.#note('objectRead', key, 0);
    return this.memory.head(key);
  }

  async put(key: string, bytes: Uint8Array<ArrayBuffer>, condition?: PutCondition, owner?: string) {
    this.#note('objectWrite', key, bytes.length);
    return this.memory.put(key, bytes, condition, owner);
  }

  async list(prefix: string, options?: ListOptions): Promise<ObjectPage> {
    this.#note('objectList', prefix, 0);
    return this.memory.list(prefix, options);
  }

  async delete(keys: readonly string[]): Promise<void> {
    this.#note('objectDelete', keys.join(' '), 0);
    await this.memory.delete(keys);
  }

  #note(kind: CallKind, key: string, bytes: number): void {
    this.#log.push({ kind, key, bytes });
  }
}

export class MeteredSliceStore implements SliceStore {
  readonly memory = new MemorySliceStore();
  readonly #log: StorageCall[];

  constructor(log: StorageCall[]) {
    this.#log = log;
  }

  async get(key: string): Promise<Uint8Array<ArrayBuffer> | null> {
    const bytes = await this.memory.get(key);
    this.#log.push({ kind: 'sliceRead', key, bytes: bytes?.length ?? 0 });
    return bytes;
  }

  async put(key: string, bytes: Uint8Array<ArrayBuffer>, writtenAt: number): Promise<void> {
    this.#log.push({ kind: 'sliceWrite', key, bytes: bytes.length });
    await this.memory.put(key, bytes, writtenAt);
  }

  async delete(key: string): Promise<void> {
    this.#log.push({ kind: 'sliceDelete', key, bytes: 0 });
    await this.memory.delete(key);
  }

  async list(cursor?: string) {
    this.#log.push({ kind: 'sliceList', key: '', bytes: 0 });
    return this.memory.list(cursor);
  }
}
