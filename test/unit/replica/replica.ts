/** A replica of a test origin, on a store whose calls can be made to fail. */
import { createReplica, type Replica, type ReplicaOptions } from '../../../src/replica/replica.ts';
import type { ReplicaStore } from '../../../src/replica/store.ts';
import { MemoryObjectStore } from '../../../src/storage/memory.ts';
import { StoreLog } from '../../support/strict-stores.ts';
import { ORIGIN_URL, TestOrigin } from './origin.ts';

/**
 * What a lookup waits for a refresh at most; pauses between attempts are shorter. Enough time for any store in memory.
 */
const WAIT_LIMIT_MS = 1000;
const GIVEN_TIME_MS = 200;

/** One of the hundred numbers of Washington that are kept for fiction. */
export function fictional(i: number): number {
  return 12_025_550_100 + (i % 100);
}

export class LoggedStore implements ReplicaStore {
  readonly log = new StoreLog();
  readonly memory: MemoryObjectStore;
  readonly #written = new Map<string, string>();

  constructor(now: () => number) {
    this.memory = new MemoryObjectStore(now);
  }

  get: ReplicaStore['get'] = (key) => this.log.run(`get ${kindOf(key)}`, () => this.memory.get(key));
  getIfChanged: ReplicaStore['getIfChanged'] = (key, etag) =>
    this.log.run(`getIfChanged ${kindOf(key)}`, () => this.memory.getIfChanged(key, etag));
  getRange: ReplicaStore['getRange'] = (key, offset, length) =>
    this.log.run(`getRange ${kindOf(key)}`, () => this.memory.getRange(key, offset, length));
  put: ReplicaStore['put'] = (key, bytes, condition) =>
    this.log.run(`put ${kindOf(key)}`, () => {
      const content = Buffer.from(bytes).toString('base64');
      if (key !== 'current' && (this.#written.get(key) ?? content) !== content) {
        this.log.violations.push(`immutable ${key} changed`);
      }
      this.#written.set(key, content);
      return this.memory.put(key, bytes, condition);
    });
  list: ReplicaStore['list'] = (prefix, options) => this.log.run('list', () => this.memory.list(prefix, options));
  delete: ReplicaStore['delete'] = (keys) => this.log.run('delete', () => this.memory.delete(keys));

  async slices(): Promise<string[]> {
    return (await this.memory.list('slices/')).objects.map(({ key }) => key.slice('slices/'.length));
  }
}

function kindOf(key: string): string {
  return key.includes('/') ? key.slice(0, key.indexOf('/') + 1) : key;
}

export interface ReplicaWorld {
  readonly origin: TestOrigin;
  readonly store: LoggedStore;
  /** Milliseconds since 1970, of the replica. */
  clock: number;
  readonly events: string[];
  readonly key: string;
  /** Another isolate of the replica's Worker, with an empty memory. */
  isolate(options?: Partial<ReplicaOptions>): Replica;
}

export async function newReplicaWorld(origin = new TestOrigin()): Promise<ReplicaWorld> {
  const key = await origin.key(['feed']);
  const events: string[] = [];
  const world: ReplicaWorld = {
    origin,
    store: new LoggedStore(() => world.clock),
    clock: Date.UTC(2026, 0, 5, 12, 0, 20),
    events,
    key,
    isolate: (options = {}) =>
      createReplica({
        url: ORIGIN_URL,
        key,
        store: world.store,
        fetch: origin.fetch,
        now: () => world.clock,
        delay: (ms) => new Promise((resolve) => setTimeout(resolve, ms < WAIT_LIMIT_MS ? 0 : GIVEN_TIME_MS)),
        random: () => 0.5,
        log: (event) => void events.push(event),
        ...options,
      }),
  };
  return world;
}
