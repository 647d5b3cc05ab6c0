/**
 * The edge Worker's part of the HTTP API. All other routes are the control Worker's (src/api/control-app.ts), at the
 * same address.
 */

import type { Hono } from 'hono';
import { createApp } from './app.ts';
import { docsRoutes } from './docs-page.ts';
import { feedRoutes } from './feed.ts';
import { healthRoutes } from './health.ts';
import { lookupBatchRoutes, lookupRoutes } from './lookup.ts';
import { problemResponse, storageUnavailable } from './problem.ts';
import { quickLookup } from './quick-lookup.ts';
import { RequestQuota } from './quota.ts';
import type { Route } from './route.ts';
import type { EdgeServices, RequestServices } from './services.ts';

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

/** The part of a service binding that is needed. */
export interface Control {
  fetch(request: Request): Response | Promise<Response>;
}

/** What the edge holds of what the control Worker changes, by the first two parts of the path that changes it. */
type Held = 'keys' | 'rules' | 'snapshot';

const CHANGED_BY: Readonly<Record<string, Held>> = {
  '/v1/keys': 'keys',
  '/v1/overrides': 'rules',
  '/v1/policy': 'rules',
  '/v1/rollback': 'snapshot',
};
/** It tells the generation: who has read it does not expect lookups of one before. */
const STATUS = '/v1/status';

export interface ForwardDeps {
  readonly control: Control;
  /**
   * Called before a request that may change what this isolate holds, or tells how it is; what it returns, once its answer
   * is there or is not coming, so that who has it finds no older state in the lookups after. Never rejects.
   */
  readonly expectChange: (held: Held) => () => Promise<void>;
}

/**
 * For requests that are not the edge Worker's: the request itself goes on, its body unread, and the answer comes back as
 * it is, both streaming. If the binding fails nobody knows how far the control Worker came: what it had stored, it has
 * stored.
 */
function forwardTo({ control, expectChange }: ForwardDeps, log: RequestServices['log']) {
  return async (request: Request): Promise<Response> => {
    const held = heldOf(request);
    const changed = held === null ? null : expectChange(held);
    const answer = await answerOf(control, request, log);
    await changed?.();
    return answer;
  };
}

async function answerOf(control: Control, request: Request, log: RequestServices['log']): Promise<Response> {
  try {
    return await control.fetch(request);
  } catch (error) {
    log('control.unavailable', { error: error instanceof Error ? error.name : typeof error });
    return problemResponse(storageUnavailable('this part of the service does not answer at the moment'));
  }
}

function heldOf({ method, url }: Request): Held | null {
  const { pathname } = new URL(url);
  if (method === 'GET' || method === 'HEAD') return pathname === STATUS ? 'snapshot' : null;
  const [, version = '', resource = ''] = pathname.split('/');
  return CHANGED_BY[`/${version}/${resource}`] ?? null;
}
