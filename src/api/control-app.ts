/** The control Worker's part of the HTTP API, and the answer for whatever no route of either Worker is for. */
import { createApp } from '../http/app.ts';
import { Problem } from '../http/problem.ts';
import { problemResponse } from '../http/respond.ts';
import type { Route } from '../http/route.ts';
import { allRoutes, controlRoutes } from '../http/routes.ts';
import { RequestQuota } from '../keys/quota.ts';
import type { ControlServices } from './control-services.ts';

/** Make one per isolate. */
export function createControlFetch(services: ControlServices, quota = new RequestQuota(services)) {
  const all = allRoutes(services);
  const notFound = (request: Request) => problemResponse(noRoute(all, new URL(request.url).pathname));
  const app = createApp(controlRoutes(services), services, quota, notFound);
  return (request: Request): Response | Promise<Response> => app.fetch(request);
}

/** A path that nobody has, or a method that a path does not have. */
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
