/** The stores as an isolate reaches them: every call waits its turn, and meets the weather. */
import type {
  ListOptions,
  ObjectHead,
  ObjectPage,
  ObjectStore,
  PutCondition,
  SliceStore,
  StoredObject,
} from '../../../src/store/store.ts';
import type { Bucket, Entry } from './bucket.ts';
import type { EdgeCache } from './edge-cache.ts';
import type { Host } from './host.ts';
import type { Doer, Scheduler } from './scheduler.ts';
import { type Fate, SLOW_MS, type Weather } from './weather.ts';

type Bytes = Uint8Array<ArrayBuffer>;

export interface CallDeps {
  readonly scheduler: Scheduler;
  readonly weather: Weather;
  /** How stormy it is for an action, 0 to 1. */
  stormOf(action: number): number;
  trace(line: string): void;
}

export class SimulatedFailure extends Error {
  override readonly name = 'SimulatedFailure';
  /** Where it was made says nothing, and would differ from run to run. */
  override readonly stack = 'simulated';
}

const NEVER = new Promise<never>(() => undefined);
const NOBODY: Doer = { action: -1, calls: 0 };

/** The calls of one host. */
export class Calls {
  readonly #deps: CallDeps;
  readonly #host: Host;

  constructor(deps: CallDeps, host: Host) {
    this.#deps = deps;
    this.#host = host;
  }

  get host(): Host {
    return this.#host;
  }

  /** @param effect what the call does to the store, at one instant; it may be done again, or later */
  make<T>(op: string, key: string, isWrite: boolean, effect: (fate: Fate, doer: Doer) => T): Promise<T> {
    const { scheduler, weather, stormOf, trace } = this.#deps;
    const host = this.#host;
    if (!host.isAlive) return NEVER;
    const doer = scheduler.doer ?? NOBODY;
    const index = doer.calls++;
    const what = `${host.name} ${op} ${key}`;
    const target = op.startsWith('kv') ? 'kv' : key;
    const fate = weather.fateOf({ action: doer.action, index, isWrite, target, storm: stormOf(doer.action) }, what);
    const { fault } = fate;
    const told = `a${doer.action}.${index} ${what}${fault === null ? '' : ` (${fault})`}`;
    const begun = scheduler.now;
    const tookMs = fate.effectMs + fate.answerMs;
    if (fault !== null || tookMs > SLOW_MS) host.troubles.push({ from: begun, to: begun + tookMs, target });
    return new Promise<T>((resolve, reject) => {
      const answer = (settle: () => void) => {
        scheduler.wakeAfter(fate.answerMs, () => {
          if (host.isAlive) settle();
        });
      };
      const attempt = () => {
        try {
          const result = effect(fate, doer);
          return () => resolve(result);
        } catch (error) {
          if (error instanceof SimulatedFailure) host.troubles.push({ from: begun, to: scheduler.now, target });
          return () => reject(error);
        }
      };
      const again = (note: string) => {
        scheduler.after(fate.lateMs, () => {
          trace(`${told} ${note}`);
          attempt();
        });
      };
      scheduler.after(fate.effectMs, () => {
        if (!host.isAlive && !(isWrite && fate.outlivesIsolate)) return;
        trace(told);
        const failure = () => reject(new SimulatedFailure(`simulated: ${op} failed`));
        switch (fault) {
          case 'fails':
            return answer(failure);
          case 'late':
            again('lands');
            return answer(failure);
          case 'persisted':
            attempt();
            return answer(failure);
          case 'twice':
            again('lands again');
            return answer(attempt());
          case 'evict':
            if (fate.outlivesIsolate) attempt();
            return host.evict();
          default:
            return answer(attempt());
        }
      });
    });
  }
}

const MANIFEST = 'manifest';

export interface ObjectRules {
  readonly isKeyRateLimited: boolean;
  /** The host learns which generation is the newest. */
  onConfirmed(host: Host): void;
  /** An object that was there and is deleted is being read. */
  onDeletedRead(host: Host, key: string, action: number): void;
}

export class SimulatedObjects implements ObjectStore {
  readonly #calls: Calls;
  readonly #bucket: Bucket;
  readonly #rules: ObjectRules;

  constructor(calls: Calls, bucket: Bucket, rules: ObjectRules) {
    this.#calls = calls;
    this.#bucket = bucket;
    this.#rules = rules;
  }

  get(key: string): Promise<StoredObject | null> {
    return this.#calls.make('get', key, false, (_, doer) => {
      if (key === MANIFEST) this.#rules.onConfirmed(this.#calls.host);
      return whole(this.#read(key, doer));
    });
  }

  getIfChanged(key: string, etag: string): Promise<StoredObject | 'unchanged' | null> {
    return this.#calls.make('getIfChanged', key, false, (_, doer) => {
      const entry = this.#read(key, doer);
      if (key === MANIFEST) this.#rules.onConfirmed(this.#calls.host);
      return entry !== undefined && entry.etag === etag ? 'unchanged' : whole(entry);
    });
  }

  getRange(key: string, offset: number, length: number): Promise<Bytes | null> {
    return this.#calls.make('getRange', `${key} ${offset}+${length}`, false, (_, doer) => {
      const entry = this.#read(key, doer);
      if (entry === undefined) return null;
      if (offset + length > entry.sizeBytes) throw new RangeError(`${key} has ${entry.sizeBytes} bytes`);
      return entry.bytes.slice(offset, offset + length);
    });
  }

  head(key: string): Promise<ObjectHead | null> {
    return this.#calls.make('head', key, false, () => {
      const entry = this.#bucket.get(key);
      return entry === undefined ? null : head(entry);
    });
  }

  put(key: string, bytes: Bytes, condition?: PutCondition, owner?: string): Promise<ObjectHead | null> {
    const copy = bytes.slice();
    const how = condition === undefined ? '' : 'absent' in condition ? ' if absent' : ' if unchanged';
    return this.#calls.make(`put${how}`, key, true, () => {
      if (this.#rules.isKeyRateLimited && this.#bucket.isBusy(key)) {
        throw new SimulatedFailure('simulated: too many writes of one key');
      }
      const entry = this.#bucket.put(key, copy, condition, owner);
      return entry === null ? null : head(entry);
    });
  }

  list(prefix: string, options: ListOptions = {}): Promise<ObjectPage> {
    return this.#calls.make('list', prefix, false, ({ pageLimit }) => {
      const limit = Math.min(options.limit ?? pageLimit, pageLimit);
      const { objects, cursor } = this.#bucket.list(prefix, options.cursor ?? options.startAfter, limit);
      const heads = objects.map((entry) => {
        const { owner } = entry;
        return options.owners === true && owner !== undefined ? { ...head(entry), owner } : head(entry);
      });
      return { objects: heads, ...(cursor === undefined ? undefined : { cursor }) };
    });
  }

  delete(keys: readonly string[]): Promise<void> {
    return this.#calls.make('delete', keys.join(' '), true, () => {
      for (const key of keys) this.#bucket.delete(key);
    });
  }

  #read(key: string, { action }: Doer): Entry | undefined {
    const entry = this.#bucket.get(key);
    if (entry === undefined && this.#bucket.deletedAt(key) !== undefined) {
      this.#rules.onDeletedRead(this.#calls.host, key, action);
    }
    return entry;
  }
}

export class SimulatedSlices implements SliceStore {
  readonly #calls: Calls;
  readonly #cache: EdgeCache;

  constructor(calls: Calls, cache: EdgeCache) {
    this.#calls = calls;
    this.#cache = cache;
  }

  get(key: string): Promise<Bytes | null> {
    return this.#calls.make('kv get', key, false, ({ isDamaged }) => {
      const bytes = this.#cache.get(this.#calls.host.place, key)?.slice() ?? null;
      if (bytes !== null && isDamaged) bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
      return bytes;
    });
  }

  put(key: string, bytes: Bytes, writtenAt: number): Promise<void> {
    const copy = bytes.slice();
    return this.#calls.make('kv put', key, true, () => this.#cache.put(key, copy, writtenAt));
  }

  delete(key: string): Promise<void> {
    return this.#calls.make('kv delete', key, true, () => this.#cache.delete(key));
  }

  list(cursor?: string) {
    return this.#calls.make('kv list', '', false, ({ pageLimit }) =>
      this.#cache.list(this.#calls.host.place, cursor, pageLimit),
    );
  }
}

function whole(entry: Entry | undefined): StoredObject | null {
  return entry === undefined ? null : { ...head(entry), bytes: entry.bytes.slice() };
}

function head({ key, etag, sizeBytes, uploadedAt }: Entry): ObjectHead {
  return { key, etag, sizeBytes, uploadedAt };
}
