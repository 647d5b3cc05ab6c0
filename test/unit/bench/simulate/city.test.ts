/**
 * The model of a city against the edge Worker itself: the same lookups, ticks and evictions at the same times, and what
 * both read from R2 and KV.
 */

import { beforeAll, describe, expect, test } from 'vitest';
import { READ_MS, VirtualReads } from '../../../../bench/cold/virtual-reads.ts';
import { makersOf } from '../../../../bench/cold/world.ts';
import { City, type CitySettings, ModelIsolate, type ModelLookup } from '../../../../bench/simulate/city.ts';
import {
  ObservedObjectStore,
  ObservedSliceStore,
  type StorageCall,
} from '../../../../bench/support/counting-stores.ts';
import { type EdgeIsolate, startEdgeIsolate } from '../../../../bench/support/edge-isolate.ts';
import { batchOf, benchContext } from '../../../../bench/support/inventory.ts';
import { OverlayObjectStore, OverlaySliceStore } from '../../../../bench/support/overlay-store.ts';
import { Random } from '../../../../bench/support/random.ts';
import { PAGE_RANKS, SEGMENT_ALIGNMENT } from '../../../../src/format/segment.ts';
import { WAIT_MS } from '../../../../src/lookup/snapshot.ts';
import { loadManifest } from '../../../../src/merge/publish-manifest.ts';
import { SEGMENT_RECORDS } from '../../../../src/merge/segment-builder.ts';
import { tick } from '../../../../src/merge/tick.ts';
import { parseNumber } from '../../../../src/phone/parse.ts';
import { compilePolicy } from '../../../../src/policy/cel/compile.ts';
import { MemoryCityCache } from '../../../../src/storage/city.ts';
import { API_KEYS_KEY, MANIFEST_KEY, TENANTS_KEY, WAITING_PREFIX } from '../../../../src/storage/keys.ts';
import { MemoryObjectStore, MemorySliceStore } from '../../../../src/storage/memory.ts';
import { clusteredNumbers, writeStore } from '../../../support/clustered-store.ts';

const MINUTE_MS = 60_000;
const MINUTES = 10;
const CITIES = 2;
const ISOLATES = 4;
const TENANTS = 3;
/** Further apart than a lookup takes, so that none finds another one waiting. */
const LEAST_GAP_MS = 1_000;
/** It takes a second or two. */
const BUSY_MACHINE_MS = 180_000;

const numbers = clusteredNumbers(100_000);
const store = { objects: new MemoryObjectStore(() => Date.now()), slices: new MemorySliceStore() };
const tokens: string[] = [];
const listed = new Set(numbers);

/** A valid number of the same block that is not listed. */
function unlistedBeside(rank: number): number | undefined {
  const number = Number(numbers[rank]);
  const block = number - (number % SEGMENT_ALIGNMENT);
  for (let other = block; other < block + SEGMENT_ALIGNMENT; other++) {
    if (!listed.has(other) && parseNumber(`+${other}`).ok) return other;
  }
  return undefined;
}

/** Ranks of numbers that can be asked for, all over the store. */
const asked = Array.from({ length: 400 }, (_, i) => i * (numbers.length / 400)).filter(
  (rank) => parseNumber(`+${numbers[rank]}`).ok && unlistedBeside(rank) !== undefined,
);
let baseSegments = 0;

beforeAll(async () => {
  await writeStore(store, numbers);
  const { registry, tenants } = makersOf(store.objects);
  for (let i = 0; i < TENANTS; i++) {
    const author = { tenant: `tenant-${i}`, by: 'test' };
    const created = await registry.create({ name: 'test', tenant: author.tenant, scopes: ['lookup'] });
    if (created.kind === 'created') tokens.push(created.key);
    await tenants.putPolicy(author, compilePolicy({ rules: [], default: 'flag' }));
    await tenants.putOverride(author, { number: 12_025_550_100, list: 'allow', reason: 'ours', expiresAt: null });
  }
  // A young run beside the base, from the first block to the last.
  await upload(store, -1);
  const { runs } = (await loadManifest(store.objects)).manifest;
  expect(runs).toHaveLength(2);
  baseSegments = runs[1]?.segments.length ?? 0;
});

/** Publishes a generation, whose youngest run has the first number and the last, and a new one beside the last. */
async function upload(
  stores: typeof store | { objects: OverlayObjectStore; slices: OverlaySliceStore },
  index: number,
) {
  const ends = [numbers[0], numbers.at(-1), Number(numbers.at(-1)) + 2 + index];
  await stores.objects.put(
    `${WAITING_PREFIX}${index + 1}`,
    await batchOf(`number\n${ends.map((each) => `+${each}`).join('\n')}\n`),
  );
  const before = (await loadManifest(stores.objects)).manifest;
  await tick(benchContext(stores));
  const after = (await loadManifest(stores.objects)).manifest;
  expect(after.generation).toBe(before.generation + 1);
  expect(after.runs[0]?.segments[0]?.numbers.sha256).not.toBe(before.runs[0]?.segments[0]?.numbers.sha256);
  expect(after.runs.at(-1)?.id).toBe(before.runs.at(-1)?.id);
}

type Step =
  | { readonly atMs: number; readonly kind: 'tick' }
  | { readonly atMs: number; readonly kind: 'evict'; readonly isolate: number }
  | {
      readonly atMs: number;
      readonly kind: 'lookup';
      readonly isolate: number;
      readonly rank: number;
      readonly isListed: boolean;
      readonly tenant: number;
    };

/** Lookups in bursts and with pauses, so that every age of what is held comes about. */
function scenario(random: Random): Step[] {
  const steps: Step[] = [];
  for (let minute = 1; minute < MINUTES; minute++) steps.push({ atMs: minute * MINUTE_MS + 137, kind: 'tick' });
  for (
    let atMs = 500;
    atMs < MINUTES * MINUTE_MS;
    atMs += LEAST_GAP_MS + random.exponential(random.pick([500, 4_000, 15_000]))
  ) {
    const isolate = random.below(ISOLATES);
    if (random.chance(0.04)) steps.push({ atMs: Math.floor(atMs) - 400, kind: 'evict', isolate });
    const rank = random.pick(asked);
    steps.push({
      atMs: Math.floor(atMs),
      kind: 'lookup',
      isolate,
      rank,
      isListed: random.chance(0.3),
      tenant: random.below(TENANTS),
    });
  }
  return steps.sort((a, b) => a.atMs - b.atMs);
}

type Counts = Record<string, number>;
const add = (counts: Counts, what: string) => {
  counts[what] = (counts[what] ?? 0) + 1;
};

interface Way {
  readonly hasCity: boolean;
  readonly keepsUp: boolean;
}

/** What the edge Worker reads. */
async function byTheWorker(steps: readonly Step[], { hasCity, keepsUp }: Way): Promise<Counts> {
  const counts: Counts = {};
  const stores = { objects: new OverlayObjectStore(store.objects), slices: new OverlaySliceStore(store.slices) };
  const virtual = new VirtualReads();
  const startedAt = Date.now();
  const now = () => startedAt + virtual.nowMs;
  const cities = Array.from({ length: CITIES }, () => new MemoryCityCache(now));
  const isolates = new Map<number, EdgeIsolate & { isAlive: boolean }>();
  const around = <T>(call: StorageCall, make: () => Promise<T>): Promise<T> => {
    add(counts, placeOf(call));
    return virtual.around(call, make);
  };
  const start = (index: number) => {
    const life = { isAlive: true };
    const lives = <T>(work: Promise<T>) =>
      work.then((value) => (life.isAlive ? value : new Promise<T>(() => undefined)));
    const observe = <T>(call: StorageCall, make: () => Promise<T>) => lives(around(call, make));
    const edge = startEdgeIsolate(
      {
        objects: new ObservedObjectStore(stores.objects, observe),
        slices: new ObservedSliceStore(stores.slices, observe),
        city: hasCity ? cities[index % CITIES] : undefined,
        keepsUp,
      },
      { now, sleep: (ms) => lives(virtual.sleep(ms)), waitUntil: () => {} },
    );
    return Object.assign(life, edge);
  };
  for (const [i, step] of steps.entries()) {
    await virtual.advanceTo(step.atMs);
    if (step.kind === 'tick') await upload(stores, i);
    else if (step.kind === 'evict') {
      const gone = isolates.get(step.isolate);
      if (gone !== undefined) gone.isAlive = false;
      isolates.delete(step.isolate);
    } else {
      const isolate = isolates.get(step.isolate) ?? start(step.isolate);
      isolates.set(step.isolate, isolate);
      let answer: unknown;
      const number = step.isListed ? numbers[step.rank] : unlistedBeside(step.rank);
      const begin = () => {
        isolate.get(`/v1/lookup?number=%2B${number}`, tokens[step.tenant] ?? '').then(
          (value) => {
            answer = value;
          },
          (error: unknown) => {
            answer = error;
          },
        );
      };
      await virtual.advanceTo(step.atMs + LEAST_GAP_MS - 500, begin);
      expect(answer).toMatchObject({ number: `+${number}` });
    }
  }
  return counts;
}

function placeOf({ kind, key }: StorageCall): string {
  if (kind === 'sliceRead') return 'column kv';
  if (key === MANIFEST_KEY) return 'manifest r2';
  if (key === API_KEYS_KEY) return 'keys r2';
  if (key === TENANTS_KEY) return 'tenants r2';
  return key.startsWith('segments/') ? 'segment r2' : 'document r2';
}

/** What the model says that it reads. */
function byTheModel(steps: readonly Step[], way: Way): { readonly counts: Counts; readonly near: number } {
  const counts: Counts = {};
  let near = 0;
  let generation = 0;
  const settings: CitySettings = {
    ...way,
    runs: [
      { segments: 1, period: 1, isSliced: false, pages: 1 },
      { segments: baseSegments, period: Number.POSITIVE_INFINITY, isSliced: true, pages: PAGES },
    ],
    generationAt: () => generation,
    waitMs: WAIT_MS,
    kvKeepsMs: 0,
    verdictPages: 100,
    latencyMs: (place) => (place === 'city' ? 0 : READ_MS),
    onRead: (read, place) => {
      if (place === 'city') near += 1;
      else if (place !== 'r2') add(counts, `${read} kv`);
      else add(counts, read === 'column' || read === 'page' ? 'segment r2' : `${read} r2`);
    },
  };
  const cities = Array.from({ length: CITIES }, () => new City(settings));
  const isolates = new Map<number, ModelIsolate>();
  for (const step of steps) {
    for (const { queue } of cities) queue.runUntil(step.atMs);
    if (step.kind === 'tick') generation += 1;
    else if (step.kind === 'evict') {
      const gone = isolates.get(step.isolate);
      if (gone !== undefined) gone.isAlive = false;
      isolates.delete(step.isolate);
    } else {
      const isolate = isolates.get(step.isolate) ?? new ModelIsolate();
      isolates.set(step.isolate, isolate);
      const lookup: ModelLookup = { at: positionOf(step.rank), isListed: step.isListed, tenant: step.tenant };
      cities[step.isolate % CITIES]?.lookup(isolate, lookup);
    }
  }
  return { counts, near };
}

/** Of the largest segment. */
const PAGES = Math.ceil(SEGMENT_RECORDS / PAGE_RANKS);
let positionOf: (rank: number) => number;

beforeAll(async () => {
  const { runs } = (await loadManifest(store.objects)).manifest;
  const segments = runs.at(-1)?.segments ?? [];
  const ends = segments.map((_, i) => segments.slice(0, i + 1).reduce((sum, { count }) => sum + count, 0));
  positionOf = (rank) => {
    const segment = ends.findIndex((end) => rank < end);
    const page = Math.floor((rank - (ends[segment - 1] ?? 0)) / PAGE_RANKS);
    return (segment + (page + 0.5) / PAGES) / segments.length;
  };
});

describe('the model reads what the edge Worker reads', () => {
  test.each([
    { hasCity: true, keepsUp: true },
    { hasCity: false, keepsUp: true },
    { hasCity: true, keepsUp: false },
    { hasCity: false, keepsUp: false },
  ])(
    'with a cache of the city: $hasCity, with the refreshes after the last lookup: $keepsUp',
    async (way) => {
      for (const seed of [1, 2]) {
        const steps = scenario(new Random(seed));
        const { counts, near } = byTheModel(steps, way);
        expect(counts).toEqual(await byTheWorker(steps, way));
        expect(counts['manifest r2']).toBeGreaterThan(MINUTES);
        expect(near > 0).toBe(way.hasCity);
      }
    },
    BUSY_MACHINE_MS,
  );
});
