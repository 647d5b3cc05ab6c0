/**
 * The plan of an inventory: which thousand-blocks have numbers, of what kind, and which of them are captured again in
 * the fortnight. It holds counts only; a block's numbers are drawn anew whenever they are asked for.
 *
 * A country's blocks are taken in a pseudo-random order. Along that order come the blocks of its groups, one group for
 * each kind, and then the blocks that are free.
 */

import { CommandError } from '../../scripts/command/errors.ts';
import { lowerBound } from '../../src/lib/sorted.ts';
import { hash32, Permutation, Random } from '../support/random.ts';
import { allocateKinds, apportion, BlockDrawer, KINDS, LONE } from './kinds.ts';
import { BLOCK_NUMBERS, type CountryRanges } from './number-ranges.ts';

/** Ends a synthesis with a message for the person at the terminal: a wish that the number plans cannot meet. */
export class SynthesisError extends CommandError {
  override readonly name = 'SynthesisError';
}

// What is to be synthesized. The published figures, or the same proportions at another size.

/**
 * The published inventory of active numbers, and of the fortnight 2025-05-16..30 the numbers captured and first seen.
 */
export const PUBLISHED = { numbers: 20_870_000, captured: 996_141, firstTime: 487_368 } as const;
/** Of the first-time numbers of the fortnight, by the channel of their first detection (published). */
export const FIRST_TIME_SHARES = { otp_marketplace: 0.8555, api_receiver: 0.1432 } as const;

export const DEFAULT_SEED = 1;
/** More than the plans' room for blocks like the real ones. */
const MAX_NUMBERS = 100_000_000;
/** 16 bytes of each captured number are held in memory. */
const MAX_CAPTURED = 10_000_000;
const MAX_SEED = 2 ** 32 - 1;

export interface SynthesisOptions {
  readonly seed: number;
  /** In the inventory. */
  readonly numbers: number;
  /** In the fortnight: first-time numbers and re-captures of the inventory's. */
  readonly captured: number;
  readonly firstTime: number;
}

/**
 * Fills in the defaults: `captured` in proportion to `numbers`, `firstTime` to `captured`.
 * @throws SynthesisError naming the option that cannot be
 */
export function synthesisOptions(given: Partial<SynthesisOptions> = {}): SynthesisOptions {
  const seed = checked('seed', given.seed ?? DEFAULT_SEED, 0, MAX_SEED);
  const numbers = checked('numbers', given.numbers ?? PUBLISHED.numbers, 1, MAX_NUMBERS);
  const captured = checked(
    'captured',
    given.captured ?? Math.round((numbers * PUBLISHED.captured) / PUBLISHED.numbers),
    0,
    MAX_CAPTURED,
  );
  const scaled = Math.round((captured * PUBLISHED.firstTime) / PUBLISHED.captured);
  // Numbers that are captured again must be in the inventory.
  const firstTime = checked('first-time', given.firstTime ?? scaled, Math.max(0, captured - numbers), captured);
  return { seed, numbers, captured, firstTime };
}

function checked(option: string, value: number, least: number, most: number): number {
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new SynthesisError(`expected --${option} as an integer from ${least} to ${most}; found ${value}`);
}

// How many numbers each country has. The published order of origins is US/Canada, Philippines, Hong Kong, Indonesia,
// Vietnam, then all others; the shares themselves are not published, and are chosen here to keep that order clear.

interface Share {
  readonly inventory: number;
  readonly captured: number;
}

const SHARES: Readonly<Record<string, Share>> = {
  US: { inventory: 0.2, captured: 0.21 },
  CA: { inventory: 0.04, captured: 0.04 },
  PH: { inventory: 0.09, captured: 0.12 },
  HK: { inventory: 0.065, captured: 0.09 },
  ID: { inventory: 0.055, captured: 0.07 },
  VN: { inventory: 0.05, captured: 0.055 },
};

/** Countries with fewer thousand-blocks hold few numbers: no more than lone ones would leave half the blocks free. */
const SMALL_COUNTRY_BLOCKS = 1000;
/** Numbers a thousand-block on average, at most, in larger countries: beyond it the clustering could not be kept. */
const MAX_MEAN_NUMBERS = 25;
/** Of all numbers, below which even one in every country would be out of proportion. */
const NUMBERS_PER_COUNTRY = 8;

/** Numbers that may be put in so many blocks. */
export function roomIn(blocks: number): number {
  return blocks < SMALL_COUNTRY_BLOCKS ? Math.ceil(blocks / 2) : blocks * MAX_MEAN_NUMBERS;
}

/**
 * Numbers by country, in the order of `ranges`, adding up to `total`.
 * @param limits the most each country can take
 */
export function numbersByCountry(
  total: number,
  of: keyof Share,
  ranges: readonly CountryRanges[],
  limits: readonly number[],
): number[] {
  const one = ranges.map((_, i) => (total >= NUMBERS_PER_COUNTRY * ranges.length && (limits[i] ?? 0) > 0 ? 1 : 0));
  const left = total - one.reduce((sum: number, n) => sum + n, 0);
  const named = Object.values(SHARES).reduce((sum, share) => sum + share[of], 0);
  // The rest by the root of what the plan can hold: large plans have more numbers, but not in proportion.
  const roots = ranges.map(({ country, blocks }) => (SHARES[country] === undefined ? Math.sqrt(blocks) : 0));
  const rootSum = roots.reduce((sum, root) => sum + root, 0);
  const weights = ranges.map(({ country }, i) => SHARES[country]?.[of] ?? ((1 - named) * (roots[i] ?? 0)) / rootSum);
  const rest = apportion(
    left,
    weights,
    limits.map((limit, i) => limit - (one[i] ?? 0)),
  );
  if (rest === null) throw new SynthesisError(`the number plans have no room for ${total} ${of} numbers`);
  return rest.map((n, i) => n + (one[i] ?? 0));
}

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
function blockSeed(seed: number, country: number, place: number): number {
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

// The blocks of a layout with their numbers, drawn one at a time in any order.

/** Room for one block at a time. */
export class Block {
  firstNumber = 0;
  /** What its numbers' dates and attributes are drawn from. */
  seed = 0;
  size = 0;
  /** How many, from the first in `offsets`, are captured again in the fortnight. */
  recaptured = 0;
  /** Which of its numbers are taken; `size` of them count. */
  readonly offsets = new Uint16Array(BLOCK_NUMBERS);
}

export class BlockReader {
  readonly #layout: Layout;
  readonly #drawer = new BlockDrawer();
  readonly #random = new Random(0);

  constructor(layout: Layout) {
    this.#layout = layout;
  }

  /** Fills in block `index` of a group. */
  read(group: Group, index: number, block: Block): void {
    const { seed, ranges, orders } = this.#layout;
    const place = group.place + index;
    block.firstNumber = ranges[group.country]?.firstNumber(orders[group.country]?.at(place) ?? 0) ?? 0;
    block.seed = blockSeed(seed, group.country, place);
    this.#random.restart(block.seed);
    const size = this.#drawer.drawOffsets(group.kind, this.#random, block.offsets);
    block.size = index === group.blocks - 1 ? group.lastSize : size;
    block.recaptured = group.recaptures[index] ?? 0;
  }
}

/** Finds blocks by their number over all groups. */
export class BlockIndex {
  readonly #groups: readonly Group[];
  readonly #blocksBefore: Float64Array;
  readonly blocks: number;

  constructor(groups: readonly Group[]) {
    this.#groups = groups;
    this.#blocksBefore = new Float64Array(groups.length);
    let blocks = 0;
    for (const [i, group] of groups.entries()) {
      this.#blocksBefore[i] = blocks;
      blocks += group.blocks;
    }
    this.blocks = blocks;
  }

  read(block: number, reader: BlockReader, into: Block): void {
    const at = lowerBound(this.#blocksBefore, block + 1) - 1;
    const group = this.#groups[at];
    if (group !== undefined) reader.read(group, block - (this.#blocksBefore[at] ?? 0), into);
  }
}
