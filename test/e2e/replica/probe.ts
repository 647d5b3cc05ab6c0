/**
 * Put around the Worker of the document: also tells whole answers, each request from an isolate with an empty memory.
 */
import { createReplica, r2ReplicaStore } from 'ringfence/replica';

interface Env {
  readonly REPLICA: R2Bucket;
  readonly ORIGIN: string;
  readonly FEED_KEY: string;
}

interface Probe {
  readonly numbers: readonly string[];
  readonly scenario: string;
}

export function withProbe(documented: Pick<Required<ExportedHandler<Env>>, 'fetch' | 'scheduled'>, path: string) {
  return {
    ...documented,
    async fetch(request, env, context) {
      if (new URL(request.url).pathname !== path) return documented.fetch(request, env, context);
      const { numbers, scenario } = await request.json<Probe>();
      const waitUntil = (work: Promise<unknown>) => context.waitUntil(work);
      const replica = createReplica({
        url: env.ORIGIN,
        key: env.FEED_KEY,
        store: r2ReplicaStore(env.REPLICA),
        waitUntil,
      });
      const results = [];
      // One after the other: at once, each would read the columns that none of them has in memory yet.
      for (const number of numbers) results.push(await replica.lookup({ number, scenario }));
      return Response.json({ results });
    },
  } satisfies ExportedHandler<Env>;
}
