/**
 * The quick lookup: a GET with a clean E.164 number, as nearly every lookup is asked for, is answered from memory
 * without routing and without a promise. Any other request, and one that memory cannot answer, goes to the route, which
 * answers the same and goes on from what was found out here.
 */
import type { Context } from 'hono';
import { allows, type Principal } from '../keys/key.ts';
import type { KeyRegistry } from '../keys/registry.ts';
import type { Probed } from '../lookup/finder.ts';
import { answerAtOnce } from '../lookup/lookup.ts';
import { MAX_E164_DIGITS, type PhoneNumber } from '../phone/phone-number.ts';
import { readInternational } from '../phone/plan.ts';
import { answerText } from '../policy/answer.ts';
import { bearerToken } from './auth.ts';
import type { RequestQuota } from './quota.ts';
import { jsonText } from './route.ts';
import type { EdgeServices } from './services.ts';

const PATH = '/v1/lookup?number=%2B';
/** Where the host begins, after the scheme. The path begins at the next slash. */
const HOST_AT = 'http://'.length;

/** What was found out about one request that could not be answered here. */
export class QuickMiss {
  /** The owner of the key; null: the key has to be checked. */
  readonly principal: Principal | null;
  /** The number; null: it has not been read. */
  readonly subject: PhoneNumber | null;
  /** What memory knows of the number; null: memory was not asked. */
  readonly probed: Probed | null;

  constructor(principal: Principal | null, subject: PhoneNumber | null = null, probed: Probed | null = null) {
    this.principal = principal;
    this.subject = subject;
    this.probed = probed;
  }
}

/** What the quick lookup found out about this request, as createEdgeFetch has put it into Hono's `env`; null: nothing. */
export function quickMissOf({ env }: Context): QuickMiss | null {
  return env instanceof QuickMiss ? env : null;
}

/** The answer; or what the route need not find out again; null: nothing. */
export function quickLookup(
  services: EdgeServices,
  quota: RequestQuota,
  request: Request,
): Response | QuickMiss | null {
  try {
    return answer(services, quota, request);
  } catch {
    // The route reports the error to the log.
    return null;
  }
}

function answer(services: EdgeServices, quota: RequestQuota, request: Request): Response | QuickMiss | null {
  const { url } = request;
  const path = url.indexOf('/', HOST_AT + 1);
  if (!url.startsWith(PATH, path) || request.method !== 'GET') return null;
  const digits = digitsFrom(url, path + PATH.length);
  if (digits === null) return null;
  const principal = principalOf(request, services.keys);
  const subject = readInternational(digits);
  if (principal === null || subject === null || !allows(principal, 'lookup')) return new QuickMiss(principal, subject);
  const probed = services.finder.probe(subject.number);
  const found = answerAtOnce(services, principal.tenant, subject, probed, null);
  if (found === null) return new QuickMiss(principal, subject, probed);
  // The quota is counted last, since the route counts what goes there.
  const { id, perMinute } = principal;
  const isCounted = perMinute === null || quota.takeAtOnce(id, perMinute);
  return isCounted ? jsonText(answerText(found)) : new QuickMiss(principal, subject, probed);
}

/** The rest of the URL, if it consists of digits and is no longer than a number. */
function digitsFrom(url: string, start: number): string | null {
  if (url.length - start > MAX_E164_DIGITS) return null;
  for (let i = start; i < url.length; i++) {
    const code = url.charCodeAt(i);
    if (code < 48 || code > 57) return null;
  }
  return url.slice(start);
}

/** The owner of a key that is known to be valid; null: the key has to be checked. */
function principalOf(request: Request, keys: KeyRegistry): Principal | null {
  const token = bearerToken(request.headers.get('authorization'));
  return token === null ? null : keys.recognize(token);
}
