import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { attributesText } from '../../../src/format/attributes.ts';
import { blockStart, openSegment, SEGMENT_ALIGNMENT } from '../../../src/format/segment.ts';
import { Pacer, UNPACED } from '../../../src/lib/cooperate.ts';
import { fold, type RecordCursor } from '../../../src/merge/fold.ts';
import { MergeDictionary, type RecordSink, SegmentBuilder } from '../../../src/merge/segment-builder.ts';

const TEXT = attributesText({
  ...{ label: 'modem_pool_card', channel: 'other', industry: null, project: null, link: null, source: null },
});
const LIMIT = 6;
/** On both sides of where blocks begin, and no more in one than a segment has. */
const places = fc.uniqueArray(
  fc.tuple(fc.nat({ max: 12 }), fc.constantFrom(0, 1, 2, SEGMENT_ALIGNMENT - 1)).map(([block, at]) => {
    return block * SEGMENT_ALIGNMENT + at;
  }),
  { minLength: 1, maxLength: 40 },
);
const ascending = (numbers: readonly number[]) => [...numbers].sort((a, b) => a - b);

/** Whole ten-thousand-blocks while they fit. */
function cutsOf(numbers: readonly number[]): number[][] {
  const blocks = Object.values(Object.groupBy(numbers, blockStart)).map((block) => block ?? []);
  const segments: number[][] = [[]];
  for (const block of blocks) {
    const last = segments.at(-1) ?? [];
    if (last.length + block.length <= LIMIT) last.push(...block);
    else segments.push(block);
  }
  return segments;
}

/** A source of one record a number, which says that more must be loaded after every so many. */
class ListCursor implements RecordCursor {
  readonly #numbers: readonly number[];
  readonly #every: number;
  readonly #attributes: number;
  readonly #profile: number;
  #at = 0;
  #isLoaded = false;

  constructor(numbers: readonly number[], every: number, dictionary: MergeDictionary) {
    this.#numbers = numbers;
    this.#every = every;
    this.#attributes = dictionary.attributes.idOf(TEXT);
    this.#profile = dictionary.profileOf(this.#attributes);
  }

  get number(): number {
    if (!this.#isLoaded) throw new Error('a source is asked before it is loaded');
    return this.#numbers[this.#at] ?? Number.POSITIVE_INFINITY;
  }

  emit(sink: RecordSink): number {
    sink.verdict(20_000, 20_000, 1, this.#profile);
    sink.entry(this.#attributes, 1_728_000_000, 1_728_000_000, 1);
    return 1;
  }

  advance(): boolean {
    this.#at += 1;
    this.#isLoaded = this.#at % this.#every !== 0;
    return this.#isLoaded;
  }

  async load(): Promise<void> {
    this.#isLoaded = true;
  }
}

describe('segments are cut where ten-thousand-blocks begin', () => {
  test('by the builder', async () => {
    await fc.assert(
      fc.asyncProperty(places, async (list) => {
        const dictionary = new MergeDictionary();
        const builder = new SegmentBuilder(dictionary, LIMIT);
        const attributes = dictionary.attributes.idOf(TEXT);
        const cut: number[][] = [];
        const take = () => {
          cut.push([...builder.peek().numbers]);
          builder.drop();
        };
        for (const number of ascending(list)) {
          while (builder.begin(number)) take();
          builder.verdict(20_000, 20_000, 1, dictionary.profileOf(attributes));
        }
        while (!builder.isEmpty) take();
        expect(cut).toEqual(cutsOf(ascending(list)));
      }),
    );
  });

  test('by a fold of several sources, wherever they load and it gives way, and every record is counted once', async () => {
    const sources = fc.array(fc.tuple(places, fc.integer({ min: 1, max: 9 })), { minLength: 1, maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(sources, fc.integer({ min: 1, max: 9 }), async (all, limit) => {
        const dictionary = new MergeDictionary();
        const cursors = all.map(([list, every]) => new ListCursor(ascending(list), every, dictionary));
        let turns = 0;
        const pace = new Pacer(async () => {
          turns += 1;
        }, limit);
        const cut: number[][] = [];
        const sightings = new Map<number, number>();
        for await (const { segment } of fold(cursors, dictionary, pace, LIMIT)) {
          const { numbers, verdicts } = await openSegment(segment.file, UNPACED);
          cut.push([...numbers.all()]);
          numbers.all().forEach((number, rank) => void sightings.set(number, verdicts.sightings(rank)));
        }
        const flat = all.flatMap(([list]) => list);
        expect(cut).toEqual(cutsOf(ascending([...new Set(flat)])));
        for (const number of flat) expect(sightings.get(number)).toBe(flat.filter((one) => one === number).length);
        expect(turns).toBeGreaterThanOrEqual(Math.floor(flat.length / limit));
      }),
    );
  });

  test('a source that is out of number order is refused', async () => {
    const dictionary = new MergeDictionary();
    const cursors = [new ListCursor([5, 4], 9, dictionary)];
    await expect(fold(cursors, dictionary, UNPACED).next()).rejects.toThrow('is not in number order');
  });
});
