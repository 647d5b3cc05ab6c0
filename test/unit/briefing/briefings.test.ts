import { describe, expect, it } from 'vitest';
import { briefingKey, collectBriefings } from '../../../src/briefing/briefings.ts';
import type { Detection } from '../../../src/format/attributes.ts';
import { UNPACED } from '../../../src/lib/cooperate.ts';
import { COLLECTIONS_APART_MS } from '../../../src/lib/time.ts';
import { tick } from '../../../src/merge/tick.ts';
import { StorageUnavailable } from '../../../src/storage/store.ts';
import { CENSUS_CRON, HALF_MONTH_CRON, runCron } from '../../../src/wiring/crons.ts';
import { newWorld, upload, type World } from '../../support/world.ts';
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

describe('several at once', () => {
  it('are all answered, computed one at a time, and the same one once', async () => {
    const world = await merged(randomDetections(100, 7));
    const { briefings, events } = briefingsOf(world);
    let atOnce = 0;
    let most = 0;
    world.storeLog.beforeCall = async (name) => {
      if (name !== 'getRange segments/') return;
      atOnce += 1;
      await new Promise((resolve) => setTimeout(resolve, 1));
      most = Math.max(most, atOnce);
      atOnce -= 1;
    };
    const spans = Array.from({ length: 12 }, (_, i) => ({ from: SPAN.from, to: SPAN.to - Math.floor(i / 2) }));
    const answers = await Promise.all(spans.map((span) => briefings.get(span)));
    expect(answers.map(({ period }) => period.to)).toEqual(
      spans.map(({ to }) => new Date(to * 86_400_000).toISOString().slice(0, 10)),
    );
    expect(events).toEqual(Array(6).fill('briefing.computed'));
    // One segment: that of a single walk.
    expect(most).toBe(1);
  });

  it('do not wait for one that was lost, which does not go on once another works', async () => {
    const world = await merged(randomDetections(100, 7));
    const { briefings } = briefingsOf(world);
    let release = () => {};
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    let isFirst = true;
    world.storeLog.beforeCall = async (name) => {
      if (name !== 'getRange facts/' || !isFirst) return;
      isFirst = false;
      await gate;
    };
    const lost = briefings.get({ from: SPAN.from, to: SPAN.to - 2 });
    const outcome = lost.then(
      () => 'answered',
      (error: unknown) => error,
    );
    await new Promise((resolve) => setTimeout(resolve, 10));
    let seen = '';
    const next = briefings.get({ from: SPAN.from, to: SPAN.to - 3 });
    world.storeLog.beforeCall = async (name) => {
      if (seen === '' && name === 'getRange segments/') {
        seen = name;
        release();
        await outcome;
      }
    };
    expect(await next).toMatchObject({ generation: 1 });
    expect(await outcome).toBeInstanceOf(StorageUnavailable);
  });

  it('are answered 503 when their turn does not come in time', async () => {
    const world = await merged(randomDetections(100, 7));
    const { briefings } = briefingsOf(world);
    const start = world.clock;
    world.storeLog.beforeCall = async (name) => {
      // Slow, but alive: every read takes ten seconds.
      if (name.startsWith('getRange')) world.clock += 10_000;
      await new Promise((resolve) => setTimeout(resolve, 0));
    };
    const many = Array.from({ length: 12 }, (_, i) => briefings.get({ from: SPAN.from, to: SPAN.to - i }));
    const settled = await Promise.allSettled(many);
    const refused = settled.flatMap((each) => (each.status === 'rejected' ? [each.reason] : []));
    expect(refused.length).toBeGreaterThan(0);
    expect(refused.length).toBeLessThan(12);
    for (const reason of refused) expect(String(reason)).toMatch(/other briefings are being computed/);
    expect(world.clock - start).toBeGreaterThan(90_000);
  });

  it('are refused at once where too many wait', async () => {
    const world = await merged(randomDetections(50, 7));
    const { briefings } = briefingsOf(world);
    const many = Array.from({ length: 80 }, (_, i) => briefings.get({ from: SPAN.from - 1 - i, to: SPAN.to - i }));
    const settled = await Promise.allSettled(many);
    expect(settled.filter(({ status }) => status === 'rejected').length).toBe(80 - 1 - 64);
  });
});

describe('of a period that is not over', () => {
  const ON_26_MAY = Date.parse('2025-05-26T10:00:00Z');

  it('is served again on the same day, computed anew on the next, and when it has ended', async () => {
    const detections = randomDetections(300, 4);
    const world = await merged(detections);
    const { briefings, events } = briefingsOf(world);
    world.clock = ON_26_MAY;
    const first = await briefings.get(SPAN);
    expect(first.period).toEqual({
      from: '2025-05-16',
      to: '2025-05-30',
      days: 15,
      complete: false,
      until: '2025-05-26',
    });
    expect(first.trend).toHaveLength(11);
    world.clock += 3_600_000;
    expect(await briefings.get(SPAN)).toEqual(first);
    await merge(world, [detectionOn('2025-05-27')]);
    expect(await briefings.get(SPAN)).toEqual(first);
    world.clock = ON_26_MAY + 86_400_000;
    expect(await briefings.get(SPAN)).toMatchObject({ captured: expect.any(Number), period: { until: '2025-05-27' } });
    world.clock = Date.parse('2025-05-31T00:00:00Z');
    const { generation: _, computedAt: __, quarantined: ___, ...figures } = await briefings.get(SPAN);
    expect(figures).toEqual(plainBriefing([...detections, detectionOn('2025-05-27')], ...FORTNIGHT));
    expect(events).toEqual(Array(3).fill('briefing.computed'));
  });
});

describe('collection', () => {
  const DAY_MS = 86_400_000;
  const names = async (world: World) =>
    (await world.objects.memory.list('briefings/')).objects.map(({ key }) => key.slice('briefings/'.length));
  const put = (world: World, ...periods: string[]) =>
    Promise.all(periods.map((period) => world.objects.memory.put(`briefings/${period}`, new Uint8Array([1]))));

  it('deletes those of any period after a month, of half-months after thirteen, of running ones after an hour', async () => {
    const world = newWorld();
    world.clock = Date.parse('2025-06-01T00:15:00Z');
    await put(
      world,
      '2025-05-16_2025-05-31',
      '2025-02-16_2025-02-28',
      '2025-05-03_2025-05-19',
      '2025-05-20_2025-06-01',
    );
    const left = async (afterMs: number) => {
      expect(await collectBriefings(world.objects, world.clock + afterMs, UNPACED)).toBeGreaterThanOrEqual(0);
      return names(world);
    };
    expect(await left(3_600_000)).toHaveLength(4);
    expect(await left(3_600_001)).not.toContain('2025-05-20_2025-06-01');
    expect(await left(30 * DAY_MS)).toHaveLength(3);
    expect(await left(30 * DAY_MS + 1)).toEqual(['2025-02-16_2025-02-28', '2025-05-16_2025-05-31']);
    expect(await left(400 * DAY_MS)).toHaveLength(2);
    expect(await left(400 * DAY_MS + 1)).toEqual([]);
  });

  it('keeps five hundred of any period, the newest, beside all of half-months', async () => {
    const world = newWorld();
    const dates = (i: number) => new Date(Date.UTC(2020, 0, 1) + i * DAY_MS).toISOString().slice(0, 10);
    for (let i = 0; i < 1200; i++) {
      world.clock += 1;
      await put(world, `2019-12-31_${dates(i)}`);
    }
    await put(world, '2020-01-01_2020-01-15');
    expect(await collectBriefings(world.objects, world.clock, UNPACED)).toBe(700);
    expect(await names(world)).toEqual([
      ...Array.from({ length: 500 }, (_, i) => `2019-12-31_${dates(700 + i)}`),
      '2020-01-01_2020-01-15',
    ]);
  });

  it('is part of the collection, and what was deleted is computed again', async () => {
    const world = await merged(randomDetections(100, 6));
    const first = await briefingsOf(world).briefings.get(SPAN);
    world.clock += 31 * DAY_MS;
    world.clock += COLLECTIONS_APART_MS - (world.clock % COLLECTIONS_APART_MS) + 17 * 60_000;
    await tick(world);
    expect(await names(world)).toEqual([]);
    expect(await briefingsOf(world).briefings.get(SPAN)).toMatchObject({ captured: first.captured });
  });
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

  it('log a tick that fails, with what it could not read, and fail', async () => {
    const world = newWorld();
    await world.objects.memory.put('config/canaries', new Uint8Array(40));
    await upload(world, 'b0', randomDetections(20, 8));
    const lines: unknown[] = [];
    const log = (event: string, details: object) => void lines.push({ event, ...details });
    const runtime = { briefings: never, merge: { ...world, log }, finder: never };
    await expect(runCron('* * * * *', runtime as never)).rejects.toThrow('config/canaries');
    expect(lines).toEqual([{ event: 'tick.failed', reason: expect.stringMatching(/^config\/canaries: .*RFCN/) }]);
    expect((await world.objects.memory.list('batches/waiting/')).objects).toHaveLength(1);
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
