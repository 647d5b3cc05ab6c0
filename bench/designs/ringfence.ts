/** Ringfence's own part of the comparison: lookups and a fortnight's ticks on stores that count what is billed. */

import { BatchBuilder } from '../../src/format/batch.ts';
import { EMPTY_MANIFEST } from '../../src/format/manifest.ts';
import { COLLECTIONS_APART_MS } from '../../src/lib/time.ts';
import { Finder } from '../../src/lookup/finder.ts';
import { Snapshot } from '../../src/lookup/snapshot.ts';
import type { MergeContext } from '../../src/merge/context.ts';
import { loadManifest } from '../../src/merge/publish-manifest.ts';
import { tick } from '../../src/merge/tick.ts';
import { policyTreeOf } from '../../src/policy/cel/compile.ts';
import { WAITING_PREFIX } from '../../src/storage/keys.ts';
import { MemorySliceStore } from '../../src/storage/memory.ts';
import type { ObjectStore, SliceStore } from '../../src/storage/store.ts';
import { controlStores, createControl } from '../../src/wiring/control.ts';
import { createIsolate, WORKERS_PLATFORM } from '../../src/wiring/isolate.ts';
import { detectionsAMinute, EDGE, TODAY } from '../simulate/assumptions.ts';
import { simulateYear } from '../simulate/model.ts';
import { addUsage, timesUsage, type Usage } from '../simulate/prices.ts';
import { compactedCalls, usageOf } from '../simulate/tick-calls.ts';
import { CountingObjectStore, CountingSliceStore } from '../support/counting-stores.ts';
import type { Stores } from '../support/inventory.ts';
import { OverlayObjectStore } from '../support/overlay-store.ts';
import { Random } from '../support/random.ts';
import type { Lookups } from './lookups.ts';

// Ringfence's stores with a count of what each call is billed as.

export class BilledStores {
  readonly objects: CountingObjectStore;
  readonly slices: CountingSliceStore;

  constructor(objects: ObjectStore, slices: SliceStore) {
    this.objects = new CountingObjectStore(objects);
    this.slices = new CountingSliceStore(slices);
  }

  /** Reads of either, there or not. */
  get reads(): number {
    return this.objects.counted.reads + this.slices.counted.reads;
  }

  get bytesRead(): number {
    return this.objects.counted.readBytes + this.slices.counted.readBytes;
  }

  /** Of all calls until now. A put that is refused is billed too; deletes in R2 are free. */
  usage(): Usage {
    const [r2, kv] = [this.objects.counted, this.slices.counted];
    return {
      kvReads: kv.reads,
      kvWrites: kv.writes,
      kvDeletes: kv.deletes,
      kvLists: kv.lists,
      r2ClassA: r2.writes + r2.lists,
      r2ClassB: r2.reads,
    };
  }

  usageSince(before: Usage): Usage {
    return addUsage(this.usage(), timesUsage(before, -1));
  }
}

// Lookups through the real Finder on counted stores, with the clock going on between them.

interface Looked {
  readonly usage: Usage;
  readonly bytes: number;
  readonly listed: readonly number[];
  /** Storage reads of lookups that found nothing listed, apart from checks of the manifest. */
  readonly readsOfUnlisted: number;
}

const BETWEEN_LOOKUPS_MS = 1000 / EDGE.lookupsASecondAnIsolate;

/** What a new isolate reads for its first lookups, and what one reads that has all numbers columns in memory. */
export async function lookUpWithFinder(
  { objects, slices }: Stores,
  { opening, following }: Lookups,
): Promise<{ cold: Looked; warm: Looked }> {
  const stores = new BilledStores(objects, slices);
  let clockMs = 0;
  let refresh: Promise<unknown> = Promise.resolve();
  let snapshot = new Snapshot(EMPTY_MANIFEST);
  const finder = new Finder({
    objects: stores.objects,
    slices: stores.slices,
    now: () => clockMs,
    waitUntil: (work) => {
      refresh = work;
    },
    sleep: async () => {},
    log: (event, details) => console.error(event, details),
  });
  const lookUp = async (numbers: readonly number[]): Promise<Looked> => {
    const [usage, bytes] = [stores.usage(), stores.bytesRead];
    const listed: number[] = [];
    let readsOfUnlisted = 0;
    for (const number of numbers) {
      // As a lookup begins; what this reads is for all that follow, not for this number.
      snapshot = await finder.snapshots.get();
      await refresh;
      const reads = stores.reads;
      const [finding] = await finder.find([number], { evidence: false });
      if (finding === null || finding === undefined) throw new RangeError('a lookup was not answered');
      if (finding.record === null) readsOfUnlisted += stores.reads - reads;
      else listed.push(number);
      clockMs += BETWEEN_LOOKUPS_MS;
    }
    return { usage: stores.usageSince(usage), bytes: stores.bytesRead - bytes, listed, readsOfUnlisted };
  };
  const cold = await lookUp(opening);
  // Ten thousand lookups leave some segments out; warm is an isolate that has been asked for a number of each.
  for (const { entries } of snapshot.runs) {
    for (const entry of entries) await finder.columns.numbers.load(snapshot, entry);
  }
  return { cold, warm: await lookUp(following) };
}

// What Ringfence's ticks are billed as in a fortnight: two hours of real ticks on counted stores (writes stay in
// memory), one upload a minute; and from the tiers, played through for a year, the compactions that these do not show.

/** From one collection of garbage to the next. */
const SPELL_MINUTES = COLLECTIONS_APART_MS / 60_000;
const FORTNIGHT_MINUTES = 14 * 24 * 60;
const MINUTE_MS = 60_000;
/** Numbers not seen before stand so close to listed ones. */
const NEAR = 500;
const SEED = 3;

/** Of a chunk of a compaction, beside the packs: the list of its output, a copy of the manifest, the swap. */
const CHUNK: Usage = { r2ClassA: 3 };

/**
 * @param isolates whether one isolate lives through the hours and keeps what ticks read and write, as in service with a
 * cron every minute, or each tick is in a new one
 */
export async function publishingUsage(
  stores: Stores,
  numbers: Float64Array,
  isolates: 'one' | 'a tick',
): Promise<Usage> {
  const spell = await measureSpell(stores, numbers, isolates);
  const year = simulateYear(new Random(SEED), { scale: TODAY, segmentRecords: await segmentRecords(stores) });
  const fortnights = year.minutes / FORTNIGHT_MINUTES;
  // Ticks of the two hours rewrite one small segment. One of two is in the same object
  // (test/unit/merge/gathered.test.ts), so it is compactions that come on top: packs, a slice of each segment, which is
  // deleted once it has been replaced for long enough.
  const compacted = Math.round(year.compactionSegments / fortnights);
  return addUsage(
    timesUsage(spell, FORTNIGHT_MINUTES / SPELL_MINUTES),
    usageOf(compactedCalls(compacted)),
    { kvDeletes: compacted },
    timesUsage(CHUNK, year.compactionTicks / fortnights),
    { r2ClassB: Math.max(0, year.segmentReads - year.merges) / fortnights },
  );
}

/** The second two hours of ticks: the collection of garbage reads the generations that the first have left. */
async function measureSpell(stores: Stores, numbers: Float64Array, isolates: 'one' | 'a tick'): Promise<Usage> {
  const billed = new BilledStores(new OverlayObjectStore(stores.objects), new MemorySliceStore());
  let clockMs = (await loadManifest(stores.objects)).manifest.publishedAt + MINUTE_MS;
  let ids = 0;
  const log: MergeContext['log'] = (event, details) => {
    if (event !== 'garbage.collected') console.error(event, details);
  };
  const sleep = async (ms: number) => {
    clockMs += ms;
  };
  const platform = {
    ...WORKERS_PLATFORM,
    ...{ now: () => clockMs, sleep, turn: async () => {}, log },
    randomId: () => `sample-${String(++ids).padStart(29, '0')}`,
  };
  // Of the control Worker, as src/control.ts makes it.
  const newIsolate = (): MergeContext => {
    const isolate = createIsolate(
      controlStores(billed),
      {},
      () => {},
      async (source) => policyTreeOf(source),
      [],
      platform,
    );
    return createControl(isolate, {}).merge;
  };
  let context = newIsolate();
  const random = new Random(SEED);
  const spellOfTicks = async () => {
    for (let minute = 0; minute < SPELL_MINUTES; minute++) {
      const id = `${String(clockMs).padStart(13, '0')}-${minute}`;
      if (isolates === 'a tick') context = newIsolate();
      await billed.objects.put(WAITING_PREFIX + id, uploadOf(numbers, random, Math.floor(clockMs / 1000)));
      await tick(context);
      clockMs += MINUTE_MS - (clockMs % MINUTE_MS);
    }
  };
  await spellOfTicks();
  const first = billed.usage();
  await spellOfTicks();
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
  const segments = (await loadManifest(objects)).manifest.runs.flatMap((run) => run.segments);
  return segments.reduce((sum, { count }) => sum + count, 0) / segments.length;
}
