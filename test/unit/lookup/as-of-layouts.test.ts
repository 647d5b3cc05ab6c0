/** Answers of earlier days are those of a plain count, however the detections came together into runs. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Detection } from '../../../src/format/attributes.ts';
import { EVIDENCE_ENTRIES } from '../../../src/format/evidence.ts';
import { PastFinder } from '../../../src/lookup/as-of.ts';
import { Finder } from '../../../src/lookup/finder.ts';
import { loadManifest } from '../../../src/merge/publish-manifest.ts';
import { compactFully } from '../../../src/merge/rebuild.ts';
import { tick } from '../../../src/merge/tick.ts';
import type { EvidenceLine, Finding } from '../../../src/policy/answer.ts';
import { fictionNumber, someDetections } from '../../support/detections.ts';
import { newWorld, upload, type World } from '../../support/world.ts';

const DAY = 86_400;
const FIRST_DAY = 20_000;
const DAYS = 8;
const [BASE] = someDetections(1, 1);
if (BASE === undefined) throw new Error('no detection');

/** Few numbers, days and attributes, so that lines meet; two in three are aggregates. */
const detection: fc.Arbitrary<Detection> = fc
  .record({
    i: fc.nat({ max: 3 }),
    firstDay: fc.constantFrom(0, 1, 1, DAYS - 1),
    days: fc.constantFrom(0, 0, 1, 3, 3, 5),
    second: fc.constantFrom(0, 3_600, 86_399),
    sightings: fc.constantFrom(1, 1, 2, 40),
    label: fc.constantFrom('modem_pool_card', 'reported_abuse'),
    project: fc.constantFrom(null, 'alpha'),
  })
  .map(({ i, firstDay, days, second, sightings, label, project }) => ({
    ...BASE,
    number: fictionNumber(i),
    firstSeenAt: (FIRST_DAY + firstDay) * DAY,
    observedAt: (FIRST_DAY + firstDay + days) * DAY + second,
    sightings,
    label,
    project,
  }));

interface Layout {
  /** Uploads between two ticks, as many as there are. */
  readonly ends: readonly number[];
  readonly inlineRecords: number;
  readonly compactionSegments: number;
  /** Whether ticks get to compact at all. */
  readonly compacts: boolean;
  readonly compactsFully: boolean;
  readonly isReversed: boolean;
}

const layout: fc.Arbitrary<Layout> = fc.record({
  ends: fc.array(fc.nat({ max: 30 }), { maxLength: 6 }),
  inlineRecords: fc.constantFrom(1, 5, 1_000_000),
  compactionSegments: fc.constantFrom(1, 8),
  compacts: fc.boolean(),
  compactsFully: fc.boolean(),
  isReversed: fc.boolean(),
});

async function built(detections: readonly Detection[], how: Layout): Promise<World> {
  const { inlineRecords, compactionSegments } = how;
  const world = newWorld({ inlineRecords, compactionSegments });
  const all = how.isReversed ? detections.toReversed() : detections;
  const ends = [...how.ends, all.length].filter((end) => end <= all.length).sort((a, b) => a - b);
  for (const [i, end] of ends.entries()) {
    const part = all.slice(i === 0 ? 0 : ends[i - 1], end);
    if (part.length === 0) continue;
    await upload(world, `b${String(i).padStart(3, '0')}`, part);
    world.clock += 60_000;
    await (how.compacts ? tick(world) : tickOnce(world));
  }
  if (how.compactsFully) await compactFully(world);
  return world;
}

/** A tick that publishes what it merged, and loses its second swap, the one of its compaction. */
async function tickOnce(world: World): Promise<void> {
  let swaps = 0;
  world.storeLog.beforeCall = async (name) => {
    if (name === 'put manifest' && ++swaps >= 2) throw new Error('injected: stopped');
  };
  await tick(world).catch((error: Error) => expect(error.message).toContain('injected'));
  world.storeLog.beforeCall = async () => {};
}

function finders(world: World): { readonly finder: Finder; readonly past: PastFinder } {
  const context = {
    objects: world.objects.memory,
    slices: world.slices.memory,
    now: world.now,
    log: world.log,
    waitUntil: () => {},
    sleep: () => new Promise<void>((resolve) => setTimeout(resolve, 0)),
  };
  const finder = new Finder(context);
  return { finder, past: new PastFinder(finder, context) };
}

interface Told {
  readonly complete: boolean;
  readonly record: Finding['record'];
  readonly hundred: number;
  readonly evidence: readonly EvidenceLine[];
}

async function toldOn({ past }: { readonly past: PastFinder }, number: number, day: number): Promise<Told> {
  const found = await past.find(number, { day }, { evidence: true });
  if (found.kind !== 'found') throw new Error('no finding');
  const { record, hundred, evidence = [] } = found.finding;
  return { complete: found.complete, record, hundred, evidence };
}

const day = (second: number) => Math.floor(second / DAY);

/** What a count by hand says, with none of the product's code. */
function expected(detections: readonly Detection[], number: number, until: number): Told {
  const others = new Set(
    detections
      .filter((one) => one.number !== number && Math.floor(one.number / 100) === Math.floor(number / 100))
      .filter((one) => day(one.firstSeenAt) <= until)
      .map((one) => one.number),
  );
  const own = detections.filter((one) => one.number === number && day(one.firstSeenAt) <= until);
  // Lines that nothing but their time of day and count tells apart.
  const groups = Object.values(
    Object.groupBy(own, (one) =>
      [one.label, one.project, one.channel, one.industry, day(one.firstSeenAt), day(one.observedAt)].join('|'),
    ),
  ).map((group = []) => {
    const [one] = group;
    if (one === undefined) throw new Error('an empty group');
    const first = Math.min(...group.map(({ firstSeenAt }) => firstSeenAt));
    const last = Math.max(...group.map(({ observedAt }) => observedAt));
    const sightings = group.reduce((sum, line) => sum + line.sightings, 0);
    // One that goes on after the day has been seen once by then, at its beginning.
    const isOver = day(last) <= until;
    return { one, first, last: isOver ? last : first, sightings: isOver ? sightings : 1 };
  });
  const lines = Object.values(Object.groupBy(groups, ({ one }) => `${one.label}|${one.project}`)).map((same = []) => {
    const [group] = same;
    if (group === undefined) throw new Error('an empty group');
    const { label, channel, industry, project, link, source } = group.one;
    return {
      ...{ label, channel, industry, project, link, source },
      firstSeenAt: Math.min(...same.map(({ first }) => first)),
      lastSeenAt: Math.max(...same.map(({ last }) => last)),
      sightings: same.reduce((sum, { sightings }) => sum + sightings, 0),
    };
  });
  const record =
    lines.length === 0
      ? null
      : {
          labels: [...new Set(lines.map(({ label }) => label))].sort(),
          channels: [BASE?.channel as Detection['channel']],
          industries: BASE?.industry == null ? [] : [BASE.industry],
          firstDay: day(Math.min(...lines.map(({ firstSeenAt }) => firstSeenAt))),
          lastDay: day(Math.max(...lines.map(({ lastSeenAt }) => lastSeenAt))),
          sightings: lines.reduce((sum, { sightings }) => sum + sightings, 0),
        };
  return { complete: true, record, hundred: others.size, evidence: lines };
}

/**
 * The order of lines that were seen at the same times is of no meaning here; that it is always the same is tested
 * below.
 */
const sorted = (told: Told): Told => ({
  ...told,
  evidence: told.evidence.toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)),
});

const NUMBERS = [0, 1, 2, 3, 4].map(fictionNumber);

describe('as of any day', () => {
  test('the answer is that of a plain count, and the same to the letter from any two layouts', async () => {
    let aggregates = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(detection, { minLength: 1, maxLength: 30, size: 'max' }),
        layout,
        layout,
        async (detections, one, other) => {
          const [here, there] = [finders(await built(detections, one)), finders(await built(detections, other))];
          for (let on = FIRST_DAY - 1; on <= FIRST_DAY + DAYS + 6; on++) {
            for (const number of NUMBERS) {
              const told = await toldOn(here, number, on);
              expect(sorted(told)).toEqual(sorted(expected(detections, number, on)));
              expect(await toldOn(there, number, on)).toEqual(told);
              if ((told.record?.sightings ?? 0) > 1) aggregates += 1;
            }
          }
          const options = { evidence: true };
          const bare = ({ generation, ageSeconds, ...rest }: Finding) => rest;
          const now = (await here.finder.find(NUMBERS, options)).map((finding) => finding && bare(finding));
          const same = (await there.finder.find(NUMBERS, options)).map((finding) => finding && bare(finding));
          expect(now).toEqual(same);
        },
      ),
      { numRuns: 60 },
    );
    expect(aggregates).toBeGreaterThan(1_000);
  });

  test('the same aggregated line in two runs is one sighting on a day between, before and after compaction', async () => {
    const line = { ...BASE, firstSeenAt: FIRST_DAY * DAY, observedAt: (FIRST_DAY + 4) * DAY, sightings: 5 };
    const apart = {
      ends: [1],
      inlineRecords: 1,
      compactionSegments: 1,
      compacts: false,
      compactsFully: false,
      isReversed: false,
    };
    const world = await built([line, line], apart);
    expect((await loadManifest(world.objects)).manifest.runs).toHaveLength(2);
    const told = [];
    for (const compacts of [false, true]) {
      if (compacts) await compactFully(world);
      for (const on of [FIRST_DAY, FIRST_DAY + 2, FIRST_DAY + 4]) {
        told.push((await toldOn(finders(world), line.number, on)).record?.sightings);
      }
    }
    expect(told).toEqual([1, 1, 10, 1, 1, 10]);
  });

  test('of a number with more evidence than is kept, runs together tell what they tell once compacted', async () => {
    const many = Array.from({ length: EVIDENCE_ENTRIES + 300 }, (_, i) => ({
      ...BASE,
      project: `project ${i}`,
      firstSeenAt: (FIRST_DAY + (i % DAYS)) * DAY,
      observedAt: (FIRST_DAY + (i % DAYS)) * DAY + (i % 7),
    }));
    const apart = {
      ends: [700],
      inlineRecords: 1,
      compactionSegments: 1,
      compacts: false,
      compactsFully: false,
      isReversed: false,
    };
    const world = await built(many, apart);
    expect((await loadManifest(world.objects)).manifest.runs).toHaveLength(2);
    const answers = [];
    for (const compacts of [false, true]) {
      if (compacts) await compactFully(world);
      const both = finders(world);
      const past = await toldOn(both, BASE.number, FIRST_DAY + 3);
      expect(past.complete).toBe(false);
      const [finding] = await both.finder.find([BASE.number], { evidence: true });
      answers.push({ past, evidence: finding?.evidence });
    }
    expect(answers[0]?.evidence).toHaveLength(EVIDENCE_ENTRIES);
    expect(answers[0]).toEqual(answers[1]);
  });
});
