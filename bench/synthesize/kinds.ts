/**
 * What a thousand-block with listed numbers looks like: numbers are bought in blocks, and most blocks have one.
 *
 * Fitted to the shared history of 2025-02-28 (105,449 valid-looking numbers): the shares are those of its numbers by
 * the count in their thousand-block (1, 2-3, 4-10, 11-30, 31-99, 100 and more), within the first three rows split by
 * the count in their hundred-block. The fills were chosen so that measureClustering (report.ts) of a synthetic
 * inventory agrees with the history; `npm run synthesize -- --report` prints both.
 */

import type { Random } from '../support/random.ts';
import { BLOCK_NUMBERS } from './number-ranges.ts';

/** Hundred-blocks of a thousand-block that are alike: how many, and how many numbers in each. */
interface Part {
  readonly hundreds: readonly [least: number, most: number];
  readonly fill: readonly [least: number, most: number];
}

interface Kind {
  /** Of the inventory's numbers. */
  readonly share: number;
  /** Of the fortnight's first-time numbers in blocks of which nothing was known: newcomers come singly more often. */
  readonly freshShare: number;
  /** The densest first, so that a block cut short stays dense. */
  readonly parts: readonly Part[];
}

/** From the densest to the loneliest. Each column of shares adds up to 1. */
export const KINDS: readonly Kind[] = [
  {
    share: 0.2895,
    freshShare: 0.12,
    parts: [
      { hundreds: [1, 3], fill: [97, 100] },
      { hundreds: [1, 2], fill: [70, 96] },
      { hundreds: [1, 3], fill: [31, 69] },
      { hundreds: [0, 2], fill: [11, 30] },
    ],
  },
  {
    share: 0.0603,
    freshShare: 0.03,
    parts: [
      { hundreds: [0, 1], fill: [70, 100] },
      { hundreds: [1, 2], fill: [31, 69] },
      { hundreds: [1, 2], fill: [11, 30] },
    ],
  },
  {
    share: 0.0292,
    freshShare: 0.03,
    parts: [
      { hundreds: [1, 2], fill: [11, 30] },
      { hundreds: [1, 1], fill: [4, 10] },
      { hundreds: [1, 1], fill: [2, 3] },
    ],
  },
  {
    share: 0.0563,
    freshShare: 0.05,
    parts: [
      { hundreds: [1, 2], fill: [5, 10] },
      { hundreds: [2, 3], fill: [2, 3] },
      { hundreds: [2, 2], fill: [1, 1] },
    ],
  },
  { share: 0.0204, freshShare: 0.03, parts: [{ hundreds: [1, 1], fill: [4, 10] }] },
  { share: 0.0336, freshShare: 0.03, parts: [{ hundreds: [2, 3], fill: [2, 3] }] },
  { share: 0.0237, freshShare: 0.03, parts: [{ hundreds: [4, 8], fill: [1, 1] }] },
  { share: 0.0312, freshShare: 0.04, parts: [{ hundreds: [1, 1], fill: [2, 3] }] },
  { share: 0.0564, freshShare: 0.06, parts: [{ hundreds: [2, 3], fill: [1, 1] }] },
  { share: 0.3994, freshShare: 0.58, parts: [{ hundreds: [1, 1], fill: [1, 1] }] },
];

/** The last kind: one number in a block, so that its size needs no drawing. */
export const LONE = KINDS.length - 1;

const middle = ([least, most]: readonly [number, number]): number => (least + most) / 2;

/** Expected numbers in a block of each kind. */
const MEAN_NUMBERS: readonly number[] = KINDS.map(({ parts }) =>
  parts.reduce((sum, { hundreds, fill }) => sum + middle(hundreds) * middle(fill), 0),
);

const HUNDREDS = 10;
const HUNDRED = 100;
const IN_ORDER = Uint8Array.from({ length: HUNDRED }, (_, i) => i);

/** Draws blocks; holds the scratch space for it. */
export class BlockDrawer {
  readonly #fills = new Uint8Array(HUNDREDS);
  readonly #order = new Uint8Array(HUNDREDS);
  readonly #places = new Uint8Array(HUNDRED);

  /** How many numbers `drawOffsets` will give, from a random source in the same state. */
  drawSize(kind: number, random: Random): number {
    return this.#drawFills(kind, random).size;
  }

  /**
   * Fills in which of a block's 1,000 numbers are taken, hundred by hundred, in no order within one.
   * @param offsets of length BLOCK_NUMBERS
   * @returns how many
   */
  drawOffsets(kind: number, random: Random, offsets: Uint16Array): number {
    const { count, size } = this.#drawFills(kind, random);
    const order = this.#order;
    for (let i = 0; i < HUNDREDS; i++) order[i] = i;
    let written = 0;
    for (let i = 0; i < count; i++) {
      const hundred = swapIn(order, i, random) * HUNDRED;
      const fill = this.#fills[i] ?? 0;
      if (fill === 1) {
        offsets[written++] = hundred + random.below(HUNDRED);
        continue;
      }
      this.#places.set(IN_ORDER);
      for (let j = 0; j < fill; j++) offsets[written++] = hundred + swapIn(this.#places, j, random);
    }
    return size;
  }

  #drawFills(kind: number, random: Random): { readonly count: number; readonly size: number } {
    let count = 0;
    let size = 0;
    for (const { hundreds, fill } of KINDS[kind]?.parts ?? []) {
      for (let left = random.between(hundreds[0], hundreds[1]); left > 0; left--) {
        const numbers = random.between(fill[0], fill[1]);
        this.#fills[count++] = numbers;
        size += numbers;
      }
    }
    return { count, size };
  }
}

/** One step of a Fisher-Yates shuffle: what comes to place `i`. */
function swapIn(values: Uint8Array, i: number, random: Random): number {
  const from = i + random.below(values.length - i);
  const value = values[from] ?? 0;
  values[from] = values[i] ?? 0;
  values[i] = value;
  return value;
}

/**
 * Numbers of a block that are not taken, from hundred-blocks where at least `leastTaken` are, in random order.
 * @param offsets those taken
 */
export function spareOffsets(offsets: Uint16Array, leastTaken: number, random: Random): number[] {
  const taken = new Uint8Array(BLOCK_NUMBERS);
  const perHundred = new Uint8Array(HUNDREDS);
  for (const offset of offsets) {
    taken[offset] = 1;
    const hundred = Math.floor(offset / HUNDRED);
    perHundred[hundred] = (perHundred[hundred] ?? 0) + 1;
  }
  const spare: number[] = [];
  for (let offset = 0; offset < BLOCK_NUMBERS; offset++) {
    if (taken[offset] === 0 && (perHundred[Math.floor(offset / HUNDRED)] ?? 0) >= leastTaken) spare.push(offset);
  }
  for (let i = 0; i < spare.length; i++) {
    const from = i + random.below(spare.length - i);
    [spare[i], spare[from]] = [spare[from] ?? 0, spare[i] ?? 0];
  }
  return spare;
}

/**
 * Divides `total` into whole parts in proportion to `weights`, exactly: largest remainders first, then in order. No
 * part exceeds its limit; what does not fit goes to the others.
 * @returns null if the limits do not hold the total
 */
export function apportion(total: number, weights: readonly number[], limits?: readonly number[]): number[] | null {
  const parts: number[] = weights.map(() => 0);
  const full = weights.map((weight, i) => weight <= 0 || (limits?.[i] ?? total) <= 0);
  let left = total;
  // Each round but the last fills up at least one part.
  while (left > 0) {
    const open = weights.map((weight, i) => (full[i] ? 0 : weight));
    const weightSum = open.reduce((sum, weight) => sum + weight, 0);
    if (weightSum === 0) return null;
    const wanted = open.map((weight) => (left * weight) / weightSum);
    const over = wanted.findIndex((want, i) => !full[i] && want > (limits?.[i] ?? total));
    if (over === -1) return roundUp(parts, wanted, left, full, limits);
    for (const [i, want] of wanted.entries()) {
      const limit = limits?.[i] ?? total;
      if (full[i] || want <= limit) continue;
      parts[i] = limit;
      left -= limit;
      full[i] = true;
    }
  }
  return parts;
}

function roundUp(
  parts: number[],
  wanted: readonly number[],
  total: number,
  full: readonly boolean[],
  limits: readonly number[] | undefined,
): number[] | null {
  let left = total;
  const open = wanted.map((_, i) => i).filter((i) => !full[i]);
  for (const i of open) {
    parts[i] = Math.floor(wanted[i] ?? 0);
    left -= parts[i] ?? 0;
  }
  const remainder = (i: number): number => (wanted[i] ?? 0) % 1;
  open.sort((a, b) => remainder(b) - remainder(a) || a - b);
  for (const i of open) {
    if (left === 0) break;
    if ((parts[i] ?? 0) >= (limits?.[i] ?? total)) continue;
    parts[i] = (parts[i] ?? 0) + 1;
    left--;
  }
  return left === 0 ? parts : null;
}

// Which kinds of blocks each country's numbers lie in. Over all countries the kinds keep their shares exactly. A small
// plan (Hong Kong) has no room for many lone numbers, each of which takes a whole thousand-block: its numbers lie in
// denser blocks, and countries with room take more of the lone ones.

/** Halvings of the tilt, from MAX_TILT: enough to meet a limit within 1 in 10^6. */
const TILT_STEPS = 40;
/** At this tilt kinds count by their numbers a block, as nearly as it matters. */
const MAX_TILT = 2 ** 20;

/**
 * @param numbers by country
 * @param shares by kind
 * @param blockLimits how many blocks each country should take at most
 * @returns numbers by country and kind: whole blocks where they can be
 */
export function allocateKinds(
  numbers: readonly number[],
  shares: readonly number[],
  blockLimits: readonly number[],
): number[][] {
  const total = numbers.reduce((sum, n) => sum + n, 0);
  const left = apportion(total, shares) ?? KINDS.map(() => 0);
  const room = (country: number): number => (blockLimits[country] ?? 0) / Math.max(1, numbers[country] ?? 0);
  // Those with the least room first; the last one takes what is left, and has the most room.
  const countries = numbers.map((_, country) => country).sort((a, b) => room(a) - room(b) || a - b);
  const result: number[][] = numbers.map(() => KINDS.map(() => 0));
  for (const country of countries) {
    const row = wholeBlocks(
      numbers[country] ?? 0,
      targets(numbers[country] ?? 0, left, blockLimits[country] ?? 0),
      left,
    );
    result[country] = row;
    for (const [kind, n] of row.entries()) left[kind] = (left[kind] ?? 0) - n;
  }
  return result;
}

/** A share of each kind that is left, tilted to the denser ones as far as the limit of blocks asks. */
function targets(numbers: number, left: readonly number[], blockLimit: number): number[] {
  const untilted = tilted(numbers, left, 0);
  if (blocksOf(untilted) <= blockLimit) return untilted;
  let [low, high] = [0, MAX_TILT];
  for (let step = 0; step < TILT_STEPS; step++) {
    const tilt = (low + high) / 2;
    if (blocksOf(tilted(numbers, left, tilt)) <= blockLimit) high = tilt;
    else low = tilt;
  }
  return tilted(numbers, left, high);
}

function tilted(numbers: number, left: readonly number[], tilt: number): number[] {
  const weights = left.map((n, kind) => n / (1 + tilt / (MEAN_NUMBERS[kind] ?? 1)));
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return weights.map((weight) => (sum === 0 ? 0 : (numbers * weight) / sum));
}

function blocksOf(numbersByKind: readonly number[]): number {
  return numbersByKind.reduce((sum, n, kind) => sum + n / (MEAN_NUMBERS[kind] ?? 1), 0);
}

/**
 * Rounds to whole blocks: what does not fill one of a kind is carried on to the next kind, and last to lone numbers.
 */
function wholeBlocks(numbers: number, wanted: readonly number[], left: readonly number[]): number[] {
  const row = wanted.map(() => 0);
  let open = numbers;
  let carried = 0;
  for (let kind = 0; kind < LONE; kind++) {
    const mean = MEAN_NUMBERS[kind] ?? 1;
    // Carried is below 0 after a block with half a number in the mean was rounded up.
    const want = Math.max(0, Math.min((wanted[kind] ?? 0) + carried, left[kind] ?? 0, open));
    const taken = Math.min(open, Math.ceil(Math.floor(want / mean) * mean));
    carried += (wanted[kind] ?? 0) - taken;
    row[kind] = taken;
    open -= taken;
  }
  for (let kind = LONE; open > 0 && kind >= 0; kind--) {
    const taken = Math.min(open, (left[kind] ?? 0) - (row[kind] ?? 0));
    row[kind] = (row[kind] ?? 0) + taken;
    open -= taken;
  }
  return row;
}
