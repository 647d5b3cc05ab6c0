/** Isolates with all that the Worker has, on a store whose answers take their time, by a clock that tests set. */
import { vi } from 'vitest';
import { createWhole, type Whole, type WholeSettings, wholeFetch } from '../../support/whole.ts';
import { newWorld, START, type World } from '../../support/world.ts';

const realTimeout = globalThis.setTimeout;

export const ADMIN = 'admin-key-of-more-than-32-characters';

/** Storage takes its time, so that requests that come at once find each other's reads under way. */
export const slowly = () => new Promise<void>((resolve) => setTimeout(resolve, 20));

/** Call in beforeEach, and `vi.useRealTimers()` and `vi.restoreAllMocks()` after. */
export function newSlowWorld(): World {
  vi.useFakeTimers({ now: START, toFake: ['Date', 'setTimeout', 'clearTimeout'] });
  vi.spyOn(console, 'log').mockReturnValue();
  const world = newWorld();
  world.storeLog.beforeCall = slowly;
  return world;
}

export interface Isolate {
  readonly runtime: Whole;
  /** @param key null: without one */
  readonly call: (method: string, path: string, key: string | null, body?: unknown) => Promise<Response>;
}

export function isolateOn(world: World, settings: WholeSettings = {}): Isolate {
  const runtime = createWhole(world, { RINGFENCE_ADMIN_KEY: ADMIN, ...settings }, () => undefined);
  const fetch = wholeFetch(runtime.services);
  const call = async (method: string, path: string, key: string | null, body?: unknown) => {
    const headers: Record<string, string> = key === null ? {} : { authorization: `Bearer ${key}` };
    const init = body === undefined ? { method, headers } : { method, headers, body: JSON.stringify(body) };
    return settled(Promise.resolve(fetch(new Request(`https://ringfence.example${path}`, init))));
  };
  return { runtime, call };
}

let pending = 0;

/** Lets time pass until the work is done, once for all that is under way. */
export async function settled<T>(work: Promise<T>): Promise<T> {
  pending += 1;
  const isFirst = pending === 1;
  const done = work.finally(() => {
    pending -= 1;
  });
  done.catch(() => undefined);
  while (isFirst && pending > 0) {
    await vi.advanceTimersByTimeAsync(10);
    // Hashes are computed in a thread of their own, by no clock of ours: ours goes faster, but not by much.
    await new Promise((resolve) => realTimeout(resolve, 1));
  }
  return done;
}

export async function newKey({ call }: Isolate): Promise<string> {
  const response = await call('POST', '/v1/keys', ADMIN, { name: 'sign-up', scopes: ['lookup'] });
  return ((await response.json()) as { key: string }).key;
}
