/** Briefings of all kinds of periods, against plain sets. */
import type { Isolate } from '../isolate.ts';
import { dateOf, dayOfMs } from '../model/calendar.ts';
import { briefingOf, type PlainBriefing } from '../model/record.ts';
import { type Actor, pick, type Scene, type Tenant, type Town } from './actor.ts';

export const briefing: Actor = async (scene) => {
  const { world, random, town } = scene;
  const today = dayOfMs(world.now);
  const last = today - random.below(random.chance(0.7) ? 4 : 60);
  const period = { from: last - random.below(random.chance(0.7) ? 7 : 40), to: last };
  // The same again, most of the time: what was kept of it may not hold any more.
  const { from, to } = town.periods.length > 0 && random.chance(0.6) ? pick(random, town.periods) : period;
  town.periods.push({ from, to });
  await read(scene, { from, to }, pick(random, town.tenants), world.anyIsolate(random));
};

/** Of whatever came in, at the end, in a new isolate. */
export async function briefEverything({ world, tenants }: Town): Promise<void> {
  const isolate = world.newIsolate();
  const today = dayOfMs(world.now);
  const [tenant] = tenants;
  if (tenant === undefined) return;
  for (let to = today; to > today - DAYS_BRIEFED; to -= PERIOD_DAYS) {
    await read({ world, tell: (what) => world.tell(what) }, { from: to - PERIOD_DAYS + 1, to }, tenant, isolate);
  }
}

/** Detections are of the last fifty days, first seen up to sixty days before. */
const DAYS_BRIEFED = 120;
const PERIOD_DAYS = 30;

interface Period {
  readonly from: number;
  readonly to: number;
}

async function read(
  { world, tell }: Pick<Scene, 'world' | 'tell'>,
  { from, to }: Period,
  tenant: Tenant,
  isolate: Isolate,
): Promise<void> {
  const path = `/v1/briefings/${dateOf(from)}/${dateOf(to)}`;
  tell(`${tenant.name} reads ${path} from ${isolate.name}`);
  const exchange = await world.send(isolate, { method: 'GET', path, key: tenant.key });
  if (exchange === null) return;
  if (exchange.answer.status !== 200) {
    if (exchange.answer.status !== 503) world.broken('a briefing is answered', `${exchange.answer.status}`);
    return;
  }
  const found = exchange.answer.json as PlainBriefing & { readonly generation: number };
  const { sentAt, answeredAt } = exchange;
  // What is kept may be of an older generation, if nothing of the period has changed since.
  const possible = world.model.between(sentAt, answeredAt);
  if (possible.some((generation) => world.model.isUnsettled(generation))) return;
  const differences = possible.map((generation) => {
    const expected = briefingOf(world.model, generation, from, to);
    const names = ['captured', 'firstTime', 'inventory', 'trend'] as const;
    const wrong = names.find((name) => JSON.stringify(expected[name]) !== JSON.stringify(found[name]));
    if (wrong === undefined) return null;
    return `${wrong}: expected ${JSON.stringify(expected[wrong])} in generation ${generation.generation}, found ${JSON.stringify(found[wrong])} of generation ${found.generation}`;
  });
  if (!differences.includes(null)) world.broken('briefings agree with plain sets', `${path}: ${differences.at(-1)}`);
}
