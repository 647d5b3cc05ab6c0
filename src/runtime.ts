/** Wires the parts together on Cloudflare's bindings: once an isolate, from the environment of its first request. */

import type { Health, Services, Status } from './http/services.ts';
import { acceptDetections } from './ingest/accept.ts';
import { checkAdminKey } from './keys/admin-key.ts';
import { KeyRegistry } from './keys/registry.ts';
import { DEFAULT_BUDGET, type MergeContext } from './merge/context.ts';
import { rollback } from './merge/rollback.ts';
import { readStatus, type StoreStatus } from './merge/status.ts';
import { parseLabelLevels } from './policy/labels.ts';
import { Finder } from './serve/finder.ts';
import { StorageUnavailable } from './store/errors.ts';
import { KvSliceStore } from './store/kv.ts';
import { R2ObjectStore } from './store/r2.ts';
import type { ObjectStore, SliceStore } from './store/store.ts';

export interface Settings {
  /** The first admin key, 32 characters or more: a secret. */
  readonly RINGFENCE_ADMIN_KEY?: string;
  /** Labels and their risk levels as JSON, laid over the defaults (src/policy/labels.ts). */
  readonly RINGFENCE_LABELS?: string;
}

export interface Env extends Settings {
  readonly STORE: R2Bucket;
  readonly SLICES: KVNamespace;
}

export interface Stores {
  readonly objects: ObjectStore;
  readonly slices: SliceStore;
}

export interface Runtime {
  readonly services: Services;
  readonly merge: MergeContext;
  readonly finder: Finder;
}

/** Lookups are answered from a snapshot of any age; health says when it is older than two missed refreshes of a tick. */
const HEALTHY_AGE_SECONDS = 300;

/** Lets work go on after the answer: the platform's waitUntil. */
type Background = (work: Promise<unknown>) => void;

export function createRuntime(env: Env, background: Background): Runtime {
  const stores = { objects: new R2ObjectStore(env.STORE), slices: new KvSliceStore(env.SLICES) };
  return createRuntimeOn(stores, env, background);
}

/** The same on other stores than Cloudflare's. */
export function createRuntimeOn({ objects, slices }: Stores, settings: Settings, background: Background): Runtime {
  const now = () => Date.now();
  const log = (event: string, details: Readonly<Record<string, string | number>>) => {
    console.log(JSON.stringify({ event, ...details }));
  };
  const labels = parseLabelLevels(settings.RINGFENCE_LABELS);
  const delay = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
  const finder = new Finder({ objects, slices, now, background, delay, log });
  const merge: MergeContext = {
    objects,
    slices,
    now,
    delay,
    log,
    randomId: () => crypto.randomUUID(),
    budget: DEFAULT_BUDGET,
    numbers: (entry) => finder.columns.numbers.loadFromSegment(entry),
  };
  const keys = new KeyRegistry({
    objects,
    now,
    adminKey: checkAdminKey(settings.RINGFENCE_ADMIN_KEY),
    waitUntil: background,
    report: (error) => log('keys.unavailable', { reason: error instanceof Error ? error.message : 'failed' }),
    randomBytes: (bytes) => crypto.getRandomValues(new Uint8Array(bytes)),
    sleep: delay,
  });
  const services: Services = {
    finder,
    labels,
    keys,
    now,
    log,
    randomId: () => crypto.randomUUID(),
    accept: (upload) => acceptDetections(upload, { objects, now, randomId: () => crypto.randomUUID(), labels }),
    rollback: (generation, options) => orUnavailable(rollback(merge, generation, options)),
    status: async () => statusOf(await orUnavailable(readStatus(objects))),
    health: () => healthOf(finder),
  };
  return { services, merge, finder };
}

async function orUnavailable<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw new StorageUnavailable('the storage did not answer; try again', error);
  }
}

async function healthOf({ snapshots }: Finder): Promise<Health> {
  try {
    const { manifest } = await snapshots.get();
    const ageSeconds = snapshots.ageSeconds;
    return { ok: ageSeconds <= HEALTHY_AGE_SECONDS, generation: manifest.generation, ageSeconds };
  } catch {
    return { ok: false, generation: null, ageSeconds: null };
  }
}

function statusOf({ manifest, numbers, runs, waiting }: StoreStatus): Status {
  const iso = (ms: number) => new Date(ms).toISOString();
  const { at, ...counts } = manifest.lastTick;
  return {
    generation: manifest.generation,
    publishedAt: manifest.generation === 0 ? null : iso(manifest.publishedAt),
    inventory: { numbers, active: numbers },
    waiting,
    runs,
    retained: manifest.retained.map(({ generation, publishedAt }) => ({ generation, publishedAt: iso(publishedAt) })),
    setAside: { batches: manifest.setAside.length },
    lastTick: { at: at === 0 ? null : iso(at), ...counts },
  };
}
