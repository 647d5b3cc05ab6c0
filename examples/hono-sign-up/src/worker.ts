/** A sign-up behind Ringfence: Hono, through a service binding. */
import { env } from 'cloudflare:workers';
import { Hono } from 'hono';
import { type LookupSource, ringfence } from 'ringfence/hono';
import { report } from '../../shared/report.ts';
import { settingsFrom } from '../../shared/settings.ts';

interface Bindings {
  readonly RINGFENCE: LookupSource;
}

const app = new Hono<{ Bindings: Bindings }>();

app.post(
  '/sign-up',
  ringfence<{ Bindings: Bindings }>({
    from: (c) => c.env.RINGFENCE,
    number: async (c) => (await c.req.json()).phone,
    scenario: 'signup',
    onResult: (_c, check) => report(check),
    ...settingsFrom(env),
  }),
  async (c) => {
    const { phone } = await c.req.json();
    if (!phone) return c.json({ code: 'phone-missing' }, 400);
    // Here an account would be made; c.get('ringfence').outcome === 'flag' would have someone look at it.
    return c.json({ account: 'created' }, 201);
  },
);

export default app;
