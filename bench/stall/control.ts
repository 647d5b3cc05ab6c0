/**
 * The control Worker as it is deployed, and a count of how often it gives way: the small form of the benchmark is held
 * to that, since it does not depend on the machine.
 */
import { WorkerEntrypoint } from 'cloudflare:workers';

export * from '../../src/control.ts';
export { default } from '../../src/control.ts';

let timers = 0;
const set = globalThis.setTimeout;
globalThis.setTimeout = ((callback: () => void, ms: number) => {
  if (ms === 0) timers += 1;
  return set(callback, ms);
}) as typeof setTimeout;

/** Giving way awaits two timers of 0 ms (src/lib/cooperate.ts). */
const TIMERS_A_TURN = 2;

/** Answers how often this isolate has given way so far. */
export class Turns extends WorkerEntrypoint {
  override fetch(): Response {
    return new Response(String(timers / TIMERS_A_TURN));
  }
}
