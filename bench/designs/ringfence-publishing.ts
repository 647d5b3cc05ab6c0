/**
 * What Ringfence's ticks are billed as in a fortnight: an hour of real ticks on counted stores (writes stay in memory), one upload a minute; and
 * from the tiers, played through for a year, the compactions that an hour does not show.
 */
import { detectionsAMinute, TODAY } from '../../scripts/simulate/assumptions.ts';
import { addUsage, timesUsage, type Usage } from '../../scripts/simulate/prices.ts';
import { simulateYear } from '../../scripts/simulate/tiers-year.ts';
import { BatchBuilder } from '../../src/format/batch.ts';
import { decodeManifest } from '../../src/format/manifest.ts';
import { DEFAULT_BUDGET, type MergeContext } from '../../src/merge/context.ts';
import { tick } from '../../src/merge/tick.ts';
import { MANIFEST_KEY, WAITING_PREFIX } from '../../src/store/keys.ts';
import { MemorySliceStore } from '../../src/store/memory.ts';
import type { Stores } from '../support/inventory.ts';
import { OverlayObjectStore } from '../support/overlay-store.ts';
import { Random } from '../support/random.ts';
import { BilledStores } from './billed-stores.ts';

export const FORTNIGHT_HOURS = 14 * 24;
const MINUTES_AN_HOUR = 60;
const MINUTE_MS = 60_000;
/** Numbers not seen before stand so close to listed ones. */
const NEAR = 500;
const SEED = 3;

/** A segment in R2 and its two slices in KV, which are deleted when it has been replaced for long enough. */
const SEGMENT: Usage = { r2ClassA: 1, kvWrites: 2, kvDeletes: 2 };
/** A copy of the manifest, the history, the swap. */
const PUBLISH: Usage = { r2ClassA: 3 };

export async function publishingUsage(stores: Stores, numbers: Float64Array): Promise<Usage> {
  const hour = await measureHour(stores, numbers);
  const year = simulateYear(new Random(SEED), { scale: TODAY, segmentRecords: await segmentRecords(stores) });
  const fortnights = year.minutes / MINUTES_AN_HOUR / FORTNIGHT_HOURS;
  // Ticks of the hour rewrite one small segment; larger ones and compactions come on top.
  const beyond = year.inlineSegments - year.merges + year.compactionSegments;
  return addUsage(
    timesUsage(hour, FORTNIGHT_HOURS),
    timesUsage(SEGMENT, beyond / fortnights),
    timesUsage(PUBLISH, year.compactionTicks / fortnights),
    { r2ClassB: Math.max(0, year.segmentReads - year.merges) / fortnights },
  );
}

/** The second hour of ticks: its collection of garbage reads the generations that the first has left. */
async function measureHour(stores: Stores, numbers: Float64Array): Promise<Usage> {
  const billed = new BilledStores(new OverlayObjectStore(stores.objects), new MemorySliceStore());
  const head = await stores.objects.get(MANIFEST_KEY);
  let clockMs = (head === null ? 0 : decodeManifest(head.bytes).publishedAt) + MINUTE_MS;
  let ids = 0;
  const context: MergeContext = {
    objects: billed.objects,
    slices: billed.slices,
    now: () => clockMs,
    delay: async (ms) => {
      clockMs += ms;
    },
    randomId: () => `sample-${String(++ids).padStart(29, '0')}`,
    log: (event, details) => {
      if (event !== 'garbage.collected') console.error(event, details);
    },
    budget: DEFAULT_BUDGET,
  };
  const random = new Random(SEED);
  const hourOfTicks = async () => {
    for (let minute = 0; minute < MINUTES_AN_HOUR; minute++) {
      const id = `${String(clockMs).padStart(13, '0')}-${minute}`;
      await context.objects.put(WAITING_PREFIX + id, uploadOf(numbers, random, Math.floor(clockMs / 1000)));
      await tick(context);
      clockMs += MINUTE_MS - (clockMs % MINUTE_MS);
    }
  };
  await hourOfTicks();
  const first = billed.usage();
  await hourOfTicks();
  const second = billed.usageSince(first);
  // Retained generations keep slices longer than the sample lasts; each is deleted in its time, by a call of its own.
  return { ...second, kvDeletes: second.kvWrites ?? 0 };
}

/** A minute's detections: as many of them of numbers not seen before as in the published fortnight. */
function uploadOf(numbers: Float64Array, random: Random, observedAt: number): Uint8Array<ArrayBuffer> {
  const builder = new BatchBuilder();
  const count = Math.round(detectionsAMinute(TODAY));
  const firstTime = Math.round((count * TODAY.firstTimeAFortnight) / TODAY.detectionsAFortnight);
  for (let i = 0; i < count; i++) {
    const listed = random.pick(numbers);
    builder.add({
      number: i < firstTime ? listed + 1 + random.below(NEAR) : listed,
      observedAt,
      firstSeenAt: observedAt,
      sightings: 1,
      label: 'modem_pool_card',
      channel: 'otp_marketplace',
      industry: null,
      project: null,
      link: null,
      source: null,
    });
  }
  return builder.finish({ bodySha256: '', accepted: count, rejected: 0, errors: [] });
}

async function segmentRecords({ objects }: Stores): Promise<number> {
  const object = await objects.get(MANIFEST_KEY);
  const segments = object === null ? [] : decodeManifest(object.bytes).runs.flatMap((run) => run.segments);
  return segments.reduce((sum, { count }) => sum + count, 0) / segments.length;
}
