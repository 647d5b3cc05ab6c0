/** The edge Worker's part of the HTTP API; all else is the control Worker's, at the same address. */
import type { Hono } from 'hono';
import { createApp } from '../http/app.ts';
import { quickLookup } from '../http/quick-lookup.ts';
import type { EdgeServices } from '../http/services.ts';
import { RequestQuota } from '../keys/quota.ts';
import { edgeRoutes } from './edge-routes.ts';
import { type ForwardDeps, forwardTo } from './forward.ts';

/** Answers requests; make one per isolate. Its app must count by the same quota. */
export function createEdgeFetch(
  services: EdgeServices,
  forward: ForwardDeps,
  quota = new RequestQuota(services),
  app: Pick<Hono, 'fetch'> = createEdgeApp(services, forward, quota),
) {
  return (request: Request): Response | Promise<Response> => {
    const quick = quickLookup(services, quota, request);
    if (quick instanceof Response) return quick;
    return quick === null ? app.fetch(request) : app.fetch(request, quick);
  };
}

export function createEdgeApp(services: EdgeServices, deps: ForwardDeps, quota = new RequestQuota(services)): Hono {
  return createApp(edgeRoutes(services), services, quota, forwardTo(deps, services.log));
}
