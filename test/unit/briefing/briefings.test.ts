import { describe, expect, it } from 'vitest';
import { briefingKey } from '../../../src/briefing/kept.ts';
import { CENSUS_CRON, HALF_MONTH_CRON, runCron } from '../../../src/crons.ts';
import type { Detection } from '../../../src/format/detection.ts';
import { StorageUnavailable } from '../../../src/store/errors.ts';
import { newWorld, type World } from '../../support/world.ts';
import { plainBriefing } from './plain-briefing.ts';
import { briefingsOf, type Dates, merge, merged, spanOf } from './support.ts';
import { randomDetections } from './worlds.ts';

const FORTNIGHT: Dates = ['2025-05-16', '2025-05-30'];
const SPRING: Dates = ['2025-03-20', '2025-05-20'];
const ONE_DAY: Dates = ['2025-05-01', '2025-05-01'];

const SPAN = spanOf(FORTNIGHT);

const [someDetection] = randomDetections(1, 1);
/** Of a number that is in no list of these tests, in a period of its own choosing. */
function detectionOn(date: string, number = 12_025_550_199): Detection {
  if (someDetection === undefined) throw new Error('expected a detection');
  const observedAt = Date.parse(`${date}T10:00:00Z`) / 1000;
  return { ...someDetection, number, observedAt, firstSeenAt: observedAt, link: null };
}

describe('through the merge', () => {
  it.each([1, 2, 3])('world %i, with late arrivals, gives what plain sets give', async (seed) => {
    const detections = randomDetections(900, seed);
    const world = await merged(detections.slice(0, 500), detections.slice(500, 890), detections.slice(890));
    for (const period of [FORTNIGHT, SPRING, ONE_DAY]) {
      const { generation, computedAt, quarantined, ...figures } = await briefingsOf(world).briefings.get(
        spanOf(period),
      );
      expect(figures).toEqual(plainBriefing(detections, ...period));
      expect([generation, quarantined]).toEqual([3, []]);
      expect(computedAt).toBe(new Date(world.clock).toISOString());
    }
  });

  it('an empty store has an empty briefing', async () => {
    const { briefings } = briefingsOf(newWorld());
    expect(await briefings.get(SPAN)).toMatchObject({ captured: 0, inventory: 0, generation: 0 });
  });
});

describe('a kept briefing', () => {
  it('is served until detections of its days, or of earlier ones, come in', async () => {
    const detections = randomDetections(300, 4);
    const world = await merged(detections);
    const { briefings, events } = briefingsOf(world);
    const first = await briefings.get(SPAN);
    expect(await briefings.get(SPAN)).toEqual(first);
    await merge(world, [detectionOn('2025-05-31')]);
    expect(await briefingsOf(world).briefings.get(SPAN)).toEqual(first);
    expect(events).toEqual(['briefing.computed']);
    const late = detectionOn('2025-05-30');
    await merge(world, [late]);
    const second = await briefings.get(SPAN);
    expect(second).toMatchObject({ captured: first.captured + 1, generation: 3 });
    const old = detectionOn('2024-01-01');
    await merge(world, [old]);
    expect(await briefings.get(SPAN)).toMatchObject({ captured: second.captured, firstTime: second.firstTime - 1 });
    expect(events).toEqual(['briefing.computed', 'briefing.computed', 'briefing.computed']);
  });

  it('is computed anew if it cannot be read', async () => {
    const world = await merged(randomDetections(50, 5));
    const { briefings, events } = briefingsOf(world);
    const first = await briefings.get(SPAN);
    const key = briefingKey(SPAN);
    expect(key).toBe('briefings/2025-05-16_2025-05-30');
    const kept = await world.objects.memory.get(key);
    const damaged = kept?.bytes.slice() ?? new Uint8Array();
    damaged[40] = (damaged[40] ?? 0) ^ 1;
    await world.objects.memory.put(key, damaged);
    expect(await briefings.get(SPAN)).toEqual(first);
    expect(events).toEqual(['briefing.computed', 'briefing.computed']);
  });
});

describe('when storage fails', () => {
  it('there is no briefing, whichever call fails', async () => {
    const world = await merged(randomDetections(100, 6));
    const { storeLog } = world;
    storeLog.clear();
    await briefingsOf(world).briefings.get(SPAN);
    const calls = storeLog.calls.length;
    expect(calls).toBeGreaterThan(4);
    await world.objects.memory.delete([briefingKey(SPAN)]);
    for (let call = 0; call < calls - 1; call++) {
      storeLog.clear();
      storeLog.failAt(call, 'fails');
      await expect(briefingsOf(world).briefings.get(SPAN), storeLog.calls[call]).rejects.toThrow(StorageUnavailable);
    }
  });

  it('one that cannot be kept is answered all the same', async () => {
    const world = await merged(randomDetections(100, 6));
    const { briefings, events } = briefingsOf(world);
    world.storeLog.clear();
    world.storeLog.beforeCall = async (name) => {
      if (name === 'put briefings/') throw new Error('injected');
    };
    expect(await briefings.get(SPAN)).toMatchObject({ generation: 1 });
    expect(events).toEqual(['briefing.computed', 'briefing.unkept']);
  });
});

it('computes one at a time, and does not wait for one that was lost', async () => {
  const world = await merged(randomDetections(100, 7));
  const { briefings } = briefingsOf(world);
  const first = briefings.get(SPAN);
  const second = briefings.get({ from: SPAN.from, to: SPAN.to - 1 });
  await expect(second).rejects.toThrow(/another briefing is being computed/);
  await first;
  await briefings.get({ from: SPAN.from, to: SPAN.to - 1 });

  let stuck = true;
  world.storeLog.beforeCall = (name) =>
    stuck && name === 'getRange facts/' ? new Promise(() => {}) : Promise.resolve();
  void briefings.get({ from: SPAN.from, to: SPAN.to - 2 });
  await new Promise((resolve) => setTimeout(resolve, 10));
  stuck = false;
  await expect(briefings.get({ from: SPAN.from, to: SPAN.to - 3 })).rejects.toThrow(StorageUnavailable);
  world.clock += 120_000;
  await briefings.get({ from: SPAN.from, to: SPAN.to - 3 });
});

describe('crons', () => {
  const never = new Proxy({}, { get: () => expect.fail('a tick') });

  function runtimeOf(world: World) {
    const { briefings, events } = briefingsOf(world);
    const log = (event: string) => void events.push(event);
    return { events, runtime: { briefings, merge: { ...world, log }, finder: never } as never };
  }

  it('keep the half-month that has just ended', async () => {
    const world = await merged(randomDetections(100, 8));
    const { events, runtime } = runtimeOf(world);
    for (const [now, key] of [
      ['2025-06-01T00:15:00Z', 'briefings/2025-05-16_2025-05-31'],
      ['2025-05-16T00:15:00Z', 'briefings/2025-05-01_2025-05-15'],
      ['2025-03-01T00:15:00Z', 'briefings/2025-02-16_2025-02-28'],
    ] as const) {
      world.clock = Date.parse(now);
      await runCron(HALF_MONTH_CRON, runtime);
      expect(await world.objects.memory.head(key)).not.toBeNull();
      expect(events.splice(0)).toEqual(['briefing.computed', 'briefing']);
    }
  });

  it('log a failure, and keep nothing', async () => {
    const world = await merged(randomDetections(100, 8));
    const { events, runtime } = runtimeOf(world);
    world.storeLog.beforeCall = async (name) => {
      if (name === 'getRange segments/') throw new Error('injected');
    };
    await runCron(HALF_MONTH_CRON, runtime);
    await runCron(CENSUS_CRON, runtime);
    expect(events).toEqual(['briefing.failed', 'census.failed']);
    expect((await world.objects.memory.list('briefings/')).objects).toEqual([]);
    expect(await world.objects.memory.get('census')).toBeNull();
  });

  it('tick at every other trigger', async () => {
    const world = newWorld();
    const events: string[] = [];
    let refreshed = 0;
    const finder = { snapshots: { refresh: async () => ++refreshed } };
    const runtime = { briefings: never, merge: { ...world, log: (event: string) => void events.push(event) }, finder };
    await runCron('* * * * *', runtime as never);
    expect([events.at(-1), refreshed]).toEqual(['tick', 1]);
  });
});
