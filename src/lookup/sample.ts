/** Numbers drawn at random, to try a policy on. */
import type { SegmentEntry } from '../format/manifest.ts';
import { parseNumber } from '../phone/parse.ts';
import type { Finder } from './finder.ts';

/**
 * How many segments numbers are drawn from: each may have to be read, some 40 KiB. They are spread over the countries
 * of a run.
 */
const MAX_SEGMENTS = 16;
/**
 * How many of the last digits of a listed number are drawn anew: the result is of the same country, mostly of the same
 * carrier.
 */
const DRAWN_DIGITS = 6;
/** Draws for each number wanted: in crowded ranges several draws are listed numbers, or no valid ones. */
const DRAWS = 20;

export type RandomSource = () => number;

/** Numbers of the inventory, and numbers like them that are not listed. */
export interface Samples {
  readonly inventory: readonly number[];
  readonly clear: readonly number[];
}

/**
 * Clear numbers are drawn around listed ones, so some listed numbers are drawn in any case. Rejects when storage does
 * not answer.
 */
export async function sample(finder: Finder, inventory: number, clear: number, random: RandomSource): Promise<Samples> {
  const listed = await sampleInventory(finder, Math.max(inventory, clear), random);
  return { inventory: listed.slice(0, inventory), clear: await sampleClear(finder, listed, clear, random) };
}

/** Numbers of the inventory, at most `count`; fewer if it is small. Rejects when storage does not answer. */
export async function sampleInventory(finder: Finder, count: number, random: RandomSource): Promise<number[]> {
  const snapshot = await finder.snapshots.get();
  const entries = snapshot.runs.flatMap((run) => run.entries);
  const total = entries.reduce((sum, entry) => sum + entry.count, 0);
  if (total === 0 || count === 0) return [];
  const drawn = Array.from({ length: Math.min(MAX_SEGMENTS, count) }, () => entryAt(entries, random() * total));
  const found = new Set<number>();
  for (const [i, entry] of drawn.entries()) {
    const reader = await finder.columns.numbers.load(snapshot, entry);
    const share = Math.ceil(((i + 1) * count) / drawn.length) - Math.ceil((i * count) / drawn.length);
    for (let k = 0; k < share; k++) found.add(reader.select(Math.floor(random() * entry.count)));
  }
  return [...found];
}

/** The segment that has the record at this index of all records. */
function entryAt(entries: readonly SegmentEntry[], place: number): SegmentEntry {
  let rest = place;
  for (const entry of entries) {
    rest -= entry.count;
    if (rest < 0) return entry;
  }
  return entries.at(-1) as SegmentEntry;
}

/**
 * At most `count` numbers that are not listed. Each shares all but its last digits with one of `listed`, so that they
 * come from the countries and carriers of the inventory. A listed number around which no valid one is found gives none.
 */
export async function sampleClear(
  finder: Finder,
  listed: readonly number[],
  count: number,
  random: RandomSource,
): Promise<number[]> {
  if (listed.length === 0) return [];
  const found = new Set<number>();
  const range = 10 ** DRAWN_DIGITS;
  for (let draws = 0; found.size < count && draws < DRAWS; draws++) {
    const candidates = Array.from({ length: count - found.size }, () => {
      const base = listed[Math.floor(random() * listed.length)] as number;
      return base - (base % range) + Math.floor(random() * range);
    }).filter((number) => parseNumber(`+${number}`).ok);
    const findings = await finder.find(candidates, { evidence: false });
    candidates.forEach((number, i) => {
      if (findings[i]?.record === null) found.add(number);
    });
  }
  return [...found];
}
