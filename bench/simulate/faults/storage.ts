/** The stores as an isolate reaches them: every call waits its turn, and meets the weather. */

import { createHash } from 'node:crypto';
import type { Bytes } from '../../../src/lib/bytes.ts';
import type {
  ListOptions,
  ObjectHead,
  ObjectPage,
  ObjectStore,
  PutCondition,
  SliceStore,
  StoredObject,
} from '../../../src/storage/store.ts';
import { Random } from '../../support/random.ts';
import type { Doer, Host, Scheduler } from './scheduler.ts';
import { type Fate, type Harm, SLOW_MS, type Weather } from './weather.ts';

// The object store of a simulation: strongly consistent, as R2 is, with an ETag that is the content's MD5, so that
// bytes which return are the same version again. It knows what the product promised of its keys, and who broke it.

export interface Entry {
  readonly key: string;
  readonly bytes: Bytes;
  readonly etag: string;
  readonly sizeBytes: number;
  readonly uploadedAt: number;
  /** Kept beside the object. */
  readonly owner: string | undefined;
}

type Condition = { readonly absent: true } | { readonly etag: string };

interface BucketWatch {
  /** After a put that took effect. */
  onPut(entry: Entry, before: Entry | undefined): void;
  /** A promise about keys was broken. */
  onBroken(promise: string, detail: string): void;
}

/** Keys whose objects may be replaced by others; all else is written once. */
const MUTABLE = [
  'manifest',
  'attempt',
  'lease',
  'census',
  'config/keys',
  'config/tenants',
  'config/canaries',
  'config/tenants-seen',
  'current',
];
const MUTABLE_PREFIXES = ['briefings/', 'batches/waiting/'];
const RATE_LIMIT_MS = 1_000;

function isMutable(key: string): boolean {
  return MUTABLE.includes(key) || MUTABLE_PREFIXES.some((prefix) => key.startsWith(prefix));
}

export class Bucket {
  readonly #objects = new Map<string, Entry>();
  /** What was first put under each key. */
  readonly #first = new Map<string, string>();
  /** When each key that is gone was deleted. */
  readonly #deleted = new Map<string, number>();
  /** Keys of what is lost or damaged. */
  readonly harmed = new Set<string>();
  readonly #now: () => number;
  readonly #watch: BucketWatch;

  constructor(now: () => number, watch: BucketWatch) {
    this.#now = now;
    this.#watch = watch;
  }

  /** The object under a key, or the part of one. */
  get(key: string): Entry | undefined {
    const [, object = key, offset, length] = /^(.*)#(\d+)\+(\d+)/.exec(key) ?? [];
    const entry = this.#objects.get(object);
    if (entry === undefined || offset === undefined) return entry;
    const bytes = entry.bytes.slice(Number(offset), Number(offset) + Number(length));
    return { ...entry, key, bytes, sizeBytes: bytes.length };
  }

  /** @param key of an object, or of a part of one */
  deletedAt(key: string): number | undefined {
    return this.#deleted.get(key.replace(/#.*/, ''));
  }

  /** Whether the key has just been written, so that a write would be refused. */
  isBusy(key: string): boolean {
    const entry = this.#objects.get(key);
    return entry !== undefined && this.#now() - entry.uploadedAt < RATE_LIMIT_MS;
  }

  put(key: string, bytes: Bytes, condition?: Condition, owner?: string): Entry | null {
    const before = this.#objects.get(key);
    if (condition !== undefined) {
      const holds = 'absent' in condition ? before === undefined : before?.etag === condition.etag;
      if (!holds) return null;
    }
    const etag = createHash('md5').update(bytes).digest('hex');
    const entry = { key, bytes: bytes.slice(), etag, sizeBytes: bytes.length, uploadedAt: this.#now(), owner };
    const first = this.#first.get(key);
    if (first === undefined) this.#first.set(key, etag);
    else if (first !== etag && !isMutable(key)) this.#watch.onBroken('no immutable object changes', key);
    this.#objects.set(key, entry);
    this.#deleted.delete(key);
    this.#watch.onPut(entry, before);
    return entry;
  }

  delete(key: string): void {
    if (this.#objects.delete(key)) this.#deleted.set(key, this.#now());
  }

  /** As nobody of the product does it: whoever reads it next finds nothing, or other bytes. */
  harm(key: string, harm: Harm): void {
    const entry = this.#objects.get(key);
    if (entry === undefined) return;
    this.harmed.add(key);
    if (harm === 'lost') this.#objects.delete(key);
    else this.#objects.set(key, { ...entry, bytes: flipped(entry.bytes) });
  }

  keys(prefix: string): string[] {
    return [...this.#objects.keys()].filter((key) => key.startsWith(prefix)).sort();
  }

  list(prefix: string, cursor: string | undefined, limit: number): { objects: Entry[]; cursor?: string } {
    const rest = this.keys(prefix).filter((key) => cursor === undefined || key > cursor);
    const objects = rest.slice(0, limit).flatMap((key) => this.#objects.get(key) ?? []);
    const last = objects.at(-1);
    return rest.length > objects.length && last !== undefined ? { objects, cursor: last.key } : { objects };
  }
}

// The slice store of a simulation: eventually consistent, as KV is. Each place sees a write after a while of its own,
// and remembers what it has read, misses included. A list is as late as the rest.

interface Value {
  readonly bytes: Bytes;
  readonly writtenAt: number;
  readonly storedAt: number;
  /** By the store's clock; infinity: it is there. */
  deletedAt: number;
}

interface Remembered {
  readonly value: Bytes | null;
  readonly until: number;
}

export class SimulatedKv {
  readonly #values = new Map<string, Value>();
  /** By place and key. */
  readonly #remembered = new Map<string, Remembered>();
  readonly #now: () => number;
  readonly #staleMs: number;
  readonly #random: Random;

  constructor(seed: number, now: () => number, staleMs: number) {
    this.#random = new Random(seed).stream('kv');
    this.#now = now;
    this.#staleMs = staleMs;
  }

  get(place: string, key: string): Bytes | null {
    const now = this.#now();
    const at = `${place} ${key}`;
    const remembered = this.#remembered.get(at);
    if (remembered !== undefined && now < remembered.until) return remembered.value;
    const value = this.#seen(place, key);
    const ttlMs = this.#random.stream(`ttl ${at} ${now}`).next() * this.#staleMs;
    this.#remembered.set(at, { value, until: now + ttlMs });
    return value;
  }

  put(key: string, bytes: Bytes, writtenAt: number): void {
    this.#values.set(key, {
      bytes: bytes.slice(),
      writtenAt,
      storedAt: this.#now(),
      deletedAt: Number.POSITIVE_INFINITY,
    });
  }

  delete(key: string): void {
    const value = this.#values.get(key);
    if (value !== undefined && value.deletedAt === Number.POSITIVE_INFINITY) value.deletedAt = this.#now();
  }

  list(place: string, cursor: string | undefined, limit: number) {
    const keys = [...this.#values.keys()]
      .filter((key) => this.#seen(place, key) !== null && (cursor === undefined || key > cursor))
      .sort();
    const slices = keys.slice(0, limit).map((key) => ({ key, writtenAt: this.#values.get(key)?.writtenAt ?? 0 }));
    const last = slices.at(-1);
    return keys.length > slices.length && last !== undefined ? { slices, cursor: last.key } : { slices };
  }

  /** Everything that is there, for whoever looks at the store at rest. */
  all(): Map<string, { readonly bytes: Bytes; readonly writtenAt: number }> {
    return new Map([...this.#values].filter(([, { deletedAt }]) => deletedAt === Number.POSITIVE_INFINITY));
  }

  #seen(place: string, key: string): Bytes | null {
    const value = this.#values.get(key);
    if (value === undefined) return null;
    const lagMs = this.#random.stream(`lag ${place} ${key}`).next() * this.#staleMs;
    const now = this.#now();
    if (now < value.storedAt + lagMs) return null;
    return now < value.deletedAt + lagMs ? value.bytes : null;
  }
}

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
    const met = fault ?? fate.harm;
    const told = `a${doer.action}.${index} ${what}${met === null ? '' : ` (${met})`}`;
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

export const MANIFEST = 'manifest';

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
    return this.#calls.make('get', key, false, ({ harm }, doer) => {
      if (harm !== null) this.#bucket.harm(key, harm);
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
  readonly #kv: SimulatedKv;

  constructor(calls: Calls, kv: SimulatedKv) {
    this.#calls = calls;
    this.#kv = kv;
  }

  get(key: string): Promise<Bytes | null> {
    return this.#calls.make('kv get', key, false, ({ isDamaged }) => {
      const bytes = this.#kv.get(this.#calls.host.place, key)?.slice() ?? null;
      return bytes !== null && isDamaged ? flipped(bytes) : bytes;
    });
  }

  put(key: string, bytes: Bytes, writtenAt: number): Promise<void> {
    const copy = bytes.slice();
    return this.#calls.make('kv put', key, true, () => this.#kv.put(key, copy, writtenAt));
  }

  delete(key: string): Promise<void> {
    return this.#calls.make('kv delete', key, true, () => this.#kv.delete(key));
  }

  list(cursor?: string) {
    return this.#calls.make('kv list', '', false, ({ pageLimit }) =>
      this.#kv.list(this.#calls.host.place, cursor, pageLimit),
    );
  }
}

function whole(entry: Entry | undefined): StoredObject | null {
  return entry === undefined ? null : { ...head(entry), bytes: entry.bytes.slice() };
}

/** With another bit in the middle. */
function flipped(bytes: Bytes): Bytes {
  return bytes.map((byte, i) => (i === bytes.length >> 1 ? byte ^ 1 : byte));
}

function head({ key, etag, sizeBytes, uploadedAt }: Entry): ObjectHead {
  return { key, etag, sizeBytes, uploadedAt };
}
