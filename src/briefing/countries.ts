/** The country of a stored number, which is a valid one: a whole calling code at a time where that decides. */
import { parseNumber } from '../number/parse.ts';
import { callingCodeOf, countriesOf, readInternational } from '../number/plan.ts';

/** A calling code has at most three digits. */
const CODE_DIGITS = 1000;
/** More than the digits of any E.164 number. */
const MAX_DIGITS = 16;

/** Of a calling code that several countries share. */
const SHARED = '?';

export class CountryReader {
  /** By count of digits and the first three: a country, null for a plan of no one country, or SHARED. */
  readonly #byCode = new Map<number, string | null>();
  /** Numbers from here to below #to have #digits digits. */
  #from = 0;
  #to = 0;
  #digits = 0;

  /** ISO 3166-1 alpha-2; null for plans of no one country. */
  countryOf(number: number): string | null {
    if (number < this.#from || number >= this.#to) this.#setDigits(number);
    const key = this.#digits * CODE_DIGITS + Math.floor(number / 10 ** (this.#digits - 3));
    let country = this.#byCode.get(key);
    if (country === undefined) {
      country = countryOfCode(String(number));
      this.#byCode.set(key, country);
    }
    return country === SHARED ? countryByPlan(String(number)) : country;
  }

  #setDigits(number: number): void {
    this.#digits = Math.min(String(number).length, MAX_DIGITS);
    this.#from = 10 ** (this.#digits - 1);
    this.#to = 10 ** this.#digits;
  }
}

function countryOfCode(digits: string): string | null {
  const code = callingCodeOf(digits);
  const [country = null, ...others] = code === null ? [] : countriesOf(code);
  return others.length > 0 ? SHARED : country;
}

function countryByPlan(digits: string): string | null {
  const read = readInternational(digits);
  if (read !== null) return read.country;
  const parsed = parseNumber(`+${digits}`);
  return parsed.ok ? parsed.value.country : null;
}
