/**
 * `ringfence/fetch`: the middleware for any handler of a `Request` (Worker, Deno, Bun, Node), and the check for all
 * other code.
 */

import { createGuard, type GuardOptions, TOKEN_HEADER, untouched } from './guard.ts';
import { type Check, checkFunction } from './types.ts';

export { type CheckOptions, createCheck } from './check.ts';
export type * from './types.ts';

/** `Rest` is what the platform hands to a handler after the request: `[env, ctx]` in a Worker. */
export type RingfenceOptions<Rest extends unknown[] = unknown[]> = GuardOptions<[request: Request, ...rest: Rest]>;

/** What the handler gets. */
export type RingfenceRequest = Request & { readonly ringfence: Check };

/**
 * The functions in the options may read the body: they get a view of the request that leaves it to the handler.
 * @throws Error if an option is not usable; at request time it throws nothing but what the handler throws
 * @example
 * export default { fetch: withRingfence<[Env]>({
 *   from: (_request, env) => env.RINGFENCE,
 *   number: async (request) => (await request.formData()).get('phone'),
 * }, (request) => Response.json({ flagged: request.ringfence.outcome === 'flag' })) };
 */
export function withRingfence<Rest extends unknown[] = unknown[]>(
  options: RingfenceOptions<Rest>,
  handler: (request: RingfenceRequest, ...rest: Rest) => Response | Promise<Response>,
): (request: Request, ...rest: Rest) => Promise<Response> {
  const guard = createGuard<[request: Request, ...rest: Rest]>(options, (request) => request.headers.get(TOKEN_HEADER));
  checkFunction('handler', handler ?? null);
  return async (request, ...rest) => {
    const { check, refusal } = await guard(untouched(request), ...rest);
    return refusal ?? handler(Object.assign(request, { ringfence: check }), ...rest);
  };
}
