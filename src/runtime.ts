/** Wires the parts together on Cloudflare's bindings: once an isolate, from the environment of its first request. */

import { Briefings } from './briefing/briefings.ts';
import { activeOn, type Census, readCensus } from './briefing/census.ts';
import { FeedConfigs } from './feed/config.ts';
import { Feed } from './feed/feed.ts';
import { dayOfMs, isoDay } from './format/records.ts';
import type { Assets } from './http/docs-page.ts';
import { withSandbox, withSandboxPast } from './http/sandbox.ts';
import type { Samples, Services, Status } from './http/services.ts';
import { acceptDetections } from './ingest/accept.ts';
import { checkAdminKey } from './keys/admin-key.ts';
import type { Limiter } from './keys/quota.ts';
import { KeyRegistry } from './keys/registry.ts';
import { batchService } from './merge/batch-service.ts';
import { DEFAULT_BUDGET, type MergeContext, type TickBudget } from './merge/context.ts';
import { loadManifest } from './merge/publish.ts';
import { qualityService } from './merge/quality-service.ts';
import { rollback } from './merge/rollback.ts';
import { readStatus, type StoreStatus } from './merge/status.ts';
import { policyTreeOf } from './policy/cel/compile.ts';
import { parseLabelLevels } from './policy/labels.ts';
import { parseBounds } from './quality/bounds.ts';
import { quarantinedSources, readLedger } from './quality/ledger.ts';
import { Finder } from './serve/finder.ts';
import { HealthCheck } from './serve/health.ts';
import { PastFinder } from './serve/past-finder.ts';
import { sampleClear, sampleInventory } from './serve/sample.ts';
import { parseStale } from './serve/snapshot.ts';
import { orUnavailable } from './store/errors.ts';
import { KvSliceStore } from './store/kv.ts';
import { R2ObjectStore } from './store/r2.ts';
import type { ObjectStore, SliceStore } from './store/store.ts';
import { TenantRulesHolder } from './tenants/tenant-rules.ts';
import { TenantStore } from './tenants/tenant-store.ts';

export interface Settings {
  /** The first admin key, 32 characters or more: a secret. */
  readonly RINGFENCE_ADMIN_KEY?: string;
  /** What a source of detections is held to, as JSON, laid over the defaults (src/quality/bounds.ts). */
  readonly RINGFENCE_QUALITY?: string;
  /** Labels and their risk levels as JSON, laid over the defaults (src/policy/labels.ts). */
  readonly RINGFENCE_LABELS?: string;
  /** Whether answers are made from what was last confirmed more than two minutes ago (src/serve/snapshot.ts). */
  readonly RINGFENCE_STALE?: string;
}

export interface Env extends Settings {
  readonly STORE: R2Bucket;
  readonly SLICES: KVNamespace;
  /** The files of the reference page. */
  readonly ASSETS?: Fetcher;
  /** Rate limiters for quotas; an older configuration has none. */
  readonly QUOTA_10?: RateLimit;
  readonly QUOTA_100?: RateLimit;
  readonly QUOTA_1000?: RateLimit;
  readonly QUOTA_10000?: RateLimit;
}

export interface Stores {
  readonly objects: ObjectStore;
  readonly slices: SliceStore;
}

export interface Runtime {
  readonly services: Services;
  readonly merge: MergeContext;
  readonly finder: Finder;
  readonly briefings: Briefings;
  /** Reads what the first lookup will ask for. Never rejects: a failure shows when something does ask. */
  warm(): Promise<void>;
}

/** Lets work go on after the answer: the platform's waitUntil. */
type Background = (work: Promise<unknown>) => void;

export function createRuntime(env: Env, background: Background): Runtime {
  const stores = { objects: new R2ObjectStore(env.STORE), slices: new KvSliceStore(env.SLICES) };
  return createRuntimeOn(stores, env, background, { limiters: limitersOf(env), assets: env.ASSETS ?? null });
}

/** What a deployment can do without. */
interface Extras {
  readonly limiters: readonly Limiter[];
  readonly assets: Assets | null;
}

/** Time, chance, the log, and how much a tick does: the platform's, but for a simulation. */
export interface Surroundings {
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** 0 to below 1. */
  readonly random: () => number;
  /** Cryptographically random. */
  readonly randomBytes: (length: number) => Uint8Array;
  readonly randomId: () => string;
  readonly delay: (ms: number) => Promise<void>;
  readonly log: (event: string, details: Readonly<Record<string, string | number>>) => void;
  readonly budget: TickBudget;
}

const PLATFORM: Surroundings = {
  now: () => Date.now(),
  random: () => Math.random(),
  randomBytes: (length) => crypto.getRandomValues(new Uint8Array(length)),
  randomId: () => crypto.randomUUID(),
  delay: (ms) => new Promise<void>((resolve) => setTimeout(resolve, ms)),
  log: (event, details) => console.log(JSON.stringify({ event, ...details })),
  budget: DEFAULT_BUDGET,
};

/** The same on other stores than Cloudflare's. */
export function createRuntimeOn(
  { objects, slices }: Stores,
  settings: Settings,
  background: Background,
  { limiters, assets }: Extras = { limiters: [], assets: null },
  { now, random, randomBytes, randomId, delay, log, budget }: Surroundings = PLATFORM,
): Runtime {
  const labels = parseLabelLevels(settings.RINGFENCE_LABELS);
  const maxAgeMs = parseStale(settings.RINGFENCE_STALE);
  const serve = { objects, slices, now, background, delay, log, maxAgeMs };
  const finder = new Finder(serve);
  const past = new PastFinder(finder, serve);
  const merge: MergeContext = {
    objects,
    slices,
    now,
    delay,
    log,
    randomId,
    budget,
    bounds: parseBounds(settings.RINGFENCE_QUALITY),
    numbers: (entry) => finder.columns.numbers.loadFromSegment(entry),
  };
  const shared = {
    objects,
    now,
    waitUntil: background,
    randomBytes,
    sleep: delay,
  };
  const reportAs = (event: string) => (error: unknown) => {
    log(event, { reason: error instanceof Error ? error.message : 'failed' });
  };
  const keys = new KeyRegistry({
    ...shared,
    adminKey: checkAdminKey(settings.RINGFENCE_ADMIN_KEY),
    report: reportAs('keys.unavailable'),
  });
  const tenantDeps = { ...shared, report: reportAs('tenants.unavailable') };
  const rules = new TenantRulesHolder({
    ...tenantDeps,
    log,
    maxAgeMs,
    compile: async (source) => policyTreeOf(source),
  });
  const tenants = new TenantStore({ ...tenantDeps, holder: rules });
  const configs = new FeedConfigs(rules, labels);
  const health = new HealthCheck({
    ...serve,
    finder,
    keys: () => keys.checkAvailable(),
    rules: () => rules.index(),
    random,
  });
  const { snapshots } = finder;
  const briefings = new Briefings({
    objects,
    manifest: async () => (await loadManifest(objects)).manifest,
    quarantined: async (manifest) => quarantinedSources(await readLedger(objects, manifest)),
    horizonDaysOf: (names) => labels.horizonDaysOf(names),
    now,
    sleep: delay,
    log,
  });
  const services: Services = {
    finder: withSandbox(finder, now),
    past: withSandboxPast((number, moment, options) => orUnavailable(past.find(number, moment, options)), now),
    feed: new Feed({ snapshots, objects, slices, config: (tenant) => configs.get(tenant), log }),
    briefings,
    assets,
    rules,
    tenants,
    sampler: async (inventory, clear) => orUnavailable(sample(finder, inventory, clear, random)),
    labels,
    keys,
    limiters,
    now,
    random,
    log,
    randomId,
    accept: (upload) => acceptDetections(upload, { objects, now, randomId, labels }),
    rollback: (generation, options) => orUnavailable(rollback(merge, generation, options)),
    batches: batchService(merge),
    quality: qualityService(merge, { ...shared, report: reportAs('canaries.unavailable') }),
    status: async () => {
      const [status, census] = await orUnavailable(Promise.all([readStatus(objects, now()), readCensus(objects)]));
      return statusOf(status, census, now());
    },
    health: () => health.check(),
  };
  const warm = async () => {
    await Promise.allSettled([finder.snapshots.get(), rules.index()]);
  };
  return { services, merge, finder, briefings, warm };
}

/** Clear numbers are drawn beside listed ones, so some of these are drawn in any case. */
async function sample(finder: Finder, inventory: number, clear: number, random: () => number): Promise<Samples> {
  const listed = await sampleInventory(finder, Math.max(inventory, clear), random);
  return { inventory: listed.slice(0, inventory), clear: await sampleClear(finder, listed, clear, random) };
}

function limitersOf(env: Env): readonly Limiter[] {
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

/** @param nowMs since 1970 */
function statusOf(
  { manifest, numbers, runs, waiting, quarantine, setAside }: StoreStatus,
  census: Census | null,
  nowMs: number,
): Status {
  const iso = (ms: number) => new Date(ms).toISOString();
  const { at, ...counts } = manifest.lastTick;
  return {
    generation: manifest.generation,
    publishedAt: manifest.generation === 0 ? null : iso(manifest.publishedAt),
    inventory: {
      numbers,
      active: census === null ? numbers : activeOn(census, dayOfMs(nowMs), numbers),
      activeAsOf: census === null ? null : isoDay(census.day),
    },
    waiting,
    runs,
    retained: manifest.retained.map(({ generation, publishedAt }) => ({ generation, publishedAt: iso(publishedAt) })),
    quarantine,
    setAside,
    lastTick: { at: at === 0 ? null : iso(at), ...counts },
  };
}
