import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { TURN_RECORDS } from '../../../src/lib/cooperate.ts';
import { SourceHeap, sortedOrder, toSortedSteps } from '../../../src/lib/sorted.ts';

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

test('a sort in steps is toSorted, equal ones as they stand, and no step is long', () => {
  const one = fc.record({ rank: fc.nat({ max: 50 }), id: fc.nat() });
  fc.assert(
    fc.property(fc.array(one, { minLength: 1, maxLength: 30 }), fc.nat({ max: 20 }), (some, times) => {
      // Of several chunks as a rule, each item an object of its own.
      const items = Array.from({ length: times * 20 }, () => some.map((item) => ({ ...item }))).flat();
      const compare = (a: (typeof items)[number], b: (typeof items)[number]) => a.rank - b.rank;
      let longest = 0;
      const steps = toSortedSteps(items, compare);
      let step = steps.next();
      for (; step.done !== true; step = steps.next()) longest = Math.max(longest, step.value);
      // By identity: the same items in the same places.
      const expected = items.toSorted(compare);
      expect(step.value.every((item, i) => item === expected[i])).toBe(true);
      expect([step.value.length, longest <= TURN_RECORDS]).toEqual([items.length, true]);
    }),
    { numRuns: 100 },
  );
});

describe('of several sources in order', () => {
  const sources = fc.array(
    fc.array(fc.nat({ max: 30 }), { maxLength: 12 }).map((each) => each.sort((a, b) => a - b)),
    { maxLength: 9 },
  );

  /** Takes everything, and returns it with the index of its source. */
  function drain(all: readonly number[][], isBefore?: (a: number, b: number) => boolean): [number, number][] {
    const at = all.map(() => 0);
    const keyOf = (index: number) => all[index]?.[at[index] ?? 0] ?? Number.POSITIVE_INFINITY;
    const heap = new SourceHeap(
      Float64Array.from(all, (_, index) => keyOf(index)),
      isBefore,
    );
    const taken: [number, number][] = [];
    for (let index = heap.first; index >= 0; index = heap.first) {
      taken.push([keyOf(index), index]);
      at[index] = (at[index] ?? 0) + 1;
      heap.advance(keyOf(index));
    }
    return taken;
  }

  test('everything comes in order, and of the same number that of the earlier source first', () => {
    fc.assert(
      fc.property(sources, (all) => {
        const expected = all.flatMap((each, index) => each.map((number): [number, number] => [number, index]));
        expect(drain(all)).toEqual(expected.sort((a, b) => a[0] - b[0] || a[1] - b[1]));
      }),
      { numRuns: 500 },
    );
  });

  test('or as the caller says', () => {
    fc.assert(
      fc.property(sources, (all) => {
        const expected = all.flatMap((each, index) => each.map((number): [number, number] => [number, index]));
        expect(drain(all, (a, b) => a > b)).toEqual(expected.sort((a, b) => a[0] - b[0] || b[1] - a[1]));
      }),
    );
  });
});
