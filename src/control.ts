/** The control Worker: everything but lookups, and the crons. It is reached through the edge Worker's binding only. */
import { waitUntil } from 'cloudflare:workers';
import { type Control, type ControlEnv, createControl } from './wiring/control.ts';
import { runCron } from './wiring/crons.ts';
import { createIsolate, limitersOf, storesOf } from './wiring/isolate.ts';

/** Copies and caches live as long as the isolate. They hold resolved values only, never a request's I/O. */
let instance: Control | undefined;

function instanceFor(env: ControlEnv): Control {
  instance ??= createControl(createIsolate(storesOf(env), env, waitUntil, limitersOf(env)), env);
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
