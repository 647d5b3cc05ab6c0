/** Actors that upload, and what becomes of uploads: sent, sent again, merged by cron, withdrawn, released. */
import { CENSUS_CRON, HALF_MONTH_CRON } from '../../../../src/wiring/crons.ts';
import { feedOf } from '../feeds.ts';
import { type Generation, isInInventory } from '../model/generation.ts';
import { ADMIN_KEY, type Exchange } from '../world.ts';
import type { Actor, Scene, SentUpload } from './actor.ts';

// Uploads: new ones, ones sent again, and ones with another body under a key that was used.

interface Receipt {
  readonly batch: string;
  readonly accepted: number;
  readonly rejected: number;
  readonly errors: readonly { readonly line: number; readonly code: string }[];
}

export const upload: Actor = async (scene) => {
  const { town, world, random, tell } = scene;
  const upload = nextUpload(scene);
  const { feed, tenant, idempotencyKey } = upload;
  const { body } = feed;
  world.model.expect(body, { tenant: tenant.name, key: tenant.keyId });
  town.sent.push(upload);
  const isolate = world.anyIsolate(random);
  const keyed = idempotencyKey === null ? '' : ` with key ${idempotencyKey}`;
  tell(
    `${tenant.name} uploads ${body.lines} lines (${body.rejected.length} bad)${keyed}, body ${body.sha256.slice(0, 8)}`,
  );
  const exchange = await world.send(isolate, {
    method: 'POST',
    path: '/v1/detections',
    key: tenant.key,
    body: feed.bytes,
    headers: { ...feed.headers, ...(idempotencyKey === null ? undefined : { 'idempotency-key': idempotencyKey }) },
  });
  // The answer may also be lost on its way.
  if (exchange !== null && !random.chance(0.1)) check(scene, upload, exchange);
};

function nextUpload({ town, world, random, name }: Scene): SentUpload {
  const known = town.sent.length > 0 && random.chance(0.3) ? random.pick(town.sent) : null;
  // The same again, with the same key or with none; then both count.
  if (known !== null && random.chance(0.7)) return known;
  const feed = feedOf(random, name, world.now, world.plan.habits);
  if (known !== null) return { ...known, feed };
  const idempotencyKey = random.chance(0.5) ? `key of ${name}` : null;
  return { feed, tenant: random.pick(town.tenants), idempotencyKey };
}

function check({ town, world }: Scene, upload: SentUpload, { answer }: Exchange): void {
  const { feed, tenant, idempotencyKey } = upload;
  const { body } = feed;
  if (answer.status === 409) {
    const isOther = (sent: SentUpload) =>
      sent.idempotencyKey === idempotencyKey && sent.tenant === tenant && sent.feed.body.sha256 !== body.sha256;
    if (idempotencyKey === null || !town.sent.some(isOther)) {
      world.broken('a conflict takes another body with the key', `body ${body.sha256.slice(0, 8)}`);
    }
    return;
  }
  if (answer.status === 503) return;
  if (answer.status !== 202) {
    world.broken('an upload is accepted', `answered ${answer.status}: ${JSON.stringify(answer.json)}`);
    return;
  }
  const { batch, accepted, rejected, errors } = answer.json as Receipt;
  const found = JSON.stringify([accepted, rejected, errors.map(({ line, code }) => [line, code])]);
  const meant = [body.detections.length, body.rejected.length, body.rejected.map(({ line, code }) => [line, code])];
  if (found !== JSON.stringify(meant)) {
    world.broken('a receipt tells what was accepted', `expected ${JSON.stringify(meant)}, found ${found}`);
  }
  if (accepted === 0 && idempotencyKey === null) return;
  const stored = world.model.batches.get(batch);
  if (stored?.body.sha256 !== body.sha256) {
    world.broken('what is acknowledged is stored', `${batch} of body ${body.sha256.slice(0, 8)} is not`);
  }
  town.acknowledged.push({ ...upload, batch });
}

// Uploads after they were accepted: taken back, brought back, and listed with their states.

async function send({ world, random }: Scene, method: string, path: string): Promise<Exchange | null> {
  return world.send(world.anyIsolate(random), { method, path, key: ADMIN_KEY });
}

export const withdraw: Actor = async (scene) => {
  const { world, random, town, tell } = scene;
  const known = [...world.model.batches.keys()];
  if (known.length === 0) return tell('nothing is taken back: there is nothing');
  // The last uploads most: what was just seen to be wrong.
  const batch = known.at(-1 - Math.floor(random.next() ** 2 * known.length)) ?? '';
  world.model.askedToWithdraw.add(batch);
  tell(`batch ${batch} is taken back`);
  const exchange = await send(scene, 'POST', `/v1/batches/${batch}/withdraw`);
  if (exchange === null) return;
  const { status } = exchange.answer;
  const isKept = town.acknowledged.some((one) => one.batch === batch);
  if (status === 404 && isKept) world.broken('what is acknowledged is stored', `${batch} is not found`);
  if (status !== 200) return;
  const isKnown = world.model.between(exchange.sentAt, exchange.answeredAt).some((one) => one.withdrawn.has(batch));
  if (!isKnown) world.broken('an acknowledged change is in force', `withdrawal of ${batch}`);
};

export const bringBack: Actor = async (scene) => {
  const { world, random, tell } = scene;
  const aside = [...world.model.current.setAside.keys()];
  const known = aside.length > 0 && random.chance(0.9) ? aside : [...world.model.batches.keys()];
  if (known.length === 0) return tell('nothing is brought back: there is nothing');
  const batch = random.pick(known);
  world.model.askedToRelease.add(batch);
  tell(`batch ${batch} is brought back`);
  const exchange = await send(scene, 'POST', `/v1/batches/${batch}/release`);
  if (exchange?.answer.status !== 200) return;
  const all = world.model.between(exchange.sentAt, exchange.answeredAt);
  if (all.every(({ setAside }) => setAside.has(batch))) {
    world.broken('an acknowledged change is in force', `release of ${batch}`);
  }
};

interface Listed {
  readonly batches: readonly { readonly batch: string; readonly state: string }[];
  readonly next: string | null;
}

export const batches: Actor = async (scene) => {
  const { world, tell } = scene;
  tell('batches are listed');
  for (let after: string | null = ''; after !== null; ) {
    const query: string = after === '' ? '' : `?after=${encodeURIComponent(after)}`;
    const exchange = await send(scene, 'GET', `/v1/batches${query}`);
    if (exchange?.answer.status !== 200) return;
    const { sentAt, answeredAt } = exchange;
    const { batches: rows, next } = exchange.answer.json as Listed;
    const all = world.model.between(sentAt, answeredAt);
    for (const { batch, state } of rows) {
      const possible = all.flatMap((generation) => statesOf(generation, batch));
      if (possible.includes(state)) continue;
      world.broken('batches are listed as they are', `${batch}: expected ${possible.join(' or ')}, found ${state}`);
    }
    after = next;
  }
};

/** Of a batch that is merged for the inventory, all may be held. */
function statesOf(generation: Generation, batch: string): string[] {
  const { merged, setAside, replay, withdrawn, pending } = generation;
  if (withdrawn.has(batch)) return [pending.has(batch) ? 'withdrawing' : 'withdrawn'];
  if (setAside.has(batch)) return ['set-aside'];
  if (replay.has(batch) || !merged.has(batch)) return ['waiting'];
  return isInInventory(generation, batch) ? ['merged', 'held'] : [];
}

// What cron does: ticks, each in an isolate that serves or in one of its own, and the census.

const EVERY_MINUTE = '* * * * *';
const MOST_AT_ONCE = 3;

export const tick: Actor = (scene) => cron(scene, EVERY_MINUTE);

export const census: Actor = (scene) => cron(scene, scene.random.chance(0.5) ? CENSUS_CRON : HALF_MONTH_CRON);

async function cron({ world, random, tell }: Scene, what: string): Promise<void> {
  if (world.ticking >= MOST_AT_ONCE) return tell('no tick: three are under way');
  const isolate = random.chance(0.3) ? world.anyIsolate(random) : world.newIsolate();
  tell(`cron ${what} in ${isolate.name}`);
  world.ticking += 1;
  const done = world.limit(isolate, 'a cron handler');
  const outcome = await isolate.cron(what);
  done();
  world.ticking -= 1;
  world.tell(`${isolate.name} cron ${outcome === null ? 'is stopped' : outcome === 'done' ? 'is done' : 'fails'}`);
}
