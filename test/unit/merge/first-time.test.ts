import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CountingObjectStore } from '../../../bench/support/counting-stores.ts';
import { benchContext } from '../../../bench/support/inventory.ts';
import { attributesText } from '../../../src/format/attributes.ts';
import type { Run } from '../../../src/format/manifest.ts';
import { encodeSegment, numbersOffset } from '../../../src/format/segment.ts';
import { FormatError } from '../../../src/lib/bytes.ts';
import { UNPACED } from '../../../src/lib/cooperate.ts';
import { ColumnCache } from '../../../src/lookup/columns.ts';
import type { MergeContext } from '../../../src/merge/context.ts';
import { findKnown } from '../../../src/merge/first-time.ts';
import { MergeDictionary, SegmentBuilder } from '../../../src/merge/segment-builder.ts';
import { SegmentWriter } from '../../../src/merge/segment-writer.ts';
import { MemoryObjectStore, MemorySliceStore } from '../../../src/storage/memory.ts';
import { flipped } from '../format/support/damage.ts';

const TEXT = attributesText({
  ...{ label: 'modem_pool_card', channel: 'other', industry: null, project: null, link: null, source: null },
});

function newContext() {
  const objects = new CountingObjectStore(new MemoryObjectStore());
  let attempts = 0;
  const context = { ...benchContext({ objects, slices: new MemorySliceStore() }), randomId: () => `run${attempts++}` };
  return { objects, context };
}

/** A run of these numbers, in a segment for each ten thousand of them. */
async function runOf(context: MergeContext, numbers: Iterable<number>): Promise<Run> {
  const dictionary = new MergeDictionary();
  const attributes = dictionary.attributes.idOf(TEXT);
  const builder = new SegmentBuilder(dictionary, 10);
  const writer = new SegmentWriter(context);
  const flush = async () => {
    await writer.write(await encodeSegment(builder.peek(), UNPACED));
    builder.drop();
  };
  for (const number of Float64Array.from(numbers).sort()) {
    while (builder.begin(number)) await flush();
    builder.verdict(20_000, 20_000, 1, dictionary.profileOf(attributes));
    builder.entry(attributes, 1_728_000_000, 1_728_000_000, 1);
  }
  while (!builder.isEmpty) await flush();
  return { id: writer.attempt, newNumbers: 0, segments: (await writer.finish()).entries };
}

const ascending = (numbers: Iterable<number>) => Float64Array.from(new Set(numbers)).sort();
/** A number in each of so many ten-thousand-blocks. */
const spread = (count: number, offset: number) => Array.from({ length: count }, (_, i) => i * 10_000 + offset);

describe('which numbers are known', () => {
  test('are those of any run, however they are divided', async () => {
    const numbers = fc.uniqueArray(fc.integer({ min: 0, max: 200_000 }), { maxLength: 60 });
    await fc.assert(
      fc.asyncProperty(fc.array(numbers, { maxLength: 4 }), numbers, async (sets, looked) => {
        const { context } = newContext();
        const runs: Run[] = [];
        for (const set of sets) if (set.length > 0) runs.push(await runOf(context, set));
        const all = new Set(sets.flat());
        const wanted = ascending([...looked, ...(sets[0] ?? []).slice(0, 5)]);
        const known = await findKnown(context, runs, wanted);
        expect([...known.isKnown]).toEqual([...wanted].map((number) => Number(all.has(number))));
      }),
      { numRuns: 60 },
    );
  });

  test('are not looked for in smaller runs once the largest has them, and no column is read for them', async () => {
    const { context, objects } = newContext();
    const base = await runOf(context, [...spread(40, 1), ...spread(40, 2)]);
    const small = await runOf(context, spread(20, 1));
    const before = objects.counted.reads;
    const { isKnown } = await findKnown(context, [small, base], ascending(spread(40, 1)));
    expect(isKnown.every((one) => one === 1)).toBe(true);
    expect(objects.counted.reads - before).toBe(base.segments.length);
  });

  test('are not told of a column that is damaged anywhere in its slice', async () => {
    const { context } = newContext();
    const base = await runOf(context, spread(1, 1));
    const [entry] = base.segments;
    if (entry === undefined) throw new Error('there is no segment');
    const object = await context.objects.get(entry.key);
    if (object === null) throw new Error('there is no object');
    for (let at = 0; at < entry.numbers.bytes; at++) {
      await context.objects.put(entry.key, flipped(object.bytes, entry.offset + numbersOffset() + at));
      await expect(findKnown(context, [base], ascending([1])), `byte ${at}`).rejects.toThrow(FormatError);
    }
  });

  test('a kept column is not read again, and goes when no run has its segment any more', async () => {
    const { context, objects } = newContext();
    const columns = new ColumnCache({ ...context, waitUntil: () => {} });
    const kept: MergeContext = {
      ...context,
      numbers: {
        load: (entry) => columns.numbers.loadFromSegment(entry),
        retain: (entries) => columns.numbers.retain(entries),
      },
    };
    const base = await runOf(context, spread(40, 1));
    const [older, newer] = [await runOf(context, spread(20, 2)), await runOf(context, spread(30, 3))];
    const wanted = ascending(spread(40, 4));
    await findKnown(kept, [older, base], wanted);
    expect(columns.numbers.cache.size).toBe(base.segments.length + older.segments.length);
    const before = objects.counted.reads;
    await findKnown(kept, [newer, base], wanted);
    expect(objects.counted.reads - before).toBe(newer.segments.length);
    expect(columns.numbers.cache.size).toBe(base.segments.length + newer.segments.length);
    const bytes = [base, newer]
      .flatMap(({ segments }) => segments)
      .reduce((sum, { numbers }) => sum + numbers.bytes, 0);
    expect(columns.numbers.cache.bytes).toBe(bytes);
  });
});
