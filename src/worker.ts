import { waitUntil } from 'cloudflare:workers';
import { createApp } from './http/app.ts';
import { tick } from './merge/tick.ts';
import { createRuntime, type Env, type Runtime } from './runtime.ts';

interface Instance extends Runtime {
  readonly app: ReturnType<typeof createApp>;
}

/** Snapshots and caches live as long as the isolate. They hold resolved values only, never a request's I/O. */
let instance: Instance | undefined;

function instanceFor(env: Env): Instance {
  if (instance === undefined) {
    const runtime = createRuntime(env, waitUntil);
    // While the first request is being authenticated. A failure shows when a lookup asks for the snapshot.
    waitUntil(runtime.finder.snapshots.get().catch(() => undefined));
    instance = { ...runtime, app: createApp(runtime.services) };
  }
  return instance;
}

export default {
  fetch(request, env) {
    return instanceFor(env).app.fetch(request);
  },
  async scheduled(_controller, env) {
    const { merge, finder } = instanceFor(env);
    const result = await tick(merge);
    merge.log('tick', { ...result, lostRace: String(result.lostRace) });
    // This isolate may serve lookups too, and knows that there is something new.
    await finder.snapshots.refresh();
  },
} satisfies ExportedHandler<Env>;
