/** The control Worker: the crons, and all of the API but lookups and the feed. Only the edge Worker reaches it. */
import { WorkerEntrypoint, waitUntil } from 'cloudflare:workers';
import { policyTreeOf } from './policy/cel/compile.ts';
import type { PolicySource } from './policy/policy.ts';
import { type Control, type ControlEnv, controlStores, createControl } from './wiring/control.ts';
import { runCron } from './wiring/crons.ts';
import { createIsolate, limitersOf, storesOf } from './wiring/isolate.ts';

/** Copies and caches live as long as the isolate. They hold resolved values only, never the I/O of a request. */
let instance: Control | undefined;

const compile = async (source: PolicySource) => policyTreeOf(source);

function instanceFor(env: ControlEnv): Control {
  instance ??= createControl(
    createIsolate(controlStores(storesOf(env)), env, waitUntil, compile, limitersOf(env)),
    env,
  );
  return instance;
}

export default {
  fetch(request, env) {
    return instanceFor(env).fetch(request);
  },
  async scheduled({ cron }, env) {
    await runCron(cron, instanceFor(env));
  },
} satisfies ExportedHandler<ControlEnv>;

/** Compiles policies for the edge Worker: those stored without a tree, or with one of another version. */
export class PolicyCompiler extends WorkerEntrypoint<ControlEnv> {
  compile(source: PolicySource) {
    return compile(source);
  }
}
