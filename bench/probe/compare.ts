/** All contenders on one inventory: times, bytes, and whether they all say the same. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Stores } from '../support/inventory.ts';
import { type Bound, informationBounds } from './bound.ts';
import { type Contender, timedPass } from './contender.ts';
import { countMistakes } from './exactness.ts';
import { type Inventory, readInventory } from './inventory.ts';
import { Lmdb } from './lmdb.ts';
import { neighbourhoodMicroseconds } from './neighbourhood.ts';
import { openRingfence } from './ringfence.ts';
import { type Rounds, type Times, takeTurns } from './rounds.ts';
import { SortedArray } from './sorted-array.ts';
import { Sqlite } from './sqlite.ts';
import { startProbeWorker } from './workerd.ts';
import { makeWorkloads, WORKLOADS, type Workload, type WorkloadName } from './workload.ts';

export interface Effort {
  readonly probes: number;
  readonly rounds: number;
  /** Passes over the probes that are timed as one, so that a clock of whole milliseconds does not show. */
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
    worker.stop();
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
      return timedPass(contender, workloads[workload], effort.repeats, () => performance.now());
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
