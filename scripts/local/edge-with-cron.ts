/**
 * The edge Worker as it runs on this machine. The development server fires the cron handler only of the Worker that has
 * the address, so this one hands it on to the control Worker, which has the crons.
 */
import edge from '../../src/edge.ts';
import type { EdgeEnv } from '../../src/wiring/edge.ts';

export { Lookup } from '../../src/edge.ts';

/** With a compatibility flag (dev-server.ts), a service binding fires the other handlers too. */
interface Crons {
  scheduled(options: { readonly cron: string }): Promise<{ readonly outcome: string }>;
}

export default {
  fetch: edge.fetch,
  async scheduled({ cron }, env) {
    const { outcome } = await (env.CONTROL as Fetcher & Crons).scheduled({ cron });
    if (outcome !== 'ok') throw new Error(`the cron handler of the control Worker ended with ${outcome}`);
    // This isolate, the only one here, is to answer from what has just been published: it does so for whoever has been
    // told the status.
    const headers = { authorization: `Bearer ${env.RINGFENCE_ADMIN_KEY}` };
    const status = await edge.fetch(new Request('http://127.0.0.1/v1/status', { headers }), env);
    await status.body?.cancel();
  },
} satisfies ExportedHandler<EdgeEnv>;
