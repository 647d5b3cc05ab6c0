/**
 * Two syncs at once, of which one deletes what the other comes back to: nothing that the pointer leads to is ever
 * missing.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compilePolicy } from '../../../src/policy/cel/compile.ts';
import type { TenantRules } from '../../../src/policy/decide.ts';
import { Overrides } from '../../../src/policy/overrides.ts';
import { slicesOf } from '../../../src/replica/contents.ts';
import { parseFeedManifest } from '../../../src/replica/feed-manifest.ts';
import type { Replica } from '../../../src/replica/replica.ts';
import { readPointer, readSlice } from '../../../src/replica/store.ts';
import { DELETING_MS, GARBAGE_AGE_MS } from '../../../src/replica/sync.ts';
import { newReplicaWorld, type ReplicaWorld } from './replica.ts';

const MINUTE = 60_000;
/** A policy that is put, taken back, and put again has the same slice each time. */
const RULES: readonly TenantRules[] = [1, 2, 3, 4].map((level) => ({
  policy: compilePolicy({
    rules: [{ id: 'a', when: `level > ${level}`, action: 'block', mode: 'enforce' }],
    default: 'allow',
  }),
  overrides: Overrides.none,
}));

/** An isolate for which the origin has these rules. */
function following(world: ReplicaWorld, rules: number): Replica {
  return world.isolate({
    // Nothing here waits for the time itself.
    delay: () => new Promise((resolve) => setImmediate(resolve)),
    fetch: (request) => {
      world.origin.rules.set('default', RULES[rules] ?? (RULES[0] as TenantRules));
      return world.origin.fetch(request);
    },
  });
}

/** A store that has followed rules 0, 1 and 2, so long ago that those of 0 are garbage at the next sync with news. */
async function withGarbage(): Promise<ReplicaWorld> {
  const world = await newReplicaWorld();
  for (const rules of [0, 1, 2]) {
    await following(world, rules).sync();
    world.clock += MINUTE;
  }
  world.clock += GARBAGE_AGE_MS;
  return world;
}

/** Everything that the pointer leads to is there. */
async function expectWhole({ store }: ReplicaWorld, when = ''): Promise<void> {
  const held = await readPointer(store.memory);
  if (held === null) throw new Error('expected a pointer');
  for (const manifest of [held.pointer.manifest, ...(held.pointer.previous === null ? [] : [held.pointer.previous])]) {
    const feed = parseFeedManifest(await readSlice(store.memory, manifest));
    const stored = await store.slices();
    for (const hash of slicesOf(feed).keys()) expect(stored, `${when}: ${hash}`).toContain(hash);
  }
}

/** Runs the syncs at once; `pick` says which of those that are about to call the store is next. */
async function interleaved(world: ReplicaWorld, syncs: readonly Replica[], pick: (n: number) => number): Promise<void> {
  const waiting: (() => void)[] = [];
  world.store.log.beforeCall = () => new Promise((resolve) => waiting.push(resolve));
  let running = syncs.length;
  const all = syncs.map((replica) =>
    replica
      .sync()
      .catch(() => undefined)
      .finally(() => running--),
  );
  while (running > 0) {
    for (let i = 0; i < 8; i++) await new Promise((resolve) => setImmediate(resolve));
    const [next] = waiting.splice(pick(waiting.length), 1);
    next?.();
  }
  await Promise.all(all);
  world.store.log.beforeCall = async () => {};
}

describe('two syncs', () => {
  it.each([
    ['one that comes back to old rules, within one that deletes them', 3, 0],
    ['one that deletes old rules, within one that comes back to them', 0, 3],
  ])('%s, before each of its calls', async (_, outer, inner) => {
    for (let call = 0; ; call++) {
      const world = await withGarbage();
      world.store.log.clear();
      let isInside = false;
      world.store.log.beforeCall = async () => {
        if (isInside || world.store.log.calls.length !== call) return;
        isInside = true;
        await following(world, inner)
          .sync()
          .catch(() => undefined);
      };
      await following(world, outer).sync();
      const calls = world.store.log.calls.length;
      world.store.log.beforeCall = async () => {};
      await expectWhole(world, `at call ${call}`);
      // And what was not followed because of the other is followed by the next.
      world.clock += MINUTE;
      expect(await following(world, 0).sync()).toMatchObject({ complete: true });
      await expectWhole(world, `after call ${call}`);
      expect(world.store.log.violations).toEqual([]);
      if (!isInside) {
        expect(calls).toBeGreaterThan(6);
        break;
      }
    }
  });

  it('in any order of their calls', async () => {
    const order = fc.infiniteStream(fc.nat(1));
    await fc.assert(
      fc.asyncProperty(order, fc.constantFrom(0, 1, 3), fc.constantFrom(0, 3), async (picks, first, second) => {
        const world = await withGarbage();
        const pick = (n: number) => Math.min(picks.next().value ?? 0, n - 1);
        await interleaved(world, [following(world, first), following(world, second)], pick);
        await expectWhole(world);
        world.clock += MINUTE;
        expect(await following(world, 0).sync()).toMatchObject({ complete: true });
        await expectWhole(world);
      }),
      { numRuns: 150 },
    );
  }, 60_000);
});

it('a sync says that it has deleted, more than a second after its swap: R2 refuses a write that comes sooner', async () => {
  const world = await withGarbage();
  const puts: number[] = [];
  world.store.log.beforeCall = async (name) => {
    if (name === 'put current') puts.push(world.clock);
  };
  const replica = world.isolate({
    delay: async (ms) => {
      world.clock += ms;
    },
  });
  expect(await replica.sync()).toMatchObject({ complete: true });
  expect(world.events).toContain('replica.collected');
  expect((await readPointer(world.store.memory))?.pointer.deleting).toBeNull();
  expect(puts).toHaveLength(2);
  expect((puts[1] ?? 0) - (puts[0] ?? 0)).toBeGreaterThan(1000);
});

describe('a sync that is stopped between its swap and its deletion', () => {
  async function stopped(): Promise<ReplicaWorld> {
    const world = await withGarbage();
    world.store.log.beforeCall = async (name) => {
      if (name === 'delete') throw new Error('injected');
    };
    await following(world, 3).sync();
    world.store.log.beforeCall = async () => {};
    expect((await readPointer(world.store.memory))?.pointer.deleting?.slices.length).toBeGreaterThan(0);
    return world;
  }

  it('keeps others from these slices until it can be no more', async () => {
    const world = await stopped();
    world.clock += MINUTE;
    expect(await following(world, 0).sync()).toMatchObject({ complete: false });
    // Others go on meanwhile, and the word is passed on.
    expect(await following(world, 2).sync()).toMatchObject({ complete: true });
    expect(await following(world, 0).sync()).toMatchObject({ complete: false });
    await expectWhole(world);
    world.clock += DELETING_MS;
    expect(await following(world, 0).sync()).toMatchObject({ complete: true });
    await expectWhole(world);
  });

  it('does not delete any more when it goes on after minutes', async () => {
    const world = await withGarbage();
    const before = await world.store.slices();
    world.store.log.beforeCall = async (name) => {
      if (name === 'put current') world.clock += 6 * MINUTE;
    };
    expect(await following(world, 3).sync()).toMatchObject({ complete: true });
    expect(await world.store.slices()).toEqual(expect.arrayContaining(before));
  });
});
