/** The numbers that are asked for: those of a store, a sample of them, and a small store for where none was built. */

import { cpSync } from 'node:fs';
import { join } from 'node:path';
import type { SegmentEntry } from '../../src/format/manifest.ts';
import type { NumbersReader } from '../../src/format/numbers-reader.ts';
import { VERDICTS_BUDGET } from '../../src/lookup/columns.ts';
import { Snapshot } from '../../src/lookup/snapshot.ts';
import { loadManifest } from '../../src/merge/publish-manifest.ts';
import { drain } from '../../src/merge/rebuild.ts';
import { parseNumber } from '../../src/phone/parse.ts';
import { WAITING_PREFIX } from '../../src/storage/keys.ts';
import { openNumbers } from '../../src/storage/slices.ts';
import type { ObjectStore } from '../../src/storage/store.ts';
import { batchOf, benchContext, ensureInventory, openStores, uploadsOf } from '../support/inventory.ts';
import type { Random } from '../support/random.ts';

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
    this.#readers = new Map(segments.map(({ entry, reader }) => [entry.numbers.sha256, reader]));
  }

  has(number: number): boolean {
    return this.#snapshot.runs.some((run) => {
      const entry = run.segmentFor(number);
      return entry !== undefined && this.#readers.get(entry.numbers.sha256)?.has(number) === true;
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
    segments.push({ entry, reader: await openNumbers(objects, entry) });
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

/**
 * Segments of a store that are asked for together, in their order. Another commit is asked for the same numbers, and
 * its segments may begin elsewhere: of single ones it would have two each, which do not fit.
 */
const NEIGHBOURS = 10;

/** As many segments as fit, at random: a feed's traffic, too, asks for some ranges more than for others. */
function warmSegments(segments: readonly StoredSegment[], random: Random): readonly StoredSegment[] {
  const places = Array.from({ length: Math.ceil(segments.length / NEIGHBOURS) }, () => random.next());
  const order = segments
    .map((segment, i) => ({ segment, at: places[Math.floor(i / NEIGHBOURS)] ?? 0 }))
    .sort((a, b) => a.at - b.at);
  const warm: StoredSegment[] = [];
  let bytes = 0;
  for (const { segment } of order) {
    bytes += segment.entry.verdictsBytes;
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

/**
 * A store of some 200,000 numbers in a folder: enough for the lookup route, whose work hardly depends on how many
 * numbers there are. As in service, a large run has a smaller, newer one beside it: the small inventory, and its
 * fortnight.
 */
export async function buildSmallStore(folder: string): Promise<void> {
  const inventory = await ensureInventory('small');
  for (const part of ['objects', 'slices'])
    cpSync(join(inventory.folder, part), join(folder, part), { recursive: true });
  const context = benchContext(openStores(folder));
  for (const [i, csv] of uploadsOf(inventory.fortnightCsv, 1).flat().entries()) {
    await context.objects.put(`${WAITING_PREFIX}${i}`, await batchOf(csv));
  }
  await drain(context);
}
