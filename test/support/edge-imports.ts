/**
 * What the edge Worker may be made of, the only place that says so. Every isolate of every city loads all of it before
 * it answers its first lookup, so what writes, merges, computes or describes is the control Worker's.
 *
 * A folder stands for all in it.
 */
export const EDGE_MAY_IMPORT: readonly string[] = [
  'src/edge.ts',
  'src/wiring/edge.ts',
  'src/wiring/isolate.ts',
  // Its routes, and how any request is served.
  'src/api/edge-app.ts',
  'src/api/app.ts',
  'src/api/auth.ts',
  'src/api/docs-page.ts',
  'src/api/feed.ts',
  'src/api/lookup.ts',
  'src/api/problem.ts',
  'src/api/quick-lookup.ts',
  'src/api/quota.ts',
  'src/api/request.ts',
  'src/api/route.ts',
  'src/api/rpc.ts',
  // What it reads and decides with.
  'src/format',
  'src/generated/neighbourhood-table.ts',
  'src/generated/number-plan.ts',
  'src/keys',
  'src/lib',
  'src/lookup',
  'src/phone',
  'src/policy',
  'src/replica',
  'src/storage',
  'src/tenants',
  'node_modules/hono',
  'node_modules/valibot',
  'node_modules/libphonenumber-js',
];

/** Modules that only one folder may import, since that is where another one will take their place. */
export const ONLY_FROM: Readonly<Record<string, string>> = { 'node_modules/libphonenumber-js': 'src/phone' };
