/**
 * How many numbers each country has. The published order of origins is US/Canada, Philippines, Hong Kong, Indonesia,
 * Vietnam, then all others; the shares themselves are not published, and are chosen here to keep that order clear.
 */
import { apportion } from './apportion.ts';
import type { CountryRanges } from './ranges.ts';
import { SynthesisError } from './synthesis-error.ts';

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
