/** A replica: isolates that bring it up to date, several at once, and isolates that answer from it. */

import { ReplicaError } from '../../../../src/replica/errors.ts';
import { checkAnswer, type LookupAnswer } from '../check-answer.ts';
import type { ReplicaIsolate } from '../isolate.ts';
import { pickNumber, UNIVERSE } from '../universe.ts';
import type { Actor, Scene, Town } from './actor.ts';

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
