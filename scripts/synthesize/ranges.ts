/**
 * Where each country's mobile numbers lie, from libphonenumber's metadata: thousand-blocks, numbered 0, 1, 2, …
 *
 * A prefix is kept only as far as numbers under it are read back as mobile (or as fixed line or mobile, where the plan
 * does not tell, as in the US) of that country: calling codes are shared, and some digits are taken for a trunk prefix.
 */
import metadata from 'libphonenumber-js/max/metadata';
import { hash32, Random } from '../../bench/support/random.ts';
import { MAX_E164_DIGITS } from '../../src/number/phone-number.ts';
import { readInternational } from '../../src/number/plan.ts';
import { completePrefixes, type Prefix } from './pattern.ts';

/** Numbers in a block, its last three digits: the wider of the two blocks that the neighbourhood is counted in. */
export const BLOCK_NUMBERS = 1000;
const BLOCK_DIGITS = 3;
/** No country has anywhere near so many mobiles in use; the open plans of AT and ID would list 5 * 10^11. */
const MAX_COUNTRY_NUMBERS = 10 ** 10;
/** Numbers tried under a prefix, besides one or more for each next digit. */
const TRIES = 20;

/** Positions in a plan of the metadata, version 4; the same as in src/number/plan.ts. */
const CALLING_CODE = 0;
const LENGTHS = 3;
const TYPES = 11;
const FIXED_LINE = 0;
const MOBILE = 1;

export class CountryRanges {
  readonly country: string;
  /** Count of thousand-blocks. */
  readonly blocks: number;
  /** First number of each range, and the count of blocks in those before it. */
  readonly #starts: Float64Array;
  readonly #blocksBefore: Float64Array;

  /** @param prefixes whole international numbers less their free digits, none of them the start of another */
  constructor(country: string, prefixes: readonly Prefix[]) {
    this.country = country;
    this.#starts = Float64Array.from(prefixes, ({ prefix, freeDigits }) => Number(prefix) * 10 ** freeDigits);
    this.#blocksBefore = new Float64Array(prefixes.length);
    let blocks = 0;
    for (const [i, { freeDigits }] of prefixes.entries()) {
      this.#blocksBefore[i] = blocks;
      blocks += 10 ** (freeDigits - BLOCK_DIGITS);
    }
    this.blocks = blocks;
  }

  /** The first number of a thousand-block. */
  firstNumber(block: number): number {
    let [low, high] = [0, this.#starts.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if ((this.#blocksBefore[middle] ?? 0) <= block) low = middle;
      else high = middle - 1;
    }
    return (this.#starts[low] ?? 0) + (block - (this.#blocksBefore[low] ?? 0)) * BLOCK_NUMBERS;
  }
}

/** All countries of the metadata that have at least one whole thousand-block of mobile numbers, in its order. */
export function mobileRanges(): CountryRanges[] {
  const plans: Readonly<Record<string, readonly unknown[]>> = metadata.countries;
  return Object.entries(plans)
    .map(([country, plan]) => new CountryRanges(country, prefixesOf(country, plan)))
    .filter(({ blocks }) => blocks > 0);
}

function prefixesOf(country: string, plan: readonly unknown[]): Prefix[] {
  const callingCode = String(plan[CALLING_CODE]);
  const types = arrayOf(plan[TYPES]);
  const mobile = arrayOf(types[MOBILE]);
  // The metadata leaves the mobile pattern out, or empty, where it is the fixed-line one.
  const type = mobile[0] ? mobile : arrayOf(types[FIXED_LINE]);
  const kept: Prefix[] = [];
  let numbers = 0;
  for (const length of arrayOf(type[1] || plan[LENGTHS]).map(Number)) {
    if (callingCode.length + length > MAX_E164_DIGITS) continue;
    const found = completePrefixes(String(type[0]), length, BLOCK_DIGITS);
    const size = found.reduce((sum, { freeDigits }) => sum + 10 ** freeDigits, 0);
    if (numbers + size > MAX_COUNTRY_NUMBERS) break;
    numbers += size;
    for (const { prefix, freeDigits } of found) {
      kept.push(...usablePart({ prefix: `${callingCode}${prefix}`, freeDigits }, country));
    }
  }
  return kept;
}

/** The prefix if every number tried under it is the country's, else the usable ones of its ten parts. */
function usablePart(range: Prefix, country: string): Prefix[] {
  const good = countUsable(range, country);
  if (good === TRIES) return [range];
  if (range.freeDigits === BLOCK_DIGITS) return [];
  const parts = Array.from({ length: 10 }, (_, digit) => ({
    prefix: `${range.prefix}${digit}`,
    freeDigits: range.freeDigits - 1,
  }));
  // A range that another country's plan takes whole would be followed down to its every block.
  return good === 0 ? [] : parts.flatMap((part) => usablePart(part, country));
}

function countUsable({ prefix, freeDigits }: Prefix, country: string): number {
  const random = new Random(hash32(Number(prefix) % 2 ** 31, freeDigits));
  let good = 0;
  for (let i = 0; i < TRIES; i++) {
    let digits = `${prefix}${i % 10}`;
    for (let j = 1; j < freeDigits; j++) digits += random.below(10);
    const read = readInternational(digits);
    if (read?.country === country && (read.lineType === 'mobile' || read.lineType === 'fixed_line_or_mobile')) good++;
  }
  return good;
}

function arrayOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
