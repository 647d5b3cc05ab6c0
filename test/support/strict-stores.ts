/**
 * Stores that hold the code to its promises: an immutable key never changes, a collected key is never read again, each
 * generation is published once, and any call can be made to fail, before or after it took effect.
 */
import { decodeManifest } from '../../src/format/manifest.ts';
import { MemoryObjectStore, MemorySliceStore } from '../../src/storage/memory.ts';
import { objectOf } from '../../src/storage/parts.ts';
import type { ListOptions, ObjectPage, ObjectStore, PutCondition, SliceStore } from '../../src/storage/store.ts';

export type Fault = 'fails' | 'fails but persisted';

/** Counts every call to either store and makes chosen ones fail. */
export class StoreLog {
  readonly calls: string[] = [];
  readonly violations: string[] = [];
  /** Called before each storage call; tests interleave other work here. */
  beforeCall: (name: string) => Promise<void> = async () => {};
  #faultAt = -1;
  #fault: Fault = 'fails';

  failAt(call: number, fault: Fault): void {
    this.#faultAt = this.calls.length + call;
    this.#fault = fault;
  }

  async run<T>(name: string, operation: () => Promise<T>): Promise<T> {
    await this.beforeCall(name);
    const index = this.calls.length;
    this.calls.push(name);
    if (index === this.#faultAt && this.#fault === 'fails') throw new Error(`injected: ${name} failed`);
    const result = await operation();
    if (index === this.#faultAt) throw new Error(`injected: ${name} failed but persisted`);
    return result;
  }

  /** Calls since the log was last cleared, as name -> count. */
  counts(): Record<string, number> {
    const counts: Record<string, number> = {};
    for (const call of this.calls) counts[call] = (counts[call] ?? 0) + 1;
    return counts;
  }

  clear(): void {
    this.calls.length = 0;
    this.#faultAt = -1;
  }
}

/** `segments/` of a key: the kind of thing it is. */
function kindOf(key: string): string {
  return key.includes('/') ? key.slice(0, key.lastIndexOf('/') + 1) : key;
}

const MUTABLE = new Set(['manifest', 'config/', 'briefings/', 'census', 'attempt', 'lease']);
const COLLECTED = new Set(['segments/', 'manifests/', 'history/']);

export class StrictObjectStore implements ObjectStore {
  readonly memory: MemoryObjectStore;
  readonly #log: StoreLog;
  readonly #written = new Map<string, string>();
  readonly #deleted = new Set<string>();
  #generation = 0;

  constructor(log: StoreLog, now: () => number) {
    this.#log = log;
    this.memory = new MemoryObjectStore(now);
  }

  #read(key: string): void {
    if (this.#deleted.has(objectOf(key)) && COLLECTED.has(kindOf(key)))
      this.#log.violations.push(`read of deleted ${key}`);
  }

  get(key: string) {
    this.#read(key);
    return this.#log.run(`get ${kindOf(key)}`, () => this.memory.get(key));
  }

  getIfChanged(key: string, etag: string) {
    return this.#log.run(`getIfChanged ${kindOf(key)}`, () => this.memory.getIfChanged(key, etag));
  }

  getRange(key: string, offset: number, length: number) {
    this.#read(key);
    return this.#log.run(`getRange ${kindOf(key)}`, () => this.memory.getRange(key, offset, length));
  }

  head(key: string) {
    return this.#log.run(`head ${kindOf(key)}`, () => this.memory.head(key));
  }

  put(key: string, bytes: Uint8Array<ArrayBuffer>, condition?: PutCondition, owner?: string) {
    return this.#log.run(`put ${kindOf(key)}`, async () => {
      const written = await this.memory.put(key, bytes, condition, owner);
      if (written !== null && key === 'manifest') this.#checkGeneration(bytes);
      if (written !== null && !MUTABLE.has(kindOf(key)) && key !== 'manifest') {
        const content = Buffer.from(bytes).toString('base64');
        const before = this.#written.get(key);
        if (before !== undefined && before !== content && kindOf(key) !== 'batches/waiting/') {
          this.#log.violations.push(`immutable ${key} changed`);
        }
        this.#written.set(key, content);
      }
      return written;
    });
  }

  /** Generations count up by one, and each is published once. */
  #checkGeneration(bytes: Uint8Array<ArrayBuffer>): void {
    const { generation } = decodeManifest(bytes);
    if (generation !== this.#generation + 1) {
      this.#log.violations.push(`generation ${generation} published after ${this.#generation}`);
    }
    this.#generation = generation;
  }

  list(prefix: string, options?: ListOptions): Promise<ObjectPage> {
    return this.#log.run(`list ${prefix}`, () => this.memory.list(prefix, options));
  }

  delete(keys: readonly string[]) {
    for (const key of keys) this.#deleted.add(key);
    return this.#log.run(`delete ${kindOf(keys[0] ?? '')}`, () => this.memory.delete(keys));
  }
}

export class StrictSliceStore implements SliceStore {
  readonly memory = new MemorySliceStore();
  readonly #log: StoreLog;

  constructor(log: StoreLog) {
    this.#log = log;
  }

  get(key: string) {
    return this.#log.run('kv get', () => this.memory.get(key));
  }

  put(key: string, bytes: Uint8Array<ArrayBuffer>, writtenAt: number) {
    return this.#log.run('kv put', () => this.memory.put(key, bytes, writtenAt));
  }

  delete(key: string) {
    return this.#log.run('kv delete', () => this.memory.delete(key));
  }

  list(cursor?: string) {
    return this.#log.run('kv list', () => this.memory.list(cursor));
  }
}
