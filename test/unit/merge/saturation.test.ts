/** Sums of sightings stop at 2^53 - 1, whatever the order and the layout, and no tick fails for them. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { attributesText, type Detection } from '../../../src/format/attributes.ts';
import { addCounts, MOST_COUNTED } from '../../../src/format/records.ts';
import { UNPACED } from '../../../src/lib/cooperate.ts';
import { dayOf } from '../../../src/lib/time.ts';
import { foldRecords } from '../../../src/lookup/record.ts';
import { fold, type RecordCursor } from '../../../src/merge/fold.ts';
import { NO_BATCHES } from '../../../src/merge/history.ts';
import { loadManifest, publish } from '../../../src/merge/publish-manifest.ts';
import { compactFully } from '../../../src/merge/rebuild.ts';
import { MergeDictionary, type RecordSink } from '../../../src/merge/segment-builder.ts';
import { SegmentWriter } from '../../../src/merge/segment-writer.ts';
import { tick } from '../../../src/merge/tick.ts';
import { someDetections } from '../../support/detections.ts';
import { actualInventory, compactedBytes, newWorld, upload, type World } from '../../support/world.ts';

const ONE = someDetections(1, 1)[0] as Detection;
const count = fc.oneof(
  fc.integer({ min: 1, max: MOST_COUNTED }),
  fc.integer({ min: MOST_COUNTED - 3, max: MOST_COUNTED }),
  fc.integer({ min: 2 ** 52 - 3, max: 2 ** 52 + 3 }),
);

test('a sum is the same in any order and any groups, exact up to the largest', () => {
  fc.assert(
    fc.property(fc.array(count, { minLength: 1, maxLength: 8 }), fc.integer({ min: 0 }), (counts, seed) => {
      const exact = counts.reduce((sum, one) => sum + BigInt(one), 0n);
      const expected = Number(exact < BigInt(MOST_COUNTED) ? exact : BigInt(MOST_COUNTED));
      expect(counts.reduce(addCounts)).toBe(expected);
      expect(counts.toReversed().reduce(addCounts)).toBe(expected);
      const cut = seed % counts.length;
      const parts = [counts.slice(0, cut), counts.slice(cut)].map((part) => part.reduce(addCounts, 0));
      expect(parts.reduce(addCounts)).toBe(expected);
    }),
    { numRuns: 2_000 },
  );
});

/** Records of one number, one after the other. */
class Records implements RecordCursor {
  number = Number.POSITIVE_INFINITY;
  readonly #counts: readonly number[];
  readonly #attributes: number;
  readonly #profile: number;
  #at = 0;

  constructor(counts: readonly number[], dictionary: MergeDictionary) {
    this.#counts = counts;
    this.#attributes = dictionary.attributes.idOf(attributesText(ONE));
    this.#profile = dictionary.profileOf(this.#attributes);
  }

  async load(): Promise<void> {
    this.number = this.#at < this.#counts.length ? ONE.number : Number.POSITIVE_INFINITY;
  }

  advance(): boolean {
    this.#at += 1;
    return false;
  }

  emit(sink: RecordSink): number {
    const sightings = this.#counts[this.#at] ?? 0;
    sink.verdict(dayOf(ONE.firstSeenAt), dayOf(ONE.observedAt), sightings, this.#profile);
    sink.entry(this.#attributes, ONE.firstSeenAt, ONE.observedAt, sightings);
    return 1;
  }
}

/** A store with a run for each list of counts, the newest first, that no tick made. */
async function storeWith(runs: readonly (readonly number[])[]): Promise<World> {
  const world = newWorld({ inlineRecords: 1 });
  const entries = [];
  for (const counts of runs) {
    const writer = new SegmentWriter(world);
    const dictionary = new MergeDictionary();
    for await (const { segment } of fold([new Records(counts, dictionary)], dictionary, UNPACED))
      await writer.write(segment);
    const written = await writer.finish();
    entries.push({
      id: writer.attempt,
      newNumbers: entries.length === runs.length - 1 ? 1 : 0,
      segments: written.entries,
    });
  }
  const base = await loadManifest(world.objects);
  await publish(world, base, { runs: entries }, NO_BATCHES);
  world.clock += 60_000;
  return world;
}

describe('a merge beyond the largest sum', () => {
  test('gives the same bytes however the records were divided into runs', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(count, { minLength: 1, maxLength: 6 }), fc.nat(), async (counts, seed) => {
        const cut = seed % counts.length;
        const layouts = [[counts], [counts.slice(cut), counts.slice(0, cut)], counts.toReversed().map((one) => [one])];
        const bytes: string[][] = [];
        for (const layout of layouts) {
          const world = await storeWith(layout.filter((run) => run.length > 0));
          await compactFully(world);
          bytes.push(await compactedBytes(world.objects));
        }
        expect(bytes[1]).toEqual(bytes[0]);
        expect(bytes[2]).toEqual(bytes[0]);
      }),
      { numRuns: 40 },
    );
  });

  test('is published by a tick, with the largest count, and the next ticks go on', async () => {
    for (const before of [MOST_COUNTED - 10, MOST_COUNTED]) {
      const world = await storeWith([[before]]);
      await upload(world, 'more', [{ ...ONE, sightings: 2 ** 32 - 1 }]);
      expect(await tick(world)).toMatchObject({ batches: 1, detections: 1 });
      await compactFully(world);
      world.clock += 60_000;
      await upload(world, 'next', someDetections(50, 2));
      await tick(world);
      const record = (await actualInventory(world.objects)).get(ONE.number);
      expect(record?.sightings).toBe(MOST_COUNTED);
    }
  });

  test('is answered likewise where the runs are not merged yet', () => {
    const record = { labels: [], channels: [], industries: [], firstDay: 1, lastDay: 2, sightings: MOST_COUNTED };
    expect(foldRecords(record, { ...record, sightings: 7 }).sightings).toBe(MOST_COUNTED);
  });
});
