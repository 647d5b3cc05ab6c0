/**
 * How many of ascending numbers are smaller than one, which is also where it stands if it is among them.
 * @param size of the array, how many count
 */
export function lowerBound(numbers: Float64Array, number: number, size = numbers.length): number {
  let low = 0;
  let high = size;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((numbers[middle] as number) < number) low = middle + 1;
    else high = middle;
  }
  return low;
}
