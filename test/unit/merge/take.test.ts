import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { finish, UNPACED } from '../../../src/lib/cooperate.ts';
import { DEFAULT_BUDGET } from '../../../src/merge/context.ts';
import { rollback } from '../../../src/merge/rollback.ts';
import { readStatus } from '../../../src/merge/status.ts';
import { fairOrder as fairOrderSteps } from '../../../src/merge/take.ts';
import { tick } from '../../../src/merge/tick.ts';
import { listWaiting } from '../../../src/merge/waiting.ts';
import { batchOwner } from '../../../src/storage/keys.ts';
import type { ObjectHead } from '../../../src/storage/store.ts';
import { fictionNumber, someDetections } from '../../support/detections.ts';
import { actualInventory, batchPlaces, newWorld, upload, type World } from '../../support/world.ts';

const fairOrder = (...given: Parameters<typeof fairOrderSteps>) => finish(fairOrderSteps(...given));

const FLOOD = batchOwner('a', 'flood');
const HONEST = batchOwner('b', 'honest');

function head(i: number, owner: string | null, uploadedAt: number, sizeBytes = 1_000): ObjectHead {
  const key = `batches/waiting/${i}`;
  return { key, etag: '', sizeBytes, uploadedAt, ...(owner === null ? {} : { owner }) };
}

describe('the order in which batches are taken', () => {
  test('is by age, whatever the key', () => {
    const heads = [head(1, null, 30), head(2, HONEST, 10), head(3, FLOOD, 20), head(4, null, 5)];
    const [first] = fairOrder(heads.slice(0, 1), DEFAULT_BUDGET);
    expect(first?.key).toBe('batches/waiting/1');
    const sameOwner = [head(1, HONEST, 30), head(2, HONEST, 10), head(3, HONEST, 20)];
    expect(fairOrder(sameOwner, DEFAULT_BUDGET).map(({ uploadedAt }) => uploadedAt)).toEqual([10, 20, 30]);
    expect(fairOrder(heads, DEFAULT_BUDGET).map(({ uploadedAt }) => uploadedAt)).toEqual([5, 10, 20, 30]);
  });

  test('has one batch of each owner before the second of any', () => {
    const flood = Array.from({ length: 5_000 }, (_, i) => head(i, FLOOD, i));
    const other = head(9_000, batchOwner('a', 'other'), 9_000);
    const honest = [9_001, 9_002].map((i) => head(i, HONEST, i));
    const order = fairOrder([...flood, other, ...honest], DEFAULT_BUDGET).map(({ key }) => key);
    expect(order.indexOf(honest[0]?.key ?? '')).toBeLessThan(2);
    expect(order.indexOf(honest[1]?.key ?? '')).toBeLessThan(4);
    // A tenant's second key has its turn among that tenant's.
    expect(order.indexOf(other.key)).toBeLessThan(5);
  });

  test('counts bytes as well: large batches of one owner do not keep many small ones waiting', () => {
    const flood = Array.from({ length: 50 }, (_, i) => head(i, FLOOD, i, 4 * 2 ** 20));
    const honest = Array.from({ length: 100 }, (_, i) => head(1_000 + i, HONEST, 100 + i, 2_000));
    const order = fairOrder([...flood, ...honest], DEFAULT_BUDGET);
    const taken = order.slice(0, 102).filter(({ owner }) => owner === HONEST).length;
    expect(taken).toBeGreaterThan(98);
  });

  test('loses none and invents none, and keeps each owner’s by age', () => {
    const one = fc.record({
      owner: fc.constantFrom(null, FLOOD, HONEST, batchOwner('a', 'x'), batchOwner('c', '')),
      uploadedAt: fc.nat({ max: 50 }),
      sizeBytes: fc.nat({ max: 40_000_000 }),
    });
    fc.assert(
      fc.property(fc.array(one, { maxLength: 60 }), (batches) => {
        const heads = batches.map(({ owner, uploadedAt, sizeBytes }, i) => head(i, owner, uploadedAt, sizeBytes));
        const order = fairOrder(heads, DEFAULT_BUDGET);
        expect(new Set(order)).toEqual(new Set(heads));
        for (const owner of new Set(order.map((each) => each.owner))) {
          const ages = order.filter((each) => each.owner === owner).map(({ uploadedAt }) => uploadedAt);
          expect(ages).toEqual(ages.toSorted((a, b) => a - b));
        }
        const first = new Set(order.slice(0, new Set(heads.map(({ owner }) => owner?.slice(0, 2))).size));
        const tenants = new Set([...first].map(({ owner }) => owner?.slice(0, 2)));
        expect(tenants.size).toBe(first.size);
      }),
    );
  });
});

async function put(world: World, id: string, owner: string): Promise<void> {
  const number = fictionNumber(0);
  const [one] = someDetections(1, 1);
  if (one === undefined) throw new Error('no detection');
  await upload(world, id, [{ ...one, number }]);
  const object = await world.objects.memory.get(`batches/waiting/${id}`);
  await world.objects.memory.put(`batches/waiting/${id}`, object?.bytes ?? new Uint8Array(), undefined, owner);
}

const uniqueId = (world: World, i: number) => `${String(world.clock).padStart(13, '0')}-${i}`;

describe('under a flood', () => {
  test('of one key, an upload of another is served by the next tick, with an Idempotency-Key or without', async () => {
    const world = newWorld({ batches: 20 });
    for (let minute = 0; minute < 12; minute++) {
      for (let i = 0; i < 22; i++) await put(world, uniqueId(world, i), FLOOD);
      await put(world, `k-${String(minute).padStart(2, 'f')}`, HONEST);
      await put(world, uniqueId(world, 99), HONEST);
      world.clock += 60_000;
      await tick(world);
      const { waiting } = await batchPlaces(world.objects.memory);
      expect(waiting.filter((id) => id.startsWith('k-') || id.endsWith('-99'))).toEqual([]);
    }
    const records = await actualInventory(world.objects);
    expect([...records.values()].reduce((sum, { sightings }) => sum + sightings, 0)).toBe(12 * 20);
  });

  test('of one key at its quota, an upload without a key is seen at once, wherever in its ten seconds it stands', async () => {
    const world = newWorld();
    const begin = Math.ceil(world.clock / 10_000) * 10_000;
    const empty = new Uint8Array(40);
    for (let ms = 0; ms < 400_000; ms += 10) {
      const id = `${String(begin + ms).padStart(13, '0')}-flood`;
      await world.objects.memory.put(`batches/waiting/${id}`, empty, undefined, FLOOD);
    }
    for (const at of [201_234, 385_001, 399_995]) {
      const id = `${String(begin + at).padStart(13, '0')}-honest`;
      await put(world, id, HONEST);
      const list = await listWaiting(world.objects.memory, begin + 400_400);
      expect(list.heads.filter(({ owner }) => owner === HONEST).map(({ key }) => key)).toEqual([
        `batches/waiting/${id}`,
      ]);
      await world.objects.memory.delete([`batches/waiting/${id}`]);
    }
  });

  test('of keys that sort before all others, one with a key is seen within a few ticks', async () => {
    const world = newWorld();
    const empty = new Uint8Array(40);
    for (const start of ['k-00', 'k-f0']) {
      for (let i = 0; i < 20_100; i++) {
        const id = start + String(i).padStart(62, '0');
        await world.objects.memory.put(`batches/waiting/${id}`, empty, undefined, FLOOD);
      }
    }
    await put(world, `k-${'f'.repeat(64)}`, HONEST);
    const ticks = Array.from({ length: 5 }, (_, minute) => world.clock + minute * 60_000);
    const lists = await Promise.all(ticks.map((now) => listWaiting(world.objects.memory, now)));
    expect(lists.some(({ heads }) => heads.some(({ owner }) => owner === HONEST))).toBe(true);
  });

  test('what was put back by a rollback does not keep new uploads waiting', async () => {
    const world = newWorld({ batches: 10 });
    await put(world, 'base', HONEST);
    await tick(world);
    for (let i = 0; i < 30; i++) await put(world, `b${i}`, HONEST);
    for (let i = 0; i < 3; i++) {
      world.clock += 60_000;
      await tick(world);
    }
    await rollback(world, 1, { requeue: true });
    await put(world, 'new', HONEST);
    world.clock += 60_000;
    await tick(world);
    expect((await batchPlaces(world.objects.memory)).waiting).toEqual([]);
  });

  test('of more than are listed, the latest and those with a key are seen, and nothing is merged twice', async () => {
    const world = newWorld({ batches: 50 });
    const empty = new Uint8Array(40);
    for (let i = 0; i < 20_500; i++) {
      const id = `${String(world.clock - 10_000_000 + i).padStart(13, '0')}-flood`;
      await world.objects.memory.put(`batches/waiting/${id}`, empty, undefined, FLOOD);
    }
    await put(world, uniqueId(world, 1), HONEST);
    const keyed = Array.from({ length: 16 }, (_, i) => `k-${i.toString(16)}000`);
    for (const id of keyed) await put(world, id, HONEST);
    const seen = new Set<string>();
    for (let minute = 0; minute < 16; minute++) {
      const list = await listWaiting(world.objects.memory, world.clock + minute * 60_000);
      expect(list.isWhole).toBe(false);
      if (minute === 0) expect(list.heads.some(({ key }) => key.endsWith(uniqueId(world, 1)))).toBe(true);
      for (const { key, owner } of list.heads) if (owner === HONEST) seen.add(key);
      // Of what is beyond the list nobody can say that it is gone.
      expect(list.isGone('k-ffff')).toBe(false);
      expect(list.isGone(`${String(world.clock - 10_000_000).padStart(13, '0')}-another`)).toBe(true);
    }
    expect(seen.size).toBe(17);
    const status = await readStatus(world.objects.memory, world.clock, UNPACED);
    expect(status.waiting).toMatchObject({ atLeast: true });
    expect(status.waiting.batches).toBeGreaterThan(19_999);
    expect(await tick(world)).toMatchObject({ batches: 17 });
    const { manifest } = await readStatus(world.objects.memory, world.clock, UNPACED);
    expect(manifest.consumed).toHaveLength(17);
    world.clock += 60_000;
    await tick(world);
    // Settled, and told so by the objects themselves where the list cannot.
    expect((await readStatus(world.objects.memory, world.clock, UNPACED)).manifest.consumed.length).toBeLessThan(18);
  });
});

describe('a put that is delivered twice', () => {
  test.each(['0001767614400000-b1', 'k-b1'])('the second after %s was settled, counts once', async (id) => {
    const world = newWorld();
    await put(world, id, HONEST);
    const object = await world.objects.memory.get(`batches/waiting/${id}`);
    await tick(world);
    for (let i = 0; i < 3; i++) {
      world.clock += 60_000;
      await put(world, `other${i}`, HONEST);
      await tick(world);
    }
    await world.objects.memory.put(`batches/waiting/${id}`, object?.bytes ?? new Uint8Array(), { absent: true });
    await tick(world);
    const records = await actualInventory(world.objects);
    expect(records.get(fictionNumber(0))?.sightings).toBe(4);
    expect((await batchPlaces(world.objects.memory)).waiting).toEqual([]);
    expect(world.events.filter((event) => event.startsWith('batch.duplicate'))).toHaveLength(1);
  });
});
