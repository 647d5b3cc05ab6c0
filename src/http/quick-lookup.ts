/**
 * The lookup as it is nearly always asked for, GET with a clean E.164 number, answered from memory: without routing,
 * without a promise, and without looking at anything twice. Whatever is not quite so goes the usual way, which answers
 * the same; null says so.
 */
import type { KeyRegistry } from '../keys/registry.ts';
import { allows } from '../keys/scope.ts';
import { parseNumber } from '../number/parse.ts';
import { bearerToken } from './auth.ts';
import { lookupAtOnce } from './lookup-one.ts';
import { json } from './respond.ts';
import type { Services } from './services.ts';

const PATH = '/v1/lookup?number=%2B';
/** After the scheme, where the host begins; the path begins at the next slash. */
const HOST_AT = 'http://'.length;

export function quickLookup(services: Services, request: Request): Response | null {
  try {
    return answer(services, request);
  } catch {
    // The usual way tells the log.
    return null;
  }
}

function answer(services: Services, request: Request): Response | null {
  const { url } = request;
  const path = url.indexOf('/', HOST_AT + 1);
  if (!url.startsWith(PATH, path) || request.method !== 'GET') return null;
  const number = digitsFrom(url, path + PATH.length);
  const tenant = number === null ? null : tenantOf(request, services.keys);
  if (number === null || tenant === null) return null;
  const parsed = parseNumber(number);
  if (!parsed.ok) return null;
  const found = lookupAtOnce(services, tenant, parsed.value, null);
  return found === null ? null : json(found);
}

/** `+` and the rest of the URL, if that is digits and nothing else. */
function digitsFrom(url: string, start: number): string | null {
  for (let i = start; i < url.length; i++) {
    const code = url.charCodeAt(i);
    if (code < 48 || code > 57) return null;
  }
  return `+${url.slice(start)}`;
}

/** Of a key that is known to be good and needs no counting. */
function tenantOf(request: Request, keys: KeyRegistry): string | null {
  const token = bearerToken(request.headers.get('authorization'));
  const principal = token === null ? null : keys.recognize(token);
  if (principal === null || principal.perMinute !== null || !allows(principal, 'lookup')) return null;
  return principal.tenant;
}
