/** A phone number: E.164 as an integer, its country and its line type. */
import type { Refusal } from './refusal.ts';

/** What a number is used for, by the range of its number plan it lies in. */
export const LINE_TYPES = [
  'mobile',
  'fixed_line',
  'fixed_line_or_mobile',
  'voip',
  'toll_free',
  'premium_rate',
  'shared_cost',
  'personal_number',
  'pager',
  'uan',
  'voicemail',
  // It has a length that its plan allows, and lies in no range that the metadata knows: a new range, or nobody's.
  'unassigned',
  'unknown',
] as const;
export type LineType = (typeof LINE_TYPES)[number];

/** A number in an assigned range of its plan, or one of `lineType: 'unassigned'` where these are asked for. */
export interface PhoneNumber {
  /** E.164 digits as an integer: at most 15 digits, so below 2^53 and exact. */
  readonly number: number;
  /**
   * ISO 3166-1 alpha-2 by number plan; null for plans of no one country, such as +800, and for an unassigned number
   * where the digits do not tell the countries of its calling code apart.
   */
  readonly country: string | null;
  readonly lineType: LineType;
}

export type ParseResult = { readonly ok: true; readonly value: PhoneNumber } | Refusal;

/** ITU-T E.164: a number has at most 15 digits, country code included. */
export const MAX_E164_DIGITS = 15;
const MAX_E164 = 10 ** MAX_E164_DIGITS - 1;

/**
 * `+` and the digits. Nothing is padded: no country calling code starts with 0, so the integer holds every digit,
 * the zero of Italian fixed lines (`+3906…`) included.
 */
export function formatE164(number: number): string {
  if (!Number.isInteger(number) || number < 1 || number > MAX_E164) {
    // The value stays out of the message: it may be most of a real number.
    throw new RangeError(`expected E.164 digits as an integer of 1 to ${MAX_E164_DIGITS} digits`);
  }
  return `+${number}`;
}
