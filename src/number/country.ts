import { type CountryCode, isSupportedCountry } from 'libphonenumber-js/max';

/** Two ASCII letters: `toUpperCase` alone would turn a lone `ß` into the code of South Sudan. */
const TWO_LETTERS = /^[A-Za-z]{2}$/;

/**
 * The upper-case code of a country that has a number plan in the metadata, or null. Either case is taken, since feeds
 * and forms write both; everything that leaves this module is upper case.
 */
export function countryOf(code: string): CountryCode | null {
  if (!TWO_LETTERS.test(code)) return null;
  const upper = code.toUpperCase();
  return isSupportedCountry(upper) ? upper : null;
}

/**
 * Whether a code, in either case, names a country with a number plan. That is ISO 3166-1 alpha-2 without the places
 * that have no plan of their own (AQ, BV, GS, HM, PN, TF, UM), and with AC, TA and XK, which ISO only reserves.
 */
export function isCountry(code: string): boolean {
  return countryOf(code) !== null;
}
