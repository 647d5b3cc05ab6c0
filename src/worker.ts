import { WorkerEntrypoint, waitUntil } from 'cloudflare:workers';
import { runCron } from './crons.ts';
import { createFetch } from './http/app.ts';
import type { LookupRequest } from './lookup/request.ts';
import { lookupByRpc } from './rpc.ts';
import { createRuntime, type Env, type Runtime } from './runtime.ts';

interface Instance extends Runtime {
  readonly fetch: (request: Request) => Response | Promise<Response>;
}

/** Snapshots and caches live as long as the isolate. They hold resolved values only, never a request's I/O. */
let instance: Instance | undefined;

function instanceFor(env: Env): Instance {
  if (instance === undefined) {
    const runtime = createRuntime(env, waitUntil);
    // While the first request is being authenticated. A failure shows when a lookup asks.
    waitUntil(runtime.warm());
    instance = { ...runtime, fetch: createFetch(runtime.services) };
  }
  return instance;
}

export default {
  fetch(request, env) {
    return instanceFor(env).fetch(request);
  },
  async scheduled({ cron }, env) {
    await runCron(cron, instanceFor(env));
  },
} satisfies ExportedHandler<Env>;

/** For service bindings of the same account (src/rpc.ts). */
export class Lookup extends WorkerEntrypoint<Env> {
  lookup(input: LookupRequest) {
    return lookupByRpc(instanceFor(this.env).services, this.ctx.props, input);
  }
}
