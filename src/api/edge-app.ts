/**
 * The edge Worker's part of the HTTP API. All other routes are the control Worker's (src/api/control-app.ts), at the
 * same address.
 */

import type { Hono } from 'hono';
import { RequestQuota } from '../keys/quota.ts';
import { createApp } from './app.ts';
import { docsRoutes } from './docs-page.ts';
import { feedRoutes } from './feed.ts';
import { type ForwardDeps, forwardTo } from './forward.ts';
import { healthRoutes } from './health.ts';
import { lookupBatchRoutes, lookupRoutes } from './lookup.ts';
import { quickLookup } from './quick-lookup.ts';
import type { Route } from './route.ts';
import type { EdgeServices } from './services.ts';

export function edgeRoutes(services: EdgeServices): readonly Route[] {
  return [
    ...lookupRoutes(services),
    ...lookupBatchRoutes(services),
    ...healthRoutes(services),
    ...feedRoutes(services),
    ...docsRoutes(services),
  ];
}

/** Answers requests. Make one per isolate, with the same quota as that of its app. */
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
