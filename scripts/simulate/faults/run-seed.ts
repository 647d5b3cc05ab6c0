/** One seed from its first event to its last check. */
import { createHash } from 'node:crypto';
import type { Actor, Town } from './actors/actor.ts';
import { batches, bringBack, withdraw } from './actors/batches.ts';
import { briefEverything, briefing } from './actors/briefing.ts';
import {
  asOfDay,
  asOfGeneration,
  batch,
  burst,
  lookUpEverything,
  lookup,
  receipt,
  rpc,
  watch,
} from './actors/lookup.ts';
import { census, tick } from './actors/merge.ts';
import { canary, drop, evict, key, override, policy, release, rollback, status } from './actors/operate.ts';
import { catchUp, replicaLookup, sync } from './actors/replica.ts';
import { upload } from './actors/upload.ts';
import { checkNothingLost, checkStores, comeToRest } from './at-rest.ts';
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
  const sha256 = createHash('sha256').update(world.trace.join('\n')).digest('hex');
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
