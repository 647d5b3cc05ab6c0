/** The stages of a tick, each called alone with data made by hand: what it hands on, and which storage it touches. */
import { describe, expect, test } from 'vitest';
import { BatchBuilder, openBatch } from '../../../src/format/batch.ts';
import { EMPTY_MANIFEST, NO_OUTPUT, type Run } from '../../../src/format/manifest.ts';
import { collectGarbage } from '../../../src/merge/collect-garbage.ts';
import { compact } from '../../../src/merge/compact.ts';
import { beginAttempt } from '../../../src/merge/failing-batches.ts';
import { foldBatches } from '../../../src/merge/fold-batches.ts';
import { loadManifest, publish } from '../../../src/merge/publish-manifest.ts';
import { compactFully } from '../../../src/merge/rebuild.ts';
import { screenBatches } from '../../../src/merge/screen.ts';
import { repairSlices } from '../../../src/merge/segment-writer.ts';
import { load, NOTHING_PENDING, type OpenedBatch, type Taken, take } from '../../../src/merge/take.ts';
import { publishMerged } from '../../../src/merge/tick.ts';
import { settle } from '../../../src/merge/waiting.ts';
import { WAITING_PREFIX } from '../../../src/storage/keys.ts';
import { createControl } from '../../../src/wiring/control.ts';
import { createIsolate, WORKERS_PLATFORM } from '../../../src/wiring/isolate.ts';
import { someDetections } from '../../support/detections.ts';
import { actualInventory, batchPlaces, expectedInventory, newWorld, upload, type World } from '../../support/world.ts';
import { reported } from './quarantine-world.ts';

const ROWS = reported('honest', 0, 20);
const BASE = { manifest: EMPTY_MANIFEST, etag: null };
const NOTHING_LEFT = { base: BASE, leftover: [], missingSlices: [] };

function opened(id: string, rows = ROWS): OpenedBatch {
  const builder = new BatchBuilder();
  for (const row of rows) builder.add(row);
  const bytes = builder.finish({ bodySha256: '', accepted: rows.length, rejected: 0, errors: [] });
  return { id, batch: openBatch(bytes), bytes };
}

function taken(...waiting: readonly OpenedBatch[]): Taken {
  const batches = { replayed: [], waiting, all: waiting, unreadable: 0 };
  return { batches, due: NOTHING_PENDING, exhausted: [] };
}

/** Kinds of storage calls since the last time it was asked. */
function touched(world: World): string[] {
  const kinds = Object.keys(world.storeLog.counts()).sort();
  world.storeLog.clear();
  return kinds;
}

/** Runs written by the stage itself, a generation each, by the fold and publish stages alone. */
async function published(world: World, ...uploads: readonly (readonly [string, typeof ROWS])[]) {
  for (const [id, rows] of uploads) {
    const base = await loadManifest(world.objects);
    const of = taken(opened(id, rows));
    const screened = await screenBatches(world, base.manifest, of);
    const folded = await foldBatches(world, base.manifest, screened);
    const part = { taken: of, screened, folded };
    await publishMerged(world, { ...NOTHING_LEFT, base }, { caution: undefined }, { part, aside: [], unreadable: 0 });
  }
  world.storeLog.clear();
  return loadManifest(world.objects);
}

describe('load', () => {
  test('hands on what waits, oldest first, and moves what an earlier tick merged', async () => {
    const world = newWorld();
    for (const id of ['a', 'b', 'c']) await upload(world, id, ROWS);
    await publish(world, BASE, { consumed: ['b', 'gone'] }, { batches: ['b', 'gone'], replayed: [] });
    world.storeLog.clear();
    const loaded = await load(world);
    expect(loaded.base.manifest.generation).toBe(1);
    expect(loaded.candidates).toMatchObject({ replay: [], waiting: ['a', 'c'] });
    expect([loaded.leftover, loaded.missingSlices]).toEqual([['b'], []]);
    expect(await batchPlaces(world.objects.memory)).toEqual({ waiting: ['a', 'c'], merged: ['b'] });
    expect(touched(world)).toEqual([
      'delete batches/waiting/',
      'get batches/waiting/',
      'get manifest',
      'list batches/waiting/',
      'put batches/merged/',
    ]);
  });
});

describe('take', () => {
  test('opens what the budget has room for, with the bytes that it read, and leaves everything where it is', async () => {
    const world = newWorld({ batches: 2 });
    for (const id of ['a', 'b', 'c']) await upload(world, id, ROWS);
    const sizes = new Map(['a', 'b', 'c'].map((id) => [id, 1]));
    const candidates = { replay: [], waiting: ['a', 'b', 'c'], sizeBytes: sizes, oldestAt: world.clock };
    const attempt = await beginAttempt(world, EMPTY_MANIFEST, ['a', 'b', 'c'], world.clock);
    const of = await take(world, { base: BASE, candidates }, attempt);
    expect(of.batches.waiting.map(({ id, batch }) => [id, batch.rows])).toEqual([
      ['a', 20],
      ['b', 20],
    ]);
    expect(of.batches.waiting[0]?.bytes).toEqual((await world.objects.memory.get(`${WAITING_PREFIX}a`))?.bytes);
    expect([of.exhausted, of.due.batches, of.batches.unreadable]).toEqual([[], [], 0]);
    expect(touched(world)).toEqual(['get batches/waiting/', 'head batches/merged/']);
    expect((await batchPlaces(world.objects.memory)).merged).toEqual([]);
  });

  test('takes none of those that an attempt passes over, and hands on those that are to be set aside', async () => {
    const world = newWorld();
    for (const id of ['a', 'b']) await upload(world, id, ROWS);
    const candidates = { replay: [], waiting: ['a', 'b'], sizeBytes: new Map(), oldestAt: world.clock };
    const attempt = {
      most: 5,
      only: null,
      passedOver: new Set(['a']),
      exhausted: ['a'],
      caution: 5,
      end: async () => {},
    };
    const of = await take(world, { base: BASE, candidates }, attempt);
    expect([of.batches.all.map(({ id }) => id), of.exhausted]).toEqual([['b'], ['a']]);
  });
});

describe('screen', () => {
  test('hands on the rows that are to be merged, counted, and writes a ledger that nothing names', async () => {
    const world = newWorld();
    const screened = await screenBatches(world, EMPTY_MANIFEST, taken(opened('a'), opened('b', ROWS.slice(0, 5))));
    expect(screened).toMatchObject({ detections: 25, newNumbers: 20, released: [], quarantined: [] });
    expect(screened.batches.map(({ rows }) => rows)).toEqual([20, 5]);
    expect(touched(world)).toEqual(['get config/', 'put ledgers/']);
    expect((await loadManifest(world.objects)).etag).toBeNull();
  });

  test('of nothing it hands on nothing, and touches nothing', async () => {
    const world = newWorld();
    const screened = await screenBatches(world, { ...EMPTY_MANIFEST, ledger: 'ledgers/1' }, taken());
    expect(screened).toMatchObject({ batches: [], detections: 0, ledger: 'ledgers/1' });
    expect(touched(world)).toEqual([]);
  });
});

describe('fold', () => {
  test('writes a run and activity, and hands them on for the manifest', async () => {
    const world = newWorld();
    const input = { batches: [opened('a').batch], detections: 20, newNumbers: 20 };
    const folded = await foldBatches(world, EMPTY_MANIFEST, input);
    expect(folded.runs.map(({ newNumbers, segments }) => [newNumbers, segments.length])).toEqual([[20, 1]]);
    expect(folded.activity.map(({ rows }) => rows)).toEqual([20]);
    expect([folded.runs[0]?.noSlices, folded.watermarks.map(({ generation }) => generation)]).toEqual([true, [1]]);
    expect(touched(world)).toEqual(['put facts/', 'put segments/']);
  });

  test('takes in a small run, but none that a compaction is at', async () => {
    const world = newWorld();
    const { manifest } = await published(world, ['a', ROWS.slice(0, 10)]);
    const input = { batches: [opened('b', ROWS.slice(10)).batch], detections: 10, newNumbers: 10 };
    const joined = await foldBatches(world, manifest, input);
    expect(joined.runs.map(({ newNumbers }) => newNumbers)).toEqual([20]);
    const compaction = { inputs: manifest.runs.map(({ id }) => id), output: NO_OUTPUT, resumeFrom: 0 };
    const beside = await foldBatches(world, { ...manifest, compaction }, input);
    expect(beside.runs.map(({ newNumbers }) => newNumbers)).toEqual([10, 10]);
  });
});

describe('publish', () => {
  test('makes one generation of what it is handed, with the history of it', async () => {
    const world = newWorld();
    const of = taken(opened('a'));
    const screened = await screenBatches(world, EMPTY_MANIFEST, of);
    const folded = await foldBatches(world, EMPTY_MANIFEST, screened);
    const part = { taken: of, screened, folded };
    world.storeLog.clear();
    const result = await publishMerged(
      world,
      { ...NOTHING_LEFT, leftover: ['z'] },
      { caution: null },
      {
        part,
        aside: [{ id: 'bad', reason: 'failed', detail: 'RangeError', at: world.clock, by: null }],
        unreadable: 3,
      },
    );
    expect(result).toMatchObject({ batches: 1, detections: 20, settled: ['a', 'bad'] });
    const { manifest } = await loadManifest(world.objects);
    expect(manifest).toMatchObject({ generation: 1, consumed: ['z', 'a', 'bad'], setAside: { count: 1 } });
    expect(manifest.runs.map(({ noSlices }) => noSlices)).toEqual([true]);
    expect(manifest.lastTick).toMatchObject({ batches: 1, detections: 20, newNumbers: 20, unreadable: 3 });
    expect(await actualInventory(world.objects)).toEqual(expectedInventory(ROWS));
  });

  test('publishes nothing for nothing', async () => {
    const world = newWorld();
    const nothing = { part: null, aside: [], unreadable: 2 };
    expect(await publishMerged(world, NOTHING_LEFT, { caution: undefined }, nothing)).toMatchObject({ current: BASE });
    expect(touched(world)).toEqual([]);
  });

  test('hands on nothing when another writer was first', async () => {
    const world = newWorld();
    await published(world, ['a', ROWS]);
    const part = {
      taken: taken(opened('b')),
      screened: { batches: [], detections: 20, newNumbers: 0, released: [], ledger: null, quarantined: [] },
      folded: { runs: [], activity: [], watermarks: [] },
    };
    const late = await publishMerged(world, NOTHING_LEFT, { caution: undefined }, { part, aside: [], unreadable: 0 });
    expect(late).toEqual({ current: null, batches: 0, detections: 0, settled: [] });
    expect((await loadManifest(world.objects)).manifest.generation).toBe(1);
  });
});

describe('settle', () => {
  test('moves what is in memory without reading it, and reads the rest', async () => {
    const world = newWorld();
    for (const id of ['a', 'b']) await upload(world, id, ROWS);
    const bytes = (await world.objects.memory.get(`${WAITING_PREFIX}a`))?.bytes ?? new Uint8Array();
    const gone = await settle(world, ['a', 'b', 'c'], new Map([['a', bytes]]));
    expect([...gone]).toEqual(['c']);
    expect(await batchPlaces(world.objects.memory)).toEqual({ waiting: [], merged: ['a', 'b'] });
    expect(world.storeLog.counts()).toEqual({
      'get batches/waiting/': 2,
      'put batches/merged/': 2,
      'delete batches/waiting/': 2,
    });
  });

  test('leaves the copy that was merged as it is, whatever waits under its id', async () => {
    const world = newWorld();
    await upload(world, 'a', ROWS);
    await settle(world, ['a']);
    await upload(world, 'a', ROWS.slice(1));
    await settle(world, ['a'], new Map([['a', new Uint8Array(1)]]));
    const kept = await world.objects.memory.get('batches/merged/a');
    expect(kept === null ? 0 : openBatch(kept.bytes).rows).toBe(20);
    expect(world.storeLog.violations).toEqual([]);
  });
});

describe('compact', () => {
  test('publishes one run in the place of several, with the same records', async () => {
    const world = newWorld({ inlineRecords: 1 });
    const rows = [1, 2, 3].map((seed) => someDetections(60, seed));
    const base = await published(world, ...rows.map((some, i): readonly [string, typeof ROWS] => [`b${i}`, some]));
    expect(base.manifest.runs.length).toBeGreaterThan(1);
    const compacted = await compact(world, base, (runs): readonly Run[] => runs);
    expect(compacted?.manifest.runs).toHaveLength(1);
    expect(await actualInventory(world.objects)).toEqual(expectedInventory(rows.flat()));
    expect(touched(world).filter((kind) => /batches|ledgers|facts/.test(kind))).toEqual([]);
  });
});

describe('missing slices', () => {
  /** A world whose slice store is down. */
  function outage() {
    const world = newWorld();
    const calls = { reads: 0, writes: 0 };
    const down = { is: true };
    world.storeLog.beforeCall = async (name) => {
      if (name === 'get segments/') calls.reads += 1;
      if (name !== 'kv put') return;
      calls.writes += 1;
      if (down.is) throw new Error('KV is down');
    };
    return { world, calls, down };
  }

  test('are not read for, one after the other, while the slice store is down', async () => {
    const { world, calls, down } = outage();
    await published(
      { ...world, budget: { ...world.budget, inlineRecords: 1 } },
      ['a', ROWS],
      ['b', someDetections(20, 2)],
    );
    const base = await compactFully(world);
    const keys = base.manifest.runs.flatMap(({ segments }) => segments.map(({ key }) => key));
    const [key = ''] = keys;
    expect(base.manifest.missingSlices).toEqual(keys);
    const many = [key, ...Array.from({ length: 300 }, (_, i) => `segments/other-${i}`)];
    for (const other of many.slice(1)) {
      await world.objects.memory.put(other, (await world.objects.memory.get(key))?.bytes ?? new Uint8Array());
    }
    Object.assign(calls, { reads: 0, writes: 0 });
    expect(await repairSlices(world, many)).toEqual(many);
    expect(calls).toEqual({ reads: 1, writes: 1 });
    // Back again, it takes several ticks, each of which has a bounded number of calls to spare.
    down.is = false;
    const left = await repairSlices(world, many);
    expect(left).toEqual(many.slice(104));
    expect(calls).toEqual({ reads: 105, writes: 105 });
  });

  test('of segments that cannot be read do not keep others from being written', async () => {
    const { world, down } = outage();
    down.is = false;
    const lost = Array.from({ length: 130 }, (_, i) => `segments/damaged-${i}`);
    for (const key of lost) await world.objects.memory.put(key, new Uint8Array(3));
    const base = await published(world, ['a', ROWS]);
    const [good = ''] = base.manifest.runs.flatMap(({ segments }) => segments.map(({ key }) => key));
    let missing: readonly string[] = [...lost, 'segments/gone', good];
    missing = await repairSlices(world, missing);
    expect(missing).toContain(good);
    missing = await repairSlices(world, missing);
    expect([...missing].sort()).toEqual([...lost].sort());
  });
});

describe('collect', () => {
  test('counts the garbage of the merge and what the collectors that it is handed deleted', async () => {
    const world = newWorld();
    const { manifest } = await published(world, ['a', ROWS]);
    await foldBatches(world, manifest, { batches: [opened('lost').batch], detections: 20, newNumbers: 0 });
    world.clock += 2 * 3_600_000;
    const collectors = { letters: async () => 7 };
    const collected = await collectGarbage({ ...world, now: () => world.clock, collectors });
    expect(collected).toMatchObject({ segments: 1, facts: 1, letters: 7 });
    expect(world.events.at(-1)).toContain('"letters":7');
    expect(await actualInventory(world.objects)).toEqual(expectedInventory(ROWS));
  });

  test('a collector that fails is logged, and costs nothing else', async () => {
    const world = newWorld();
    await published(world, ['a', ROWS]);
    const collectors = { letters: () => Promise.reject(new Error('no answer')), parcels: async () => 3 };
    const nothing = {
      segments: 0,
      facts: 0,
      compactions: 0,
      ledgers: 0,
      setAside: 0,
      withdrawals: 0,
      slices: 0,
      manifests: 0,
    };
    expect(await collectGarbage({ ...world, collectors })).toEqual({ ...nothing, parcels: 3 });
    expect(world.events.slice(-2)).toEqual([
      `garbage.collected ${JSON.stringify({ ...nothing, parcels: 3 })}`,
      'garbage.failed {"of":"letters","reason":"no answer"}',
    ]);
  });

  test('a kind of the merge’s own that fails keeps no garbage of the others', async () => {
    const world = newWorld();
    const { manifest } = await published(world, ['a', ROWS]);
    await foldBatches(world, manifest, { batches: [opened('lost').batch], detections: 20, newNumbers: 0 });
    world.clock += 2 * 3_600_000;
    world.storeLog.beforeCall = async (name) => {
      if (name === 'list segments/') throw new Error('no answer');
    };
    const collected = await collectGarbage({ ...world, collectors: { letters: async () => 7 } });
    expect(collected).toMatchObject({ facts: 1, letters: 7 });
    expect(collected).not.toHaveProperty('segments');
    expect(world.events.at(-1)).toContain('"of":"segments"');
  });

  test('the control Worker hands in what briefings and tenants leave', async () => {
    const world = newWorld();
    const platform = { ...WORKERS_PLATFORM, now: world.now, sleep: world.sleep, log: world.log };
    const isolate = createIsolate(
      world,
      {},
      () => undefined,
      async () => null,
      [],
      platform,
    );
    const { merge } = createControl(isolate, {});
    const old = 'briefings/2026-01-01_2026-01-02/0000000001';
    await world.objects.memory.put(old, new Uint8Array(1));
    world.clock += 400 * 86_400_000;
    world.storeLog.clear();
    expect(await collectGarbage(merge)).toMatchObject({ briefings: 1, documents: 0 });
    expect(touched(world)).toEqual(expect.arrayContaining(['list briefings/', 'put config/']));
  });
});
