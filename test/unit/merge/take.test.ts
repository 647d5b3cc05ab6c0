import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { openBatch } from '../../../src/format/batch.ts';
import type { Bytes } from '../../../src/lib/bytes.ts';
import { finish, UNPACED } from '../../../src/lib/cooperate.ts';
import { DEFAULT_BUDGET } from '../../../src/merge/context.ts';
import { rollback } from '../../../src/merge/rollback.ts';
import { readStatus } from '../../../src/merge/status.ts';
import { BATCHES_AHEAD, fairOrder as fairOrderSteps, load, memoryBytes, take } from '../../../src/merge/take.ts';
import { tick } from '../../../src/merge/tick.ts';
import { listWaiting } from '../../../src/merge/waiting.ts';
import { batchOwner } from '../../../src/storage/keys.ts';
import { type ObjectHead, type StoredObject, StoreInFront } from '../../../src/storage/store.ts';
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

/** A store whose waiting batches come after a while of their own, or fail; it watches how many are under way. */
class SlowStore extends StoreInFront {
  readonly order: string[] = [];
  readonly failing = new Set<string>();
  readonly underWay = new Map<string, number>();
  /** At the most, reads and their bytes. */
  most = { reads: 0, bytes: 0 };
  readonly #sizes: ReadonlyMap<string, number>;

  constructor(inner: World['objects']['memory'], sizes: ReadonlyMap<string, number>) {
    super(inner);
    this.#sizes = sizes;
  }

  override async get(key: string): Promise<StoredObject | null> {
    const id = key.replace('batches/waiting/', '');
    if (id === key) return this.inner.get(key);
    this.order.push(id);
    this.underWay.set(id, this.#sizes.get(id) ?? 0);
    const bytes = [...this.underWay.values()].reduce((sum, size) => sum + size, 0);
    this.most = { reads: Math.max(this.most.reads, this.underWay.size), bytes: Math.max(this.most.bytes, bytes) };
    const place = this.order.length;
    for (let turn = 0; turn <= (place * 7) % 11; turn++) await Promise.resolve();
    if (place % 2 === 0) await new Promise((resolve) => setTimeout(resolve, 0));
    this.underWay.delete(id);
    if (this.failing.has(id)) throw new Error('injected');
    return this.inner.get(key);
  }
}

const WHOLE = { only: null, passedOver: new Set<string>(), exhausted: [], caution: undefined, end: async () => {} };

type Fate = 'whole' | 'fails' | 'damaged' | 'gone' | 'duplicate';

/** A world in which batches of so many rows wait, of which some meet another fate; and what each is, by id. */
async function waitingWorld(batches: readonly { readonly rows: number; readonly fate: Fate }[], budget: object) {
  const world = newWorld(budget);
  const stored = new Map<string, { readonly fate: Fate; readonly bytes: Bytes }>();
  for (const [i, { rows, fate }] of batches.entries()) {
    const id = `${String(world.clock + i).padStart(13, '0')}-b`;
    await upload(world, id, someDetections(i + 1, rows));
    const object = await world.objects.memory.get(`batches/waiting/${id}`);
    const bytes = object?.bytes ?? new Uint8Array();
    stored.set(id, { fate, bytes });
    if (fate === 'damaged') await world.objects.memory.put(`batches/waiting/${id}`, bytes.fill(1, 20, 30));
  }
  const loaded = await load(world);
  const store = new SlowStore(world.objects.memory, loaded.candidates.sizeBytes);
  for (const [id, { fate }] of stored) {
    if (fate === 'fails') store.failing.add(id);
    if (fate === 'gone') await world.objects.memory.delete([`batches/waiting/${id}`]);
    if (fate === 'duplicate') await world.objects.memory.put(`batches/merged/${id}`, new Uint8Array());
  }
  return { world: { ...world, objects: store }, events: world.events, loaded, store, stored };
}

describe('waiting batches are read ahead', () => {
  test('and taken as if they were read one after another, within the budget, with nothing left under way', async () => {
    const one = fc.record({
      rows: fc.integer({ min: 1, max: 40 }),
      fate: fc.constantFrom<Fate>('whole', 'whole', 'whole', 'whole', 'fails', 'damaged', 'gone', 'duplicate'),
    });
    const budgets = fc.record({
      batches: fc.integer({ min: 1, max: 20 }),
      batchBytes: fc.integer({ min: 1, max: 40_000 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(one, { maxLength: 30 }), budgets, async (batches, budget) => {
        const { world, events, loaded, store, stored } = await waitingWorld(batches, budget);
        const { sizeBytes } = loaded.candidates;
        const taken = await take(world, loaded, { ...WHOLE, most: budget.batches });
        const expected: string[] = [];
        let bytes = 0;
        let failed = 0;
        for (const id of loaded.candidates.waiting) {
          if (bytes >= budget.batchBytes || expected.length >= budget.batches || failed >= budget.batches) break;
          const { fate, bytes: file } = stored.get(id) ?? { fate: 'gone', bytes: new Uint8Array() };
          if (expected.length > 0 && bytes + (sizeBytes.get(id) ?? 0) > budget.batchBytes) break;
          if (fate === 'fails' || fate === 'damaged') failed += 1;
          if (fate !== 'whole') continue;
          expected.push(id);
          bytes += memoryBytes(openBatch(file), file.length);
        }
        expect(taken.batches.waiting.map(({ id }) => id)).toEqual(expected);
        expect(taken.batches.unreadable).toBe(failed);
        expect(events.filter((event) => event.startsWith('batch.unreadable'))).toHaveLength(failed);
        expect(store.order).toEqual(loaded.candidates.waiting.slice(0, store.order.length));
        expect(store.underWay.size).toBe(0);
        // A single one may be larger than the budget; several are not.
        const largest = Math.max(0, ...sizeBytes.values());
        expect(store.most.bytes).toBeLessThanOrEqual(Math.max(budget.batchBytes, largest));
        expect(store.most.reads).toBeLessThanOrEqual(Math.min(BATCHES_AHEAD, budget.batches));
      }),
    );
  });

  test('as many at a time as keep the connections of a Worker in use, and one where a tick is to take one', async () => {
    const many = Array.from({ length: 40 }, () => ({ rows: 3, fate: 'whole' as const }));
    for (const [most, reads] of [
      [500, BATCHES_AHEAD],
      [5, 5],
      [1, 1],
    ] as const) {
      const { world, loaded, store } = await waitingWorld(many, {});
      const { batches } = await take(world, loaded, { ...WHOLE, most });
      expect([batches.waiting.length, store.most.reads, store.order.length]).toEqual([
        Math.min(most, 40),
        reads,
        Math.min(most, 40),
      ]);
    }
  });

  test('but what a rollback has put back, whose sizes no list tells, one by one', async () => {
    const world = newWorld();
    await put(world, 'base', HONEST);
    await tick(world);
    for (let i = 0; i < 8; i++) await put(world, `b${i}`, HONEST);
    world.clock += 60_000;
    await tick(world);
    await rollback(world, 1, { requeue: true });
    const loaded = await load(world);
    expect(loaded.candidates.replay).toHaveLength(8);
    let underWay = 0;
    let most = 0;
    const objects = new Proxy(world.objects, {
      get: (target, name) => {
        if (name !== 'get') return Reflect.get(target, name);
        return async (key: string) => {
          underWay += 1;
          most = Math.max(most, underWay);
          await Promise.resolve();
          underWay -= 1;
          return target.get(key);
        };
      },
    });
    const { batches } = await take({ ...world, objects }, loaded, { ...WHOLE, most: 500 });
    expect([batches.replayed.length, most]).toEqual([8, 1]);
  });
});
