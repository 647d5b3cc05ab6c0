/** Actors that operate: overrides, policies, keys, rollbacks, decisions on sources, canaries. */

import { pickNumber } from '../feeds.ts';
import type { Isolate } from '../isolate.ts';
import { DAY_SECONDS, instantOf } from '../model/calendar.ts';
import { EVERYBODY, inForce, overrideName, RULES_INDEX } from '../model/configuration.ts';
import { POLICIES } from '../model/detections.ts';
import { MANIFEST } from '../storage.ts';
import { ADMIN_KEY, type Exchange, type Sent, type World } from '../world.ts';
import type { Actor, Scene } from './actor.ts';

async function send(scene: Scene, request: Omit<Sent, 'key'>, key = ADMIN_KEY): Promise<Exchange | null> {
  return scene.world.send(scene.world.anyIsolate(scene.random), { ...request, key });
}

function json(method: string, path: string, body: unknown): Omit<Sent, 'key'> {
  return { method, path, body: JSON.stringify(body) };
}

/** Whose: a tenant's own, by its key, or everybody's, by the operator's. */
function owner({ random, town }: Scene): { readonly name: string; readonly key: string; readonly query: string } {
  if (random.chance(0.3)) return { name: EVERYBODY, key: ADMIN_KEY, query: 'tenant=*' };
  const { name, key } = random.pick(town.tenants);
  return { name, key, query: '' };
}

export const override: Actor = async (scene) => {
  const { world, random, tell } = scene;
  const { name, key, query } = owner(scene);
  const { number } = pickNumber(random);
  if (random.chance(0.3)) {
    tell(`${name} deletes its override of +${number}`);
    world.configuration.asked.rules.add(overrideName(name, number));
    const path = `/v1/overrides?number=%2B${number}${query === '' ? '' : `&${query}`}`;
    const exchange = await send(scene, { method: 'DELETE', path }, key);
    if (exchange?.answer.status !== 204) return;
    // It may be older rules that had none: only those that come with this answer tell.
    return believe(world, exchange, (rules) => !(rules.overrides.get(name) ?? []).some((one) => one.number === number));
  }
  const list = random.chance(0.5) ? 'allow' : 'block';
  const lifeSeconds = random.chance(0.5) ? random.below(300) + 60 : random.below(40 * DAY_SECONDS) + 60;
  const expiresAt = random.chance(0.5) ? null : Math.floor(world.now / 1000) + lifeSeconds;
  tell(`${name} puts +${number} on its ${list} list${expiresAt === null ? '' : ` until ${instantOf(expiresAt)}`}`);
  const body = {
    number: `+${number}`,
    list,
    reason: 'simulated',
    expiresAt: expiresAt === null ? null : instantOf(expiresAt),
  };
  const exchange = await send(scene, json('PUT', `/v1/overrides${query === '' ? '' : `?${query}`}`, body), key);
  if (exchange?.answer.status !== 200) return;
  const expiresAtMs = expiresAt === null ? null : expiresAt * 1000;
  believe(world, exchange, (rules) =>
    (rules.overrides.get(name) ?? []).some(
      (one) => one.number === number && one.list === list && one.expiresAt === expiresAtMs,
    ),
  );
};

export const policy: Actor = async (scene) => {
  const { random, tell, world } = scene;
  const { name, key, query } = owner(scene);
  const at = 1 + random.below(POLICIES.length - 1);
  const chosen = POLICIES[at];
  tell(`${name} puts policy ${at}`);
  const path = `/v1/policy${query === '' ? '' : `?${query}`}`;
  const exchange = await send(scene, json('PUT', path, chosen?.source), key);
  if (exchange?.answer.status === 200) believe(world, exchange, (rules) => rules.policies.get(name) === chosen);
};

/**
 * A change that was acknowledged is in force, and the isolate that it went through knows. Its edge Worker looks at
 * storage before the answer goes out, and if that fails, again before it decides the next time.
 */
function believe(
  world: World,
  { isolate, sentAt, answeredAt }: Exchange,
  has: (rules: World['configuration']['rules'][number]) => boolean,
): void {
  const found = inForce(world.configuration.rules, sentAt, answeredAt).find(has);
  if (found === undefined) world.broken('an acknowledged change is in force', `of rules, by ${isolate.name}`);
  else if (isolate.isCalmSince(sentAt, [RULES_INDEX])) isolate.raise({ rules: found.version });
  else isolate.raise({ changed: { rules: found.version, atMs: answeredAt } });
}

export const key: Actor = async (scene) => {
  const { world, random, town, tell } = scene;
  const known = town.keys.length > 0 && random.chance(0.5) ? random.pick(town.keys) : null;
  if (known === null) {
    const tenant = random.pick(town.tenants).name;
    tell(`a key for ${tenant} is made`);
    const exchange = await send(scene, json('POST', '/v1/keys', { name: 'simulated', scopes: ['lookup'], tenant }));
    if (exchange?.answer.status !== 201) return;
    const made = exchange.answer.json as { readonly id: string; readonly key: string };
    if (!inForce(world.configuration.keys, exchange.sentAt, exchange.answeredAt).some(({ ids }) => ids.has(made.id))) {
      world.broken('an acknowledged change is in force', `key ${made.id}`);
    }
    town.keys.push({ ...made, tenant });
    return;
  }
  tell(`key ${known.id} is deleted`);
  world.configuration.asked.keys.add(known.id);
  const exchange = await send(scene, { method: 'DELETE', path: `/v1/keys/${known.id}` });
  if (exchange?.answer.status !== 204) return;
  if (inForce(world.configuration.keys, exchange.sentAt, exchange.answeredAt).every(({ ids }) => ids.has(known.id))) {
    world.broken('an acknowledged change is in force', `deletion of key ${known.id}`);
  }
};

export const rollback: Actor = async (scene) => {
  const { world, random, tell } = scene;
  const { retained } = world.model.current;
  if (retained.size === 0) return tell('no rollback: nothing is retained');
  // Most are of the last few; any may be gone by the time that it is asked for.
  const known = [...retained];
  const target = random.chance(0.6)
    ? (known.at(-1 - random.below(Math.min(3, known.length))) ?? 1)
    : random.pick(known);
  const requeue = random.chance(0.5);
  world.model.rollbacks.push({ target, requeue });
  tell(`rollback to ${target}${requeue ? ' with requeue' : ''}`);
  const exchange = await send(scene, json('POST', '/v1/rollback', { generation: target, requeue }));
  if (exchange?.answer.status !== 200) return;
  const made = exchange.answer.json as { readonly generation: number };
  const generation = world.model.generation(made.generation);
  if (generation === undefined || generation.committedAt > exchange.answeredAt) {
    world.broken('an acknowledged change is in force', `rollback as generation ${made.generation}`);
  } else believeGeneration(exchange, made.generation);
};

/** What was published at the asking of an isolate is what it answers from, unless its look at the manifest failed. */
function believeGeneration({ isolate, sentAt }: Exchange, generation: number): void {
  if (isolate.isCalmSince(sentAt, [MANIFEST])) isolate.raise({ generation });
}

export const release: Actor = (scene) => decideSource(scene, 'release');

export const drop: Actor = (scene) => decideSource(scene, 'drop');

async function decideSource(scene: Scene, decision: 'release' | 'drop'): Promise<void> {
  const { world, random, tell } = scene;
  const cases = [...world.model.current.ledger.cases];
  const held = cases.filter(([, { isQuarantined }]) => isQuarantined);
  const candidates = held.length > 0 && random.chance(0.9) ? held : cases;
  const [name, one] = candidates[random.below(Math.max(1, candidates.length))] ?? [];
  if (name === undefined || one === undefined) return tell(`no ${decision}: nothing is held`);
  tell(`${decision} of source ${name}`);
  const exchange = await send(scene, json('POST', `/v1/sources/${decision}`, one.members));
  if (exchange?.answer.status !== 200) return;
  const { generation } = exchange.answer.json as { readonly generation: number };
  const made = world.model.generation(generation)?.ledger.cases.get(name);
  const isDone =
    decision === 'release' ? made?.isQuarantined !== true : made?.isQuarantined === true && made.held.size === 0;
  if (!isDone) world.broken('an acknowledged change is in force', `${decision} as generation ${generation}`);
  else believeGeneration(exchange, generation);
}

export const canary: Actor = async (scene) => {
  const { world, random, tell } = scene;
  const planted = [...(world.configuration.canaries.at(-1)?.numbers ?? [])];
  if (planted.length > 0 && random.chance(0.3)) {
    const number = random.pick(planted);
    tell(`canary +${number} is taken up`);
    world.configuration.asked.canaries.add(number);
    await send(scene, { method: 'DELETE', path: `/v1/canaries?number=%2B${number}` });
    return;
  }
  const { number } = pickNumber(random);
  tell(`canary +${number} is planted`);
  await send(scene, json('PUT', '/v1/canaries', { number: `+${number}`, note: 'simulated' }));
};

export const status: Actor = async (scene) => {
  const { world, random, tell } = scene;
  const path = random.pick([
    '/v1/status',
    '/v1/sources',
    '/v1/canaries',
    '/healthz',
    '/v1/keys',
    '/v1/audit',
    '/v1/overrides',
  ]);
  tell(`GET ${path}`);
  const exchange = await send(scene, { method: 'GET', path });
  if (exchange === null || exchange.answer.status !== 200 || path !== '/v1/status') return;
  const found = exchange.answer.json as StatusAnswer;
  const generation = world.model
    .between(exchange.sentAt, exchange.answeredAt)
    .find((one) => one.generation === found.generation);
  if (generation === undefined) {
    return world.broken('the status is that of the newest generation', `generation ${found.generation}`);
  }
  if (world.model.isUnsettled(generation)) return;
  const numbers = [...world.model.numbers()].filter((number) => world.model.rowsIn(generation, number).length > 0);
  const sources = [...generation.ledger.cases.values()].filter(({ isQuarantined }) => isQuarantined);
  const expected = [numbers.length, generation.setAside.size, sources.length, [...generation.retained]];
  const { inventory, setAside, quarantine, retained } = found;
  const told = [inventory.numbers, setAside.batches, quarantine.sources, retained.map((one) => one.generation)];
  if (JSON.stringify(told) === JSON.stringify(expected)) return;
  const detail = `expected ${JSON.stringify(expected)}, found ${JSON.stringify(told)} of generation ${found.generation}`;
  world.broken('the status counts what there is', detail);
};

/**
 * An isolate does not forget that storage has confirmed what it has: the age that it tells grows no faster than time.
 */
export async function checkHealth({ world }: Pick<Scene, 'world'>, isolate: Isolate): Promise<void> {
  const exchange = await world.send(isolate, { method: 'GET', path: '/healthz', key: ADMIN_KEY });
  if (exchange === null) return;
  const { floor, sentAt, answeredAt, answer } = exchange;
  const { generation, ageSeconds } = answer.json as HealthAnswer;
  if (generation === null || ageSeconds === null) return;
  const confirmed = { earliest: sentAt - (ageSeconds + 1) * 1000, latest: answeredAt - ageSeconds * 1000 };
  if (generation === floor.confirmed.generation && confirmed.latest < floor.confirmed.atMs) {
    const seconds = Math.round((floor.confirmed.atMs - confirmed.latest) / 1000);
    const detail = `generation ${generation} in ${isolate.name}, by ${seconds} s`;
    return world.broken('what was confirmed is not forgotten', detail);
  }
  const supersededAt = world.model.generation(generation)?.supersededAt ?? Number.POSITIVE_INFINITY;
  if (supersededAt < confirmed.earliest) {
    const seconds = Math.round((sentAt - supersededAt) / 1000);
    const detail = `generation ${generation} in ${isolate.name}: ${ageSeconds} s, superseded ${seconds} s before`;
    return world.broken('nothing seems younger than it is', detail);
  }
  isolate.raise({ confirmed: { generation, atMs: confirmed.earliest } });
}

interface HealthAnswer {
  readonly generation: number | null;
  readonly ageSeconds: number | null;
}

interface StatusAnswer {
  readonly generation: number;
  readonly inventory: { readonly numbers: number };
  readonly setAside: { readonly batches: number };
  readonly quarantine: { readonly sources: number };
  readonly retained: readonly { readonly generation: number }[];
}

export const evict: Actor = async ({ world, random, tell }) => {
  const isolate = world.anyIsolate(random);
  tell(`${isolate.name} is evicted`);
  isolate.evict();
};
