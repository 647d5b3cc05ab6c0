/** Briefings of a store in memory, through the real merge. */

import { createHash } from 'node:crypto';
import { Briefings } from '../../../src/briefing/briefings.ts';
import type { DaySpan } from '../../../src/briefing/period.ts';
import type { Detection } from '../../../src/format/attributes.ts';
import { parseDay } from '../../../src/lib/time.ts';
import { loadManifest } from '../../../src/merge/publish-manifest.ts';
import { tick } from '../../../src/merge/tick.ts';
import type { SyntheticRow } from '../../support/synthetic.ts';
import { newWorld, upload, type World } from '../../support/world.ts';

export type Dates = readonly [from: string, to: string];

export function spanOf([from, to]: Dates): DaySpan {
  return { from: parseDay(from) ?? 0, to: parseDay(to) ?? 0 };
}

/** Of a world, with what it logs. */
export function briefingsOf(world: World) {
  const { objects } = world;
  const events: string[] = [];
  const briefings = new Briefings({
    objects,
    manifest: async () => (await loadManifest(objects)).manifest,
    quarantined: async () => [],
    horizonDaysOf: () => 30,
    now: world.now,
    // Those who sleep at once wake at once.
    sleep: async (ms) => {
      const wakesAt = world.clock + ms;
      await new Promise((resolve) => setTimeout(resolve, 0));
      world.clock = Math.max(world.clock, wakesAt);
    },
    pace: world.pace,
    log: (event) => void events.push(event),
  });
  return { briefings, events };
}

/** Merges each list by a tick of its own. */
export async function merged(...lists: readonly (readonly Detection[])[]): Promise<World> {
  const world = newWorld();
  for (const list of lists) await merge(world, list);
  return world;
}

let uploads = 0;

export async function merge(world: World, detections: readonly Detection[]): Promise<void> {
  uploads += 1;
  await upload(world, `u${uploads}`, detections);
  world.clock += 60_000;
  await tick(world);
}

/** As an upload of it would be read. */
export function synthetic({ link, ...row }: SyntheticRow): Detection {
  if (link === null) return { ...row, link };
  return { ...row, link: { host: new URL(link).hostname, sha256: createHash('sha256').update(link).digest('hex') } };
}
