/** The edge Worker: it answers lookups, which come at every sign-up, and forwards all else to the control Worker. */
import { WorkerEntrypoint, waitUntil } from 'cloudflare:workers';
import { lookupByRpc } from './api/rpc.ts';
import type { LookupRequest } from './lookup/request.ts';
import { createEdge, type Edge, type EdgeEnv, edgeStoresOf } from './wiring/edge.ts';
import { createIsolate, limitersOf } from './wiring/isolate.ts';

/** Snapshots and caches live as long as the isolate. They hold resolved values only, never the I/O of a request. */
let instance: Edge | undefined;

function instanceFor(env: EdgeEnv): Edge {
  if (instance === undefined) {
    const isolate = createIsolate(
      edgeStoresOf(env),
      env,
      waitUntil,
      (source) => env.COMPILER.compile(source),
      limitersOf(env),
    );
    instance = createEdge(isolate, env.CONTROL, env.ASSETS ?? null);
  }
  return instance;
}

export default {
  fetch(request, env) {
    return instanceFor(env).fetch(request);
  },
} satisfies ExportedHandler<EdgeEnv>;

/** The entry point for service bindings of the same account (src/api/rpc.ts). */
export class Lookup extends WorkerEntrypoint<EdgeEnv> {
  lookup(input: LookupRequest) {
    return lookupByRpc(instanceFor(this.env).services, this.ctx.props, input);
  }
}
