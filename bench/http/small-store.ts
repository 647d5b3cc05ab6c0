/**
 * A store of some 200,000 numbers in a folder, made by the very code that merges uploads: enough for the lookup route,
 * whose work hardly depends on how many numbers there are. As in service, a large run has a smaller, newer one beside it.
 */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { BatchBuilder } from '../../src/format/batch.ts';
import { CHANNELS, INDUSTRIES } from '../../src/format/vocabulary.ts';
import { DEFAULT_BUDGET, type MergeContext } from '../../src/merge/context.ts';
import { compactFully, drain } from '../../src/merge/rebuild.ts';
import { parseNumber } from '../../src/number/parse.ts';
import { WAITING_PREFIX } from '../../src/store/keys.ts';
import { DirectoryObjectStore, DirectorySliceStore } from '../support/directory-store.ts';
import { Random } from '../support/random.ts';

const BASE_NUMBERS = 190_000;
const RECENT_NUMBERS = 10_000;
const BATCH_DETECTIONS = 100_000;
const LABELS = ['modem_pool_card', 'public_sms_receiver', 'reported_abuse'];
const LAST_SEEN_AT = Date.UTC(2025, 4, 30) / 1000;
const HISTORY_SECONDS = 500 * 86_400;

/** Mobile ranges of the countries with the most numbers; what is no valid number in them is left out. */
const RANGES: readonly (readonly [prefix: string, digitsLeft: number])[] = [
  ['1202', 7],
  ['1305', 7],
  ['1416', 7],
  ['1718', 7],
  ['63917', 7],
  ['63945', 7],
  ['8526', 7],
  ['8529', 7],
  ['62812', 8],
  ['62857', 8],
  ['8490', 7],
  ['8497', 7],
  ['447', 9],
  ['4915', 9],
  ['336', 8],
  ['9198', 8],
];

/** Fills a folder with `objects` and `slices`. */
export async function buildSmallStore(folder: string): Promise<void> {
  const random = new Random(20_250_530);
  const context = mergeContext(folder);
  const base = clusteredNumbers(random, BASE_NUMBERS);
  await merge(context, random, base);
  await compactFully(context);
  await merge(context, random, clusteredNumbers(random, RECENT_NUMBERS));
}

function mergeContext(folder: string): MergeContext {
  return {
    objects: new DirectoryObjectStore(join(folder, 'objects')),
    slices: new DirectorySliceStore(join(folder, 'slices')),
    now: () => Date.now(),
    delay: async () => undefined,
    randomId: randomUUID,
    log: () => undefined,
    budget: DEFAULT_BUDGET,
  };
}

/** Numbers as they are bought: a few to all of a block of 100, in a few blocks of 10,000, and some on their own. */
function clusteredNumbers(random: Random, count: number): number[] {
  const numbers = new Set<number>();
  while (numbers.size < count) {
    const [prefix, digitsLeft] = RANGES[random.below(RANGES.length)] as (typeof RANGES)[number];
    const size = 10 ** digitsLeft;
    const block = Number(prefix) * size + random.below(size / 10_000) * 10_000;
    if (!parseNumber(String(block)).ok) continue;
    const hundreds = 1 + random.below(20);
    for (let i = 0; i < hundreds; i++) {
      const hundred = block + random.below(100) * 100;
      // Cubed: most hundred-blocks have a few numbers, some nearly all.
      const density = random.next() ** 3;
      for (let k = 0; k < 100; k++)
        if (random.next() < density && parseNumber(String(hundred + k)).ok) numbers.add(hundred + k);
    }
  }
  return [...numbers].slice(0, count);
}

async function merge(context: MergeContext, random: Random, numbers: readonly number[]): Promise<void> {
  for (let from = 0; from < numbers.length; from += BATCH_DETECTIONS) {
    const builder = new BatchBuilder();
    for (const number of numbers.slice(from, from + BATCH_DETECTIONS)) {
      const firstSeenAt = LAST_SEEN_AT - random.below(HISTORY_SECONDS);
      builder.add({
        number,
        firstSeenAt,
        observedAt: firstSeenAt + random.below(LAST_SEEN_AT - firstSeenAt + 1),
        sightings: 1 + Math.floor(20 * random.next() ** 4),
        label: random.pick(LABELS),
        channel: random.pick(CHANNELS),
        industry: random.pick(INDUSTRIES),
        project: null,
        link: null,
        source: null,
      });
    }
    const receipt = { bodySha256: '', accepted: builder.count, rejected: 0, errors: [] };
    await context.objects.put(WAITING_PREFIX + context.randomId(), builder.finish(receipt));
  }
  await drain(context);
}
