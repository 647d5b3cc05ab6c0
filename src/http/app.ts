import { type Context, Hono } from 'hono';
import { RequestQuota } from '../keys/quota.ts';
import { authorize } from './auth.ts';
import { failureResponse } from './failure.ts';
import { openApiRoute } from './openapi.ts';
import { Problem } from './problem.ts';
import { repeatedInQuery } from './query-number.ts';
import { quickLookup, quickMissOf } from './quick-lookup.ts';
import { problemResponse } from './respond.ts';
import type { Route } from './route.ts';
import { allRoutes } from './routes.ts';
import type { Services } from './services.ts';

/** Answers requests; make one per isolate. Its app must count by the same quota. */
export function createFetch(
  services: Services,
  quota = new RequestQuota(services),
  app: Pick<Hono, 'fetch'> = createApp(services, quota),
) {
  return (request: Request): Response | Promise<Response> => {
    const quick = quickLookup(services, quota, request);
    if (quick instanceof Response) return quick;
    return quick === null ? app.fetch(request) : app.fetch(request, quick);
  };
}

/**
 * The HTTP API, all of it. One handler a route and no middleware: the lookup is asked for at every sign-up,
 * and Hono calls a single handler without composing a chain.
 *
 * No CORS headers: a browser that could call this would have to hold a key.
 */
export function createApp(services: Services, quota = new RequestQuota(services)): Hono {
  const app = new Hono();
  const described = allRoutes(services);
  const routes = [...described, openApiRoute(described)];
  for (const route of routes) {
    const queryNames = (route.parameters ?? []).flatMap((one) => (one.in === 'query' ? [one.name] : []));
    app.on(route.method, route.path, (context) => serve(route, queryNames, context, services, quota));
  }
  app.notFound(({ req }) => problemResponse(noRoute(routes, req.path)));
  app.onError((error) => failureResponse(error, 'no route', services));
  return app;
}

/** @param queryNames of the parameters that the route reads from the query */
async function serve(
  route: Route,
  queryNames: readonly string[],
  context: Context,
  services: Services,
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

/** Hono comes here for a path that is not ours, and for a method that a path does not have. */
function noRoute(routes: readonly Route[], path: string): Problem {
  const methods = new Set<string>();
  for (const route of routes) {
    if (!samePath(route.path, path)) continue;
    methods.add(route.method);
    // Hono answers HEAD by GET.
    if (route.method === 'GET') methods.add('HEAD');
  }
  if (methods.size === 0) return new Problem('not-found', 'expected one of the paths in /openapi.json');
  const allow = [...methods].join(', ');
  return new Problem('method-not-allowed', `expected ${allow}`, { headers: { allow } });
}

function samePath(pattern: string, path: string): boolean {
  const expected = pattern.split('/');
  const found = path.split('/');
  return (
    expected.length === found.length &&
    expected.every((part, i) => (part.startsWith(':') ? found[i] !== '' : part === found[i]))
  );
}
