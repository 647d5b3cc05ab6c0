/**
 * Numbers to test with, made from the number plans themselves: no list of real people's numbers is needed, and every
 * country and line type has its share. Everything is a function of the seed.
 */

import fc from 'fast-check';
import metadata from 'libphonenumber-js/max/metadata';
import { Random } from '../../../bench/support/random.ts';

/** Positions in a plan and in its types, metadata version 4 (libphonenumber-js, source/metadata.js). */
const TYPES = 11;
const LENGTHS = 3;
export const TYPE_NAMES = [
  'FIXED_LINE',
  'MOBILE',
  'TOLL_FREE',
  'PREMIUM_RATE',
  'PERSONAL_NUMBER',
  'VOICEMAIL',
  'UAN',
  'PAGER',
  'VOIP',
  'SHARED_COST',
] as const;

export interface Sample {
  /** Alpha-2 code or, for non-geographic plans, the calling code. */
  readonly plan: string;
  readonly callingCode: string;
  /** The type whose pattern it was made from; the number may lie in another range as well. */
  readonly type: (typeof TYPE_NAMES)[number];
  /** International digits. */
  readonly digits: string;
}

const plans: readonly (readonly [string, readonly unknown[]])[] = [
  ...Object.entries(metadata.countries),
  ...Object.entries(metadata.nonGeographic),
] as [string, unknown[]][];

/** Up to `perRange` distinct numbers for each line type of each plan, of possible length. */
export function samplesOfEveryRange(perRange: number, seed: number): Sample[] {
  const samples: Sample[] = [];
  for (const [plan, raw] of plans) {
    const callingCode = String(raw[0]);
    const types = raw[TYPES] as readonly unknown[];
    for (const [index, type] of TYPE_NAMES.entries()) {
      const range = types[index];
      if (!Array.isArray(range) || range[0] === '') continue;
      const lengths = (range[1] || raw[LENGTHS]) as number[];
      const national = fc.stringMatching(new RegExp(`^(?:${range[0]})$`));
      for (const digits of new Set(fc.sample(national, { seed, numRuns: perRange }))) {
        if (lengths.includes(digits.length)) samples.push({ plan, callingCode, type, digits: callingCode + digits });
      }
    }
  }
  return samples;
}

/** A seeded generator of uniform integers in [0, n). */
export function randomIntegers(seed: number): (n: number) => number {
  const random = new Random(seed);
  return (n) => random.below(n);
}

/** The slips of writers and feeds: one digit wrong, missing, doubled or swapped, a trunk prefix, a wrong plan. */
export function mutated(sample: Sample, below: (n: number) => number): string {
  const { digits, callingCode } = sample;
  const at = below(digits.length);
  const national = digits.slice(callingCode.length);
  switch (below(7)) {
    case 0:
      return digits.slice(0, at) + below(10) + digits.slice(at + 1);
    case 1:
      return digits.slice(0, at) + digits.slice(at + 1);
    case 2:
      return digits.slice(0, at) + below(10) + digits.slice(at);
    case 3:
      return (
        digits.slice(0, at) +
        digits
          .slice(at, at + 2)
          .split('')
          .reverse()
          .join('') +
        digits.slice(at + 2)
      );
    case 4:
      return callingCode + ['0', '1', '8', '06', '15', '01', '80'][below(7)] + national;
    case 5:
      return plans[below(plans.length)]?.[1][0] + national;
    default:
      return callingCode + Array.from({ length: 3 + below(11) }, () => below(10)).join('');
  }
}
