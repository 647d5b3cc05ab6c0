import { appendFileSync, readFileSync, rmSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { runHere, type TaskRunner } from '../../../../scripts/build-inventory/tasks.ts';
import { decodeHistory } from '../../../../src/merge/history.ts';
import { loadManifest } from '../../../../src/merge/publish-manifest.ts';
import { tick } from '../../../../src/merge/tick.ts';
import { HISTORY_PREFIX } from '../../../../src/storage/keys.ts';
import {
  actualInventory,
  batchPlaces,
  compactedBytes,
  expectedInventory,
  newWorld,
  upload,
  type World,
} from '../../../support/world.ts';
import { checked, keysOf } from '../fsck/support.ts';
import { Bench, csvOf, someRows } from './support.ts';

const bench = new Bench();
const DETECTIONS = someRows(160, 11);
const EXPECTED = expectedInventory(DETECTIONS);
const path = bench.file('a.csv', csvOf(DETECTIONS));
const request = bench.request([path], { rangeBytes: 5_000, maxBatchRows: 40 });
const journal = join(bench.workFolder, 'journal.ndjson');
const build = (world: World, runner?: TaskRunner) => bench.build(world, request, runner);

/** The whole of it, once. */
async function expectBuiltOnce(world: World): Promise<void> {
  expect(await actualInventory(world.objects.memory)).toEqual(EXPECTED);
  const named: string[] = [];
  for (const key of await keysOf(world, HISTORY_PREFIX)) {
    const object = await world.objects.memory.get(key);
    if (object !== null) named.push(...decodeHistory(object.bytes, 0).flatMap(({ batches }) => batches));
  }
  const { merged } = await batchPlaces(world.objects.memory);
  expect(new Set(named)).toEqual(new Set(merged));
  expect(world.storeLog.violations).toEqual([]);
  const { manifest } = await loadManifest(world.objects.memory);
  expect(manifest.generation).toBe(2);
  expect((await checked(world)).problems).toEqual([]);
  expect(bench.left()).toEqual([]);
}

async function callsOfABuild(): Promise<number> {
  const world = newWorld();
  await build(world);
  return world.storeLog.calls.length;
}

beforeEach(() => expect(bench.left()).toEqual([]));

describe('a build that is stopped goes on with the same command', () => {
  test('whichever storage call is the last that works', async () => {
    const calls = await callsOfABuild();
    expect(calls).toBeGreaterThan(20);
    for (let last = 0; last < calls; last++) {
      const world = newWorld();
      world.storeLog.beforeCall = async (name) => {
        if (world.storeLog.calls.length >= last) throw new Error(`injected: ${name}`);
      };
      await expect(build(world), `stopped at call ${last}`).rejects.toThrow('injected');
      world.storeLog.beforeCall = async () => {};
      await build(world);
      await expectBuiltOnce(world);
    }
  }, 60_000);

  test('whichever single storage call fails, before or after it took effect', async () => {
    const calls = await callsOfABuild();
    for (const fault of ['fails', 'fails but persisted'] as const) {
      for (let call = 0; call < calls; call++) {
        const world = newWorld();
        world.storeLog.failAt(call, fault);
        await build(world).catch(() => build(world));
        await expectBuiltOnce(world);
      }
    }
  }, 60_000);

  test('whichever task is the last to end', async () => {
    let tasks = 0;
    const counting: TaskRunner = {
      ...runHere,
      async run(...args) {
        tasks += 1;
        return runHere.run(...args);
      },
    };
    await build(newWorld(), counting);
    expect(tasks).toBeGreaterThan(5);
    for (let last = 0; last < tasks; last++) {
      let left = last;
      let stoppedAt = '';
      const stopping: TaskRunner = {
        ...runHere,
        async run(...args) {
          if (left-- > 0) return runHere.run(...args);
          if (left === -1) stoppedAt = args[0].kind;
          throw new Error('stopped');
        },
      };
      const world = newWorld();
      await expect(build(world, stopping)).rejects.toThrow('stopped');
      // Nothing is put before all is read, and nothing leads to what is put beside the folding.
      if (stoppedAt === 'parse') expect(world.storeLog.calls.filter((call) => call.startsWith('put'))).toEqual([]);
      const { manifest } = await loadManifest(world.objects.memory);
      expect([manifest.runs, manifest.activity]).toEqual([[], []]);
      const resumed: string[] = [];
      const noting: TaskRunner = {
        ...runHere,
        async run(...args) {
          resumed.push(args[0].kind);
          return runHere.run(...args);
        },
      };
      await build(world, noting);
      await expectBuiltOnce(world);
      // Pieces that were read are not read again.
      const parsed = resumed.filter((kind) => kind === 'parse').length;
      if (last > 0) expect(parsed).toBeLessThan(tasks);
    }
  });

  test('and ends what it is uploading before it fails', async () => {
    const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
    const stopping: TaskRunner = {
      ...runHere,
      async run(...args) {
        if (args[0].kind !== 'fold') return runHere.run(...args);
        await pause(5);
        throw new Error('stopped');
      },
    };
    const world = newWorld();
    let pending = 0;
    let puts = 0;
    world.storeLog.beforeCall = async (name) => {
      if (!name.startsWith('put batches/merged/')) return;
      pending += 1;
      puts += 1;
      await pause(20);
      pending -= 1;
    };
    await expect(build(world, stopping)).rejects.toThrow('stopped');
    expect(pending).toBe(0);
    await pause(50);
    // Those that were under way when the fold failed, and no others.
    expect(puts).toBe(6);
    world.storeLog.beforeCall = async () => {};
    await build(world);
    await expectBuiltOnce(world);
  });

  test('wherever the journal is cut off, between its lines or in one', async () => {
    const stopped = async () => {
      const world = newWorld();
      world.storeLog.beforeCall = async (name) => {
        if (name === 'put manifest' && world.storeLog.calls.includes('put segments/')) throw new Error('injected');
      };
      await expect(build(world)).rejects.toThrow('injected');
      world.storeLog.beforeCall = async () => {};
      return world;
    };
    let world = await stopped();
    const lines = readFileSync(journal, 'utf8').split('\n');
    expect(lines.length).toBeGreaterThan(15);
    // Without its first line the build is another, with ids of its own.
    for (let kept = 1; kept < lines.length; kept++) {
      for (const torn of [0, 20]) {
        writeFileSync(journal, `${lines.slice(0, kept).join('\n')}\n${lines[kept]?.slice(0, torn) ?? ''}`);
        await build(world);
        await expectBuiltOnce(world);
        world = await stopped();
      }
    }
    await build(world);
  });

  test('after a line of the journal was cut off, as often as need be', async () => {
    const world = newWorld();
    const stopAt = async (isTime: (name: string) => Promise<boolean>) => {
      world.storeLog.beforeCall = async (name) => {
        if (await isTime(name)) throw new Error('injected');
      };
      await expect(build(world)).rejects.toThrow('injected');
      world.storeLog.beforeCall = async () => {};
    };
    await stopAt(async (name) => name === 'put segments/');
    appendFileSync(journal, '{"event":"put","key":"batc');
    await stopAt(async () => (await loadManifest(world.objects.memory)).manifest.generation === 2);
    await build(world);
    await expectBuiltOnce(world);
  });

  test('on another store, where nothing of what was put is', async () => {
    const first = newWorld();
    first.storeLog.beforeCall = async (name) => {
      if (name === 'kv put') throw new Error('injected');
    };
    await expect(build(first)).rejects.toThrow('injected');
    const second = newWorld();
    // Commit ids are random, but for a world's.
    second.randomId();
    await build(second);
    await expectBuiltOnce(second);
  });

  test('and publishes nothing a second time, even after ticks have merged what it published', async () => {
    const world = newWorld();
    // Dies between the swap and whatever comes after it.
    world.storeLog.beforeCall = async () => {
      if ((await loadManifest(world.objects.memory)).manifest.generation === 2) throw new Error('killed');
    };
    await expect(build(world)).rejects.toThrow('killed');
    world.storeLog.beforeCall = async () => {};
    // And again, with only the journal left to delete.
    for (const name of bench.left()) if (name !== 'journal.ndjson') rmSync(join(bench.workFolder, name));
    world.clock += 60_000;
    await upload(world, 'later', someRows(3, 99));
    await tick(world);
    const before = await compactedBytes(world.objects.memory);
    const summary = await build(world);
    expect(summary.generation).toBe(3);
    expect(await compactedBytes(world.objects.memory)).toEqual(before);
    expect(bench.left()).toEqual([]);
  });

  test('under new keys, when its segments have waited so long that they may be collected', async () => {
    const world = newWorld();
    world.storeLog.beforeCall = async (name) => {
      if (name === 'kv put') throw new Error('injected');
    };
    await expect(build(world)).rejects.toThrow('injected');
    world.storeLog.beforeCall = async () => {};
    const early = await keysOf(world, 'segments/');
    expect(early).toHaveLength(1);
    world.clock += 3 * 60 * 60_000;
    await build(world);
    const { manifest } = await loadManifest(world.objects.memory);
    expect(manifest.runs[0]?.segments.map(({ key }) => key)).not.toEqual(early);
    await expectBuiltOnce(world);
  });
});

describe('a work folder', () => {
  async function unfinished(): Promise<World> {
    const world = newWorld();
    world.storeLog.beforeCall = async (name) => {
      if (name === 'put batches/merged/') throw new Error('injected');
    };
    await expect(build(world)).rejects.toThrow('injected');
    world.storeLog.beforeCall = async () => {};
    return world;
  }

  test('of other files, or of a file that was changed since, is not used', async () => {
    const world = await unfinished();
    const other = bench.request([bench.file('b.csv', csvOf(someRows(5, 1)))]);
    await expect(bench.build(world, other)).rejects.toThrow(/^other-build: /);
    const was = new Date(1_700_000_000_000);
    utimesSync(path, was, was);
    await expect(build(world)).rejects.toThrow(/^other-build: /);
    writeFileSync(path, csvOf(DETECTIONS));
    truncateSync(journal);
    await build(world);
  });

  test('with a batch or a segment that is not what was written is not published', async () => {
    for (const kind of ['.batch', '.segment']) {
      const world = await unfinished();
      const name = bench.left().find((one) => one.endsWith(kind)) ?? '';
      const bytes = readFileSync(join(bench.workFolder, name));
      bytes[bytes.length - 5] = (bytes[bytes.length - 5] ?? 0) ^ 1;
      writeFileSync(join(bench.workFolder, name), bytes);
      await expect(build(world)).rejects.toThrow(/^damaged-work: .* is not what was written/);
      expect((await loadManifest(world.objects.memory)).manifest.runs).toEqual([]);
      truncateSync(journal);
      await build(newWorld());
    }
  });

  test('keeps what is not of the build', async () => {
    const world = await unfinished();
    appendFileSync(join(bench.workFolder, 'notes.txt'), 'mine');
    await build(world);
    expect(bench.left()).toEqual(['notes.txt']);
    rmSync(bench.workFolder, { recursive: true });
  });
});
