import { describe, expect, test } from 'vitest';
import { UNPACED } from '../../../src/lib/cooperate.ts';
import { COLLECTIONS_APART_MS } from '../../../src/lib/time.ts';
import { listBatches } from '../../../src/merge/batches.ts';
import { GARBAGE_AGE_MS } from '../../../src/merge/collect-garbage.ts';
import { readSetAside } from '../../../src/merge/failing-batches.ts';
import { loadManifest, thinRetained } from '../../../src/merge/publish-manifest.ts';
import { compactFully, drain } from '../../../src/merge/rebuild.ts';
import { rollback } from '../../../src/merge/rollback.ts';
import { qualityService } from '../../../src/merge/services.ts';
import { readStatus } from '../../../src/merge/status.ts';
import { tick } from '../../../src/merge/tick.ts';
import { MERGED_PREFIX, WAITING_PREFIX } from '../../../src/storage/keys.ts';
import { someDetections } from '../../support/detections.ts';
import {
  actualInventory,
  batchPlaces,
  compactedBytes,
  expectedInventory,
  keysOf,
  newWorld,
  upload,
  type World,
} from '../../support/world.ts';

const MINUTE = 60_000;
const PARTS = [1, 2, 3, 4].map((seed) => someDetections(60, seed, 200));

/** One batch and one tick a minute. */
async function history(parts = PARTS): Promise<World> {
  const world = newWorld({ inlineRecords: 1 });
  for (const [i, part] of parts.entries()) {
    await upload(world, `b${i}`, part);
    await tick(world);
    world.clock += MINUTE;
  }
  return world;
}

async function generationOf(world: World): Promise<number> {
  return (await loadManifest(world.objects)).manifest.generation;
}

describe('rollback', () => {
  test('returns to a retained generation; what was merged since is set aside and kept', async () => {
    const world = await history(PARTS.slice(0, 2));
    const target = await generationOf(world);
    await upload(world, 'bad', someDetections(500, 9));
    await tick(world);
    await upload(world, 'late', PARTS[2] ?? []);
    await tick(world);
    const result = await rollback(world, target, { requeue: false });
    expect(result).toMatchObject({ kind: 'done', restored: target });
    expect(result.kind === 'done' ? [...result.batches].sort() : []).toEqual(['bad', 'late']);
    expect(await actualInventory(world.objects)).toEqual(expectedInventory(PARTS.slice(0, 2).flat()));
    await drain(world);
    expect(await actualInventory(world.objects)).toEqual(expectedInventory(PARTS.slice(0, 2).flat()));
    const { manifest } = await loadManifest(world.objects);
    const aside = await readSetAside(world.objects, manifest, UNPACED);
    expect(aside.map(({ id, reason }) => `${id} ${reason}`).toSorted()).toEqual(['bad rollback', 'late rollback']);
    expect((await batchPlaces(world.objects)).merged).toEqual(['b0', 'b1', 'bad', 'late']);
  });

  test('with requeue, what was merged since is merged again, once', async () => {
    const world = await history();
    const { retained } = (await loadManifest(world.objects)).manifest;
    const target = retained[0]?.generation ?? 0;
    await rollback(world, target, { requeue: true });
    expect((await readStatus(world.objects, world.clock, UNPACED)).waiting.batches).toBe(3);
    await drain(world);
    expect(await actualInventory(world.objects)).toEqual(expectedInventory(PARTS.flat()));
    expect((await loadManifest(world.objects)).manifest).toMatchObject({
      replay: [],
      setAside: { key: null, count: 0 },
    });
  });

  test('can be undone by a rollback to the generation before it', async () => {
    const world = await history();
    const before = await generationOf(world);
    const { retained } = (await loadManifest(world.objects)).manifest;
    await rollback(world, retained[1]?.generation ?? 0, { requeue: false });
    await upload(world, 'news', someDetections(20, 50, 200));
    await drain(world);
    await rollback(world, before, { requeue: true });
    await drain(world);
    expect(await actualInventory(world.objects)).toEqual(
      expectedInventory([...PARTS.flat(), ...someDetections(20, 50, 200)]),
    );
    expect((await loadManifest(world.objects)).manifest.setAside.count).toBe(0);
  });

  test('to a generation that is not retained says which are', async () => {
    const world = await history();
    const retained = (await loadManifest(world.objects)).manifest.retained.map(({ generation }) => generation);
    expect(await rollback(world, 9_999, { requeue: false })).toEqual({ kind: 'not-retained', retained });
  });

  test('loses to a tick in between, and tries again', async () => {
    const world = await history();
    const [first] = (await loadManifest(world.objects)).manifest.retained;
    await upload(world, 'between', someDetections(10, 77, 200));
    let swapped = false;
    world.storeLog.beforeCall = async (name) => {
      if (name !== 'put manifest' || swapped) return;
      swapped = true;
      await tick(world);
    };
    const result = await rollback(world, first?.generation ?? 0, { requeue: false });
    expect(result.kind === 'done' ? result.batches : []).toContain('between');
    expect(world.events.some((event) => event.startsWith('publish.lost'))).toBe(true);
    expect(await actualInventory(world.objects)).toEqual(expectedInventory(PARTS[0] ?? []));
  });
});

test('a lost manifest stops the ticks, and nothing is published over what there was', async () => {
  const world = await history();
  const before = await world.objects.memory.get('manifest');
  await world.objects.memory.delete(['manifest']);
  await upload(world, 'new', PARTS[0] ?? []);
  world.storeLog.clear();
  await expect(tick(world)).rejects.toThrow('the manifest is missing');
  expect(world.storeLog.counts()).toEqual({ 'get manifest': 2, 'list batches/merged/': 1 });
  expect(await world.objects.memory.get('manifest')).toBeNull();
  // Nor does an operator see an empty inventory, or a source that nobody has heard of.
  const randomBytes = (length: number) => new Uint8Array(length);
  const { setAside, ledger } = qualityService(world, { randomBytes, sleep: world.sleep, report: () => undefined });
  const all = { since: null, source: undefined, after: null };
  const seen = [
    readStatus(world.objects, world.clock, UNPACED),
    listBatches(world.objects, all, UNPACED),
    ledger(),
    setAside(),
  ];
  for (const one of await Promise.allSettled(seen)) expect(one.status).toBe('rejected');
  await world.objects.memory.put('manifest', before?.bytes ?? new Uint8Array());
  await drain(world);
  expect(await actualInventory(world.objects)).toEqual(expectedInventory([...PARTS.flat(), ...(PARTS[0] ?? [])]));
});

describe('rebuild', () => {
  test('from the kept batches alone, fully compacted, gives the same bytes', async () => {
    const world = await history();
    await compactFully(world);
    const rebuilt = newWorld({ inlineRecords: 7, compactionSegments: 1 });
    for (const id of (await batchPlaces(world.objects)).merged.toReversed()) {
      const kept = await world.objects.memory.get(MERGED_PREFIX + id);
      await rebuilt.objects.memory.put(WAITING_PREFIX + id, kept?.bytes ?? new Uint8Array());
      if (id === 'b2') await tick(rebuilt);
    }
    await drain(rebuilt);
    await compactFully(rebuilt);
    expect(await compactedBytes(rebuilt.objects)).toEqual(await compactedBytes(world.objects));
    expect((await compactedBytes(rebuilt.objects)).length).toBe(1);
  });
});

describe('garbage', () => {
  test('of a lost attempt is collected once it is old; what retained generations name stays', async () => {
    const world = await history(PARTS.slice(0, 2));
    await upload(world, 'x', PARTS[2] ?? []);
    const before = await keysOf(world, 'segments/');
    world.storeLog.beforeCall = async (name) => {
      if (name === 'put manifest') throw new Error('injected: stopped before the swap');
    };
    await tick(world).catch(() => undefined);
    world.storeLog.beforeCall = async () => {};
    const lost = (await keysOf(world, 'segments/')).filter((key) => !before.includes(key));
    expect(lost).toHaveLength(1);
    const remaining = async () => (await keysOf(world, 'segments/')).filter((key) => lost.includes(key));

    const lostAt = world.clock;
    world.clock += 17 * MINUTE - (world.clock % COLLECTIONS_APART_MS);
    expect(world.clock - lostAt).toBeLessThan(GARBAGE_AGE_MS);
    await drain(world);
    expect(await remaining(), 'too young to be collected').toEqual(lost);
    world.clock += COLLECTIONS_APART_MS;
    await tick(world);
    expect(await remaining()).toEqual([]);
    for (const { generation } of (await loadManifest(world.objects)).manifest.retained) {
      await rollback(world, generation, { requeue: true });
      await drain(world);
      expect(await actualInventory(world.objects)).toEqual(expectedInventory(PARTS.slice(0, 3).flat()));
    }
    expect(world.storeLog.violations).toEqual([]);
  });

  test('is not touched when a retained manifest cannot be read', async () => {
    const world = await history();
    const before = await keysOf(world, 'segments/');
    world.clock += 5 * 60 * MINUTE;
    world.clock += 17 * MINUTE - (world.clock % COLLECTIONS_APART_MS);
    world.storeLog.beforeCall = async (name) => {
      if (name === 'get manifests/') throw new Error('injected: down');
    };
    await tick(world);
    expect(await keysOf(world, 'segments/')).toEqual(before);
    expect(world.events.at(-1)).toContain('garbage.failed');
  });

  test('a month of minutes keeps the store bounded', async () => {
    const world = newWorld();
    for (let hour = 0; hour < 24 * 5; hour++) {
      await upload(world, `b${hour}`, someDetections(5, hour, 200));
      await tick(world);
      world.clock += 17 * MINUTE;
      await tick(world);
      world.clock += 43 * MINUTE;
    }
    const { manifest } = await loadManifest(world.objects);
    // Hourly for a day, daily for three days, and the hours not yet thinned.
    expect(manifest.retained.length).toBeLessThanOrEqual(30);
    expect((await keysOf(world, 'manifests/')).length).toBeLessThanOrEqual(manifest.retained.length + 4);
    expect((await keysOf(world, 'segments/')).length).toBeLessThanOrEqual(manifest.retained.length + 4);
    expect(world.storeLog.violations).toEqual([]);
  });
});

test('retention keeps every generation of the last hour, then one an hour, then one a day', () => {
  const now = Date.UTC(2026, 0, 10, 12);
  const all = Array.from({ length: 6 * 24 * 60 }, (_, i) => ({
    generation: i,
    commit: '',
    publishedAt: now - (6 * 24 * 60 - i) * MINUTE,
  }));
  const kept = thinRetained(all, now);
  const ages = kept.map(({ publishedAt }) => (now - publishedAt) / MINUTE);
  expect(ages.filter((age) => age <= 60).length).toBe(60);
  expect(ages.filter((age) => age > 60 && age <= 24 * 60).length).toBe(23);
  expect(ages.filter((age) => age > 24 * 60).length).toBe(2);
  expect(thinRetained(kept, now)).toEqual(kept);
  // Thinned at every step or once at the end: the same.
  const stepwise = all.reduce<typeof all>(
    (retained, entry) => [...thinRetained(retained, entry.publishedAt), entry],
    [],
  );
  expect(thinRetained(stepwise, now)).toEqual(kept);
});

describe('a manifest that the storage does not take, as when it was written less than a second ago', () => {
  const refuse = (world: World, times: number) => {
    let left = times;
    world.storeLog.beforeCall = async (name) => {
      if (name === 'put manifest' && left-- > 0) throw new Error('injected: too many writes of one key');
    };
  };

  test('is written a second later by the same tick, once', async () => {
    const world = await history();
    await upload(world, 'new', PARTS[0] ?? []);
    const started = world.clock;
    refuse(world, 2);
    expect(await tick(world)).toMatchObject({ batches: 1, lostRace: false });
    expect(world.clock - started).toBeGreaterThanOrEqual(2_000);
    expect(await actualInventory(world.objects)).toEqual(expectedInventory([...PARTS.flat(), ...(PARTS[0] ?? [])]));
  });

  test('is given up after three times: the batch waits, and the next tick merges it', async () => {
    const world = await history();
    const before = (await loadManifest(world.objects)).manifest.generation;
    await upload(world, 'new', PARTS[0] ?? []);
    refuse(world, 3);
    await expect(tick(world)).rejects.toThrow('too many writes');
    expect((await loadManifest(world.objects)).manifest.generation).toBe(before);
    await drain(world);
    expect(await actualInventory(world.objects)).toEqual(expectedInventory([...PARTS.flat(), ...(PARTS[0] ?? [])]));
  });
});
