/**
 * Small worlds at random: numbers of several plans, seen over some weeks, single and aggregated, in several uploads.
 */

import { Random } from '../../../bench/support/random.ts';
import {
  type Inventory,
  inventoryOf,
  type SegmentReader,
  storedSegments,
  type Wanted,
} from '../../../src/briefing/inventory.ts';
import { CHANNELS, type Detection, INDUSTRIES } from '../../../src/format/attributes.ts';
import { UNPACED } from '../../../src/lib/cooperate.ts';
import { loadManifest } from '../../../src/merge/publish-manifest.ts';
import { tick } from '../../../src/merge/tick.ts';
import { newWorld, upload } from '../../support/world.ts';

const DAY = 86_400;
/** 2025-04-01 to 2025-06-09. */
const FIRST_DAY = 20_179;
const DAYS = 70;

/** Reserved for fiction: NANP (US, CA, DO), British and Australian mobiles; and a made-up non-geographic one. */
const BASES = [12_025_550_100, 14_165_550_100, 18_095_550_100, 447_700_900_000, 61_491_570_100, 883_120_000_100];

export function random(seed: number): () => number {
  const source = new Random(seed);
  return () => source.next();
}

/** Few values of each, so that they meet: at the same second, too. */
export function randomDetections(count: number, seed: number): Detection[] {
  const next = random(seed);
  const below = (n: number) => Math.floor(next() * n);
  const pick = <T>(list: readonly T[]): T => list[below(list.length)] as T;
  return Array.from({ length: count }, () => {
    const observedAt = (FIRST_DAY + below(DAYS)) * DAY + below(12) * 3600;
    const hasLink = next() < 0.4;
    return {
      number: pick(BASES) + below(60),
      observedAt,
      firstSeenAt: next() < 0.2 ? observedAt - below(30 * DAY) : observedAt,
      sightings: 1 + below(3),
      label: pick(['modem_pool_card', 'public_sms_receiver']),
      channel: hasLink ? pick(['api_receiver', 'api_receiver', 'other'] as const) : pick(CHANNELS),
      industry: pick([null, ...INDUSTRIES]),
      project: pick([null, null, ...Array.from({ length: 30 }, (_, i) => `project-${i}`)]),
      link: hasLink
        ? {
            host: `codes-${below(3)}.example`,
            sha256: `${(1 + below(40)).toString(16).padStart(16, '0')}${'a'.repeat(48)}`,
          }
        : null,
      source: pick([null, 'feed-1']),
    };
  });
}

/** Runs with these detections, as a store has before they are joined: a number is in several of them. */
export async function mergedRuns(
  detections: readonly Detection[],
  count: number,
  wanted: Wanted = 'first days',
): Promise<Inventory> {
  const worlds = await Promise.all(
    Array.from({ length: count }, async (_, i) => {
      const world = newWorld();
      await upload(
        world,
        'u',
        detections.filter((_, at) => at % count === i),
      );
      await tick(world);
      return world;
    }),
  );
  const manifests = await Promise.all(worlds.map(async ({ objects }) => (await loadManifest(objects)).manifest));
  // By entry: keys of different stores are the same.
  const homes = new Map(
    manifests.flatMap(({ runs }, i) =>
      runs.flatMap(({ segments }) => segments.map((entry) => [entry, worlds[i]?.objects] as const)),
    ),
  );
  const reader: SegmentReader = (entry) => storedSegments(homes.get(entry) ?? newWorld().objects)(entry);
  return inventoryOf({ generation: 7, runs: manifests.flatMap(({ runs }) => runs) }, reader, wanted, UNPACED);
}
