/** Stores to check, ways to break them, and what a check says, in short. */

import { Progress } from '../../../../scripts/command/progress.ts';
import { checkStore } from '../../../../scripts/fsck/check-store.ts';
import { Findings, FSCK_PROGRESS, type FsckContext } from '../../../../scripts/fsck/findings.ts';
import { segmentsInUse } from '../../../../scripts/fsck/manifest.ts';
import { reportText } from '../../../../scripts/fsck.ts';
import {
  decodeManifest,
  encodeManifest,
  type Manifest,
  NO_OUTPUT,
  type SegmentEntry,
} from '../../../../src/format/manifest.ts';
import { UNPACED } from '../../../../src/lib/cooperate.ts';
import { readOutput } from '../../../../src/merge/compaction-output.ts';
import { readSetAside } from '../../../../src/merge/failing-batches.ts';
import { loadManifest } from '../../../../src/merge/publish-manifest.ts';
import { compactFully } from '../../../../src/merge/rebuild.ts';
import { tick } from '../../../../src/merge/tick.ts';
import { MANIFEST_KEY } from '../../../../src/storage/keys.ts';
import { fictionNumber, someDetections } from '../../../support/detections.ts';
import { newWorld, upload, type World } from '../../../support/world.ts';
import { flipped } from '../../format/support/damage.ts';

const MINUTE_MS = 60_000;

/** The same batches in one run that a compaction has made, so that it has slices. */
export async function compacted(): Promise<World> {
  const world = newWorld({ inlineRecords: 1 });
  for (const [i, part] of PARTS.entries()) {
    await upload(world, `b${i}`, part);
    await tick(world);
    world.clock += MINUTE_MS;
  }
  await compactFully(world);
  return world;
}

/** Looks past the log of calls, so that faults made for the merge do not meet the check. */
export function lookAt(world: World): FsckContext {
  const progress = new Progress({ isTerminal: false, write: () => {} }, () => 0, FSCK_PROGRESS);
  return { objects: world.objects.memory, slices: world.slices.memory, findings: new Findings(), progress };
}

export interface Checked {
  readonly findings: Findings;
  /** `severity: check: key`, in the order of the checks. */
  readonly problems: readonly string[];
  /** The words of each problem. */
  readonly words: readonly string[];
  readonly report: string;
}

export async function checked(world: World, options = { verifyBatches: true }): Promise<Checked> {
  const context = lookAt(world);
  const read = await checkStore(context, options);
  const { findings } = context;
  const all = findings.checks.flatMap((check) => check.problems.map((problem) => ({ ...problem, check: check.title })));
  return {
    findings,
    problems: all.map(({ severity, check, key }) => `${severity}: ${check}: ${key}`),
    words: all.map(({ what, remedy }) => `${what}. ${remedy}`),
    report: reportText(findings, read?.manifest ?? null, 'a state folder'),
  };
}

export const PARTS = [1, 2, 3, 4].map((seed) => someDetections(60, seed, 200));

/** Four batches, b0 to b3, and one tick a minute. */
export async function fourMinutes(): Promise<World> {
  const world = newWorld();
  for (const [i, part] of PARTS.entries()) {
    await upload(world, `b${i}`, part);
    await tick(world);
    world.clock += MINUTE_MS;
  }
  return world;
}

/** Two runs and a compaction of them that has written one of its two segments. */
export async function duringCompaction(): Promise<World> {
  const world = newWorld({ inlineRecords: 1, compactionSegments: 1 });
  const [template] = someDetections(1, 1);
  if (template === undefined) throw new Error('no template');
  for (const [id, from] of [
    ['even', 0],
    ['odd', 1],
  ] as const) {
    const detections = Array.from({ length: 40_000 }, (_, i) => ({ ...template, number: fictionNumber(from + i * 2) }));
    await upload(world, id, detections);
    await tick(world);
    world.clock += MINUTE_MS;
  }
  return world;
}

export async function manifestOf(world: World): Promise<Manifest> {
  return (await loadManifest(world.objects.memory)).manifest;
}

/** The segments that a compaction under way has written. */
export async function outputOf(world: World): Promise<readonly SegmentEntry[]> {
  return readOutput(world.objects.memory, (await manifestOf(world)).compaction?.output ?? NO_OUTPUT);
}

export async function setAsideIds(world: World): Promise<string[]> {
  const list = await readSetAside(world.objects.memory, await manifestOf(world), UNPACED);
  return list.map(({ id }) => id).sort();
}

export async function firstSegment(world: World): Promise<SegmentEntry> {
  const [entry] = segmentsInUse(await manifestOf(world), []);
  if (entry === undefined) throw new Error('no segment');
  return entry;
}

/** Changes a stored object by hand. */
export async function alter(
  world: World,
  key: string,
  change: (bytes: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer>,
): Promise<void> {
  const object = await world.objects.memory.get(key);
  if (object === null) throw new Error(`${key} is not there`);
  await world.objects.memory.put(key, change(object.bytes));
}

export function alterManifest(world: World, change: (manifest: Manifest) => object, key = MANIFEST_KEY): Promise<void> {
  return alter(world, key, (bytes) => {
    const manifest = decodeManifest(bytes);
    return encodeManifest({ ...manifest, ...change(manifest) });
  });
}

/** Changes the current manifest and its copy alike, so that they do not contradict each other. */
export async function alterPublished(world: World, change: (manifest: Manifest) => object): Promise<void> {
  const { generation, commit } = await manifestOf(world);
  const copy = `manifests/${String(generation).padStart(10, '0')}-${commit}`;
  await alterManifest(world, change);
  await alterManifest(world, change, copy);
}

export async function flip(world: World, key: string, at: number): Promise<void> {
  await alter(world, key, (bytes) => flipped(bytes, at < 0 ? bytes.length + at : at));
}

/** The keys under a prefix, in order. */
export async function keysOf(world: World, prefix: string): Promise<string[]> {
  return (await world.objects.memory.list(prefix)).objects.map(({ key }) => key);
}

/** A key by its beginning, which must be that of one object. */
export async function keyLike(world: World, prefix: string): Promise<string> {
  const [only, other] = await keysOf(world, prefix);
  if (only === undefined || other !== undefined) throw new Error(`not one object begins with ${prefix}`);
  return only;
}
