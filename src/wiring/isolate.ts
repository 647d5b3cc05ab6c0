/** What both Workers have in each isolate: stores, settings, the copies that they hold, clock, randomness and log. */

import type { Limiter } from '../api/quota.ts';
import { checkAdminKey, KeyRegistry } from '../keys/registry.ts';
import { eventLoopTurn } from '../lib/cooperate.ts';
import { type Log, messageOf, redactedLog } from '../lib/errors.ts';
import { Finder } from '../lookup/finder.ts';
import { parseStale } from '../lookup/snapshot.ts';
import { type LabelLevels, parseLabelLevels } from '../policy/labels.ts';
import { type CityCache, CityObjects } from '../storage/city.ts';
import { KvSliceStore, R2ObjectStore } from '../storage/cloudflare.ts';
import type { ObjectStore, SliceStore } from '../storage/store.ts';
import { TenantRulesCache, type TenantRulesCacheDeps } from '../tenants/tenant-rules.ts';

export interface Settings {
  /** The first admin key, 32 characters or more. It is a secret, the same for both Workers. */
  readonly RINGFENCE_ADMIN_KEY?: string;
  /** Labels and their risk levels as JSON, laid over the defaults (src/policy/labels.ts). */
  readonly RINGFENCE_LABELS?: string;
  /** Whether answers may be made from what was last confirmed more than two minutes ago (src/lookup/snapshot.ts). */
  readonly RINGFENCE_STALE?: string;
}

/** The bindings of both Workers. */
export interface Env extends Settings {
  readonly STORE: R2Bucket;
  readonly SLICES: KVNamespace;
  /** Rate limiters for quotas; an older configuration has none. */
  readonly QUOTA_10?: RateLimit;
  readonly QUOTA_100?: RateLimit;
  readonly QUOTA_1000?: RateLimit;
  readonly QUOTA_10000?: RateLimit;
}

export interface Stores {
  readonly objects: ObjectStore;
  readonly slices: SliceStore;
  /** For an isolate that only reads: the cache that it shares with others of its city. */
  readonly city?: CityCache | undefined;
  /** Whether copies of what changes are refreshed after the last request, too (src/lib/swr-cache.ts). */
  readonly keepsUp?: boolean;
}

/** Lets work go on after the answer: the platform's waitUntil. */
export type WaitUntil = (work: Promise<unknown>) => void;

/** Clock, randomness and log: the platform's, or those of a simulation. */
export interface Platform {
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** 0 to below 1. */
  readonly random: () => number;
  /** Cryptographically random. */
  readonly randomBytes: (length: number) => Uint8Array;
  readonly randomId: () => string;
  readonly sleep: (ms: number) => Promise<void>;
  /** Lets other requests of the isolate run (src/lib/cooperate.ts). */
  readonly turn: () => Promise<void>;
  readonly log: Log;
}

export const WORKERS_PLATFORM: Platform = {
  now: () => Date.now(),
  random: () => Math.random(),
  randomBytes: (length) => crypto.getRandomValues(new Uint8Array(length)),
  randomId: () => crypto.randomUUID(),
  sleep: (ms) => new Promise<void>((resolve) => setTimeout(resolve, ms)),
  turn: eventLoopTurn,
  log: (event, details) => console.log(JSON.stringify({ event, ...details })),
};

/** What an isolate holds, made once, in either Worker. */
export interface Isolate extends Stores, Platform {
  readonly waitUntil: WaitUntil;
  readonly limiters: readonly Limiter[];
  readonly labels: LabelLevels;
  /** Milliseconds. What is older answers nothing. */
  readonly maxAgeMs: number;
  readonly finder: Finder;
  readonly keys: KeyRegistry;
  readonly rules: TenantRulesCache;
  /** Logs a failure that callers see only as an old copy, or as none. */
  readonly reportAs: (event: string) => (error: unknown) => void;
}

export function storesOf(env: Env): Stores {
  return { objects: new R2ObjectStore(env.STORE), slices: new KvSliceStore(env.SLICES) };
}

export function limitersOf(env: Env): readonly Limiter[] {
  const tiers = [
    { perMinute: 10, binding: env.QUOTA_10 },
    { perMinute: 100, binding: env.QUOTA_100 },
    { perMinute: 1000, binding: env.QUOTA_1000 },
    { perMinute: 10_000, binding: env.QUOTA_10000 },
  ];
  return tiers.flatMap(({ perMinute, binding }) =>
    binding === undefined ? [] : [{ perMinute, limit: (key) => binding.limit({ key }) }],
  );
}

/**
 * @param compile the compiler itself in the control Worker; in the edge Worker a call of the control Worker's
 * @throws RangeError for settings that cannot be used
 */
export function createIsolate(
  { objects: store, slices, city, keepsUp = false }: Stores,
  settings: Settings,
  waitUntil: WaitUntil,
  compile: TenantRulesCacheDeps['compile'],
  limiters: readonly Limiter[] = [],
  platform: Platform = WORKERS_PLATFORM,
): Isolate {
  const { now, randomBytes, sleep } = platform;
  // Everything that either Worker logs goes through it.
  const log = redactedLog(platform.log);
  const labels = parseLabelLevels(settings.RINGFENCE_LABELS);
  const maxAgeMs = parseStale(settings.RINGFENCE_STALE);
  const reportAs = (event: string) => (error: unknown) => {
    log(event, { reason: messageOf(error) });
  };
  const objects = city === undefined ? store : new CityObjects(store, { cache: city, now, sleep, waitUntil, log });
  const held = { objects, now, waitUntil, randomBytes, sleep, keepsUp };
  const finder = new Finder({ objects, slices, now, waitUntil, sleep, log, maxAgeMs, keepsUp });
  const keys = new KeyRegistry({
    ...held,
    adminKey: checkAdminKey(settings.RINGFENCE_ADMIN_KEY),
    report: reportAs('keys.unavailable'),
  });
  const rules = new TenantRulesCache({ ...held, report: reportAs('tenants.unavailable'), log, maxAgeMs, compile });
  return {
    ...{ ...platform, log, objects, slices, waitUntil, limiters, labels, maxAgeMs },
    ...{ finder, keys, rules, reportAs },
  };
}
