/**
 * The census: how many numbers are active. It is counted once a day by a walk through the inventory, and says on which
 * day each number will have been unseen for as long as its labels allow, so that no other walk is needed on the days
 * after.
 *
 * It is kept as one object, frame "RFCE" version 1 around the JSON. Until the next census the count is off by the
 * numbers that were seen again after they had aged out, or shortly before; by a change of the configured labels; and
 * after a rollback. Numbers delisted by an override are not subtracted.
 */
import * as v from 'valibot';
import { FormatError } from '../lib/bytes.ts';
import { framedJson } from '../lib/frame.ts';
import { count } from '../lib/schema.ts';
import { CENSUS_KEY } from '../storage/keys.ts';
import type { ObjectStore } from '../storage/store.ts';
import type { Inventory } from './inventory.ts';

/** A hundred years, the furthest horizon that can be configured. Numbers with a later day never age out. */
const MAX_DAYS = 36_500;

const schema = v.object({
  generation: count,
  /** UTC day since 1970 on which it was taken. */
  day: count,
  /** Distinct numbers of the inventory. */
  numbers: count,
  /** How many numbers become inactive so many days after `day`; at 0, how many were inactive then. */
  expiring: v.array(count),
});
const censusFile = framedJson('RFCE', 1, schema);

export type Census = Readonly<v.InferOutput<typeof schema>>;

/**
 * Rejects with StorageUnavailable when storage does not answer.
 *
 * @param horizonDaysOf days without a detection from which a number with these labels is inactive; infinity: never
 */
export async function censusOf(
  inventory: Inventory,
  day: number,
  horizonDaysOf: (labels: readonly string[]) => number,
): Promise<Census> {
  const { labelSets, generation } = inventory;
  const horizons: number[] = [];
  const expiring = new Float64Array(MAX_DAYS + 1);
  let numbers = 0;
  await inventory.walk(0, Number.POSITIVE_INFINITY, ({ lastDay, labels }, from, to) => {
    // New sets of labels turn up as segments are opened.
    for (let id = horizons.length; id < labelSets.size; id++) horizons.push(horizonDaysOf(labelSets.labels(id)));
    numbers += to - from;
    for (let i = from; i < to; i++) {
      const days = (lastDay[i] as number) + (horizons[labels[i] as number] as number) - day;
      if (days > MAX_DAYS) continue;
      const at = Math.max(0, days);
      expiring[at] = (expiring[at] as number) + 1;
    }
  });
  let length = expiring.length;
  while (length > 0 && expiring[length - 1] === 0) length -= 1;
  return { generation, day, numbers, expiring: [...expiring.subarray(0, length)] };
}

/**
 * The numbers that are active on a day, as far as the census knows; numbers that are new since then count as active.
 *
 * @param numbers distinct numbers of the inventory now
 */
export function activeOn(census: Census, day: number, numbers: number): number {
  const inactive = census.expiring.slice(0, Math.max(0, day - census.day) + 1).reduce((sum, each) => sum + each, 0);
  return Math.max(0, numbers - inactive);
}

export async function keepCensus(objects: ObjectStore, census: Census): Promise<void> {
  await objects.put(CENSUS_KEY, censusFile.encode(census));
}

/** null: there is no census, or none that can be read. Rejects when storage does not answer. */
export async function readCensus(objects: ObjectStore): Promise<Census | null> {
  const object = await objects.get(CENSUS_KEY);
  if (object === null) return null;
  try {
    return censusFile.decode(object.bytes);
  } catch (error) {
    // It is damaged, or of a later version: the next census replaces it.
    if (error instanceof FormatError) return null;
    throw error;
  }
}
