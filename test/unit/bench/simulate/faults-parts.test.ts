import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { leaveOut } from '../../../../bench/simulate/faults/command.ts';
import { numberIn, UNIVERSE } from '../../../../bench/simulate/faults/feeds.ts';
import { OriginWay } from '../../../../bench/simulate/faults/isolate.ts';
import { dateOf, dayOfDate, dayOfSeconds, instantOf } from '../../../../bench/simulate/faults/model/calendar.ts';
import { Configuration } from '../../../../bench/simulate/faults/model/configuration.ts';
import { checkPointers } from '../../../../bench/simulate/faults/model/decode.ts';
import { MUTANTS } from '../../../../bench/simulate/faults/mutants.ts';
import { DOCUMENT, mutated, rowBegin, TABLE_FOLLOWS } from '../../../../bench/simulate/faults/mutate.ts';
import { planOf } from '../../../../bench/simulate/faults/plan.ts';
import { Host, Scheduler } from '../../../../bench/simulate/faults/scheduler.ts';
import { Bucket, Calls, SimulatedKv } from '../../../../bench/simulate/faults/storage.ts';
import { type Climate, climateOf, type Fault, Weather } from '../../../../bench/simulate/faults/weather.ts';
import { Random } from '../../../../bench/support/random.ts';
import { parseNumber } from '../../../../src/phone/parse.ts';

const bytes = (text: string) => new Uint8Array(new TextEncoder().encode(text));
const CALL = { action: 1, index: 0, isWrite: true, target: 'batches/waiting/a', storm: 1 };

describe('the scheduler', () => {
  test('runs one event at a time, and whatever it wakes until that waits again', async () => {
    const scheduler = new Scheduler(1000);
    const seen: string[] = [];
    const walk = async (name: string, ms: number) => {
      for (let step = 0; step < 3; step++) {
        await scheduler.sleep(ms);
        seen.push(`${scheduler.now} ${name}`);
        await Promise.resolve();
        seen.push(`${scheduler.now} ${name} later`);
      }
    };
    scheduler.begin(1, () => walk('a', 10));
    scheduler.begin(2, () => walk('b', 15));
    await scheduler.run();
    expect(seen).toEqual(
      ['1010 a', '1015 b', '1020 a', '1030 b', '1030 a', '1045 b'].flatMap((line) => [line, `${line} later`]),
    );
  });

  test('knows whose work is running, also after it has waited', async () => {
    const scheduler = new Scheduler(0);
    const seen: number[] = [];
    for (const action of [7, 8]) {
      scheduler.begin(action, async () => {
        await scheduler.sleep(10);
        seen.push(scheduler.doer?.action ?? -1);
      });
    }
    await scheduler.run();
    expect(seen).toEqual([7, 8]);
  });

  test('a stop leaves what is to come', async () => {
    const scheduler = new Scheduler(0);
    let after = 0;
    scheduler.after(1, () => scheduler.stop());
    scheduler.after(2, () => {
      after += 1;
    });
    await scheduler.run();
    expect(after).toBe(0);
    await scheduler.run();
    expect(after).toBe(1);
  });
});

const STORMY: Climate = {
  faults: ['fails', 'persisted', 'late', 'twice', 'slow', 'evict'],
  faultRate: 1,
  targets: null,
  latencyMs: 5,
  kvStaleMs: 0,
  kvDamage: 0,
  pageLimit: 1000,
  isKeyRateLimited: false,
  originCacheMs: 0,
  harmRate: 0,
};

describe('the weather', () => {
  test('of a call is the same whatever else happens', () => {
    const [one, other] = [new Weather(3, STORMY), new Weather(3, STORMY)];
    for (let index = 0; index < 50; index++) other.fateOf({ ...CALL, action: 9, index }, 'noise');
    for (let index = 0; index < 50; index++) {
      expect(other.fateOf({ ...CALL, index }, 'x')).toEqual(one.fateOf({ ...CALL, index }, 'x'));
    }
  });

  test('has every fault, and of reads only those that reads can have', () => {
    const weather = new Weather(1, STORMY);
    const drawn = (isWrite: boolean) =>
      new Set(Array.from({ length: 300 }, (_, index) => weather.fateOf({ ...CALL, index, isWrite }, 'x').fault));
    expect(drawn(true)).toEqual(new Set(STORMY.faults));
    expect(drawn(false)).toEqual(new Set<Fault>(['fails', 'slow', 'evict']));
  });

  test('is calm where there is no storm, and a fault that is suppressed does not happen', () => {
    expect(new Weather(1, STORMY).fateOf({ ...CALL, storm: 0 }, 'x').fault).toBeNull();
    expect(new Weather(1, STORMY).fateOf(CALL, 'x').fault).not.toBeNull();
    const weather = new Weather(1, STORMY, new Set(['1.0']));
    expect(weather.fateOf(CALL, 'x').fault).toBeNull();
    expect(weather.happened.size).toBe(0);
  });

  test('loses and damages what can be had again, and nothing else, unless it is suppressed', () => {
    const harmful = { ...STORMY, faults: [], harmRate: 1 };
    const list = { ...CALL, isWrite: false, target: 'compactions/a' };
    const weather = new Weather(1, harmful);
    const met = (call: Partial<typeof CALL>) =>
      new Set(Array.from({ length: 50 }, (_, index) => weather.fateOf({ ...list, ...call, index }, 'x').harm));
    expect(met({})).toEqual(new Set(['lost', 'damaged']));
    expect(weather.happened.get('1.0')).toMatch(/^(lost|damaged): x$/);
    expect(met({ storm: 0 })).toEqual(new Set([null]));
    expect(met({ isWrite: true })).toEqual(new Set([null]));
    for (const target of ['segments/a', 'manifest', 'ledgers/a', 'kv'])
      expect(met({ target })).toEqual(new Set([null]));
    expect(new Weather(1, harmful, new Set(['1.0'])).fateOf(list, 'x').harm).toBeNull();
  });

  test('may meet some kinds of keys only', () => {
    const weather = new Weather(1, { ...STORMY, targets: ['kv', 'batches/'] });
    expect(weather.fateOf(CALL, 'x').fault).not.toBeNull();
    expect(weather.fateOf({ ...CALL, target: 'kv' }, 'x').fault).not.toBeNull();
    expect(weather.fateOf({ ...CALL, target: 'manifest' }, 'x').fault).toBeNull();
  });

  test('differs from seed to seed', () => {
    const climates = new Set(Array.from({ length: 50 }, (_, seed) => JSON.stringify(climateOf(seed))));
    expect(climates.size).toBeGreaterThan(40);
  });
});

/** What one put does to a store, under one fault. */
async function putUnder(fault: Fault) {
  const scheduler = new Scheduler(0);
  const weather = new Weather(1, { ...STORMY, faults: [fault] });
  const deps = { scheduler, weather, stormOf: () => 1, trace: () => {} };
  const host = new Host(deps, 'i0', 'one', 0);
  const effects: number[] = [];
  let answer = 'none';
  scheduler.begin(1, async () => {
    try {
      await new Calls(deps, host).make('put', 'key', true, () => effects.push(scheduler.now));
      answer = 'done';
    } catch {
      answer = 'failed';
    }
  });
  await scheduler.run();
  return { effects, answer, isAlive: host.isAlive, isCalm: host.isCalmSince(0) };
}

describe('a storage call', () => {
  test('that fails has no effect', async () => {
    expect(await putUnder('fails')).toMatchObject({ effects: [], answer: 'failed', isCalm: false });
  });

  test('that fails but persisted has its effect', async () => {
    expect(await putUnder('persisted')).toMatchObject({ effects: [expect.any(Number)], answer: 'failed' });
  });

  test('that is late takes effect seconds or minutes after it has failed', async () => {
    const { effects, answer } = await putUnder('late');
    expect(answer).toBe('failed');
    expect(effects).toHaveLength(1);
    expect(effects[0]).toBeGreaterThan(5_000);
  });

  test('that is delivered twice takes effect twice', async () => {
    const { effects, answer } = await putUnder('twice');
    expect(answer).toBe('done');
    expect(effects).toHaveLength(2);
  });

  test('of an isolate that is evicted is never answered', async () => {
    expect(await putUnder('evict')).toMatchObject({ answer: 'none', isAlive: false });
  });
});

describe('the bucket', () => {
  const broken: string[] = [];
  const make = () => {
    broken.length = 0;
    return new Bucket(() => 5, { onPut: () => {}, onBroken: (promise) => broken.push(promise) });
  };

  test('holds conditions, and its etags are those of the content', () => {
    const bucket = make();
    const first = bucket.put('manifest', bytes('a'));
    expect(bucket.put('manifest', bytes('b'), { absent: true })).toBeNull();
    expect(bucket.put('manifest', bytes('b'), { etag: 'other' })).toBeNull();
    expect(bucket.put('manifest', bytes('b'), { etag: first?.etag ?? '' })).not.toBeNull();
    expect(bucket.put('manifest', bytes('a'))?.etag).toBe(first?.etag);
    expect(broken).toEqual([]);
  });

  test('tells of an immutable object that changes, also after it was deleted', () => {
    const bucket = make();
    bucket.put('segments/a', bytes('a'));
    bucket.put('segments/a', bytes('a'));
    expect(broken).toEqual([]);
    bucket.delete('segments/a');
    expect(bucket.deletedAt('segments/a')).toBe(5);
    bucket.put('segments/a', bytes('b'));
    expect(broken).toEqual(['no immutable object changes']);
  });

  test('has nothing, or other bytes, where an object has come to harm, and blames nobody', () => {
    const bucket = make();
    for (const key of ['a', 'b']) bucket.put(key, bytes('whole'));
    bucket.harm('a', 'lost');
    bucket.harm('a', 'damaged');
    bucket.harm('b', 'damaged');
    expect([bucket.get('a'), bucket.deletedAt('a')]).toEqual([undefined, undefined]);
    expect(bucket.get('b')?.bytes).toEqual(bytes('whnle'));
    expect(bucket.harmed).toEqual(new Set(['a', 'b']));
    expect(broken).toEqual([]);
  });

  test('lists in pages', () => {
    const bucket = make();
    for (const key of ['a/1', 'a/2', 'a/3', 'b/1']) bucket.put(key, bytes(key));
    const page = bucket.list('a/', undefined, 2);
    expect(page.objects.map(({ key }) => key)).toEqual(['a/1', 'a/2']);
    expect(bucket.list('a/', page.cursor, 2).objects.map(({ key }) => key)).toEqual(['a/3']);
  });
});

test('KV remembers misses for a while, and shows what was written after a while', () => {
  let now = 0;
  const cache = new SimulatedKv(1, () => now, 60_000);
  expect(cache.get('one', 'a')).toBeNull();
  cache.put('a', bytes('a'), 0);
  const seenAt: number[] = [];
  for (const place of ['one', 'two', 'three', 'four']) {
    for (now = 1; cache.get(place, 'a') === null; now += 1_000);
    seenAt.push(now);
  }
  expect(Math.max(...seenAt)).toBeLessThan(130_000);
  expect(new Set(seenAt).size).toBeGreaterThan(1);
});

describe('the model’s own calendar', () => {
  test('agrees with the platform', () => {
    for (let day = 0; day < 40_000; day += 13) {
      const iso = new Date(day * 86_400_000).toISOString();
      expect(dateOf(day)).toBe(iso.slice(0, 10));
      expect(dayOfDate(dateOf(day))).toBe(day);
      const seconds = day * 86_400 + 45_296;
      expect(instantOf(seconds)).toBe(`${new Date(seconds * 1000).toISOString().slice(0, 19)}Z`);
      expect(dayOfSeconds(seconds)).toBe(day);
    }
  });
});

test('every number of a simulation is one, and would be seen in a log line', () => {
  for (const { number, country, national, isFixed } of UNIVERSE) {
    for (const text of [`+${number}`, national]) {
      const parsed = parseNumber(text, country);
      expect(parsed).toMatchObject({ ok: true, value: { number } });
      expect(parsed.ok && parsed.value.lineType === 'fixed_line').toBe(isFixed);
    }
    expect(numberIn(`{"reason":"no ${number}"}`)).not.toBeNull();
  }
  expect(numberIn('{"event":"tick","generation":12,"at":1769976000000}')).toBeNull();
});

describe('shrinking', () => {
  test('leaves what it takes to fail', async () => {
    let present = Array.from({ length: 60 }, (_, i) => i);
    const needed = [3, 17, 44];
    let attempts = 0;
    await leaveOut(
      () => present,
      async (some) => {
        attempts += 1;
        const rest = present.filter((one) => !some.includes(one));
        const fails = needed.every((one) => rest.includes(one));
        if (fails) present = rest;
        return fails;
      },
    );
    expect(present).toEqual(needed);
    expect(attempts).toBeLessThan(120);
  });
});

test('a plan is the same for the same seed', () => {
  expect(planOf(5)).toEqual(planOf(5));
  expect(planOf(5)).not.toEqual(planOf(6));
});

test('some plans have a weather of their own, which storms bring to some steps only', () => {
  const plans = Array.from({ length: 300 }, (_, seed) => planOf(seed));
  // Of reads that cross each other: nothing fails, and the manifest is slow.
  const themed = plans.filter(
    ({ weather }) => weather.targets?.includes('manifest') === true && weather.faults?.join() === 'slow',
  );
  expect(themed.length).toBeGreaterThan(5);
  const stormy = new Set(themed.flatMap(({ steps }) => steps.filter(({ storm }) => storm > 0).map(({ kind }) => kind)));
  expect(stormy).toEqual(new Set(['watch', 'lookup']));
  expect(climateOf(1, themed[0]?.weather)).toMatchObject(themed[0]?.weather ?? {});
});

/** A frame as the model reads it: its header is not looked at. */
function frame(value: unknown) {
  return bytes(`${' '.repeat(16)}${JSON.stringify(value)}`);
}

describe('changes that several make at once', () => {
  const broken: string[] = [];
  const documents = new Map<string, Uint8Array>();
  const make = () => {
    broken.length = 0;
    return new Configuration({
      now: () => 1_000_000,
      read: (key) => documents.get(key) ?? null,
      onBroken: (_, detail) => broken.push(detail),
    });
  };

  test('are lost when a key goes that nobody asked to be deleted', () => {
    const configuration = make();
    configuration.onPut('config/keys', frame({ keys: [{ id: 'a' }, { id: 'b' }, { id: 'c' }] }));
    configuration.asked.keys.add('a');
    configuration.onPut('config/keys', frame({ keys: [{ id: 'b' }, { id: 'c' }] }));
    expect(broken).toEqual([]);
    configuration.onPut('config/keys', frame({ keys: [{ id: 'b' }, { id: 'd' }] }));
    expect(broken).toEqual(['key c']);
  });

  test('are lost when a canary goes', () => {
    const configuration = make();
    configuration.onPut('config/canaries', frame({ canaries: [{ number: 1 }, { number: 2 }] }));
    configuration.asked.canaries.add(1);
    configuration.onPut('config/canaries', frame({ canaries: [] }));
    expect(broken).toEqual(['canary 2']);
  });

  test('are lost when an override goes that has not expired', () => {
    const configuration = make();
    const rows = (overrides: readonly { readonly number: number; readonly expiresAt: number | null }[]) => {
      const ref = String(documents.size);
      documents.set(
        `config/overrides/shop/${ref}`,
        frame({ overrides: overrides.map((one) => ({ ...one, list: 'allow' })) }),
      );
      return frame({ tenants: [{ tenant: 'shop', policy: null, overrides: ref }] });
    };
    configuration.onPut(
      'config/tenants',
      rows([
        { number: 1, expiresAt: null },
        { number: 2, expiresAt: 900_000 },
      ]),
    );
    configuration.onPut('config/tenants', rows([{ number: 1, expiresAt: null }]));
    expect(broken).toEqual([]);
    configuration.onPut('config/tenants', rows([{ number: 3, expiresAt: null }]));
    expect(broken).toEqual(['rule override of shop for 1']);
  });
});

describe('the way from a replica to its origin', () => {
  const URL = 'https://ringfence.example/v1/feed/manifest';
  /** What a replica gets that asks every ten seconds, of an origin that has another generation each time. */
  async function answers(cacheMs: number, url: string, count: number, isGone = false): Promise<number[]> {
    let now = 0;
    let generation = 0;
    const way = new OriginWay({
      cacheMs,
      random: new Random(1),
      now: () => now,
      isolateAt: () => ({
        run: async (work) => (isGone ? null : work()),
        fetch: () => new Response(String(++generation), { headers: { etag: `"${generation}"` } }),
      }),
      tell: () => {},
    });
    const found: number[] = [];
    for (let i = 0; i < count; i++) {
      found.push(Number(await (await way.fetch(new Request(url))).text()));
      now += 10_000;
    }
    return found;
  }

  test('may answer a manifest with one of seconds ago, older than one that it has answered with since', async () => {
    const found = await answers(25_000, URL, 100);
    expect(found.some((generation, i) => generation < (found[i - 1] ?? 0))).toBe(true);
    const first = new Map(found.toReversed().map((generation, i) => [generation, found.length - 1 - i]));
    expect(Math.max(...found.map((generation, i) => i - (first.get(generation) ?? i)))).toBe(2);
  });

  test('has no caches in other seeds, and none for slices', async () => {
    const all = Array.from({ length: 20 }, (_, i) => i + 1);
    expect(await answers(0, URL, 20)).toEqual(all);
    expect(await answers(25_000, URL.replace('manifest', 'slices/a'), 20)).toEqual(all);
  });

  test('ends where the origin goes away', async () => {
    await expect(answers(25_000, URL, 1, true)).rejects.toThrow('the origin is gone');
  });
});

describe('the pointer of a replica', () => {
  const POINTER = { sequence: 5, generation: 7, manifest: { sha256: 'a' }, confirmedAt: 1_000_000, olderSince: null };
  const broken = (before: object, after: object) => {
    const found: string[] = [];
    checkPointers(frame({ ...POINTER, ...before }), frame({ ...POINTER, ...after }), (_, detail) => found.push(detail));
    return found;
  };

  test('goes forward', () => {
    expect(broken({}, { confirmedAt: 1_060_000 })).toEqual([]);
    expect(broken({}, { sequence: 6, generation: 8, manifest: { sha256: 'b' } })).toEqual([]);
    expect(broken({}, { sequence: 4 })).toEqual(['sequence 4 came after 5']);
    expect(broken({}, { manifest: { sha256: 'b' } })).toEqual(['sequence 5 came after 5']);
    expect(broken({}, { sequence: 6, generation: 6 })).toEqual(['generation 6 came after 7']);
  });

  test('follows an origin that has been older for a quarter of an hour', () => {
    const older = { sequence: 6, generation: 6, confirmedAt: 2_000_000 };
    expect(broken({ olderSince: 1_100_000 }, older)).toEqual([]);
    expect(broken({ olderSince: 1_100_001 }, older)).toEqual(['generation 6 came after 7']);
  });
});

test.each(MUTANTS.map((mutant) => [mutant.name, mutant] as const))(
  'there is one place for the fault: %s',
  (_, mutant) => {
    expect(mutated(mutant)).toContain(mutant.to);
  },
);

test('no two mutants have one name', () => {
  expect(new Set(MUTANTS.map(({ name }) => name)).size).toBe(MUTANTS.length);
});

test('docs/SIMULATION.md lists all mutants, each found: if not, npm run simulate -- mutants --write-docs', () => {
  const document = readFileSync(DOCUMENT, 'utf8');
  const [, table = ''] = document.split(TABLE_FOLLOWS);
  const [, , ...rows] = table.split('\n').filter((line) => line.startsWith('|'));
  expect(rows.map((row) => MUTANTS.find((mutant) => row.startsWith(rowBegin(mutant)))?.name)).toEqual(
    MUTANTS.map(({ name }) => name),
  );
  expect(rows.filter((row) => row.includes('not found'))).toEqual([]);
});
