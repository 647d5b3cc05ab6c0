/** The numbers that are asked for: those of a store, a sample of them, and a small store for where none was built. */

import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { CHANNELS, INDUSTRIES } from '../../src/format/attributes.ts';
import { BatchBuilder } from '../../src/format/batch.ts';
import type { SegmentEntry } from '../../src/format/manifest.ts';
import type { NumbersReader } from '../../src/format/numbers-reader.ts';
import { openNumbersSlice } from '../../src/format/numbers-slice.ts';
import { UNPACED } from '../../src/lib/cooperate.ts';
import { VERDICTS_BUDGET } from '../../src/lookup/columns.ts';
import { Snapshot } from '../../src/lookup/snapshot.ts';
import { DEFAULT_BUDGET, type MergeContext } from '../../src/merge/context.ts';
import { loadManifest } from '../../src/merge/publish.ts';
import { compactFully, drain } from '../../src/merge/rollback.ts';
import { parseNumber } from '../../src/phone/parse.ts';
import { WAITING_PREFIX } from '../../src/storage/keys.ts';
import { readColumn } from '../../src/storage/slices.ts';
import type { ObjectStore } from '../../src/storage/store.ts';
import { DirectoryObjectStore, DirectorySliceStore } from '../support/directory-store.ts';
import { Random } from '../support/random.ts';

// All numbers columns of a store's current generation: 30 MB for the whole inventory.

interface StoredSegment {
  readonly entry: SegmentEntry;
  readonly reader: NumbersReader;
}

export class StoredNumbers {
  readonly segments: readonly StoredSegment[];
  readonly #snapshot: Snapshot;
  readonly #readers: ReadonlyMap<string, NumbersReader>;

  constructor(snapshot: Snapshot, segments: readonly StoredSegment[]) {
    this.#snapshot = snapshot;
    this.segments = segments;
    this.#readers = new Map(segments.map(({ entry, reader }) => [entry.key, reader]));
  }

  has(number: number): boolean {
    return this.#snapshot.runs.some((run) => {
      const entry = run.segmentFor(number);
      return entry !== undefined && this.#readers.get(entry.key)?.has(number) === true;
    });
  }

  /** Other numbers in the same block, one by one: a check on what lookups say, not a way to find it. */
  neighbours(number: number, blockSize: number): number {
    const from = number - (number % blockSize);
    let count = 0;
    for (let other = from; other < from + blockSize; other++) if (other !== number && this.has(other)) count += 1;
    return count;
  }
}

export async function openStoredNumbers(objects: ObjectStore): Promise<StoredNumbers> {
  const { manifest } = await loadManifest(objects);
  const segments: StoredSegment[] = [];
  for (const entry of manifest.runs.flatMap((run) => run.segments)) {
    segments.push({ entry, reader: openNumbersSlice(await readColumn(objects, entry, 'numbers')) });
  }
  if (segments.length === 0) throw new Error('the store holds no numbers');
  return new StoredNumbers(new Snapshot(manifest), segments);
}

// The numbers that are asked for: listed ones of a store, and others of the same carrier ranges.

/** Of the isolate's budget for verdicts, so that the columns of the numbers asked for stay in memory. */
const WARM_SHARE = 0.75;
/** Replaced at random in a listed number to get another one of its range: the subscriber's part in most plans. */
const SUBSCRIBER_SPAN = 10 ** 6;
/** In dense ranges many a guess is listed too, or no valid number. */
const GUESSES_A_NUMBER = 1000;

/** Distinct numbers, each list in random order. */
export interface NumberSample {
  /** Listed, and of segments whose verdicts fit into the isolate's memory together. */
  readonly warm: readonly number[];
  /** Listed, of any segment; null if all of the store is warm. */
  readonly anywhere: readonly number[] | null;
  readonly unlisted: readonly number[];
}

/** @param count of numbers of each kind */
export function sampleNumbers(stored: StoredNumbers, random: Random, count: number): NumberSample {
  const { segments } = stored;
  const warm = warmSegments(segments, random);
  const anyListed = () => listedOf(segments, random);
  return {
    warm: distinct(count, () => listedOf(warm, random), isNumber),
    anywhere: warm.length === segments.length ? null : distinct(count, anyListed, isNumber),
    unlisted: distinct(
      count,
      () => {
        const near = anyListed();
        return near - (near % SUBSCRIBER_SPAN) + random.below(SUBSCRIBER_SPAN);
      },
      (number) => isNumber(number) && !stored.has(number),
    ),
  };
}

/** As many segments as fit, at random: a feed's traffic, too, asks for some ranges more than for others. */
function warmSegments(segments: readonly StoredSegment[], random: Random): readonly StoredSegment[] {
  const order = segments.map((segment) => ({ segment, at: random.next() })).sort((a, b) => a.at - b.at);
  const warm: StoredSegment[] = [];
  let bytes = 0;
  for (const { segment } of order) {
    bytes += segment.entry.verdicts.bytes;
    if (bytes > VERDICTS_BUDGET * WARM_SHARE) break;
    warm.push(segment);
  }
  return warm;
}

function listedOf(segments: readonly StoredSegment[], random: Random): number {
  const segment = segments[random.below(segments.length)];
  if (segment === undefined) throw new Error('no verdicts column fits into the budget');
  return segment.reader.select(random.below(segment.reader.count));
}

function isNumber(number: number): boolean {
  return parseNumber(`+${number}`).ok;
}

function distinct(count: number, guess: () => number, isWanted: (number: number) => boolean): number[] {
  const found = new Set<number>();
  for (let guesses = 0; found.size < count; guesses++) {
    if (guesses > count * GUESSES_A_NUMBER) throw new Error(`found only ${found.size} of ${count} numbers`);
    const number = guess();
    if (isWanted(number)) found.add(number);
  }
  return [...found];
}

// A store of some 200,000 numbers in a folder, made by the very code that merges uploads: enough for the lookup route,
// whose work hardly depends on how many numbers there are. As in service, a large run has a smaller, newer one beside
// it.

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
    pace: UNPACED,
    now: () => Date.now(),
    sleep: async () => undefined,
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
