/** The HTTP API of the control Worker, and the list of all routes of both Workers. */
import { getPath } from 'hono/utils/url';
import { createApp } from './app.ts';
import { auditRoutes } from './audit.ts';
import { batchRoutes } from './batches.ts';
import { briefingRoutes } from './briefings.ts';
import { canaryRoutes } from './canaries.ts';
import { detectionRoutes } from './detections.ts';
import { EDGE_ROUTE_DOCS } from './edge-docs.ts';
import { keyRoutes } from './keys.ts';
import { openApiRoute } from './openapi.ts';
import { overrideRoutes } from './overrides.ts';
import { policyRoutes, policyTestRoutes } from './policy.ts';
import { Problem, problemResponse } from './problem.ts';
import { RequestQuota } from './quota.ts';
import { rollbackRoutes } from './rollback.ts';
import type { Route, RouteDoc } from './route.ts';
import type { ControlServices } from './services.ts';
import { sourceRoutes } from './sources.ts';
import { stateRoutes } from './state.ts';

interface Routes {
  /** Those of the control Worker. GET /openapi.json is among them and describes those of both Workers. */
  readonly own: readonly Route[];
  /** Those of both Workers, which have one address, in the order of the document. */
  readonly all: readonly RouteDoc[];
}

export function controlRoutes(services: ControlServices): Routes {
  const own: Route[] = [
    ...policyRoutes(services),
    ...policyTestRoutes(services),
    ...overrideRoutes(services),
    ...auditRoutes(services),
    ...briefingRoutes(services),
    ...detectionRoutes(services),
    ...batchRoutes(services),
    ...sourceRoutes(services),
    ...canaryRoutes(services),
    ...stateRoutes(services),
    ...rollbackRoutes(services),
    ...keyRoutes(services),
  ];
  own.push(openApiRoute(() => all));
  const all = describedTogether(own);
  return { own, all };
}

/** A reader of the document meets lookups first, and health beside the status. */
function describedTogether(control: readonly RouteDoc[]): readonly RouteDoc[] {
  const isLookup = ({ tag }: RouteDoc) => tag === 'Lookup';
  const isHealth = ({ path }: RouteDoc) => path === '/healthz';
  const status = control.findIndex(({ path }) => path === '/v1/status');
  return [
    ...EDGE_ROUTE_DOCS.filter(isLookup),
    ...control.slice(0, status),
    ...EDGE_ROUTE_DOCS.filter(isHealth),
    ...control.slice(status),
    ...EDGE_ROUTE_DOCS.filter((route) => !isLookup(route) && !isHealth(route)),
  ];
}

/**
 * The control Worker's part of the HTTP API, with the answer for requests that no route of either Worker matches. Make
 * one per isolate.
 */
export function createControlFetch(services: ControlServices, quota = new RequestQuota(services)) {
  const { own, all } = controlRoutes(services);
  const notFound = (request: Request) => problemResponse(noRoute(all, getPath(request)));
  const app = createApp(own, services, quota, notFound);
  return (request: Request): Response | Promise<Response> => app.fetch(request);
}

/** The problem for a path that no route has, or a method that a path does not have. */
function noRoute(routes: readonly RouteDoc[], path: string): Problem {
  const methods = new Set<string>();
  for (const route of routes) {
    if (!samePath(route.path, path)) continue;
    methods.add(route.method);
    // Hono answers HEAD with the GET route.
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
