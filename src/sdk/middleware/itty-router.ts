/** `ringfence/itty-router`: the middleware for itty-router. It imports only types of it. */
import type { IRequest } from 'itty-router';
import { createGuard, type GuardOptions, TOKEN_HEADER, untouched } from './guard.ts';
import type { Check } from './types.ts';

export type * from './types.ts';

/** `Rest` is what `router.fetch` is given after the request: `[env, ctx]` in a Worker. */
export type RingfenceOptions<Rest extends unknown[] = unknown[]> = GuardOptions<[request: IRequest, ...rest: Rest]>;

/** What the handlers after it find on the request. */
export type RingfenceRequest = IRequest & { readonly ringfence: Check };

/**
 * The functions in the options may read the body: they get a view of the request that leaves it to the route.
 * @throws Error if an option is not usable; at request time it throws nothing
 * @example
 * router.post('/signup', ringfence<[Env]>({
 *   from: (_request, env) => env.RINGFENCE,
 *   number: async (request) => (await request.json()).phone,
 * }), (request) => ({ flagged: request.ringfence.outcome === 'flag' }));
 */
export function ringfence<Rest extends unknown[] = unknown[]>(
  options: RingfenceOptions<Rest>,
): (request: IRequest, ...rest: Rest) => Promise<Response | undefined> {
  const guard = createGuard<[request: IRequest, ...rest: Rest]>(options, (request) =>
    request.headers.get(TOKEN_HEADER),
  );
  return async function ringfence(request, ...rest) {
    const { check, refusal } = await guard(untouched(request), ...rest);
    if (refusal) return refusal;
    request.ringfence = check;
    return undefined;
  };
}
