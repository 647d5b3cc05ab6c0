/**
 * Stores with something around every call: it can be counted, written down, or made to wait. Operations and bytes are
 * exact where times say nothing of production.
 */
import type { Bytes } from '../../src/lib/bytes.ts';
import type {
  ListOptions,
  ObjectHead,
  ObjectPage,
  ObjectStore,
  PutCondition,
  SliceStore,
  StoredObject,
} from '../../src/storage/store.ts';

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

export interface StorageCall {
  readonly kind: CallKind;
  /** All keys of a delete, with spaces between; the prefix of a list. */
  readonly key: string;
  /** That go over the wire; of a read, once it is answered. */
  bytes: number;
}

/** Makes the call, at once or later. */
type Around = <T>(call: StorageCall, make: () => Promise<T>) => Promise<T>;

/** @returns the answer, with its bytes noted */
async function read<T extends Uint8Array | StoredObject | 'unchanged' | null>(call: StorageCall, answer: Promise<T>) {
  const value = await answer;
  if (value instanceof Uint8Array) call.bytes = value.length;
  else if (value !== null && value !== 'unchanged') call.bytes = value.sizeBytes;
  return value;
}

export class ObservedObjectStore<Inner extends ObjectStore = ObjectStore> implements ObjectStore {
  readonly inner: Inner;
  readonly #around: Around;

  constructor(inner: Inner, around: Around) {
    this.inner = inner;
    this.#around = around;
  }

  get(key: string): Promise<StoredObject | null> {
    const call: StorageCall = { kind: 'objectRead', key, bytes: 0 };
    return this.#around(call, () => read(call, this.inner.get(key)));
  }

  getIfChanged(key: string, etag: string): Promise<StoredObject | 'unchanged' | null> {
    const call: StorageCall = { kind: 'objectRead', key, bytes: 0 };
    return this.#around(call, () => read(call, this.inner.getIfChanged(key, etag)));
  }

  getRange(key: string, offset: number, length: number): Promise<Bytes | null> {
    const call: StorageCall = { kind: 'objectRead', key, bytes: 0 };
    return this.#around(call, () => read(call, this.inner.getRange(key, offset, length)));
  }

  head(key: string): Promise<ObjectHead | null> {
    return this.#around({ kind: 'objectRead', key, bytes: 0 }, () => this.inner.head(key));
  }

  put(key: string, bytes: Bytes, condition?: PutCondition, owner?: string): Promise<ObjectHead | null> {
    const call: StorageCall = { kind: 'objectWrite', key, bytes: bytes.length };
    return this.#around(call, () => this.inner.put(key, bytes, condition, owner));
  }

  list(prefix: string, options?: ListOptions): Promise<ObjectPage> {
    return this.#around({ kind: 'objectList', key: prefix, bytes: 0 }, () => this.inner.list(prefix, options));
  }

  delete(keys: readonly string[]): Promise<void> {
    return this.#around({ kind: 'objectDelete', key: keys.join(' '), bytes: 0 }, () => this.inner.delete(keys));
  }
}

export class ObservedSliceStore<Inner extends SliceStore = SliceStore> implements SliceStore {
  readonly inner: Inner;
  readonly #around: Around;

  constructor(inner: Inner, around: Around) {
    this.inner = inner;
    this.#around = around;
  }

  get(key: string): Promise<Bytes | null> {
    const call: StorageCall = { kind: 'sliceRead', key, bytes: 0 };
    return this.#around(call, () => read(call, this.inner.get(key)));
  }

  put(key: string, bytes: Bytes, writtenAt: number): Promise<void> {
    const call: StorageCall = { kind: 'sliceWrite', key, bytes: bytes.length };
    return this.#around(call, () => this.inner.put(key, bytes, writtenAt));
  }

  delete(key: string): Promise<void> {
    return this.#around({ kind: 'sliceDelete', key, bytes: 0 }, () => this.inner.delete(key));
  }

  list(cursor?: string): ReturnType<SliceStore['list']> {
    return this.#around({ kind: 'sliceList', key: '', bytes: 0 }, () => this.inner.list(cursor));
  }
}

interface Operations {
  /** Class B of R2, reads of KV. */
  reads: number;
  readBytes: number;
  /** Puts: class A of R2, writes of KV. */
  writes: number;
  writtenBytes: number;
  lists: number;
  /** Free, but each is a call of the platform's limit. */
  deletes: number;
}

export function calls({ reads, writes, lists, deletes }: Operations): number {
  return reads + writes + lists + deletes;
}

/** Counts into `counted`: a read with its bytes when it is answered, anything else as it begins. */
function counting(counted: Operations, before: (call: StorageCall) => void = () => {}): Around {
  return async (call, make) => {
    before(call);
    const what = call.kind.replace(/^(object|slice)/, '');
    if (what === 'Write') {
      counted.writes += 1;
      counted.writtenBytes += call.bytes;
    } else if (what === 'List') counted.lists += 1;
    else if (what === 'Delete') counted.deletes += 1;
    const answer = await make();
    if (what === 'Read') {
      counted.reads += 1;
      counted.readBytes += call.bytes;
    }
    return answer;
  };
}

function noOperations(): Operations {
  return { reads: 0, readBytes: 0, writes: 0, writtenBytes: 0, lists: 0, deletes: 0 };
}

export class CountingObjectStore extends ObservedObjectStore {
  readonly counted: Operations;

  /** @param before is told of each call as it begins */
  constructor(inner: ObjectStore, before?: (call: StorageCall) => void) {
    const counted = noOperations();
    super(inner, counting(counted, before));
    this.counted = counted;
  }
}

export class CountingSliceStore extends ObservedSliceStore {
  readonly counted: Operations;

  constructor(inner: SliceStore) {
    const counted = noOperations();
    super(inner, counting(counted));
    this.counted = counted;
  }
}
