/** What countries, channels, industries and blocks are called. */
import { parsePhoneNumberFromString } from 'libphonenumber-js/max';
import { NO_FIGURE } from './format.ts';

/** What spaces alone do not make of an id. */
const SPELLINGS: ReadonlyMap<string, string> = new Map([
  ['otp_marketplace', 'OTP marketplace'],
  ['api_receiver', 'API receiver'],
  ['ecommerce', 'e-commerce'],
]);
const ALPHA_2 = /^[A-Z]{2}$/;
const BLOCK_DIGITS = 3;
/** The digits of a block, with what may stand between them. */
const LAST_DIGITS = /(\d\D*){3}$/;

let countries: Intl.DisplayNames | undefined;

/** `OTP marketplace`, `short video`, from the id of a channel or an industry. */
export function spelled(id: string): string {
  return SPELLINGS.get(id) ?? id.replaceAll('_', ' ');
}

/** With a capital, as it stands at the start of a row. */
export function titled(id: string): string {
  const text = spelled(id);
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}

/** @param group of origins: an ISO 3166-1 alpha-2 code, or a group that is its own name, such as `US/Canada` */
export function originName(group: string): string {
  if (!ALPHA_2.test(group)) return group;
  // Short: the long name of HK ends in "SAR China".
  countries ??= new Intl.DisplayNames('en', { type: 'region', style: 'short' });
  return countries.of(group) ?? group;
}

export function countryName(code: string | null): string {
  return code === null ? NO_FIGURE : originName(code);
}

/**
 * `+1 202 555 0xxx`: a thousand-block as its numbers are written, their last three digits masked.
 * @param prefix international digits without the last three, with or without the plus
 */
export function blockMask(prefix: string): string {
  const first = `${prefix.startsWith('+') ? '' : '+'}${prefix}${'0'.repeat(BLOCK_DIGITS)}`;
  const spaced = parsePhoneNumberFromString(first)?.formatInternational() ?? '';
  // A number that the library cannot read, or writes otherwise than with its digits, stays as it is.
  const isSame = spaced.replace(/\D/g, '') === first.slice(1);
  return (isSame ? spaced : first).replace(LAST_DIGITS, (digits) => digits.replaceAll(/\d/g, 'x'));
}
