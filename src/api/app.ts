/** Turns a list of routes into an app: it checks key, scope and quota, calls the handler, and answers failures. */
import { type Context, Hono } from 'hono';
import { authorize } from './auth.ts';
import { failureResponse, Problem } from './problem.ts';
import { quickMissOf } from './quick-lookup.ts';
import type { RequestQuota } from './quota.ts';
import { repeatedInQuery } from './request.ts';
import type { Endpoint } from './route.ts';
import type { RequestServices } from './services.ts';

/** Answers requests that no route matches. */
export type NotFound = (request: Request) => Response | Promise<Response>;

/**
 * An app of these routes. Each route is one handler without middleware, since every sign-up asks for a lookup and Hono
 * calls a single handler without composing a chain.
 *
 * There are no CORS headers: a browser that could call this would have to hold a key.
 */
export function createApp<Services extends RequestServices>(
  routes: readonly Endpoint<Services>[],
  services: Services,
  quota: RequestQuota,
  notFound: NotFound,
): Hono {
  const app = new Hono();
  for (const route of routes) {
    const queryNames = (route.parameters ?? []).flatMap((one) => (one.in === 'query' ? [one.name] : []));
    app.on(route.method, route.path, (context) => serve(route, queryNames, context, services, quota));
  }
  // Hono calls this for a path that no route has, and for a method that a path does not have.
  app.notFound(({ req }) => notFound(req.raw));
  app.onError((error) => failureResponse(error, 'no route', services));
  return app;
}

/** @param queryNames names of the parameters that the route reads from the query */
async function serve<Services extends RequestServices>(
  route: Endpoint<Services>,
  queryNames: readonly string[],
  context: Context,
  services: Services,
  quota: RequestQuota,
): Promise<Response> {
  try {
    if (route.scope === null) {
      refuseRepeated(queryNames, context.req.url);
      return await route.handle(context, services);
    }
    const header = context.req.raw.headers.get('authorization');
    const principal = await authorize(header, route.scope, services.keys, quota, quickMissOf(context));
    refuseRepeated(queryNames, context.req.url);
    return await route.handle(context, principal, services);
  } catch (error) {
    // The log gets the pattern of the route and not the path, since someone may have put a number there.
    return failureResponse(error, `${route.method} ${route.path}`, services);
  }
}

/**
 * Refuses a parameter that is given twice: no value is better than the other, and another reader of the same URL may
 * decide by the one that this service did not read.
 * @throws Problem `invalid-request`
 */
function refuseRepeated(names: readonly string[], url: string): void {
  if (names.length === 0) return;
  const field = repeatedInQuery(url, names);
  if (field !== undefined) {
    throw new Problem('invalid-request', `${field}: expected at most once`, { members: { field } });
  }
}
