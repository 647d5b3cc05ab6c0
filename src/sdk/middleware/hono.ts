/** `ringfence/hono`: the middleware for Hono. It imports only types of Hono, so any version 4 will do. */
import type { Context, Env, MiddlewareHandler } from 'hono';
import { createGuard, type GuardOptions, TOKEN_HEADER } from './guard.ts';
import type { Check } from './types.ts';

export type * from './types.ts';

export type RingfenceOptions<E extends Env = Env> = GuardOptions<[c: Context<E>]>;

/** What later handlers find in the context: `c.get('ringfence')`, `c.var.ringfence`. */
export interface RingfenceVariables {
  ringfence: Check;
}

/**
 * Read the body with `c.req.json()`, `.parseBody()` and so on, never from `c.req.raw`: Hono keeps it for the route.
 * @throws Error if an option is not usable; at request time it throws nothing but what the route throws
 * @example
 * app.post('/signup', ringfence<{ Bindings: Bindings }>({
 *   from: (c) => c.env.RINGFENCE,
 *   number: async (c) => (await c.req.json()).phone,
 * }), (c) => c.json({ flagged: c.get('ringfence').outcome === 'flag' }));
 */
export function ringfence<E extends Env = Env>(
  options: RingfenceOptions<E>,
): MiddlewareHandler<E & { Variables: RingfenceVariables }> {
  const guard = createGuard<[c: Context<E>]>(options, (c) => c.req.header(TOKEN_HEADER));
  return async function ringfence(c, next) {
    const { check, refusal } = await guard(c as unknown as Context<E>);
    if (refusal) return refusal;
    c.set('ringfence', check);
    return next();
  };
}
