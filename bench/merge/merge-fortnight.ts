/**
 * Merges the fortnight into the inventory by the very ticks that a cron fires, and counts. Run by bench/merge/bench.ts
 * in a process of its own, so that CPU and memory are this merge's alone; prints one line of JSON.
 *
 *   node --expose-gc merge-fortnight.ts FOLDER FORTNIGHT.csv TICKS cpu|heap|fresh
 *
 * cpu and heap: ticks of one isolate, which keeps numbers columns in memory; fresh: each tick in an isolate of its own.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { inventoryNumbers, type Manifest } from '../../src/format/manifest.ts';
import { VerdictsReader } from '../../src/format/verdicts.ts';
import { acceptDetections } from '../../src/ingest/accept.ts';
import { DEFAULT_BUDGET, type MergeContext, type TickBudget } from '../../src/merge/context.ts';
import { loadManifest } from '../../src/merge/publish.ts';
import { compactFully } from '../../src/merge/rebuild.ts';
import { tick } from '../../src/merge/tick.ts';
import { LabelLevels } from '../../src/policy/labels.ts';
import { ColumnCache } from '../../src/serve/column-cache.ts';
import { readColumn } from '../../src/store/columns.ts';
import { WAITING_PREFIX } from '../../src/store/keys.ts';
import { MemoryObjectStore } from '../../src/store/memory.ts';
import type { ObjectStore } from '../../src/store/store.ts';
import { CountingObjectStore, CountingSliceStore, calls } from '../support/counting-stores.ts';
import { benchContext, openStores } from '../support/inventory.ts';
import { OverlayObjectStore } from '../support/overlay-store.ts';
import { NullSliceStore } from './null-slice-store.ts';
import { WatchedObjectStore } from './watched-store.ts';

/** Rows that an upload may have at most. */
const MAX_UPLOAD_ROWS = 100_000;
const QUIET_DETECTIONS = 50;
/** Batches that have not arrived yet. */
const ASIDE = 'aside/';

export interface MergeFigures {
  readonly ticks: number;
  readonly detections: number;
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
  /** Storage writes of a minute with 50 detections, the upload's own included, and whether the base stayed as it was. */
  readonly quietWrites: number;
  readonly quietKeepsBase: boolean;
  /** Bytes of heap and array buffers beyond the store, at most; 0 unless it was watched. */
  readonly peakHeapBytes: number;
}

const [folder = '', fortnightCsv = '', ticksText = '', mode = ''] = process.argv.slice(2);
const ticks = Number(ticksText);

const below = openStores(folder);
const overlay = new OverlayObjectStore(below.objects);
const slices = new CountingSliceStore(new NullSliceStore());
// A tick that has all of it at once may take all of it at once; otherwise ticks are as they are in service.
const budget: TickBudget = ticks === 1 ? { ...DEFAULT_BUDGET, batchBytes: 2 ** 30 } : DEFAULT_BUDGET;
const labels = new LabelLevels();

/**
 * Stores the uploads of the fortnight as the batches that accepting them makes, aside, and returns their keys by tick:
 * taking them in is not the merge's work.
 */
async function acceptAside(): Promise<string[][]> {
  const [header = '', ...lines] = readFileSync(fortnightCsv, 'utf8').trimEnd().split('\n');
  const perTick = Math.ceil(lines.length / ticks);
  const uploads: string[][] = [];
  for (let from = 0; from < lines.length; from += perTick) {
    const keys: string[] = [];
    const end = Math.min(lines.length, from + perTick);
    for (let at = from; at < end; at += MAX_UPLOAD_ROWS) {
      const key = `${String(uploads.length).padStart(4, '0')}-${keys.length}`;
      const csv = [header, ...lines.slice(at, Math.min(end, at + MAX_UPLOAD_ROWS))].join('\n');
      await overlay.put(ASIDE + key, await batchOf(csv));
      keys.push(key);
    }
    uploads.push(keys);
  }
  return uploads;
}

async function batchOf(csv: string): Promise<Uint8Array<ArrayBuffer>> {
  const store = new MemoryObjectStore();
  const upload = { body: new Blob([csv]).stream(), contentType: 'text/csv', tenant: 'default' };
  const deps = { objects: store, now: () => Date.now(), randomId: () => 'x', labels };
  const result = await acceptDetections(upload, deps);
  if (result.kind !== 'accepted' || result.receipt.rejected > 0) throw new Error('the fortnight was not all accepted');
  const [head] = (await store.list(WAITING_PREFIX)).objects;
  const object = head === undefined ? null : await store.get(head.key);
  if (object === null) throw new Error('the upload left no batch');
  return object.bytes;
}

async function hashOf({ runs }: Manifest): Promise<string> {
  const hash = createHash('sha256');
  for (const { segments } of runs) {
    for (const { numbers, verdicts, evidenceIndex, evidenceBlocksBytes } of segments) {
      hash.update(`${numbers.sha256} ${verdicts.sha256} ${evidenceIndex.sha256} ${evidenceBlocksBytes}\n`);
    }
  }
  return hash.digest('hex');
}

async function sightingsOf(store: ObjectStore, { runs }: Manifest): Promise<number> {
  let sum = 0;
  for (const entry of runs.flatMap(({ segments }) => segments)) {
    const verdicts = new VerdictsReader(await readColumn(store, entry, 'verdicts'));
    for (let rank = 0; rank < verdicts.count; rank++) sum += verdicts.sightings(rank);
  }
  return sum;
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
const watched = mode === 'heap' ? new WatchedObjectStore(overlay) : null;
const objects = watched ?? new CountingObjectStore(overlay);
const stores = { objects, slices };
const columns = new ColumnCache({ ...benchContext(stores), background: () => {} });
const context: MergeContext = {
  ...benchContext(stores, budget),
  ...(mode !== 'fresh' && { numbers: (entry) => columns.numbers.loadFromSegment(entry) }),
};
let cpuSeconds = 0;
let maxTickCpuSeconds = 0;
let maxTickCalls = 0;
let tickCount = 0;

/** One tick; whether it published anything. */
async function oneTick(): Promise<boolean> {
  const callsBefore = calls(objects.counted) + calls(slices.counted);
  const start = process.cpuUsage();
  const { generation } = await manifestNow();
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

const rewriteStart = process.cpuUsage();
await compactFully(context);
const rewriteCpuSeconds = cpuSince(rewriteStart);
const peakHeapBytes = watched?.peakBytes ?? 0;
const whole = await manifestNow();
const sightings = (await sightingsOf(overlay, whole)) - sightingsBefore;

const [header = '', ...lines] = readFileSync(fortnightCsv, 'utf8').split('\n', QUIET_DETECTIONS + 1);
await overlay.put(`${WAITING_PREFIX}quiet`, await batchOf([header, ...lines].join('\n')));
const writesBefore = objects.counted.writes + slices.counted.writes;
await tick(context);
const quiet = await manifestNow();

const figures: MergeFigures = {
  ticks: tickCount,
  detections: sightings,
  newNumbers: inventoryNumbers(whole) - inventoryNumbers(before),
  cpuSeconds,
  maxTickCpuSeconds,
  maxTickCalls,
  writtenBytes,
  runs: merged.runs.map(({ segments }) => segments.reduce((sum, { count }) => sum + count, 0)),
  rewriteCpuSeconds,
  sha256: await hashOf(whole),
  numbers: inventoryNumbers(whole),
  sightings,
  quietWrites: objects.counted.writes + slices.counted.writes - writesBefore + 1,
  quietKeepsBase: JSON.stringify(quiet.runs.at(-1)) === JSON.stringify(whole.runs.at(-1)),
  peakHeapBytes,
};
console.log(JSON.stringify(figures));
