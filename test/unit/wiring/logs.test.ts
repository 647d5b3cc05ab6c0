import { describe, expect, test } from 'vitest';
import { collectGarbage } from '../../../src/merge/collect-garbage.ts';
import { DEFAULT_BUDGET } from '../../../src/merge/context.ts';
import { GARBAGE_AGE_MS } from '../../../src/replica/sync.ts';
import { createControl } from '../../../src/wiring/control.ts';
import { CENSUS_CRON, HALF_MONTH_CRON, runCron } from '../../../src/wiring/crons.ts';
import { createIsolate, WORKERS_PLATFORM } from '../../../src/wiring/isolate.ts';
import { fictionNumber, someDetections } from '../../support/detections.ts';
import { newWorld, upload } from '../../support/world.ts';
import { newReplicaWorld } from '../replica/replica.ts';

const FULL = '12025550123';
const FAILURE = new Error(`injected: ${FULL}, +1 202 555-0123, %2B${FULL}`);
const MINUTE_CRON = '* * * * *';

/** A control Worker on a store with a generation, all of whose calls fail from now on if their name matches. */
async function failing(pattern: RegExp) {
  const world = newWorld();
  await upload(world, 'one', someDetections(50, 1));
  const platform = { ...WORKERS_PLATFORM, now: world.now, sleep: world.sleep, log: world.log };
  const compile = async () => null;
  const isolate = createIsolate(world, {}, () => undefined, compile, [], platform);
  // Runs are joined by compactions alone, which write slices.
  const control = createControl(isolate, {}, { ...DEFAULT_BUDGET, inlineRecords: 1, smallRun: 1 });
  await runCron(MINUTE_CRON, control);
  await upload(world, 'two', someDetections(50, 2));
  world.clock += 60_000;
  world.events.length = 0;
  world.storeLog.beforeCall = async (name) => {
    if (pattern.test(name)) throw FAILURE;
  };
  return { world, isolate, control };
}

function expectRedacted(lines: readonly string[], event: string, told = 'injected: [digits]'): void {
  expect(lines.filter((line) => line.startsWith(event)).join('\n')).toContain(told);
  expect(lines.join('\n')).not.toMatch(/2025550|555.?0123/);
}

describe('a failure that quotes a full number reaches no log line', () => {
  test('of a tick', async () => {
    const { world, control } = await failing(/./);
    await expect(runCron(MINUTE_CRON, control)).rejects.toThrow('injected');
    expectRedacted(world.events, 'tick.failed');
  });

  test.each([
    ['kv put', 'slice.unwritten'],
    ['get batches/waiting/', 'batch.unreadable'],
    ['put batches/merged/', 'settle.failed'],
  ])('of a tick whose %s fails', async (call, event) => {
    const { world, control } = await failing(new RegExp(call));
    await runCron(MINUTE_CRON, control).catch(() => undefined);
    expectRedacted(world.events, event);
  });

  test('of a collection of garbage', async () => {
    const { world, control } = await failing(/list/);
    await collectGarbage(control.merge);
    expectRedacted(world.events, 'garbage.failed');
  });

  test('of a briefing, and of the census', async () => {
    const { world, control } = await failing(/put (briefings|census)/);
    await runCron(HALF_MONTH_CRON, control);
    expectRedacted(world.events, 'briefing.unkept');
    await runCron(CENSUS_CRON, control);
    expectRedacted(world.events, 'census.failed', 'the storage');
  });

  test('of a snapshot, and of a lookup', async () => {
    const { world, isolate } = await failing(/./);
    isolate.reportAs('keys.unavailable')(FAILURE);
    expectRedacted(world.events, 'keys.unavailable');
    world.clock += 10 * 60_000;
    await isolate.finder.snapshots.refresh().catch(() => undefined);
    await isolate.finder.find([fictionNumber(1)], { evidence: true });
    expectRedacted(world.events, 'snapshot.');
  });

  test('of a replica’s sync', async () => {
    const world = await newReplicaWorld();
    const lines: string[] = [];
    const log = (event: string, details: object) => void lines.push(`${event} ${JSON.stringify(details)}`);
    for (let i = 0; i < 3; i++) {
      await world.origin.merge(someDetections(3, i));
      await world.isolate({ log }).sync();
    }
    world.clock += GARBAGE_AGE_MS + 60_000;
    await world.origin.merge(someDetections(3, 60));
    world.store.log.beforeCall = async (name) => {
      if (name === 'delete') throw FAILURE;
    };
    await world.isolate({ log }).sync();
    expectRedacted(lines, 'replica.garbage-failed');
  });
});
