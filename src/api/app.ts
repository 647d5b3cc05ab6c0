import { type Context, Hono } from 'hono';
import { authorize } from './auth.ts';
import { failureResponse, Problem } from './problem.ts';
import { quickMissOf } from './quick-lookup.ts';
import type { RequestQuota } from './quota.ts';
import { repeatedInQuery } from './request.ts';
import type { Route } from './route.ts';
import type { RequestServices } from './services.ts';

/** Answers a request that no route is for. */
export type NotFound = (request: Request) => Response | Promise<Response>;

/**
 * An app of these routes. One handler a route and no middleware: the lookup is asked for at every sign-up, and Hono calls
 * a single handler without composing a chain.
 *
 * No CORS headers: a browser that could call this would have to hold a key.
 */
export function createApp(
  routes: readonly Route[],
  services: RequestServices,
  quota: RequestQuota,
  notFound: NotFound,
): Hono {
  const app = new Hono();
  for (const route of routes) {
    const queryNames = (route.parameters ?? []).flatMap((one) => (one.in === 'query' ? [one.name] : []));
    app.on(route.method, route.path, (context) => serve(route, queryNames, context, services, quota));
  }
  // Hono comes here for a path that is not one of these, and for a method that a path does not have.
  app.notFound(({ req }) => notFound(req.raw));
  app.onError((error) => failureResponse(error, 'no route', services));
  return app;
}

/** @param queryNames of the parameters that the route reads from the query */
async function serve(
  route: Route,
  queryNames: readonly string[],
  context: Context,
  services: RequestServices,
  quota: RequestQuota,
): Promise<Response> {
  try {
    if (route.scope === null) {
      refuseRepeated(queryNames, context.req.url);
      return await route.handle(context);
    }
    const header = context.req.raw.headers.get('authorization');
    const principal = await authorize(header, route.scope, services.keys, quota, quickMissOf(context));
    refuseRepeated(queryNames, context.req.url);
    return await route.handle(context, principal);
  } catch (error) {
    // The pattern and not the path: someone may have put a number there.
    return failureResponse(error, `${route.method} ${route.path}`, services);
  }
}

/**
 * Of two values for one parameter neither is better than the other: nobody is to decide by the one that we did not read.
 * @throws Problem `invalid-request`
 */
function refuseRepeated(names: readonly string[], url: string): void {
  if (names.length === 0) return;
  const field = repeatedInQuery(url, names);
  if (field !== undefined) {
    throw new Problem('invalid-request', `${field}: expected at most once`, { members: { field } });
  }
}
