/**
 * The edge Worker's part of the HTTP API. All other routes are the control Worker's (src/api/control-app.ts), at the
 * same address.
 */

import type { Hono } from 'hono';
import { getPath } from 'hono/utils/url';
import { loggableMessage } from '../lib/errors.ts';
import { createApp } from './app.ts';
import { bearerToken } from './auth.ts';
import { DOCS_ROUTES } from './docs-page.ts';
import { FEED_ROUTES } from './feed.ts';
import { LOOKUP_ROUTES } from './lookup.ts';
import { problemResponse, storageUnavailable } from './problem.ts';
import { QuickMiss, quickLookup } from './quick-lookup.ts';
import { RequestQuota } from './quota.ts';
import { type Endpoint, json } from './route.ts';
import type { EdgeServices, RequestServices } from './services.ts';

/** Without what the OpenAPI document says of them, which the control Worker alone has (edge-docs.ts). */
export const EDGE_ROUTES: readonly Endpoint<EdgeServices>[] = [
  ...LOOKUP_ROUTES,
  {
    // It needs no key, so that load balancers can ask.
    method: 'GET',
    path: '/healthz',
    operationId: 'health',
    scope: null,
    handle: async (_context, services) => {
      const health = await services.health();
      return json(health, health.ok ? 200 : 503);
    },
  },
  ...FEED_ROUTES,
  ...DOCS_ROUTES,
];

/** Answers requests. Make one per isolate, with the same quota as that of its app. */
export function createEdgeFetch(
  services: EdgeServices,
  forward: ForwardDeps,
  quota = new RequestQuota(services),
  app: Pick<Hono, 'fetch'> = createEdgeApp(services, forward, quota),
) {
  const answer = (request: Request, quick: ReturnType<typeof quickLookup>) => {
    if (quick instanceof Response) return quick;
    if (quick === null) return app.fetch(request);
    if (quick instanceof QuickMiss) return app.fetch(request, quick);
    return quick.then((answer) => (answer instanceof Response ? answer : app.fetch(request, answer)));
  };
  return (request: Request): Response | Promise<Response> => {
    const quick = quickLookup(services, quota, request);
    if (quick instanceof Response) return quick;
    const refreshed = isLookup(request) ? forward.refreshed() : null;
    if (refreshed === null) return answer(request, quick);
    // A body that is being read can be read only once: the route goes on with it.
    const isReading = quick instanceof Promise;
    return refreshed.then(() => answer(request, isReading ? quick : quickLookup(services, quota, request)));
  };
}

/** Whether a request may become a lookup. Whoever has no key at all must not make this isolate read storage. */
function isLookup({ url, headers }: Request): boolean {
  return url.includes(LOOKUPS) && bearerToken(headers.get('authorization')) !== null;
}

export function createEdgeApp(services: EdgeServices, deps: ForwardDeps, quota = new RequestQuota(services)): Hono {
  return createApp(EDGE_ROUTES, services, quota, forwardTo(deps, services));
}

/** The part of a service binding that is needed. */
export interface ControlBinding {
  fetch(request: Request): Response | Promise<Response>;
}

/** What the edge holds of what the control Worker changes. */
type Held = 'keys' | 'rules' | 'snapshot';

/** By the first two parts of the path. */
const CHANGED_BY: Readonly<Record<string, Held>> = {
  '/v1/keys': 'keys',
  '/v1/overrides': 'rules',
  '/v1/policy': 'rules',
  '/v1/rollback': 'snapshot',
  '/v1/sources': 'snapshot',
};
const LOOKUPS = '/v1/lookup';
/** A dry run, which changes nothing. */
const POLICY_TEST = '/v1/policy/test';
/** It tells the generation: who has read it does not expect lookups of one before. */
const STATUS = '/v1/status';

export interface ForwardDeps {
  readonly control: ControlBinding;
  /**
   * Reads storage again, so that later lookups of this isolate see what the control Worker has changed; until it is
   * read, they wait. Never rejects.
   */
  readonly changedElsewhere: (held: Held) => Promise<void>;
  /** Reads the manifest again, while lookups go on with what is held. Never rejects. */
  readonly lookAgain: () => Promise<void>;
  /**
   * Refreshes at the same time whatever of keys, rules and snapshot a lookup would have to wait for, one after the
   * other otherwise; null: it has to wait for nothing. Never rejects.
   */
  readonly refreshed: () => Promise<void> | null;
}

/**
 * For requests that are not the edge Worker's: the request itself goes on, its body unread, and the answer comes back
 * as it is, both streaming. If the binding fails nobody knows how far the control Worker came: what it had stored, it
 * has stored.
 */
function forwardTo({ control, changedElsewhere, lookAgain }: ForwardDeps, services: EdgeServices) {
  return async (request: Request): Promise<Response> => {
    // Decoded as Hono does it for the routes.
    const path = getPath(request);
    const isRead = request.method === 'GET' || request.method === 'HEAD';
    const held = isRead ? null : heldAt(path);
    const answer = await answerOf(control, request, services.log);
    if (isRead && path === STATUS && answer.ok) await lookAgain();
    else if (held !== null && (await mayHaveChanged(request, answer, services.keys))) await changedElsewhere(held);
    return answer;
  };
}

/**
 * A refused request has changed nothing, and after a failure nobody knows. Then the key is checked here: whoever has
 * none must not make this isolate read storage, least of all while control fails.
 */
async function mayHaveChanged({ headers }: Request, answer: Response, keys: EdgeServices['keys']): Promise<boolean> {
  if (answer.status < 500) return answer.ok;
  const token = bearerToken(headers.get('authorization'));
  return token !== null && (await keys.authenticate(token)).kind === 'known';
}

async function answerOf(control: ControlBinding, request: Request, log: RequestServices['log']): Promise<Response> {
  try {
    return await control.fetch(request);
  } catch (error) {
    log('control.unavailable', { reason: loggableMessage(error) });
    return problemResponse(storageUnavailable('this part of the service does not answer at the moment'));
  }
}

function heldAt(path: string): Held | null {
  if (path === POLICY_TEST) return null;
  const [, version = '', resource = ''] = path.split('/');
  return CHANGED_BY[`/${version}/${resource}`] ?? null;
}
