/**
 * Why an input is not a number, in words. Every text is `<reason>: <what was expected>`, so that refusals can be
 * grouped by what stands before the first colon.
 *
 * Privacy: refusals go into logs and error lists, so nothing of the input is ever put in but counts, a position, a
 * country known to the metadata and a country calling code (at most 3 digits).
 */
export interface Refusal {
  readonly ok: false;
  readonly code: 'invalid-number';
  readonly detail: string;
  /** Present for a number of the right length that lies in no assigned range of its plan. */
  readonly isUnassigned?: true;
}

export function refuse(detail: string): Refusal {
  // Frozen, because the constant ones below are handed to every caller.
  return Object.freeze({ ok: false, code: 'invalid-number', detail });
}

function refuseUnassigned(detail: string): Refusal {
  return Object.freeze({ ...refuse(detail), isUnassigned: true });
}

export const EMPTY = refuse('empty: expected a phone number');

export const NO_DIGITS = refuse('no digits: expected a phone number');

export const LETTERS = refuse('letters: expected digits, without vanity words, names or extensions');

export const MISPLACED_PLUS = refuse('misplaced plus sign: expected at most one +, before the first digit');

export const SEVERAL = refuse('several numbers: expected one number, on one line, without alternative endings');

export const DECIMAL = refuse('decimal number: expected the digits of a phone number, without a decimal part');

export const LEADING_SEPARATOR = refuse('leading separator: expected +, a digit or an opening bracket first');

export const COUNTRY_PARAMETER = refuse(
  'unknown country parameter: expected an ISO 3166-1 alpha-2 code with a number plan, such as PH or GB',
);

export const CALLING_CODE = refuse(
  'unknown country calling code: expected + and an assigned country calling code, then the national number',
);

export const NATIONAL_WITHOUT_COUNTRY = refuse(
  'national number without country: a number that starts with a single 0 needs the country parameter, or + and its country calling code',
);

/** @param as refused as the international number it was taken for */
export function withoutCountry({ detail, isUnassigned }: Refusal): Refusal {
  const told = `${detail} (without + and without the country parameter, a number is read with its country calling code first)`;
  return isUnassigned ? refuseUnassigned(told) : refuse(told);
}

export function inputTooLong(maxLength: number): Refusal {
  return refuse(`input too long: expected at most ${maxLength} characters`);
}

/** @param position of the character in the input, from 1 */
export function unexpectedCharacter(position: number): Refusal {
  return refuse(
    `unexpected character: position ${position} is neither a digit nor the usual punctuation (space, . - / and brackets)`,
  );
}

/** @param where what is wrong with the parameters of a tel: URI */
export function telUri(where: string): Refusal {
  return refuse(`tel URI: ${where}`);
}

/** @param plan such as `country PH` or `calling code +44` */
export function wrongLength(length: number, possible: readonly number[], plan: string): Refusal {
  const reason =
    length < Math.min(...possible) ? 'too short' : length > Math.max(...possible) ? 'too long' : 'wrong length';
  return refuse(
    `${reason}: ${length} digit${length === 1 ? '' : 's'} without prefixes, expected ${listed(possible)} in ${plan}`,
  );
}

export function tooLongForE164(maxDigits: number): Refusal {
  return refuse(`too long: expected at most ${maxDigits} digits, country calling code included (E.164)`);
}

/** @param plan such as `country PH` or `calling code +44` */
export function unassigned(plan: string): Refusal {
  return refuseUnassigned(`unassigned: the number is not in any assigned range of ${plan}`);
}

function listed(numbers: readonly number[]): string {
  return numbers.length < 2 ? numbers.join() : `${numbers.slice(0, -1).join(', ')} or ${numbers[numbers.length - 1]}`;
}
