import fc from 'fast-check';

export const LARGEST = 999_999_999_999_999;

/** Ascending distinct numbers made of gaps of very different sizes: runs, dense stretches, leaps over 2^32. */
export const sortedSet = fc
  .tuple(
    fc.integer({ min: 0, max: 99_999_999 }),
    fc.array(
      fc.oneof(
        { weight: 4, arbitrary: fc.record({ gap: fc.constant(1), times: fc.integer({ min: 1, max: 300 }) }) },
        {
          weight: 3,
          arbitrary: fc.record({ gap: fc.integer({ min: 1, max: 4 }), times: fc.integer({ min: 1, max: 99 }) }),
        },
        {
          weight: 3,
          arbitrary: fc.record({ gap: fc.integer({ min: 5, max: 2 ** 20 }), times: fc.integer({ min: 1, max: 40 }) }),
        },
        {
          weight: 1,
          arbitrary: fc.record({
            gap: fc.integer({ min: 2 ** 28, max: 2 ** 34 }),
            times: fc.integer({ min: 1, max: 20 }),
          }),
        },
        { weight: 1, arbitrary: fc.record({ gap: fc.integer({ min: 2 ** 30, max: 2 ** 45 }), times: fc.constant(1) }) },
      ),
      { minLength: 1, maxLength: 12 },
    ),
  )
  .map(([first, steps]) => {
    const numbers = [first];
    let last = first;
    for (const { gap, times } of steps) {
      for (let i = 0; i < times && last + gap <= LARGEST; i++) {
        last += gap;
        numbers.push(last);
      }
    }
    return Float64Array.from(numbers);
  });

/** How many of the numbers are smaller than x. */
export function lowerBound(numbers: Float64Array, x: number): number {
  let low = 0;
  let high = numbers.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((numbers[middle] as number) < x) low = middle + 1;
    else high = middle;
  }
  return low;
}
