import fc from 'fast-check';
import { expect, test } from 'vitest';
import { activityPartsOf } from '../../../src/format/activity.ts';
import { type Detection, parseAttributes } from '../../../src/format/attributes.ts';
import { type Batch, BatchBuilder, openBatch } from '../../../src/format/batch.ts';
import { only, without } from '../../../src/quality/excluded-rows.ts';
import { detection, fictionNumber } from '../../support/detections.ts';

const RECEIPT = { bodySha256: '', accepted: 0, rejected: 0, errors: [] };

function batchOf(detections: readonly Detection[]): Batch {
  const builder = new BatchBuilder();
  for (const one of detections) builder.add(one);
  return openBatch(builder.finish(RECEIPT));
}

/** Rows as text, without the numbering of attributes. */
function rowsOf(batch: Batch): string[] {
  return Array.from({ length: batch.rows }, (_, row) =>
    JSON.stringify([
      batch.numbers[row],
      batch.observedAt[row],
      batch.firstSeenAt[row],
      batch.sightings[row],
      batch.attributes[batch.attributesIndex[row] ?? -1],
    ]),
  );
}

test('a batch without some sources and numbers is the batch of the other detections', () => {
  fc.assert(
    fc.property(
      fc.array(detection, { maxLength: 60 }),
      fc.uniqueArray(fc.constantFrom(null, 'feed-1', 'feed-2')),
      (detections, sources) => {
        const leftOut = new Set(detections.slice(0, 3).map(({ number }) => number));
        const batch = batchOf(detections);
        const omission = {
          every: false,
          sources: new Set<string | null>(sources),
          numbers: new Map([['feed-1', leftOut]]),
        };
        const isOut = ({ source, number }: Detection) =>
          omission.sources.has(source) || (source === 'feed-1' && leftOut.has(number));
        const expected = batchOf(detections.filter((one) => !isOut(one)));
        const actual = without(batch, omission);
        expect(rowsOf(actual)).toEqual(rowsOf(expected));
        // No attributes of excluded rows: the merge would intern them.
        expect(actual.attributes.toSorted()).toEqual(expected.attributes.toSorted());
        for (const [i, text] of actual.attributes.entries()) {
          const kept = { key: actual.keys[i], linkHigh: actual.linkHigh[i], linkLow: actual.linkLow[i] };
          expect(kept).toEqual(activityPartsOf(parseAttributes(text)));
        }
        const own = detections.filter((one) => one.source === 'feed-1' && !leftOut.has(one.number));
        const all = detections.filter((one) => !leftOut.has(one.number));
        expect(rowsOf(only(batch, { source: null, every: true }, leftOut))).toEqual(rowsOf(batchOf(all)));
        expect(without(batch, { ...omission, every: true }).rows).toBe(0);
        expect(rowsOf(only(batch, { source: 'feed-1' }, leftOut))).toEqual(rowsOf(batchOf(own)));
      },
    ),
    { numRuns: 200 },
  );
});

test('nothing to leave out: the very same batch', () => {
  const batch = batchOf([]);
  expect(without(batch, { every: false, sources: new Set(), numbers: new Map() })).toBe(batch);
  expect(without(batch, { every: false, sources: new Set(['feed']), numbers: new Map() })).toBe(batch);
});

test('a project that looks like the end of attributes is no missing source', () => {
  const texts = ['["l","other",null,"x,null]",null,null,"feed"]', '["l","other",null,null,null,null,null]'];
  const builder = new BatchBuilder();
  for (const [i, text] of texts.entries()) {
    const seen = { number: fictionNumber(i), observedAt: 1_700_000_000, firstSeenAt: 1_700_000_000, sightings: 1 };
    builder.add({ ...seen, ...parseAttributes(text) });
  }
  const batch = openBatch(builder.finish(RECEIPT));
  expect(batch.attributes).toEqual(texts);
  expect(batch.keys.map(({ source }) => source)).toEqual(['feed', null]);
});
