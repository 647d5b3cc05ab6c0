/** All contenders on one inventory: times, bytes, and whether they all say the same. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lowerBound } from '../../src/lib/sorted.ts';
import { median } from '../report.ts';
import type { Stores } from '../support/inventory.ts';
import { type Bound, informationBounds } from './bound.ts';
import { type Contender, openRingfence, type Pass, type Ringfence, SortedArray, timedPass } from './contenders.ts';
import { type Inventory, readInventory } from './inventory.ts';
import { Lmdb, Sqlite } from './native.ts';
import { startProbeWorker } from './workerd.ts';
import { makeWorkloads, WORKLOADS, type Workload, type WorkloadName } from './workload.ts';

// Ranks and counts of Ringfence against the sorted array: answers that membership alone does not show.

/** How many ranks and neighbour counts differ from the array's, over all probes. */
export function countMistakes(ringfence: Ringfence, numbers: Float64Array, probes: Float64Array): number {
  const today = ringfence.newestDay;
  let mistakes = 0;
  for (const probe of probes) {
    const rank = lowerBound(numbers, probe);
    if (ringfence.rank(probe) !== rank) mistakes += 1;
    const own = numbers[rank] === probe ? 1 : 0;
    const { hundred, thousand } = ringfence.neighbours(probe, today);
    if (hundred !== inBlock(numbers, probe, 100) - own) mistakes += 1;
    if (thousand !== inBlock(numbers, probe, 1_000) - own) mistakes += 1;
  }
  return mistakes;
}

/** How many numbers are in the block of `size` that the number stands in. */
function inBlock(numbers: Float64Array, number: number, size: number): number {
  const from = number - (number % size);
  return lowerBound(numbers, from + size) - lowerBound(numbers, from);
}

// What the neighbourhood of a number costs a lookup, in Node: counts at every scale, and the score.

/** Microseconds a number, the median of so many passes. */
const PASSES = 5;

/** @param today UTC day since 1970 */
function neighbourhoodMicroseconds(ringfence: Ringfence, probes: Float64Array, today: number): number {
  const times: number[] = [];
  for (let pass = 0; pass < PASSES; pass++) {
    const start = performance.now();
    let sum = 0;
    for (let i = 0; i < probes.length; i++) sum += ringfence.neighbours(probes[i] as number, today).score;
    times.push(((performance.now() - start) * 1000) / probes.length);
    if (!(sum >= 0)) throw new RangeError('a score is not a number');
  }
  return times.sort((a, b) => a - b)[PASSES >> 1] as number;
}

// Rounds in which the contenders take turns, so that whatever else the machine does falls on all of them alike.

interface Times {
  /** Nanoseconds a probe, of each round. */
  readonly nanoseconds: readonly number[];
  /** Wrong answers of all rounds. */
  readonly wrong: number;
}

interface Rounds {
  readonly rounds: number;
  readonly probes: number;
  readonly contenders: readonly string[];
  run(contender: string): Promise<Pass> | Pass;
}

/** The first round warms up and is left out. The order turns by one each round. */
export async function takeTurns({ rounds, probes, contenders, run }: Rounds): Promise<Map<string, Times>> {
  const times = new Map(contenders.map((name) => [name, { nanoseconds: [] as number[], wrong: 0 }]));
  for (let round = 0; round <= rounds; round++) {
    for (let turn = 0; turn < contenders.length; turn++) {
      const name = contenders[(round + turn) % contenders.length] as string;
      const { ms, wrong } = await run(name);
      const own = times.get(name);
      if (own === undefined) continue;
      own.wrong += wrong;
      if (round > 0) own.nanoseconds.push((ms * 1e6) / probes);
    }
  }
  return times;
}

/** The median over the rounds of how long `one` took in a round, as a share of what `other` took in it. */
export function medianRatio(one: Times | undefined, other: Times | undefined): number {
  return median((one?.nanoseconds ?? []).map((nanoseconds, i) => nanoseconds / (other?.nanoseconds[i] ?? Number.NaN)));
}

export interface Effort {
  readonly probes: number;
  readonly rounds: number;
  /** Passes over the probes in workerd that are timed as one, so that its clock of whole milliseconds does not show. */
  readonly repeats: number;
  /** Probes of which ranks and neighbour counts are compared too. */
  readonly counted: number;
}

/** Times of the contenders that ran in one process or isolate, by workload and contender. */
export type Course = Readonly<Record<WorkloadName, ReadonlyMap<string, Times>>>;

export interface Comparison {
  readonly numbers: number;
  readonly workerd: Course;
  readonly node: Course;
  /** Bytes by contender. */
  readonly bytes: ReadonlyMap<string, number>;
  readonly bounds: readonly Bound[];
  /** Answers of any contender that differ from what is known, and ranks and counts of Ringfence that do. */
  readonly wrong: number;
  /** Of Ringfence, microseconds a number: counting neighbours and scoring them, in Node. */
  readonly neighbourhood: Readonly<Record<WorkloadName, number>>;
}

export async function compare(stores: Stores, effort: Effort): Promise<Comparison> {
  const inventory = await readInventory(stores);
  const { numbers } = inventory;
  const workloads = makeWorkloads(numbers, effort.probes);
  const inWorkerd = await compareInWorkerd(inventory, workloads, effort);
  const inNode = await compareInNode(stores, numbers, workloads, effort);
  const times = [inWorkerd.course, inNode.course].flatMap((course) =>
    WORKLOADS.flatMap((name) => [...course[name].values()]),
  );
  return {
    numbers: numbers.length,
    workerd: inWorkerd.course,
    node: inNode.course,
    bytes: new Map([...inNode.bytes, ...inWorkerd.bytes]),
    bounds: informationBounds(numbers),
    neighbourhood: inNode.neighbourhood,
    wrong: times.reduce((sum, { wrong }) => sum + wrong, inNode.mistakes),
  };
}

type Workloads = Readonly<Record<WorkloadName, Workload>>;

async function compareInWorkerd(inventory: Inventory, workloads: Workloads, effort: Effort) {
  const worker = await startProbeWorker(inventory, workloads);
  try {
    const { contenders, columnBytes, roaringBytes } = await worker.load();
    const course = await eachWorkload(effort, contenders, (contender, workload) =>
      worker.pass(contender, workload, effort.repeats),
    );
    const bytes: [string, number][] = [
      ['Ringfence', columnBytes],
      ['roaring', roaringBytes],
    ];
    return { course, bytes };
  } finally {
    await worker.stop();
  }
}

async function compareInNode(stores: Stores, numbers: Float64Array, workloads: Workloads, effort: Effort) {
  const ringfence = await openRingfence(stores.objects, stores.slices);
  const sqlite = new Sqlite(numbers);
  const folder = mkdtempSync(join(tmpdir(), 'ringfence-lmdb-'));
  const lmdb = new Lmdb(numbers, folder);
  try {
    const contenders: Contender[] = [ringfence, new SortedArray(numbers), sqlite, lmdb];
    const byName = new Map(contenders.map((contender) => [contender.name, contender]));
    const course = await eachWorkload(effort, [...byName.keys()], (name, workload) => {
      const contender = byName.get(name);
      if (contender === undefined) throw new RangeError(`there is no contender ${name}`);
      return timedPass(contender, workloads[workload], 1, () => performance.now());
    });
    const counted = WORKLOADS.map((name) => workloads[name].probes.subarray(0, effort.counted));
    const mistakes = counted.reduce((sum, probes) => sum + countMistakes(ringfence, numbers, probes), 0);
    const today = ringfence.newestDay;
    const neighbourhood = Object.fromEntries(
      WORKLOADS.map((name) => [name, neighbourhoodMicroseconds(ringfence, workloads[name].probes, today)]),
    ) as Record<WorkloadName, number>;
    const bytes: [string, number][] = [
      ['Float64Array', numbers.byteLength],
      ['SQLite', sqlite.bytes],
      ['LMDB', lmdb.bytes],
    ];
    return { course, bytes, mistakes, neighbourhood };
  } finally {
    sqlite.close();
    await lmdb.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function eachWorkload(
  { rounds, probes }: Effort,
  contenders: readonly string[],
  pass: (contender: string, workload: WorkloadName) => ReturnType<Rounds['run']>,
): Promise<Course> {
  const course: Partial<Record<WorkloadName, Map<string, Times>>> = {};
  for (const workload of WORKLOADS) {
    course[workload] = await takeTurns({ rounds, probes, contenders, run: (name) => pass(name, workload) });
  }
  return course as Course;
}
