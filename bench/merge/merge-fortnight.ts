/**
 * Merges the fortnight into the inventory by the very ticks that a cron fires, and counts. Run by bench/merge/bench.ts
 * in a process of its own, so that CPU and memory are this merge's alone; prints one line of JSON.
 *
 *   node --expose-gc merge-fortnight.ts FOLDER FORTNIGHT.csv TICKS cpu|heap|fresh
 *
 * cpu and heap: ticks of one isolate, which keeps numbers columns in memory; fresh: each tick in an isolate of its own.
 */

import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { inventoryNumbers, type Manifest } from '../../src/format/manifest.ts';
import { openHead } from '../../src/format/segment.ts';
import { UNPACED } from '../../src/lib/cooperate.ts';
import { ColumnCache } from '../../src/lookup/columns.ts';
import { DEFAULT_BUDGET, type MergeContext, type TickBudget } from '../../src/merge/context.ts';
import { loadManifest } from '../../src/merge/publish-manifest.ts';
import { compactFully } from '../../src/merge/rebuild.ts';
import { tick } from '../../src/merge/tick.ts';
import { WAITING_PREFIX } from '../../src/storage/keys.ts';
import { readHead } from '../../src/storage/slices.ts';
import type { ObjectStore } from '../../src/storage/store.ts';
import { controlStores } from '../../src/wiring/control.ts';
import { CountingObjectStore, CountingSliceStore, calls } from '../support/counting-stores.ts';
import { batchOf, benchContext, columnsSha256, openStores, uploadsOf } from '../support/inventory.ts';
import { NullSliceStore, OverlayObjectStore } from '../support/overlay-store.ts';

const QUIET_DETECTIONS = 50;
/** Batches that have not arrived yet. */
const ASIDE = 'aside/';

export interface MergeFigures {
  readonly ticks: number;
  readonly newNumbers: number;
  /** CPU seconds of all ticks until nothing was left to merge or to compact. */
  readonly cpuSeconds: number;
  readonly maxTickCpuSeconds: number;
  /** Storage calls of the tick that made the most: each is a subrequest. */
  readonly maxTickCalls: number;
  readonly writtenBytes: number;
  readonly runs: readonly number[];
  /** CPU seconds of then rewriting everything into one run. */
  readonly rewriteCpuSeconds: number;
  /** Of the columns of that one run: what must not depend on how the fortnight was split. */
  readonly sha256: string;
  readonly numbers: number;
  readonly sightings: number;
  /**
   * Storage writes of a minute with 50 detections, the upload's own included, and whether the base stayed as it was.
   */
  readonly quietWrites: number;
  readonly quietKeepsBase: boolean;
  /** Bytes of heap and array buffers beyond the store, at most, in the ticks and to the end; 0 unless watched. */
  readonly peakHeapBytes: number;
  readonly rewritePeakHeapBytes: number;
}

// As workerd digests: at once, in the thread that asks. Node hands each digest to its thread pool, and a column of 40
// KB then costs twice what its hash does (docs/decisions/0039).
Object.defineProperty(crypto.subtle, 'digest', {
  value: async (_algorithm: 'SHA-256', bytes: Uint8Array) => {
    const digest = hash('sha256', bytes, 'buffer');
    return digest.buffer.slice(digest.byteOffset, digest.byteOffset + digest.length);
  },
});

const [folder = '', fortnightCsv = '', ticksText = '', mode = ''] = process.argv.slice(2);
const ticks = Number(ticksText);

const below = openStores(folder);
const overlay = new OverlayObjectStore(below.objects);
const slices = new CountingSliceStore(new NullSliceStore());
// A tick that has all of it at once may take all of it at once; otherwise ticks are as they are in service.
const budget: TickBudget = ticks === 1 ? { ...DEFAULT_BUDGET, batchBytes: 2 ** 30 } : DEFAULT_BUDGET;

/**
 * Stores the uploads of the fortnight as the batches that accepting them makes, aside, and returns their keys by tick:
 * taking them in is not the merge's work.
 */
async function acceptAside(): Promise<string[][]> {
  const uploads: string[][] = [];
  for (const texts of uploadsOf(fortnightCsv, ticks)) {
    const keys: string[] = [];
    for (const csv of texts) {
      const key = `${String(uploads.length).padStart(4, '0')}-${keys.length}`;
      await overlay.put(ASIDE + key, await batchOf(csv));
      keys.push(key);
    }
    uploads.push(keys);
  }
  return uploads;
}

async function sightingsOf(store: ObjectStore, { runs }: Manifest): Promise<number> {
  let sum = 0;
  for (const entry of runs.flatMap(({ segments }) => segments)) {
    const { verdicts } = await openHead(await readHead(store, entry), entry, UNPACED);
    for (let rank = 0; rank < verdicts.count; rank++) sum += verdicts.sightings(rank);
  }
  return sum;
}

/** Live bytes of this process beyond what the store holds in its place. */
function heldBytes(): number {
  if (globalThis.gc === undefined) throw new Error('run with --expose-gc');
  // The second waits for what the first one frees beside it, which would still be counted.
  globalThis.gc();
  globalThis.gc();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers - overlay.heldBytes;
}

function cpuSince(start: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1e6;
}

async function arrive(keys: readonly string[]): Promise<void> {
  for (const key of keys) {
    const object = await overlay.get(ASIDE + key);
    if (object !== null) await overlay.put(WAITING_PREFIX + key, object.bytes);
    await overlay.delete([ASIDE + key]);
  }
}

const manifestNow = async () => (await loadManifest(overlay)).manifest;

const uploads = await acceptAside();
const before = await manifestNow();
const sightingsBefore = await sightingsOf(below.objects, before);
let peakBytes = 0;
const heldBefore = mode === 'heap' ? heldBytes() : 0;
// A merge holds the most when it writes an object.
const objects = new CountingObjectStore(overlay, ({ kind }) => {
  if (mode === 'heap' && kind === 'objectWrite') peakBytes = Math.max(peakBytes, heldBytes() - heldBefore);
});
// As the control Worker has them; an isolate that lives for one tick has written nothing before.
const stores = mode === 'fresh' ? { objects, slices } : controlStores({ objects, slices });
const columns = new ColumnCache({ ...benchContext(stores), waitUntil: () => {} });
const context: MergeContext = {
  ...benchContext(stores, budget),
  gathers: true,
  ...(mode !== 'fresh' && {
    numbers: {
      load: (entry) => columns.numbers.loadFromSegment(entry),
      retain: (entries) => columns.numbers.retain(entries),
    },
  }),
};
let cpuSeconds = 0;
let maxTickCpuSeconds = 0;
let maxTickCalls = 0;
let tickCount = 0;

/** One tick; whether it published anything. */
async function oneTick(): Promise<boolean> {
  const callsBefore = calls(objects.counted) + calls(slices.counted);
  const { generation } = await manifestNow();
  const start = process.cpuUsage();
  const result = await tick(context);
  const seconds = cpuSince(start);
  cpuSeconds += seconds;
  maxTickCpuSeconds = Math.max(maxTickCpuSeconds, seconds);
  maxTickCalls = Math.max(maxTickCalls, calls(objects.counted) + calls(slices.counted) - callsBefore);
  tickCount += 1;
  return result.generation !== generation;
}

for (const keys of uploads) {
  await arrive(keys);
  await oneTick();
}
while (await oneTick()) {
  // Compactions that the last uploads left to do.
}
const writtenBytes = objects.counted.writtenBytes + slices.counted.writtenBytes;
const merged = await manifestNow();

const peakHeapBytes = peakBytes;
const rewriteStart = process.cpuUsage();
await compactFully(context);
const rewriteCpuSeconds = cpuSince(rewriteStart);
const rewritePeakHeapBytes = peakBytes;
const whole = await manifestNow();
const wholeSha256 = await columnsSha256(overlay);
const sightings = (await sightingsOf(overlay, whole)) - sightingsBefore;

const [header = '', ...lines] = readFileSync(fortnightCsv, 'utf8').split('\n', QUIET_DETECTIONS + 1);
await overlay.put(`${WAITING_PREFIX}quiet`, await batchOf([header, ...lines].join('\n')));
const writesBefore = objects.counted.writes + slices.counted.writes;
await tick(context);
const quiet = await manifestNow();

const figures: MergeFigures = {
  ticks: tickCount,
  newNumbers: inventoryNumbers(whole) - inventoryNumbers(before),
  cpuSeconds,
  maxTickCpuSeconds,
  maxTickCalls,
  writtenBytes,
  runs: merged.runs.map(({ segments }) => segments.reduce((sum, { count }) => sum + count, 0)),
  rewriteCpuSeconds,
  sha256: wholeSha256,
  numbers: inventoryNumbers(whole),
  sightings,
  quietWrites: objects.counted.writes + slices.counted.writes - writesBefore + 1,
  quietKeepsBase: JSON.stringify(quiet.runs.at(-1)) === JSON.stringify(whole.runs.at(-1)),
  peakHeapBytes,
  rewritePeakHeapBytes,
};
console.log(JSON.stringify(figures));
