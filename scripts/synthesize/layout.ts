/**
 * The plan of an inventory: which thousand-blocks have numbers, of what kind, and which of them are captured again in
 * the fortnight. It holds counts only; a block's numbers are drawn anew whenever they are asked for.
 *
 * A country's blocks are taken in a pseudo-random order. Along that order come the blocks of its groups, one group for
 * each kind, and then the blocks that are free.
 */

import { hash32, Permutation, Random } from '../../bench/support/random.ts';
import { allocateKinds } from './allocate.ts';
import { apportion } from './apportion.ts';
import { BlockDrawer, KINDS, LONE } from './kinds.ts';
import { numbersByCountry, roomIn } from './origins.ts';
import type { CountryRanges } from './ranges.ts';
import { SynthesisError } from './synthesis-error.ts';
import type { SynthesisOptions } from './synthesis-options.ts';

/** Of a country's blocks, those the inventory should take at most; the others are for first-time numbers. */
const INVENTORY_BLOCKS = 0.75;

/** Blocks of one kind in one country. */
export interface Group {
  readonly country: number;
  readonly kind: number;
  /** Place of the first in the country's order. */
  readonly place: number;
  readonly blocks: number;
  /** The last block is cut short to so many numbers. */
  readonly lastSize: number;
  /** How many numbers of block 0, 1, … are captured again in the fortnight; of the others, none. */
  readonly recaptures: Uint16Array;
}

export interface Layout {
  readonly seed: number;
  readonly ranges: readonly CountryRanges[];
  /** The order in which each country's blocks are taken. */
  readonly orders: readonly Permutation[];
  readonly groups: readonly Group[];
  /** By country, the first place that is free. */
  readonly firstFree: readonly number[];
}

/** What a block's contents are drawn from. */
export function blockSeed(seed: number, country: number, place: number): number {
  return hash32(seed, country, place);
}

/** @throws SynthesisError if the number plans have no room for it */
export function planInventory(options: SynthesisOptions, ranges: readonly CountryRanges[]): Layout {
  const { seed } = options;
  const limits = ranges.map(({ blocks }) => roomIn(blocks));
  const numbers = numbersByCountry(options.numbers, 'inventory', ranges, limits);
  const byKind = allocateKinds(
    numbers,
    KINDS.map(({ share }) => share),
    ranges.map(({ blocks }) => Math.max(1, blocks * INVENTORY_BLOCKS)),
  );
  const captured = numbersByCountry(options.captured - options.firstTime, 'captured', ranges, numbers);
  const groups: Group[] = [];
  const firstFree = byKind.map((row, country) => {
    const planned = groupsOf(seed, country, row, captured[country] ?? 0);
    groups.push(...planned.groups);
    const most = ranges[country]?.blocks ?? 0;
    if (planned.end > most) throw new SynthesisError(`the number plans have no room for ${options.numbers} numbers`);
    return planned.end;
  });
  return {
    seed,
    ranges,
    orders: ranges.map(({ blocks }, i) => new Permutation(blocks, hash32(seed, i))),
    groups,
    firstFree,
  };
}

/**
 * @param captured how many numbers of them are captured again
 * @param place where the first block may be
 */
export function groupsOf(seed: number, country: number, numbersByKind: readonly number[], captured = 0, place = 0) {
  const groups: Group[] = [];
  const capturedByKind = apportion(captured, numbersByKind, numbersByKind) ?? [];
  let end = place;
  for (const [kind, numbers] of numbersByKind.entries()) {
    if (numbers === 0) continue;
    const sizes = new BlockSizes(seed, country, kind, end);
    const { blocks, lastSize } = sizes.count(numbers);
    const recaptures = recapturesOf(sizes, blocks, lastSize, numbers, capturedByKind[kind] ?? 0);
    groups.push({ country, kind, place: end, blocks, lastSize, recaptures });
    end += blocks;
  }
  return { groups, end };
}

/** The sizes of a group's blocks, each drawn anew. */
class BlockSizes {
  readonly #drawer = new BlockDrawer();
  readonly #random = new Random(0);
  readonly #seed: number;
  readonly #country: number;
  readonly #kind: number;
  readonly #place: number;

  constructor(seed: number, country: number, kind: number, place: number) {
    this.#seed = seed;
    this.#country = country;
    this.#kind = kind;
    this.#place = place;
  }

  at(block: number): number {
    if (this.#kind === LONE) return 1;
    this.#random.restart(blockSeed(this.#seed, this.#country, this.#place + block));
    return this.#drawer.drawSize(this.#kind, this.#random);
  }

  /** How many blocks it takes to hold so many numbers. */
  count(numbers: number): { readonly blocks: number; readonly lastSize: number } {
    if (this.#kind === LONE) return { blocks: numbers, lastSize: 1 };
    let left = numbers;
    for (let block = 0; ; block++) {
      const size = this.at(block);
      if (size >= left) return { blocks: block + 1, lastSize: left };
      left -= size;
    }
  }
}

/** From each block a quarter to all of its numbers, until there are enough; more where that would not do. */
function recapturesOf(
  sizes: BlockSizes,
  blocks: number,
  lastSize: number,
  numbers: number,
  captured: number,
): Uint16Array {
  const counts = new Uint16Array(Math.min(blocks, captured));
  let [left, numbersLeft, used] = [captured, numbers, 0];
  for (let block = 0; left > 0; block++) {
    const size = block === blocks - 1 ? lastSize : sizes.at(block);
    const quarters = 1 + (hash32(block, size) & 3);
    const least = Math.ceil((left * size) / numbersLeft);
    const count = Math.min(size, left, Math.max(Math.ceil((size * quarters) / 4), least));
    counts[block] = count;
    left -= count;
    numbersLeft -= size;
    used = block + 1;
  }
  return counts.slice(0, used);
}
