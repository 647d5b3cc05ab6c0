/** Actors that read: lookups of all kinds, briefings and replicas. What each answer must be is checked. */

import { lookupByRpc } from '../../../../src/api/rpc.ts';
import { ReplicaError } from '../../../../src/replica/origin.ts';
import type { Random } from '../../../support/random.ts';
import { type Asked, checkAnswer, checkNotRetained, type LookupAnswer } from '../check-answer.ts';
import { pickNumber, spelled, UNIVERSE, type UniverseNumber } from '../feeds.ts';
import type { Isolate, ReplicaIsolate } from '../isolate.ts';
import { dateOf, dayOfDate, dayOfMs } from '../model/calendar.ts';
import { inForce } from '../model/configuration.ts';
import { briefingOf, type PlainBriefing } from '../model/record.ts';
import type { Exchange, Sent, World } from '../world.ts';
import type { Actor, Scene, Tenant, Town } from './actor.ts';
import { checkHealth } from './operate.ts';

// Lookups of all kinds, and what each answer is held to.

/** Changes of keys are known everywhere within a minute while storage works, and within an hour if it fails. */
const KEYS_KNOWN_MS = 61_000;
const KEYS_KNOWN_AT_LAST_MS = 3_601_000;

interface Query {
  readonly evidence?: boolean;
  readonly receipt?: boolean;
  readonly asOf?: string | number;
}

export const lookup: Actor = async (scene) => {
  const { random } = scene;
  const query = random.chance(0.3) ? { evidence: true } : {};
  await lookUp(scene, scene.world.anyIsolate(random), query);
};

/** Several at once in one isolate: what one finds out must not be what another does not know. */
export const burst: Actor = async (scene) => {
  const { world, random } = scene;
  const isolate = world.anyIsolate(random);
  await Promise.all(Array.from({ length: 2 + random.below(5) }, () => lookUp(scene, isolate, {})));
};

export const receipt: Actor = (scene) =>
  lookUp(scene, scene.world.anyIsolate(scene.random), { receipt: true, evidence: scene.random.chance(0.5) });

export const asOfDay: Actor = async (scene) => {
  const { world, random } = scene;
  const day = dayOfMs(world.now) - Math.floor(random.next() ** 2 * 70);
  await lookUp(scene, world.anyIsolate(random), { asOf: dateOf(day), evidence: random.chance(0.5) });
};

export const asOfGeneration: Actor = async (scene) => {
  const { world, random } = scene;
  const known = [...world.model.current.retained, world.model.current.generation];
  const generation = Math.max(
    1,
    random.chance(0.8) ? random.pick(known) : random.below(world.model.generations.length),
  );
  await lookUp(scene, world.anyIsolate(random), { asOf: generation, evidence: random.chance(0.5) });
};

/** A sign-up form in use: one isolate is asked again and again, while everything else goes on. */
export const watch: Actor = async (scene) => {
  const { world, random } = scene;
  const isolate = world.anyIsolate(random);
  const pauseMs = 300 + random.below(4_000);
  for (let asked = 8 + random.below(16); asked > 0 && isolate.isAlive; asked--) {
    const look = () => (random.chance(0.2) ? checkHealth(scene, isolate) : lookUp(scene, isolate, {}));
    await Promise.all([look(), world.scheduler.sleep(random.below(2 * pauseMs))]);
  }
};

/** As another Worker of the account asks, by a service binding. */
export const rpc: Actor = async ({ world, random, town, tell }) => {
  const isolate = world.anyIsolate(random);
  const subject = pickNumber(random);
  const tenant = random.pick(town.tenants);
  tell(`${tenant.name} looks up +${subject.number} by RPC in ${isolate.name}`);
  const sentAt = world.now;
  const { floor } = isolate;
  const props = { tenant: tenant.name };
  const input = spelled(subject, random);
  const result = await isolate.run(() => lookupByRpc(isolate.edge.services, props, input));
  if (result === null) return;
  const exchange = { isolate, sentAt, answeredAt: world.now, floor };
  if (result.ok)
    checkAnswer(world, result.answer as unknown as LookupAnswer, asked(exchange, tenant, subject.number, {}));
  else if (result.status !== 503) world.broken('a lookup is answered', `${result.status} ${result.code} by RPC`);
};

export const batch: Actor = async (scene) => {
  const { world, random, town, tell } = scene;
  const tenant = random.pick(town.tenants);
  const isolate = world.anyIsolate(random);
  const subjects = random.chance(0.3)
    ? UNIVERSE
    : Array.from({ length: 1 + random.below(20) }, () => pickNumber(random));
  tell(`${tenant.name} looks up ${subjects.length} numbers in ${isolate.name}`);
  const request: Sent = {
    method: 'POST',
    path: '/v1/lookup/batch',
    key: tenant.key,
    body: JSON.stringify({ numbers: subjects.map(({ number }) => `+${number}`) }),
  };
  const exchange = await world.send(isolate, request);
  if (exchange === null || exchange.answer.status !== 200) return;
  const { results } = exchange.answer.json as { readonly results: readonly LookupAnswer[] };
  for (const [i, { number }] of subjects.entries()) {
    checkAnswer(world, results[i], asked(exchange, tenant, number, {}));
  }
};

/** Every number there is, in a new isolate, at the end. */
export async function lookUpEverything({ world, tenants }: Town): Promise<void> {
  const isolate = world.newIsolate();
  for (const tenant of tenants) {
    const body = JSON.stringify({ numbers: UNIVERSE.map(({ number }) => `+${number}`) });
    const exchange = await world.send(isolate, { method: 'POST', path: '/v1/lookup/batch', key: tenant.key, body });
    const answers = exchange?.answer.json as { readonly results?: readonly LookupAnswer[] } | undefined;
    if (exchange === null || answers?.results === undefined) {
      world.broken('lookups are answered in calm weather', `${exchange?.answer.status}`);
      return;
    }
    for (const [i, { number }] of UNIVERSE.entries()) {
      checkAnswer(world, answers.results[i], asked(exchange, tenant, number, {}));
    }
  }
}

async function lookUp({ world, random, town, tell }: Scene, isolate: Isolate, query: Query): Promise<void> {
  const subject = pickNumber(random);
  const made = town.keys.length > 0 && random.chance(0.3) ? random.pick(town.keys) : null;
  const tenant = made === null ? random.pick(town.tenants) : { name: made.tenant, key: made.key };
  const parts = JSON.stringify(query) === '{}' ? '' : ` ${JSON.stringify(query)}`;
  tell(`${tenant.name} looks up +${subject.number}${parts} in ${isolate.name}`);
  const exchange = await world.send(isolate, { ...requestOf(subject, query, random), key: tenant.key });
  if (exchange === null) return;
  if (made !== null) checkKey(world, exchange, made.id);
  const { status, json } = exchange.answer;
  if (status === 401 && made !== null) return;
  const about = asked(exchange, tenant, subject.number, query);
  if (status === 200) checkAnswer(world, json as LookupAnswer, about);
  else if (status === 404 && typeof query.asOf === 'number') checkNotRetained(world, about);
  else if (status !== 503) world.broken('a lookup is answered', `${status}: ${JSON.stringify(json)}`);
}

/** A key is good from when it was made until it is deleted, but for the time that this takes to get around. */
function checkKey(world: World, { isolate, sentAt, answeredAt, answer }: Exchange, id: string): void {
  const isCalm = isolate.isCalmSince(sentAt - 2 * KEYS_KNOWN_MS);
  const was = (fromMs: number) => inForce(world.configuration.keys, fromMs, answeredAt).map(({ ids }) => ids.has(id));
  if (answer.status === 401 && was(sentAt - KEYS_KNOWN_MS).every((isThere) => isThere)) {
    world.broken('a key that is there is good', `${id} in ${isolate.name}`);
  }
  const lagMs = isCalm ? KEYS_KNOWN_MS : KEYS_KNOWN_AT_LAST_MS;
  if (answer.status === 200 && !was(sentAt - lagMs).some((isThere) => isThere)) {
    world.broken('a deleted key is refused', `${id} in ${isolate.name}`);
  }
}

/** By GET as guards ask, by GET with a spelling of its own, or by POST: the answer is the same. */
function requestOf(subject: UniverseNumber, query: Query, random: Random): Omit<Sent, 'key'> {
  if (random.chance(0.4)) {
    const body = JSON.stringify({ ...spelled(subject, random), ...query });
    return { method: 'POST', path: '/v1/lookup', body };
  }
  const isPlain = random.chance(0.5);
  const asked = isPlain ? { number: `+${subject.number}` } : spelled(subject, random);
  const fields = Object.entries({ ...asked, ...query }).map(([name, value]) => `${name}=${encodeURIComponent(value)}`);
  return { method: 'GET', path: `/v1/lookup?${fields.join('&')}` };
}

function asked(
  exchange: Omit<Exchange, 'answer'>,
  tenant: Pick<Tenant, 'name'>,
  number: number,
  { evidence, receipt, asOf }: Query,
): Asked {
  const { isolate, sentAt, answeredAt, floor } = exchange;
  const moment = asOf === undefined ? null : typeof asOf === 'number' ? { generation: asOf } : { day: dayOfDate(asOf) };
  return {
    isolate,
    sentAt,
    answeredAt,
    floor,
    tenant: tenant.name,
    number,
    evidence: evidence === true,
    receipt: receipt === true,
    asOf: moment,
  };
}

// Briefings of all kinds of periods, against plain sets.

export const briefing: Actor = async (scene) => {
  const { world, random, town } = scene;
  const today = dayOfMs(world.now);
  const last = today - random.below(random.chance(0.7) ? 4 : 60);
  const period = { from: last - random.below(random.chance(0.7) ? 7 : 40), to: last };
  // The same again, most of the time: what was kept of it may not hold any more.
  const { from, to } = town.periods.length > 0 && random.chance(0.6) ? random.pick(town.periods) : period;
  town.periods.push({ from, to });
  await read(scene, { from, to }, random.pick(town.tenants), world.anyIsolate(random));
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

// A replica: isolates that bring it up to date, several at once, and isolates that answer from it.

export const sync: Actor = async (scene) => {
  const { random } = scene;
  const isolate = random.chance(0.5) ? scene.world.replicaIsolate(0) : scene.world.newReplicaIsolate();
  await syncIn(scene, isolate);
};

async function syncIn({ world, tell }: Pick<Scene, 'world' | 'tell'>, isolate: ReplicaIsolate): Promise<boolean> {
  tell(`replica syncs in ${isolate.name}`);
  const done = world.limit(isolate, 'a sync');
  try {
    const report = await isolate.run(() => isolate.replica.sync());
    world.tell(`${isolate.name} sync ${report === null ? 'is stopped' : `ends at ${report.generation}`}`);
    return report?.complete === true;
  } catch (error) {
    world.tell(`${isolate.name} sync fails: ${String(error)}`);
    if (!(error instanceof ReplicaError) && isolate.isCalmSince(world.now - 60_000)) throw error;
    return false;
  } finally {
    done();
  }
}

export const replicaLookup: Actor = async (scene) => {
  const { world, random, tell } = scene;
  const isolate = world.replicaIsolate(random.below(2));
  const { number } = pickNumber(random);
  tell(`replica is asked for +${number} in ${isolate.name}`);
  await ask(scene, isolate, number);
};

async function ask({ world }: Pick<Scene, 'world'>, isolate: ReplicaIsolate, number: number): Promise<boolean> {
  const sentAt = world.now;
  const { floor } = isolate;
  const result = await isolate.run(() => isolate.replica.lookup({ number: `+${number}` }));
  if (result === null || !result.ok) return false;
  checkAnswer(world, result.answer as unknown as LookupAnswer, {
    isolate,
    sentAt,
    answeredAt: world.now,
    floor,
    tenant: world.replicaTenant,
    number,
    evidence: false,
    receipt: false,
    isReplica: true,
    asOf: null,
  });
  return true;
}

/** In calm weather, at the end: it catches up, and answers for everything. */
export async function catchUp({ world }: Town): Promise<void> {
  // Until no cache on the way has anything from before.
  await world.scheduler.sleep(SYNC_MS);
  const isolate = world.newReplicaIsolate();
  const scene = { world, tell: (what: string) => world.tell(what) };
  for (let syncs = 0; !(await syncIn(scene, isolate)); syncs++) {
    if (syncs === MOST_SYNCS) return world.broken('a replica catches up in calm weather', `not in ${MOST_SYNCS} syncs`);
    await world.scheduler.sleep(SYNC_MS);
  }
  for (const { number } of UNIVERSE) {
    if (!(await ask(scene, isolate, number))) world.broken('a replica in calm weather answers', `not for +${number}`);
  }
  const status = await isolate.replica.status();
  if (status?.generation !== world.model.current.generation) {
    world.broken('a replica catches up in calm weather', `it is at ${status?.generation}`);
  }
}

/** More than there can be slices, and the quarter of an hour in which an older generation is not believed. */
const MOST_SYNCS = 100;
const SYNC_MS = 60_000;
