/**
 * A store with clustered numbers, where no inventory has been built: written by the code that the merge writes with,
 * but with a made-up sighting or some for each number, of one and the same day.
 */

import { benchContext, type Stores } from '../../bench/support/inventory.ts';
import { Random } from '../../bench/support/random.ts';
import { EMPTY_MANIFEST, encodeManifest } from '../../src/format/manifest.ts';
import { encodeSegment } from '../../src/format/segment.ts';
import { UNPACED } from '../../src/lib/cooperate.ts';
import { MergeDictionary, SegmentBuilder } from '../../src/merge/segment-builder.ts';
import { SegmentWriter } from '../../src/merge/segment-writer.ts';
import { generationKey, MANIFEST_KEY, RETAINED_PREFIX } from '../../src/storage/keys.ts';
import { clusters } from './clusters.ts';

const ATTRIBUTES = '["modem_pool_card","otp_marketplace",null,null,null,null,null]';
const SEEN_AT = 1_748_600_000;
const DAY = 20_238;
const SEED = 7;

/** Numbers in clusters of up to a few hundred, with leaps as between number ranges. */
export function clusteredNumbers(count: number): Float64Array {
  return clusters(count, { length: 200, gap: 400, leapBits: 24 }, new Random(SEED));
}

/** Writes one run with these numbers, ascending, and publishes it. */
export async function writeStore(stores: Stores, numbers: Float64Array): Promise<void> {
  const context = { ...benchContext(stores), now: () => SEEN_AT * 1000, randomId: () => 'clustered' };
  const dictionary = new MergeDictionary();
  const attributes = dictionary.attributes.idOf(ATTRIBUTES);
  const profile = dictionary.profileOf(attributes);
  const builder = new SegmentBuilder(dictionary);
  const writer = new SegmentWriter(context);
  const flush = async () => {
    await writer.write(await encodeSegment(builder.peek(), UNPACED));
    builder.drop();
  };
  for (const number of numbers) {
    while (builder.begin(number)) await flush();
    // Two pages with the same verdicts would be one to whoever keeps them by their hash.
    const sightings = 1 + (number % 7);
    builder.verdict(DAY, DAY, sightings, profile);
    builder.entry(attributes, SEEN_AT, SEEN_AT, sightings);
  }
  while (!builder.isEmpty) await flush();
  const { entries } = await writer.finish();
  const run = { id: writer.attempt, newNumbers: numbers.length, segments: entries };
  const manifest = {
    ...EMPTY_MANIFEST,
    generation: 1,
    commit: writer.attempt,
    publishedAt: SEEN_AT * 1000,
    runs: [run],
  };
  const bytes = encodeManifest(manifest);
  await stores.objects.put(generationKey(RETAINED_PREFIX, manifest.generation, manifest.commit), bytes);
  await stores.objects.put(MANIFEST_KEY, bytes);
}
