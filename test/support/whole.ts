/**
 * Both Workers in one process on given stores, as one isolate: they share what they hold, and the edge forwards to the
 * control Worker's own function.
 */
import type { Hono } from 'hono';
import { createControlFetch } from '../../src/api/control-app.ts';
import { createEdgeApp, createEdgeFetch, type ForwardDeps } from '../../src/api/edge-app.ts';
import { type Limiter, RequestQuota } from '../../src/api/quota.ts';
import type { Assets, ControlServices, EdgeServices } from '../../src/api/services.ts';
import { policyTreeOf } from '../../src/policy/cel/compile.ts';
import { type Control, type ControlSettings, createControl } from '../../src/wiring/control.ts';
import { createEdge } from '../../src/wiring/edge.ts';
import { createIsolate, type Isolate, type Settings, type Stores, type WaitUntil } from '../../src/wiring/isolate.ts';

export type WholeServices = EdgeServices & ControlServices;
export type WholeSettings = Settings & ControlSettings;

export interface Whole extends Pick<Control, 'merge' | 'finder' | 'briefings'> {
  readonly isolate: Isolate;
  readonly services: WholeServices;
}

export function createWhole(
  stores: Stores,
  settings: WholeSettings,
  waitUntil: WaitUntil,
  { limiters, assets }: { readonly limiters: readonly Limiter[]; readonly assets: Assets | null } = {
    limiters: [],
    assets: null,
  },
): Whole {
  const isolate = createIsolate(stores, settings, waitUntil, async (source) => policyTreeOf(source), limiters);
  const control = createControl(isolate, settings);
  const edge = createEdge(isolate, control, assets);
  const { merge, finder, briefings } = control;
  return { isolate, services: { ...control.services, ...edge.services }, merge, finder, briefings };
}

/** What one isolate has changed, it holds. */
function forwardWithin(services: ControlServices, quota: RequestQuota): ForwardDeps {
  const nothing = async () => undefined;
  return {
    control: { fetch: createControlFetch(services, quota) },
    changedElsewhere: nothing,
    lookAgain: nothing,
    refreshed: () => null,
  };
}

/** The one address of both, as an app of Hono. */
export function wholeApp(services: WholeServices, quota = new RequestQuota(services)): Hono {
  return createEdgeApp(services, forwardWithin(services, quota), quota);
}

/** The same, with the short way of the lookup before it. */
export function wholeFetch(
  services: WholeServices,
  quota = new RequestQuota(services),
  app: Pick<Hono, 'fetch'> = wholeApp(services, quota),
) {
  return createEdgeFetch(services, forwardWithin(services, quota), quota, app);
}
