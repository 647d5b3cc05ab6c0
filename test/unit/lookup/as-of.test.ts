import { describe, expect, test } from 'vitest';
import { hasSharedData, sharedDetections } from '../../../bench/support/shared-data.ts';
import type { Detection } from '../../../src/format/attributes.ts';
import { dayOf } from '../../../src/lib/time.ts';
import { PastFinder } from '../../../src/lookup/as-of.ts';
import { Finder } from '../../../src/lookup/finder.ts';
import { compactFully } from '../../../src/merge/rebuild.ts';
import { tick } from '../../../src/merge/tick.ts';
import { parseNumber } from '../../../src/phone/parse.ts';
import type { PhoneNumber } from '../../../src/phone/phone-number.ts';
import type { Finding } from '../../../src/policy/answer.ts';
import { decide } from '../../../src/policy/decide.ts';
import { DEFAULT_POLICY } from '../../../src/policy/default-policy.ts';
import { LabelLevels } from '../../../src/policy/labels.ts';
import { Overrides } from '../../../src/policy/overrides.ts';
import { someDetections } from '../../support/detections.ts';
import { newWorld, upload, type World } from '../../support/world.ts';

const DAY_MS = 86_400_000;
const levels = new LabelLevels();

function finderOn(world: World): { finder: Finder; past: PastFinder } {
  const context = {
    objects: world.objects,
    slices: world.slices,
    now: world.now,
    log: world.log,
    waitUntil: () => {},
    sleep: () => new Promise<void>(() => {}),
  };
  const finder = new Finder(context);
  return { finder, past: new PastFinder(finder, context) };
}

/** The whole answer, but for the generation. */
function answer(subject: PhoneNumber, finding: Finding, at: number): string {
  const context = {
    policy: DEFAULT_POLICY,
    overrides: Overrides.none,
    levels,
    now: at,
    scenario: null,
    evidence: true,
  };
  const { generation, ...rest } = decide(subject, { ...finding, ageSeconds: 0 }, context);
  return JSON.stringify(rest);
}

const subjectOf = (number: number): PhoneNumber => {
  const parsed = parseNumber(`+${number}`);
  return parsed.ok ? parsed.value : { number, country: null, lineType: 'unknown' };
};

/** What a store that had only the detections up to the end of each day answered then, by day and number. */
async function replay(detections: readonly Detection[], days: readonly number[], numbers: readonly number[]) {
  const world = newWorld();
  const answers = new Map<string, string>();
  let from = Number.NEGATIVE_INFINITY;
  for (const day of days) {
    const part = detections.filter(({ observedAt }) => dayOf(observedAt) > from && dayOf(observedAt) <= day);
    from = day;
    await uploadAll(world, `until-${day}`, part);
    world.clock = (day + 1) * DAY_MS - 1;
    const findings = await finderOn(world).finder.find(numbers, { evidence: true });
    numbers.forEach((number, i) => {
      const finding = findings[i];
      if (!finding) throw new Error('no finding');
      answers.set(`${day} ${number}`, answer(subjectOf(number), finding, world.clock));
    });
  }
  return answers;
}

/** In batches as they are uploaded. */
async function uploadAll(world: World, name: string, detections: readonly Detection[]): Promise<void> {
  for (let at = 0; at < detections.length; at += 60_000) {
    await upload(world, `${name}-${String(at).padStart(8, '0')}`, detections.slice(at, at + 60_000));
    world.clock += 60_000;
    await tick(world);
  }
}

async function expectSame(detections: readonly Detection[], days: readonly number[], numbers: readonly number[]) {
  const expected = await replay(detections, days, numbers);
  const world = newWorld();
  await uploadAll(
    world,
    'all',
    detections.toSorted((a, b) => a.number - b.number),
  );
  await compactFully(world);
  const { past } = finderOn(world);
  let listed = 0;
  let suspect = 0;
  for (const day of days) {
    for (const number of numbers) {
      const found = await past.find(number, { day }, { evidence: true });
      if (found.kind !== 'found') throw new Error('no finding');
      expect(found.complete).toBe(true);
      const told = answer(subjectOf(number), found.finding, found.at);
      if (told !== expected.get(`${day} ${number}`)) {
        throw new Error(`as of ${day}: expected ${expected.get(`${day} ${number}`)}, found ${told}`);
      }
      if (told.includes('"verdict":"listed"')) listed += 1;
      if (told.includes('"verdict":"suspect"')) suspect += 1;
    }
  }
  return { listed, suspect };
}

describe('as of an earlier day', () => {
  test('an answer is that of a store that had only the detections until then', async () => {
    const base = someDetections(500, 5);
    const start = dayOf(Math.min(...base.map(({ observedAt }) => observedAt)));
    const detections = base.flatMap((one, i) => {
      const observedAt = (start + (i % 40)) * 86_400 + (i % 1_000);
      const single = { ...one, observedAt, firstSeenAt: observedAt };
      return [
        single,
        { ...single, observedAt: observedAt + (i % 7) * 86_400, firstSeenAt: observedAt + (i % 7) * 86_400 },
      ];
    });
    const numbers = detections.slice(0, 120).flatMap(({ number }) => [number, number + 1, number + 40]);
    const { listed } = await expectSame(
      detections,
      [start - 1, start + 3, start + 11, start + 30, start + 60],
      numbers,
    );
    expect(listed).toBeGreaterThan(100);
  });

  test('of an aggregate that goes on after it, the first day is known', async () => {
    const [one] = someDetections(1, 9);
    if (one === undefined) throw new Error('no detection');
    const aggregate = { ...one, firstSeenAt: one.observedAt - 30 * 86_400, sightings: 12 };
    const world = newWorld();
    await upload(world, 'b', [aggregate]);
    await tick(world);
    const { past } = finderOn(world);
    const recordOn = async (day: number) => {
      const found = await past.find(one.number, { day }, { evidence: true });
      return found.kind === 'found' ? found.finding.record : undefined;
    };
    const [first, last] = [dayOf(aggregate.firstSeenAt), dayOf(aggregate.observedAt)];
    expect(await recordOn(first - 1)).toBeNull();
    expect(await recordOn(first)).toMatchObject({ firstDay: first, lastDay: first, sightings: 1 });
    expect(await recordOn(last - 1)).toMatchObject({ firstDay: first, lastDay: first, sightings: 1 });
    expect(await recordOn(last)).toMatchObject({ firstDay: first, lastDay: last, sightings: 12 });
  });

  test('a retained generation answers as it did; another is named with those that are retained', async () => {
    const world = newWorld();
    const [early = [], late = []] = [someDetections(80, 1), someDetections(80, 2)];
    await upload(world, 'a', early);
    await tick(world);
    const numbers = [...early, ...late].map(({ number }) => number);
    const then = await finderOn(world).finder.find(numbers, { evidence: true });
    const published = world.clock;
    world.clock += 120_000;
    await upload(world, 'b', late);
    await tick(world);
    const { past } = finderOn(world);
    for (const [i, number] of numbers.entries()) {
      const found = await past.find(number, { generation: 1 }, { evidence: true });
      expect(found).toEqual({ kind: 'found', finding: { ...then[i], ageSeconds: 0 }, at: published, complete: true });
    }
    expect(await past.find(numbers[0] ?? 0, { generation: 99 }, { evidence: false })).toEqual({
      kind: 'not-retained',
      retained: [1, 2],
    });
  });

  test('a cold lookup waits once for the numbers and once for the verdicts, however many runs there are', async () => {
    const world = newWorld({ inlineRecords: 1 });
    for (const seed of [1, 2, 3]) {
      // Equal columns would be one, and read once.
      await upload(world, `b${seed}`, someDetections(80, 1).slice(0, 77 + seed));
      let swaps = 0;
      world.storeLog.beforeCall = async (name) => {
        if (name === 'put manifest' && ++swaps >= 2) throw new Error('stopped before it compacts');
      };
      await tick(world).catch(() => undefined);
      world.storeLog.beforeCall = async () => {};
      world.clock += 120_000;
    }
    const { finder, past } = finderOn(world);
    const { manifest } = await finder.snapshots.get();
    expect(manifest.runs).toHaveLength(3);
    const atOnce: number[] = [];
    let reads = 0;
    world.storeLog.beforeCall = async () => {
      reads += 1;
      await new Promise((resolve) => setTimeout(resolve, 20));
      if (reads > 0) atOnce.push(reads);
      reads = 0;
    };
    const [{ number = 0 } = {}] = someDetections(80, 1);
    await past.find(number, { day: dayOf(world.clock / 1000) }, { evidence: false });
    // Then the evidence of each run, which a number has in blocks of its own.
    expect(atOnce.slice(0, 2)).toEqual([3, 3]);
  });

  test('a day and the present generation take the snapshot alone; another generation takes its manifest', async () => {
    const world = newWorld();
    const [early = [], late = []] = [someDetections(80, 1), someDetections(80, 2)];
    for (const part of [early, late]) {
      await upload(world, `b${world.clock}`, part);
      await tick(world);
      world.clock += 120_000;
    }
    const { finder, past } = finderOn(world);
    await finder.snapshots.get();
    const { number = 0, observedAt = 0 } = early[0] ?? {};
    const moments = [{ day: dayOf(observedAt) }, { day: dayOf(world.clock / 1000) }, { generation: 2 }];
    const isManifest = (call: string) => call.startsWith('get manifests/');
    for (const moment of moments) {
      world.storeLog.clear();
      const found = await past.find(number, moment, { evidence: true });
      expect(world.storeLog.calls.filter(isManifest)).toEqual([]);
      expect(found.kind).toBe('found');
    }
    world.storeLog.clear();
    expect(await past.find(number, { generation: 3 }, { evidence: true })).toMatchObject({ kind: 'not-retained' });
    expect(world.storeLog.calls).toEqual([]);
    await past.find(number, { generation: 1 }, { evidence: true });
    expect(world.storeLog.calls.filter(isManifest)).toHaveLength(1);
  });
});

test.skipIf(!hasSharedData)(
  'the shared history, 1,000 numbers at 20 dates',
  async () => {
    const detections = sharedDetections();
    const first = dayOf(Date.parse('2025-03-05') / 1000);
    const days = Array.from({ length: 20 }, (_, i) => first + i * 9);
    const drawn = detections.slice(-280_000).filter((_, i) => i % 400 === 0);
    const numbers = drawn.flatMap(({ number }, i) =>
      i % 3 === 0 ? [number, number - (number % 100) + (i % 100)] : [number],
    );
    const asked = [...new Set(numbers)].slice(0, 1_000);
    // Beside numbers that were listed sooner or later, numbers of their blocks that never were.
    for (let i = 0; asked.length < 1_000; i++) asked.push((asked[i] as number) - ((asked[i] as number) % 1_000) + i);
    const { listed, suspect } = await expectSame(detections, days, asked);
    console.log(`  as of 20 dates: ${listed} listed and ${suspect} suspect of ${asked.length * days.length} answers`);
    expect(asked).toHaveLength(1_000);
    expect(listed).toBeGreaterThan(5_000);
  },
  120_000,
);
