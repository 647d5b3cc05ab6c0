/** Extremes of every field, count and setting, through the door and past it: no tick throws, nothing is lost. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CHANNELS, type Detection, INDUSTRIES } from '../../../src/format/attributes.ts';
import { BatchBuilder, type SourceLines } from '../../../src/format/batch.ts';
import { acceptDetections } from '../../../src/ingest/accept.ts';
import { UNPACED } from '../../../src/lib/cooperate.ts';
import { loadManifest } from '../../../src/merge/publish-manifest.ts';
import { readStatus } from '../../../src/merge/status.ts';
import { tick } from '../../../src/merge/tick.ts';
import { parseLabelLevels } from '../../../src/policy/labels.ts';
import { CanaryStore } from '../../../src/quality/canaries.ts';
import { type Ledger, readLedger } from '../../../src/quality/ledger.ts';
import { type Bounds, parseBounds } from '../../../src/quality/quarantine.ts';
import { batchOwner, WAITING_PREFIX } from '../../../src/storage/keys.ts';
import { fictionNumber } from '../../support/detections.ts';
import { actualInventory, newWorld, type World } from '../../support/world.ts';
import { checked } from '../scripts/fsck/support.ts';
import { reported } from './quarantine-world.ts';

const U32 = 2 ** 32 - 1;
const HONEST = { tenant: 'acme', key: 'a1' };
const LARGEST = 999_999_999_999_999;

const longName = fc.constantFrom(
  ...['x', 'é', '源', '\u{1f4f1}', '"', '\\', '\u2028', ',null]', '\ud800'].map((c) => c.repeat(128)),
);
const name = fc.oneof(longName, fc.string({ maxLength: 128 }), fc.constantFrom('__proto__', 'constructor', '', ' '));
const extreme = fc.oneof(
  fc.constantFrom(0, 1, 86_399, 86_400, 2 ** 31 - 1, 2 ** 31, U32 - 1, U32),
  fc.nat({ max: U32 }),
);

/** Anything that the format of a batch can hold: more than the door lets in. */
const anything: fc.Arbitrary<Detection> = fc
  .record({
    number: fc.oneof(
      fc.constantFrom(0, 1, 9_999, 10_000, LARGEST, LARGEST - 1, 2 ** 53 - 1),
      fc.nat({ max: 700 }).map(fictionNumber),
    ),
    times: fc.tuple(extreme, extreme),
    sightings: fc.oneof(fc.constantFrom(1, 2 ** 31 - 1, U32), fc.integer({ min: 1, max: U32 })),
    label: fc.oneof(fc.constantFrom('modem_pool_card', 'reported_abuse'), name),
    channel: fc.constantFrom(...CHANNELS),
    industry: fc.constantFrom(null, ...INDUSTRIES),
    project: fc.option(name),
    link: fc.option(
      fc.record({
        host: fc.constantFrom('h', 'h'.repeat(253)),
        sha256: fc.constantFrom('a'.repeat(64), 'f'.repeat(64)),
      }),
    ),
    source: fc.option(name),
  })
  .map(({ times: [a, b], ...rest }) => ({ ...rest, firstSeenAt: Math.min(a, b), observedAt: Math.max(a, b) }));

const count = fc.oneof(fc.constantFrom(0, 1, 2 ** 53 - 1), fc.nat({ max: 1_000 }));
const sourceLines = fc.record({
  source: fc.option(name),
  ...{ lines: count, accepted: count, unassigned: count, invalid: count, fixedLine: count },
});

interface Upload {
  readonly detections: readonly Detection[];
  readonly sources: readonly SourceLines[] | null;
  readonly owner: { readonly tenant: string; readonly key: string } | undefined;
}

const upload: fc.Arbitrary<Upload> = fc.record({
  detections: fc.array(anything, { maxLength: 12 }),
  sources: fc.option(fc.uniqueArray(sourceLines, { maxLength: 6, selector: ({ source }) => source })),
  owner: fc.constantFrom(undefined, { tenant: 'evil', key: 'e1' }, { tenant: 'evil', key: 'e2' }, HONEST),
});

const setting = fc
  .record(
    {
      minLines: fc.constantFrom(1, 200, Number.MAX_SAFE_INTEGER),
      invalidShare: fc.constantFrom(0, 1, Number.MIN_VALUE),
      unassignedShare: fc.constantFrom(0, 1),
      fixedLineShare: fc.constantFrom(0, 1),
      jumpFactor: fc.constantFrom(1, Number.MAX_SAFE_INTEGER),
      jumpDetections: fc.constantFrom(1, Number.MAX_SAFE_INTEGER),
      jumpHistoryDays: fc.constantFrom(1, Number.MAX_SAFE_INTEGER),
      minNumbers: fc.constantFrom(1, Number.MAX_SAFE_INTEGER),
      knownShare: fc.constantFrom(0, 1),
      usualKnownShare: fc.constantFrom(0, 1),
    },
    { requiredKeys: [] },
  )
  .map((bounds) => parseBounds(JSON.stringify(bounds)));

async function put(world: World, id: string, { detections, sources, owner }: Upload): Promise<void> {
  const builder = new BatchBuilder();
  for (const one of detections) builder.add(one);
  const receipt = { bodySha256: '', accepted: detections.length, rejected: 0, errors: [] };
  const bytes = builder.finish({
    ...receipt,
    ...(sources === null ? {} : { sources }),
    ...(owner === undefined ? {} : { owner }),
  });
  const whose = owner === undefined ? undefined : batchOwner(owner.tenant, owner.key);
  await world.objects.memory.put(WAITING_PREFIX + id, bytes, undefined, whose);
}

function canariesOf(world: World): CanaryStore {
  const deps = { randomBytes: (length: number) => new Uint8Array(length), sleep: async () => {}, report: () => {} };
  return new CanaryStore({ ...deps, objects: world.objects.memory });
}

async function accounted(world: World, total: number): Promise<void> {
  const { manifest } = await loadManifest(world.objects.memory);
  const ledger: Ledger = await readLedger(world.objects.memory, manifest, UNPACED);
  const piled = ledger.cases.reduce((sum, { held, due }) => sum + held.detections + due.detections, 0);
  const rows = [...(await actualInventory(world.objects)).keys()];
  expect(rows.length + piled > 0 || total === 0).toBe(true);
  expect(manifest.setAside.count, 'saturating sums leave nothing to set aside').toBe(0);
  expect((await readStatus(world.objects.memory, world.clock, UNPACED)).waiting.batches).toBe(0);
  // That the inventory is its batches less what the ledger keeps out, to the byte.
  expect((await checked(world)).problems).toEqual([]);
}

describe('whatever waits', () => {
  test('no tick throws, nothing is lost, and an honest upload beside it is served', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(upload, { minLength: 1, maxLength: 5 }),
        setting,
        fc.array(fc.nat({ max: 700 }), { maxLength: 3 }),
        async (uploads, bounds: Bounds, canaries) => {
          const world: World = Object.assign(newWorld({ inlineRecords: 40, compactionSegments: 1 }), { bounds });
          for (const i of canaries) {
            await canariesOf(world).put({ number: fictionNumber(i), note: '\u0000'.repeat(9), by: '', createdAt: 0 });
          }
          let total = 0;
          for (const [i, one] of uploads.entries()) {
            await put(world, i % 2 === 0 ? `k-${i}` : `000${i}`, one);
            total += one.detections.length;
            if (i % 2 === 1) await tick(world);
            world.clock += 60_000;
          }
          const honest = reported('honest', 7_200, 5);
          await put(world, 'honest', { detections: honest, sources: null, owner: { tenant: 'b', key: 'b1' } });
          for (let i = 0; i < 3; i++) {
            world.clock += 60_000;
            await tick(world);
          }
          const records = await actualInventory(world.objects);
          // An operator's bound of 0 holds back whatever it measures; nothing is measured of an upload without lines.
          for (const { number } of honest) expect(records.has(number)).toBe(true);
          await accounted(world, total);
          expect(world.storeLog.violations).toEqual([]);
        },
      ),
      { numRuns: 120 },
    );
  });

  test('as text at the door: each line is accepted or rejected with a reason, and what is accepted is merged', async () => {
    const value = fc.oneof(
      name,
      fc.double(),
      fc.maxSafeInteger(),
      fc.constantFrom(null, true, [], {}, '9'.repeat(400), 1e308, -0, '1e9', '2147483647', 2 ** 31),
    );
    const good = fc.nat({ max: 700 }).map((i) => `+${fictionNumber(i)}`);
    const line = fc.record(
      {
        number: fc.oneof({ weight: 4, arbitrary: good }, { weight: 1, arbitrary: value }),
        observedAt: fc.oneof(fc.constantFrom('2000-01-01', '2026-01-05', '9999-12-31T23:59:59Z'), value),
        firstSeen: fc.oneof(fc.constantFrom('2000-01-01', '2025-01-05'), value),
        sightings: fc.oneof(fc.constantFrom(1, 1_000_000, 1_000_001, '1000000'), value),
        ...{ label: value, channel: value, industry: value, project: name, link: value, source: name },
      },
      { requiredKeys: ['number'] },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(line, { minLength: 1, maxLength: 20 }), async (lines) => {
        const world = newWorld();
        const text = lines.map((one) => JSON.stringify(one)).join('\n');
        const result = await acceptDetections(
          {
            body: new Blob([text]).stream(),
            contentType: 'application/x-ndjson',
            ...HONEST,
          },
          {
            objects: world.objects.memory,
            now: () => world.clock,
            randomId: () => 'random',
            labels: parseLabelLevels(undefined),
            pace: UNPACED,
          },
        );
        if (result.kind !== 'accepted') throw new Error('expected a receipt');
        const { accepted, rejected, errors } = result.receipt;
        expect(accepted + rejected).toBe(lines.length);
        expect(errors).toHaveLength(rejected);
        for (const { detail } of errors) expect(detail.length).toBeGreaterThan(10);
        const merged = await tick(world);
        expect(merged.detections).toBe(accepted);
        expect((await checked(world)).problems).toEqual([]);
      }),
      { numRuns: 150 },
    );
  });
});
