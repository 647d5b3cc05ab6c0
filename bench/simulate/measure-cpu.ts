/**
 * `npx node bench/simulate/measure-cpu.ts`: microseconds of CPU a record that a tick folds, from a merge and a
 * compaction in memory, and milliseconds a megabyte of manifest that is read and indexed. The figures go into
 * assumptions.ts by hand, since the simulation's output must not depend on the machine.
 */

import { decodeManifest, encodeManifest } from '../../src/format/manifest.ts';
import { Snapshot } from '../../src/lookup/snapshot.ts';
import { DEFAULT_BUDGET } from '../../src/merge/context.ts';
import { loadManifest } from '../../src/merge/publish-manifest.ts';
import { compactFully } from '../../src/merge/rebuild.ts';
import { tick } from '../../src/merge/tick.ts';
import { Random } from '../support/random.ts';
import { TODAY } from './assumptions.ts';
import { measureSegment, sampleManifest } from './model.ts';
import { MeasuredWorld } from './tick-calls.ts';

const RECORDS = 400_000;
const ROUNDS = 3;
const MANIFEST_ROUNDS = 20;
const MANIFEST_ENTRIES = 400;

/** Two runs of so many records each; a tick does not join them, since the first is above its budget of records. */
async function compactionCpuUs(records: number): Promise<number> {
  const world = new MeasuredWorld({
    ...DEFAULT_BUDGET,
    inlineRecords: 1,
    compactionSegments: 1000,
    batchBytes: 2 ** 30,
  });
  const random = new Random(1);
  for (const part of [0, 1]) {
    await world.upload(random.stream(`part ${part}`), records, TODAY.numbers);
    if (part === 0) await tick(world.context);
  }
  const before = process.cpuUsage();
  await tick(world.context);
  const merged = process.cpuUsage(before);
  await compactFully(world.context);
  const { manifest } = await loadManifest(world.objects);
  const folded = manifest.runs.flatMap(({ segments }) => segments).reduce((sum, { count }) => sum + count, 0);
  return (merged.user + merged.system) / (folded + records);
}

async function manifestCpuMs(entries: number): Promise<number> {
  const random = new Random(1);
  const { entry } = await measureSegment(random, TODAY.numbers);
  const bytes = encodeManifest(sampleManifest(random, entry, entries));
  const before = process.cpuUsage();
  for (let i = 0; i < MANIFEST_ROUNDS; i++) new Snapshot(decodeManifest(bytes));
  const used = process.cpuUsage(before);
  return (used.user + used.system) / 1000 / MANIFEST_ROUNDS / (bytes.length / 1e6);
}

for (let round = 0; round < ROUNDS; round++) {
  const us = await compactionCpuUs(RECORDS);
  console.log(`${us.toFixed(2)} us a record (a merge of ${RECORDS} rows and a compaction of both runs)`);
  console.log(`${(await manifestCpuMs(MANIFEST_ENTRIES)).toFixed(1)} ms a megabyte of manifest`);
}
