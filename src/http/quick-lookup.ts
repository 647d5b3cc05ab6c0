/**
 * The lookup as it is nearly always asked for, GET with a clean E.164 number, answered from memory: without routing,
 * without a promise, and without looking at anything twice. Whatever is not quite so goes the usual way, which answers
 * the same; null says so.
 */
import type { RequestQuota } from '../keys/quota.ts';
import type { KeyRegistry } from '../keys/registry.ts';
import { allows, type Principal } from '../keys/scope.ts';
import { MAX_E164_DIGITS } from '../number/phone-number.ts';
import { readInternational } from '../number/plan.ts';
import { answerText } from '../policy/answer-text.ts';
import { bearerToken } from './auth.ts';
import { lookupAtOnce } from './lookup-one.ts';
import { jsonText } from './respond.ts';
import type { EdgeServices } from './services.ts';

const PATH = '/v1/lookup?number=%2B';
/** After the scheme, where the host begins; the path begins at the next slash. */
const HOST_AT = 'http://'.length;

export function quickLookup(services: EdgeServices, quota: RequestQuota, request: Request): Response | null {
  try {
    return answer(services, quota, request);
  } catch {
    // The usual way tells the log.
    return null;
  }
}

function answer(services: EdgeServices, quota: RequestQuota, request: Request): Response | null {
  const { url } = request;
  const path = url.indexOf('/', HOST_AT + 1);
  if (!url.startsWith(PATH, path) || request.method !== 'GET') return null;
  const digits = digitsFrom(url, path + PATH.length);
  const principal = digits === null ? null : principalOf(request, services.keys);
  if (digits === null || principal === null) return null;
  const subject = readInternational(digits);
  const found = subject === null ? null : lookupAtOnce(services, principal.tenant, subject, null);
  if (found === null) return null;
  // Counted last: what goes the usual way is counted there.
  const { id, perMinute } = principal;
  return perMinute === null || quota.takeAtOnce(id, perMinute) ? jsonText(answerText(found)) : null;
}

/** The rest of the URL, if that is digits and nothing else, and no more than a number has. */
function digitsFrom(url: string, start: number): string | null {
  if (url.length - start > MAX_E164_DIGITS) return null;
  for (let i = start; i < url.length; i++) {
    const code = url.charCodeAt(i);
    if (code < 48 || code > 57) return null;
  }
  return url.slice(start);
}

/** Of a key that is known to be good. */
function principalOf(request: Request, keys: KeyRegistry): Principal | null {
  const token = bearerToken(request.headers.get('authorization'));
  const principal = token === null ? null : keys.recognize(token);
  return principal !== null && allows(principal, 'lookup') ? principal : null;
}
