import { expect, test } from 'vitest';
import { BatchBuilder, openBatch } from '../../../src/format/batch.ts';
import { finish } from '../../../src/lib/cooperate.ts';
import { withReleased } from '../../../src/merge/screen.ts';
import { EMPTY_LEDGER } from '../../../src/quality/ledger.ts';
import { fictionNumber, someDetections } from '../../support/detections.ts';

const SOURCES = 1_000;
const ROWS = 20_000;

function batchOfMany() {
  const builder = new BatchBuilder();
  someDetections(ROWS, 7).forEach((one, i) => {
    builder.add({ ...one, number: fictionNumber(i), source: `s-${i % SOURCES}` });
  });
  return openBatch(builder.finish({ bodySha256: '', accepted: ROWS, rejected: 0, errors: [] }));
}

test('canaries of released rows are noted source by source, and looked for once however many sources there are', () => {
  const batch = batchOfMany();
  const canaries = new Set([fictionNumber(3), fictionNumber(5), fictionNumber(1_003), 1]);
  let reads = 0;
  const numbers = new Proxy(batch.numbers, {
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name, target);
      // A method goes through all of them.
      reads += typeof value === 'function' ? ROWS : 1;
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  const noted = (of: { source: string | null; every?: true }) =>
    finish(withReleased(EMPTY_LEDGER, [{ id: 'b', of, batch: { ...batch, numbers } }], canaries)).leftOut;
  expect(noted({ source: null, every: true })).toEqual([
    { batch: 'b', source: 's-3', numbers: [fictionNumber(3), fictionNumber(1_003)] },
    { batch: 'b', source: 's-5', numbers: [fictionNumber(5)] },
  ]);
  expect(noted({ source: 's-5' })).toEqual([{ batch: 'b', source: 's-5', numbers: [fictionNumber(5)] }]);
  expect(noted({ source: 's-6' })).toEqual([]);
  expect(reads).toBeLessThan(1_000);
});

test('many canaries of released rows are noted in steps', () => {
  const batch = batchOfMany();
  const due = [{ id: 'b', of: { source: null, every: true as const }, batch }];
  let steps = 0;
  const noting = withReleased(EMPTY_LEDGER, due, new Set(batch.numbers));
  for (let step = noting.next(); step.done !== true; step = noting.next()) steps += 1;
  expect(steps).toBeGreaterThan(ROWS / 4);
});
