/** A sign-up behind Ringfence: itty-router, by URL. */
import { env } from 'cloudflare:workers';
import { AutoRouter, json } from 'itty-router';
import { type RingfenceRequest, ringfence } from 'ringfence/itty-router';
import { report } from '../../shared/report.ts';
import { settingsFrom } from '../../shared/settings.ts';

interface Env {
  readonly RINGFENCE_URL: string;
  readonly RINGFENCE_KEY: string;
}

interface SignUp {
  readonly phone?: string;
}

const router = AutoRouter<RingfenceRequest, [Env]>();

router.post(
  '/sign-up',
  ringfence<[Env]>({
    from: (_request, { RINGFENCE_URL, RINGFENCE_KEY }) => ({ url: RINGFENCE_URL, key: RINGFENCE_KEY }),
    number: async (request) => (await request.json<SignUp>()).phone,
    scenario: 'signup',
    onResult: (_request, check) => report(check),
    ...settingsFrom(env),
  }),
  async (request) => {
    const { phone } = await request.json<SignUp>();
    if (!phone) return json({ code: 'phone-missing' }, { status: 400 });
    // Here an account would be made; request.ringfence.outcome === 'flag' would have someone look at it.
    return json({ account: 'created' }, { status: 201 });
  },
);

export default router;
