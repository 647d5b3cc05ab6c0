/** One seed from its first event to its last check. */

import { hash } from 'node:crypto';
import { mergeContextOf } from '../../../scripts/command/merge-context.ts';
import { Progress } from '../../../scripts/command/progress.ts';
import { checkStore } from '../../../scripts/fsck/check-store.ts';
import { Findings, FSCK_PROGRESS } from '../../../scripts/fsck/findings.ts';
import { rebuild } from '../../../scripts/fsck/rebuild.ts';
import type { MergeContext } from '../../../src/merge/context.ts';
import { loadManifest } from '../../../src/merge/publish-manifest.ts';
import { compactFully } from '../../../src/merge/rebuild.ts';
import { parseBounds } from '../../../src/quality/quarantine.ts';
import { MemoryObjectStore, MemorySliceStore } from '../../../src/storage/memory.ts';
import type { Actor, Town } from './actors/actor.ts';
import {
  asOfDay,
  asOfGeneration,
  batch,
  briefEverything,
  briefing,
  burst,
  catchUp,
  lookUpEverything,
  lookup,
  receipt,
  replicaLookup,
  rpc,
  sync,
  watch,
} from './actors/lookups.ts';
import { canary, drop, evict, key, override, policy, release, rollback, status } from './actors/operate.ts';
import { batches, bringBack, census, tick, upload, withdraw } from './actors/uploads.ts';
import { isInInventory } from './model/generation.ts';
import { type Kind, type Plan, planOf, type Step } from './plan.ts';
import { guarded } from './platform.ts';
import { ADMIN_KEY, type Violation, World } from './world.ts';

const ACTORS: Readonly<Record<Kind, Actor>> = {
  upload,
  tick,
  lookup,
  batch,
  burst,
  rpc,
  watch,
  asOfDay,
  asOfGeneration,
  receipt,
  override,
  policy,
  key,
  rollback,
  release,
  drop,
  canary,
  withdraw,
  bringBack,
  batches,
  briefing,
  census,
  status,
  evict,
  sync,
  replicaLookup,
};

/** Actions that are not of the plan. */
const BEFORE = -1;
const AFTER = -2;

/** What is left out of a seed when its schedule is shrunk. */
export interface Omitted {
  /** Indexes of steps. */
  readonly steps: ReadonlySet<number>;
  /** Names of faults. */
  readonly faults: ReadonlySet<string>;
}

export const NOTHING_OMITTED: Omitted = { steps: new Set(), faults: new Set() };

export interface Outcome {
  readonly seed: number;
  readonly violation: Violation | null;
  /** What each step did, in order. */
  readonly schedule: readonly { readonly step: Step; readonly what: string }[];
  readonly faults: ReadonlyMap<string, string>;
  readonly trace: readonly string[];
  /** Of the trace. */
  readonly sha256: string;
  readonly figures: Figures;
}

/** How much a seed did. */
export interface Figures {
  readonly uploads: number;
  readonly generations: number;
  readonly checkedAnswers: number;
  readonly faults: number;
  readonly calls: number;
}

export async function runSeed(seed: number, omitted = NOTHING_OMITTED): Promise<Outcome> {
  const plan = planOf(seed);
  const world = new World({ seed, plan, suppressed: omitted.faults });
  const told = new Map<number, string>();
  await guarded(() => play(world, plan, omitted, told));
  if (!world.isOver) {
    await checkStores(world).catch((error: unknown) => world.broken('a store at rest can be rebuilt', textOf(error)));
  }
  const sha256 = hash('sha256', world.trace.join('\n'));
  return {
    seed,
    violation: world.violation,
    schedule: plan.steps.flatMap((step) => (told.has(step.index) ? [{ step, what: told.get(step.index) ?? '' }] : [])),
    faults: world.weather.happened,
    trace: world.trace,
    sha256,
    figures: world.figures,
  };
}

function textOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

async function play(world: World, plan: Plan, omitted: Omitted, told: Map<number, string>): Promise<void> {
  const town: Town = { world, tenants: [], sent: [], acknowledged: [], keys: [], periods: [] };
  const act = (action: number, work: () => Promise<void>) => {
    world.scheduler.begin(action, async () => {
      try {
        await work();
      } catch (error) {
        world.broken('nothing fails but storage', textOf(error));
      }
    });
  };
  act(BEFORE, () => found(town));
  await world.scheduler.run();
  let at = 0;
  for (const step of plan.steps) {
    at += step.gapMs;
    if (omitted.steps.has(step.index)) continue;
    world.scheduler.wakeAfter(at, () =>
      act(step.index, async () => {
        const tell = (what: string) => {
          world.tell(`a${step.index} ${what}`);
          const before = told.get(step.index);
          told.set(step.index, before === undefined ? what : `${before}; ${what}`);
        };
        const name = `a${step.index}`;
        await ACTORS[step.kind]({ town, world, random: world.random.stream(name), name, tell });
      }),
    );
  }
  await world.scheduler.run();
  if (world.isOver) return;
  act(AFTER, async () => {
    await comeToRest(world);
    if (!world.isOver) checkNothingLost(town);
    if (!world.isOver) await lookUpEverything(town);
    if (!world.isOver) await briefEverything(town);
    if (!world.isOver) await catchUp(town);
  });
  await world.scheduler.run();
}

/** Tenants with their keys. */
async function found({ world, tenants }: Town): Promise<void> {
  for (const name of ['default', 'shop']) {
    const request = {
      method: 'POST',
      path: '/v1/keys',
      key: ADMIN_KEY,
      body: JSON.stringify({ name: 'of the simulation', scopes: ['lookup', 'ingest', 'policy', 'feed'], tenant: name }),
    };
    // The store takes one write a second of the keys.
    await world.scheduler.sleep(2_000);
    const exchange = await world.send(world.isolateAt(0), request);
    if (exchange?.answer.status !== 201) throw new Error('no key was made in calm weather');
    const { id, key: secret } = exchange.answer.json as { readonly id: string; readonly key: string };
    tenants.push({ name, key: secret, keyId: id });
    world.replicaTenant = name;
    world.replicaKey = secret;
  }
}

// What a store must be once everything is over: nothing waits, nothing is lost, sound by fsck, and to be rebuilt.

/**
 * Ticks until a store is at rest: more than there are batches, each of which may take one, and a compaction. With the
 * smallest budgets a withdrawal computes one number at a time, and every one takes a compaction of a segment a tick.
 */
const MAX_TICKS = 2_000;
const TICK_MS = 60_000;

/** In calm weather: cron goes on until there is nothing left for it to do. */
async function comeToRest(world: World): Promise<void> {
  for (let ticks = 0; ticks < MAX_TICKS; ticks++) {
    await world.scheduler.sleep(TICK_MS);
    const isolate = world.newIsolate();
    const outcome = await isolate.cron('* * * * *');
    isolate.evict();
    if (outcome !== 'done') world.broken('a tick in calm weather succeeds', outcome?.failure ?? 'it was stopped');
    if (world.isOver || isAtRest(world)) return;
  }
  world.broken('a store comes to rest', `not within ${MAX_TICKS} ticks`);
}

function isAtRest({ model, bucket }: World): boolean {
  const { replay, ledger, isCompacting, pending } = model.current;
  const isPending = [...ledger.cases.values()].some(({ pendingRelease }) => pendingRelease.size > 0);
  return (
    replay.size === 0 &&
    pending.size === 0 &&
    !isPending &&
    !isCompacting &&
    bucket.keys('batches/waiting/').length === 0
  );
}

/** Everything that was acknowledged is in the inventory, or kept out of it as people and bounds have decided. */
function checkNothingLost({ world, acknowledged }: Town): void {
  const { merged } = world.model.current;
  for (const { batch, feed } of acknowledged) {
    const isThere = merged.has(batch) && world.bucket.get(`batches/merged/${batch}`) !== undefined;
    const isEmpty = feed.body.detections.length === 0;
    if (!isThere && !isEmpty) world.broken('nothing acknowledged is lost', batch);
  }
}

/** Beside the virtual clock: on copies of the stores, with real time and real files. */
async function checkStores(world: World): Promise<void> {
  const original = await copyOf(world);
  const progress = new Progress({ isTerminal: false, write: () => {} }, () => 0, FSCK_PROGRESS);
  const findings = new Findings();
  await checkStore({ ...original, findings, progress }, { verifyBatches: true });
  const errors = findings.checks.flatMap(({ problems }) => problems).filter(({ severity }) => severity === 'error');
  // Generations that are retained go on naming what has come to harm.
  const problem = errors.find(({ key }) => !world.bucket.harmed.has(key));
  if (problem !== undefined || (errors.length === 0 && !findings.isSound)) {
    return world.broken('a store at rest passes fsck', `${problem?.key}: ${problem?.what}`);
  }
  // There must be something to build a store from.
  const { current, batches } = world.model;
  if (![...batches.keys()].some((batch) => isInInventory(current, batch))) return;
  const rebuilt = contextOn(world, { objects: new MemoryObjectStore(), slices: new MemorySliceStore() });
  await rebuild(original.objects, rebuilt, progress);
  await compactFully(contextOn(world, original));
  const [ours, theirs] = [await segmentsOf(original.objects), await segmentsOf(rebuilt.objects as MemoryObjectStore)];
  const isSame =
    ours.length === theirs.length && ours.every((bytes, i) => Buffer.compare(bytes, theirs[i] ?? bytes) === 0);
  if (!isSame) world.broken('a store is rebuilt from its batches to the same bytes', `${ours.length} segments`);
}

interface Copies {
  readonly objects: MemoryObjectStore;
  readonly slices: MemorySliceStore;
}

async function copyOf({ bucket, kv }: World): Promise<Copies> {
  const objects = new MemoryObjectStore();
  const slices = new MemorySliceStore();
  for (const key of bucket.keys('')) await objects.put(key, bucket.get(key)?.bytes ?? new Uint8Array());
  for (const [key, { bytes, writtenAt }] of kv.all()) await slices.put(key, bytes, writtenAt);
  return { objects, slices };
}

function contextOn({ deps, now }: World, copies: Copies): MergeContext {
  let ids = 0;
  return {
    ...mergeContextOf(copies),
    now: () => now,
    sleep: async () => {},
    randomId: () => `rebuilt${String(++ids).padStart(25, '0')}`,
    log: () => {},
    budget: deps.budget,
    bounds: parseBounds(deps.settings.RINGFENCE_QUALITY),
  };
}

async function segmentsOf(objects: MemoryObjectStore): Promise<Uint8Array[]> {
  const { manifest } = await loadManifest(objects);
  const segments: Uint8Array[] = [];
  // Which of them share an object depends on how far each tick came.
  for (const { key, offset, bytes } of manifest.runs.flatMap((run) => run.segments)) {
    segments.push((await objects.getRange(key, offset, bytes)) ?? new Uint8Array());
  }
  return segments;
}
