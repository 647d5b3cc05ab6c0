/**
 * Which kinds of blocks each country's numbers lie in. Over all countries the kinds keep their shares exactly. A small
 * plan (Hong Kong) has no room for many lone numbers, each of which takes a whole thousand-block: its numbers lie in
 * denser blocks, and countries with room take more of the lone ones.
 */
import { apportion } from './apportion.ts';
import { KINDS, LONE, MEAN_NUMBERS } from './kinds.ts';

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

/** Rounds to whole blocks: what does not fill one of a kind is carried on to the next kind, and last to lone numbers. */
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
