import { MAX_TOKEN_CHARS } from './token.ts';

/** Of any form, so its strength is the operator's. 32 hex digits of a random source are 128 bits. */
export const MIN_ADMIN_KEY_CHARS = 32;

/** What can stand behind `Bearer ` in a header. */
const PRINTABLE = /^[\x21-\x7e]+$/;

/**
 * Checks RINGFENCE_ADMIN_KEY. Undefined or empty: there is no admin key, only the stored ones.
 * @throws RangeError saying what was expected; it never quotes the key
 */
export function checkAdminKey(text: string | undefined): string | null {
  if (text === undefined || text === '') return null;
  if (text.length < MIN_ADMIN_KEY_CHARS || text.length > MAX_TOKEN_CHARS) {
    const expected = `${MIN_ADMIN_KEY_CHARS} to ${MAX_TOKEN_CHARS} characters`;
    throw new RangeError(`RINGFENCE_ADMIN_KEY: expected ${expected}; found ${text.length}`);
  }
  if (!PRINTABLE.test(text)) {
    throw new RangeError('RINGFENCE_ADMIN_KEY: expected printable ASCII without spaces; found another character');
  }
  return text;
}
