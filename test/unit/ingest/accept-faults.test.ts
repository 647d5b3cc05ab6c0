/** Every store call of an upload fails, with and without having been carried out; a tick may come between any two. */
import { describe, expect, test } from 'vitest';
import type { AcceptResult } from '../../../src/ingest/accept.ts';
import { MERGED_PREFIX, WAITING_PREFIX } from '../../../src/storage/keys.ts';
import { MemoryObjectStore } from '../../../src/storage/memory.ts';
import { StorageUnavailable } from '../../../src/storage/store.ts';
import { wrapStore } from './stores.ts';
import { type Merged, tick } from './tick.ts';
import { BODY_1, BODY_2, depsOn, sha256, upload } from './uploads.ts';

/** More store calls than any upload makes. */
const MAX_CALLS = 4;
/** What was there before: nothing, the same upload or another one, waiting, merged, or merged and put again. */
const BEFORE = ['nothing', 'waiting', 'merged', 'merged, other body put since'] as const;

type Fault = 'fails' | 'fails after it was done';

interface World {
  readonly memory: MemoryObjectStore;
  readonly merged: Merged;
}

async function worldWith(before: (typeof BEFORE)[number], body: string): Promise<World> {
  const memory = new MemoryObjectStore();
  const merged: Merged = [];
  if (before !== 'nothing') await upload(depsOn(memory), body, 'key-1');
  if (before.startsWith('merged')) await tick(memory, merged);
  if (before.endsWith('since')) await upload(depsOn(memory), body === BODY_1 ? BODY_2 : BODY_1, 'key-1');
  return { memory, merged };
}

/** A store whose `faulty` calls (from 0) fail, and that ticks before the calls of `ticks`. */
function faultyStore(world: World, faulty: ReadonlyMap<number, Fault>, ticks: ReadonlySet<number>) {
  let calls = 0;
  return wrapStore(world.memory, async (_, key, run) => {
    const call = calls;
    calls += 1;
    if (ticks.has(call)) await tick(world.memory, world.merged);
    const fault = faulty.get(call);
    if (fault === 'fails') throw new Error(`injected at ${key}`);
    const result = await run();
    if (fault !== undefined) throw new Error(`injected after ${key}`);
    return result;
  });
}

async function outcomeOf(result: Promise<AcceptResult>): Promise<'accepted' | 'conflict' | 'unavailable'> {
  try {
    return (await result).kind;
  } catch (error) {
    if (error instanceof StorageUnavailable) return 'unavailable';
    throw error;
  }
}

/** Every set of calls to fault (each in both ways) by every set of calls to tick before. */
function* schedules(): Generator<{ faulty: Map<number, Fault>; ticks: Set<number> }> {
  for (let code = 0; code < 3 ** MAX_CALLS; code++) {
    const faulty = new Map<number, Fault>();
    for (let call = 0; call < MAX_CALLS; call++) {
      const digit = Math.floor(code / 3 ** call) % 3;
      if (digit > 0) faulty.set(call, digit === 1 ? 'fails' : 'fails after it was done');
    }
    for (let bits = 0; bits < 2 ** MAX_CALLS; bits++) {
      const ticks = new Set(Array.from({ length: MAX_CALLS }, (_, i) => i).filter((i) => (bits >> i) & 1));
      yield { faulty, ticks };
    }
  }
}

describe.each(BEFORE)('before: %s', (before) => {
  test('the same upload: never refused, retried until it is accepted, merged exactly once', async () => {
    for (const { faulty, ticks } of schedules()) {
      const world = await worldWith(before, BODY_1);
      const first = await outcomeOf(upload(depsOn(faultyStore(world, faulty, ticks)), BODY_1, 'key-1'));
      expect(first).not.toBe('conflict');
      if (faulty.size === 0) expect(first).toBe('accepted');
      if (first === 'accepted') await expectMergedOnce(await copyOf(world), BODY_1);
      expect(await outcomeOf(upload(depsOn(world.memory), BODY_1, 'key-1'))).toBe('accepted');
      await expectMergedOnce(world, BODY_1);
    }
  });
});

test.each(BEFORE.slice(1))('before: %s; another body: never accepted, never merged', async (before) => {
  for (const { faulty, ticks } of schedules()) {
    const world = await worldWith(before, BODY_1);
    const outcome = await outcomeOf(upload(depsOn(faultyStore(world, faulty, ticks)), BODY_2, 'key-1'));
    expect(outcome).not.toBe('accepted');
    if (faulty.size === 0) expect(outcome).toBe('conflict');
    expect(await outcomeOf(upload(depsOn(world.memory), BODY_2, 'key-1'))).toBe('conflict');
    expect(await outcomeOf(upload(depsOn(world.memory), BODY_1, 'key-1'))).toBe('accepted');
    await expectMergedOnce(world, BODY_1);
  }
});

/** A world to look into the future of. */
async function copyOf({ memory, merged }: World): Promise<World> {
  const copy = new MemoryObjectStore();
  for (const prefix of [WAITING_PREFIX, MERGED_PREFIX]) {
    for (const { key } of (await memory.list(prefix)).objects) {
      await copy.put(key, (await memory.get(key))?.bytes ?? new Uint8Array());
    }
  }
  return { memory: copy, merged: [...merged] };
}

async function expectMergedOnce({ memory, merged }: World, body: string): Promise<void> {
  await tick(memory, merged);
  await tick(memory, merged);
  expect(merged.map((each) => each.bodySha256)).toEqual([sha256(body)]);
  expect((await memory.list(WAITING_PREFIX)).objects).toEqual([]);
}

describe('without a key', () => {
  test('accepted is merged once; not accepted is merged at most once', async () => {
    for (const { faulty, ticks } of schedules()) {
      const world = await worldWith('nothing', BODY_1);
      const outcome = await outcomeOf(upload(depsOn(faultyStore(world, faulty, ticks)), BODY_1));
      if (outcome === 'accepted') {
        await expectMergedOnce(world, BODY_1);
      } else {
        expect(outcome).toBe('unavailable');
        expect(faulty.has(0)).toBe(true);
        await tick(world.memory, world.merged);
        expect(world.merged.length).toBeLessThanOrEqual(1);
      }
    }
  });

  test('a put that was done but not confirmed is found again', async () => {
    const world = await worldWith('nothing', BODY_1);
    const objects = faultyStore(world, new Map([[0, 'fails after it was done']]), new Set());
    expect(await outcomeOf(upload(depsOn(objects), BODY_1))).toBe('accepted');
  });

  test('a put that the way to the storage tried twice is found again', async () => {
    const world = await worldWith('nothing', BODY_1);
    const objects = wrapStore(world.memory, async (name, _, run) => {
      if (name === 'put') await run();
      return run();
    });
    expect(await outcomeOf(upload(depsOn(objects), BODY_1))).toBe('accepted');
    await expectMergedOnce(world, BODY_1);
  });
});

test.each([
  ['key-1', 'send it again with the same Idempotency-Key: it will be counted once'],
  [undefined, 'sent again without an Idempotency-Key it may be counted twice'],
])('the error says what a retry does, key %s', async (key, detail) => {
  const world = await worldWith('nothing', BODY_1);
  const objects = wrapStore(world.memory, async () => {
    throw new Error('down');
  });
  await expect(upload(depsOn(objects), BODY_1, key)).rejects.toThrow(
    expect.objectContaining({ name: 'StorageUnavailable', detail: expect.stringContaining(detail) }),
  );
});
