import { synthesisOptions } from '../../../../bench/synthesize/layout.ts';
import { fortnightRows, inventoryRows } from '../../../support/synthetic.ts';

/** One in 200 of the published size: small enough to hold, large enough for every country and kind of block. */
export const SMALL = synthesisOptions({ numbers: 104_350 });
export const inventory = [...inventoryRows(SMALL)];
export const fortnight = [...fortnightRows(SMALL)];
const listed = new Set(inventory.map(({ number }) => number));
export const recaptured = fortnight.filter(({ number }) => listed.has(number));
export const firstTime = fortnight.filter(({ number }) => !listed.has(number));

export function countBy<T, K>(items: Iterable<T>, keyOf: (item: T) => K): Map<K, number> {
  const counts = new Map<K, number>();
  for (const item of items) counts.set(keyOf(item), (counts.get(keyOf(item)) ?? 0) + 1);
  return counts;
}
