/** Uploads after they were accepted: taken back, brought back, and listed with their states. */
import { type Generation, isInInventory } from '../model/generation.ts';
import { ADMIN_KEY, type Exchange } from '../world.ts';
import { type Actor, pick, type Scene } from './actor.ts';

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
  const batch = pick(random, known);
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
