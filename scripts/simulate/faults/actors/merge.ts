/** What cron does: ticks, each in an isolate that serves or in one of its own, and the census. */
import { CENSUS_CRON, HALF_MONTH_CRON } from '../../../../src/wiring/crons.ts';
import type { Actor, Scene } from './actor.ts';

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
