/** The numbers that are asked for: listed ones of a store, and others of the same carrier ranges. */
import { parseNumber } from '../../src/number/parse.ts';
import { VERDICTS_BUDGET } from '../../src/serve/column-cache.ts';
import type { Random } from '../support/random.ts';
import type { StoredNumbers, StoredSegment } from './stored-numbers.ts';

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
