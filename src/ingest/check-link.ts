import { createHash } from 'node:crypto';
import type { LinkDigest } from '../format/detection.ts';
import { checkedText } from './check-text.ts';
import { type Checked, Rejection } from './rejection.ts';

/** UTF-16 code units; the longest links that browsers and logs pass on unharmed. */
export const MAX_LINK_CHARS = 2048;

/**
 * A receiver link as it is kept: whoever has the link reads the OTPs of its number, so only its host stays readable.
 * The digest is of the link as given, without the white space around it.
 */
export function checkedLink(value: unknown): Checked<LinkDigest | null> {
  const link = checkedText(value, 'link', 'invalid-link', MAX_LINK_CHARS);
  if (link === null || link instanceof Rejection) return link;
  const url = URL.parse(link);
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    const found = url === null ? 'text that is not a URL' : 'another scheme';
    return new Rejection('invalid-link', `expected an http or https URL; found ${found}`);
  }
  return { host: url.hostname, sha256: createHash('sha256').update(link).digest('hex') };
}
