/** Builds the edge Worker of an isolate from its parts. */
import { type ControlBinding, createEdgeFetch, type ForwardDeps } from '../api/edge-app.ts';
import type { Assets, EdgeServices } from '../api/services.ts';
import { PastFinder } from '../lookup/as-of.ts';
import { HealthCheck } from '../lookup/health.ts';
import { withSandbox, withSandboxPast } from '../lookup/sandbox.ts';
import type { PolicySource } from '../policy/policy.ts';
import { Feed } from '../replica/feed.ts';
import { FeedConfigs } from '../replica/feed-config.ts';
import { WorkersCityCache } from '../storage/cloudflare.ts';
import { orUnavailable } from '../storage/store.ts';
import { type Env, type Isolate, type Stores, storesOf } from './isolate.ts';

export interface EdgeEnv extends Env {
  /** The control Worker, by service binding. */
  readonly CONTROL: Fetcher;
  /** Its entry point that compiles policies (src/control.ts). */
  readonly COMPILER: { compile(source: PolicySource): Promise<unknown> };
  /** The files of the reference page. */
  readonly ASSETS?: Fetcher;
  /** Which version of the Worker this is; an older configuration does not say. */
  readonly VERSION?: WorkerVersionMetadata;
}

/**
 * What a version of the Worker keeps in a city is its own: another one of the same zone may have another bucket, and
 * one of another version may store other things. Without a version nothing is kept.
 */
export function edgeStoresOf(env: Env & Pick<EdgeEnv, 'VERSION'>): Stores {
  const id = env.VERSION?.id ?? '';
  return {
    ...storesOf(env),
    city: id === '' ? undefined : new WorkersCityCache(caches.default, id),
    keepsUp: true,
  };
}

export interface Edge {
  readonly services: EdgeServices;
  readonly forward: ForwardDeps;
  readonly fetch: (request: Request) => Response | Promise<Response>;
}

/** @param assets the files of the reference page; null: there are none */
export function createEdge(isolate: Isolate, control: ControlBinding, assets: Assets | null): Edge {
  const { objects, slices, now, random, randomId, log, limiters, labels, finder, keys, rules } = isolate;
  const past = new PastFinder(finder, isolate);
  const configs = new FeedConfigs(rules, labels);
  const health = new HealthCheck({
    ...isolate,
    keys: () => keys.checkAvailable(),
    rules: () => rules.index(),
  });
  const { snapshots } = finder;
  const services: EdgeServices = {
    ...{ keys, limiters, now, random, randomId, log, rules, labels, assets },
    finder: withSandbox(finder, now),
    past: withSandboxPast((number, asOf, options) => orUnavailable(past.find(number, asOf, options)), now),
    feed: new Feed({ snapshots, objects, slices, config: (tenant) => configs.get(tenant), log }),
    health: () => health.check(),
  };
  const held = { keys, rules, snapshot: snapshots };
  const isDue = () => snapshots.isDue || keys.isDue || rules.isDue;
  // Each waits for reads of its own, and as long as it may. A failure shows when the lookup asks for what it needs.
  const refreshed = async () => {
    await Promise.allSettled([snapshots.get(), keys.checkAvailable(), rules.index()]);
  };
  const forward: ForwardDeps = {
    control,
    changedElsewhere: (what) => held[what].changedElsewhere(),
    lookAgain: () => snapshots.lookAgain(),
    refreshed: () => (isDue() ? refreshed() : null),
  };
  return { services, forward, fetch: createEdgeFetch(services, forward) };
}
