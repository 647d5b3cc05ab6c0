/**
 * stall: how long others wait while the Worker merges. Lookups, uploads and status reads arrive at fixed rates while
 * the fortnight is merged tick by tick and the base is compacted, and in turns with that while nothing is merged, in
 * one run.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeManifest, encodeManifest, inventoryNumbers, NO_OUTPUT } from '../../src/format/manifest.ts';
import { MANIFEST_KEY, WAITING_PREFIX } from '../../src/storage/keys.ts';
import { atLeast, atMost, type Benchmark, type BenchResult, type BenchSize, quantilesOf, round } from '../report.ts';
import { batchOf, ensureInventory, uploadsOf } from '../support/inventory.ts';
import { type Call, type Latencies, Load, lookupNumbers, type Stream } from './load.ts';
import { R2Client, type Running, startWorkers } from './workerd.ts';

interface Plan {
  /** Shares of the fortnight, each merged by a tick. */
  readonly ticks: number;
  /** Times that merging and not merging take turns. */
  readonly rounds: number;
  /** Of not merging, at least; as long as the merging before took, if that is longer. */
  readonly quietMs: number;
}

const PLANS: Readonly<Record<BenchSize, Plan>> = {
  full: { ticks: 200, rounds: 8, quietMs: 10_000 },
  small: { ticks: 6, rounds: 2, quietMs: 2_000 },
};
const RATES = { lookup: 100, upload: 2, status: 2 };
const UPLOAD_LINES = 200;
const WARM_LOOKUPS: Readonly<Record<BenchSize, number>> = { full: 2_000, small: 500 };
/** Of lookups, above those without a merge (docs/decisions/0031). */
const P99_BAR_MS = 2;
const LONGEST_BAR_MS = 25;
/** A turn has to be given for each so many, however src/lib/cooperate.ts counts. */
const NUMBERS_A_TURN = 1_024;
/** A chunk of the compaction is 80 segments. */
const MAX_TICKS = 100;

export const run: Benchmark = async (size) => {
  const inventory = await ensureInventory(size);
  const scratch = mkdtempSync(join(tmpdir(), 'ringfence-stall-'));
  const adminKey = `stall-${crypto.randomUUID()}`;
  let workers: Running | undefined;
  try {
    workers = await startWorkers(inventory.folder, scratch, adminKey);
    return await measure(workers, inventory, adminKey, size);
  } finally {
    await workers?.stop();
    rmSync(scratch, { recursive: true, force: true });
  }
};

async function measure(
  workers: Running,
  { folder, fortnightCsv }: Awaited<ReturnType<typeof ensureInventory>>,
  adminKey: string,
  size: BenchSize,
): Promise<BenchResult> {
  const { ticks, rounds, quietMs } = PLANS[size];
  const numbers = await lookupNumbers(folder, WARM_LOOKUPS[size]);
  const load = new Load(workers.url, streams(numbers, adminKey));
  const r2 = new R2Client(workers.r2Url);
  const shares = uploadsOf(fortnightCsv, ticks);
  await warm(load, numbers.length);
  await beginCompaction(r2);
  const merging: Latencies[] = [];
  const quiet: Latencies[] = [];
  const tickMs: number[] = [];
  let fired = 0;
  for (let round = 0; round < rounds; round++) {
    const start = performance.now();
    const due = shares.slice((round * shares.length) / rounds, ((round + 1) * shares.length) / rounds);
    const batches: Uint8Array<ArrayBuffer>[][] = [];
    for (const texts of due) batches.push(await Promise.all(texts.map(batchOf)));
    merging.push(
      await load.run(async () => {
        for (const batch of batches) {
          for (const bytes of batch) await r2.put(`${WAITING_PREFIX}stall-${fired}-${batch.indexOf(bytes)}`, bytes);
          tickMs.push(await fire(workers));
          fired += 1;
        }
      }),
    );
    const took = performance.now() - start;
    const rest = Math.max(quietMs, took);
    quiet.push(await load.run(() => new Promise((resolve) => setTimeout(resolve, rest))));
  }
  // What the shares of the fortnight left of the compaction.
  for (let left = 0; left < MAX_TICKS && (await manifestOf(r2)).compaction !== null; left++) {
    merging.push(await load.run(async () => void tickMs.push(await fire(workers))));
  }
  const manifest = await manifestOf(r2);
  load.close();
  const isWhole = manifest.compaction === null && manifest.runs.length < ticks;
  const turnsAsked = Math.floor(inventoryNumbers(manifest) / NUMBERS_A_TURN);
  return result(size, { merging, quiet, tickMs, isWhole, turns: (await workers.turns()) / turnsAsked });
}

/** Rewrites all that there is, as a compaction that the tiers ask for does. */
async function beginCompaction(r2: R2Client): Promise<void> {
  const manifest = await manifestOf(r2);
  const compaction = { inputs: manifest.runs.map(({ id }) => id), output: NO_OUTPUT, resumeFrom: 0 };
  await r2.put(MANIFEST_KEY, encodeManifest({ ...manifest, compaction }));
}

async function manifestOf(r2: R2Client) {
  return decodeManifest(await r2.get(MANIFEST_KEY));
}

/** Returns how long the tick took, in milliseconds. */
async function fire({ cronUrl }: Running): Promise<number> {
  const start = performance.now();
  const response = await fetch(cronUrl);
  const outcome = await response.text();
  if (!response.ok) throw new Error(`the cron handler ended with ${outcome}`);
  return performance.now() - start;
}

function streams(numbers: readonly number[], adminKey: string): Stream[] {
  const headers = { authorization: `Bearer ${adminKey}` };
  return [
    { name: 'lookup', rate: RATES.lookup, call: (index) => lookup(numbers, index, headers) },
    {
      name: 'upload',
      rate: RATES.upload,
      call: (index) => ({
        method: 'POST',
        path: '/v1/detections',
        headers: { ...headers, 'content-type': 'text/csv' },
        body: uploadOf(numbers, index),
        status: 202,
      }),
    },
    { name: 'status', rate: RATES.status, call: () => ({ method: 'GET', path: '/v1/status', headers, status: 200 }) },
  ];
}

function lookup(numbers: readonly number[], index: number, headers: Call['headers']): Call {
  const number = numbers[index % numbers.length] as number;
  return { method: 'GET', path: `/v1/lookup?number=%2B${number}`, headers, status: 200 };
}

function uploadOf(numbers: readonly number[], index: number): string {
  const observedAt = new Date().toISOString();
  const lines = Array.from(
    { length: UPLOAD_LINES },
    (_, i) => `+${numbers[(index + i * 7) % numbers.length]},${observedAt}`,
  );
  return ['number,observedAt', ...lines].join('\n');
}

/** Until what lookups ask for is in memory, and the code is compiled. */
async function warm(load: Load, lookups: number): Promise<void> {
  await load.run(() => new Promise((resolve) => setTimeout(resolve, (lookups / RATES.lookup) * 1_000)));
}

interface Measured {
  readonly merging: readonly Latencies[];
  readonly quiet: readonly Latencies[];
  readonly tickMs: readonly number[];
  readonly isWhole: boolean;
  /** That the control Worker gave, of those that rewriting the base alone asks for. */
  readonly turns: number;
}

function result(size: BenchSize, { merging, quiet, tickMs, isWhole, turns }: Measured): BenchResult {
  const rows: BenchResult['rows'][number][] = [];
  const bars: BenchResult['bars'][number][] = [];
  for (const name of Object.keys(RATES)) {
    const [with_, without] = [latenciesOf(merging, name), latenciesOf(quiet, name)];
    for (const [when, each] of [
      ['merging', with_],
      ['not', without],
    ] as const) {
      rows.push({ request: name, when, ...each });
    }
    // Milliseconds depend on what else the machine does: the small form, which every test run has, is held to none.
    if (name !== 'lookup' || size === 'small') continue;
    bars.push(
      atMost('p99 of lookups, ms above the same without a merge', round(with_.p99 - without.p99), P99_BAR_MS),
      atMost(
        'longest of lookups, ms above the same without a merge',
        round(with_.longest - without.longest),
        LONGEST_BAR_MS,
      ),
    );
  }
  const total = tickMs.reduce((sum, each) => sum + each, 0);
  rows.push(
    { request: 'tick', when: 'merging', ...latencies(tickMs) },
    { request: 'all ticks', when: 'merging', count: tickMs.length, p50: '', p99: '', longest: round(total) },
  );
  bars.push(atLeast(`turns given, of one for each ${NUMBERS_A_TURN} numbers of the compaction`, round(turns), 1));
  bars.push(atLeast('the fortnight is merged and the base compacted', Number(isWhole), 1));
  return { name: 'stall', rows, bars };
}

function latenciesOf(all: readonly Latencies[], name: string) {
  return latencies(all.flatMap((each) => each.get(name) ?? []));
}

function latencies(ms: readonly number[]) {
  const { p50, p99, max } = quantilesOf(ms);
  return { count: ms.length, p50: round(p50), p99: round(p99), longest: round(max) };
}
