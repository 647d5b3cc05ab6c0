import fc from 'fast-check';
import { expect, test } from 'vitest';
import { sortedOrder } from '../../../src/lib/sorted.ts';

const numbers = fc.oneof(
  fc.array(fc.nat({ max: 20 })),
  fc.array(fc.integer({ min: 12_005_550_100, max: 12_005_559_999 })),
  fc.array(fc.maxSafeNat(), { maxLength: 300 }),
);

test('gives the order of a stable sort', () => {
  fc.assert(
    fc.property(numbers, (values) => {
      const expected = values.map((_, i) => i).sort((a, b) => (values[a] ?? 0) - (values[b] ?? 0) || a - b);
      expect([...sortedOrder(Float64Array.from(values), values.length)]).toEqual(expected);
    }),
    { numRuns: 500 },
  );
});

test('looks at the first numbers only', () => {
  expect([...sortedOrder(Float64Array.of(3, 1, 2, 0, 0), 3)]).toEqual([1, 2, 0]);
});
