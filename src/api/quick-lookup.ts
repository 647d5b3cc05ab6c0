/**
 * The quick lookup: a GET with a clean E.164 number, and a POST with one in a small body of the usual form, as nearly
 * every lookup is asked for, is answered from memory without routing; a GET without a promise, a POST with that of its
 * body alone. Any other request, and one that memory cannot answer, goes to the route, which answers the same and goes
 * on from what was found out here.
 */
import type { Context } from 'hono';
import { allows, type Principal } from '../keys/key.ts';
import type { KeyRegistry } from '../keys/registry.ts';
import type { Probed } from '../lookup/finder.ts';
import { contextAtOnce, textAtOnce } from '../lookup/lookup.ts';
import { isCountry, type PhoneNumber, readClean } from '../phone/parse.ts';
import { bearerToken } from './auth.ts';
import type { RequestQuota } from './quota.ts';
import { jsonText } from './route.ts';
import type { EdgeServices } from './services.ts';

const PATH = '/v1/lookup';
const QUERY = '?number=%2B';
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
  /** The body, which can be read only once; null: nobody has begun to. */
  readonly body: Promise<string> | null;
  /** Of a number that was read. */
  readonly scenario: string | null;

  constructor(
    principal: Principal | null,
    asked: Asked | null = null,
    probed: Probed | null = null,
    body: Promise<string> | null = null,
  ) {
    this.principal = principal;
    this.subject = asked?.subject ?? null;
    this.scenario = asked?.scenario ?? null;
    this.probed = probed;
    this.body = body;
  }
}

/** What a request asks. */
interface Asked {
  readonly subject: PhoneNumber;
  /** The digits of the number, as they stand in the request: the same as those of the number. */
  readonly digits: string;
  readonly scenario: string | null;
}

/**
 * What the quick lookup found out about this request, as createEdgeFetch has put it into Hono's `env`; null: nothing.
 */
export function quickMissOf({ env }: Context): QuickMiss | null {
  return env instanceof QuickMiss ? env : null;
}

/** The answer; or what the route need not find out again; null: nothing. */
export function quickLookup(
  services: EdgeServices,
  quota: RequestQuota,
  request: Request,
): Response | QuickMiss | null | Promise<Response | QuickMiss> {
  try {
    const { url } = request;
    const path = url.indexOf('/', HOST_AT + 1);
    if (!url.startsWith(PATH, path)) return null;
    const end = path + PATH.length;
    if (url.length === end) return request.method === 'POST' ? answerPost(services, quota, request) : null;
    return url.startsWith(QUERY, end) && request.method === 'GET'
      ? answerGet(services, quota, request, url, end + QUERY.length)
      : null;
  } catch {
    // The route reports the error to the log.
    return null;
  }
}

function answerGet(
  services: EdgeServices,
  quota: RequestQuota,
  request: Request,
  url: string,
  digitsAt: number,
): Response | QuickMiss | null {
  const subject = readClean(url, digitsAt);
  if (subject === null) return null;
  const now = services.now();
  const principal = principalOf(request, services.keys, now);
  const asked = { subject, digits: url.slice(digitsAt), scenario: null };
  if (principal === null || !allows(principal, 'lookup')) return new QuickMiss(principal, asked);
  return answer(services, quota, principal, asked, null, now);
}

/**
 * Longer bodies are the route's. Of a request that declares no length, the route counts the bytes; if a length is
 * declared, the platform makes sure that the body has it.
 */
const MAX_QUICK_BODY_BYTES = 512;

function answerPost(
  services: EdgeServices,
  quota: RequestQuota,
  request: Request,
): QuickMiss | Promise<Response | QuickMiss> {
  const principal = principalOf(request, services.keys, services.now());
  const declared = request.headers.get('content-length');
  const isSmall = declared !== null && Number(declared) <= MAX_QUICK_BODY_BYTES;
  if (principal === null || !isSmall || !allows(principal, 'lookup')) return new QuickMiss(principal);
  const body = request.text();
  const missed = () => new QuickMiss(principal, null, null, body);
  const answered = (text: string) => {
    try {
      const asked = readBody(text);
      return asked === null ? missed() : answer(services, quota, principal, asked, body, services.now());
    } catch {
      return missed();
    }
  };
  // If the body does not arrive, the route says so.
  return body.then(answered, missed);
}

function answer(
  services: EdgeServices,
  quota: RequestQuota,
  principal: Principal,
  asked: Asked,
  body: Promise<string> | null,
  now: number,
): Response | QuickMiss {
  const { subject, digits, scenario } = asked;
  const probed = services.finder.probe(subject.number, now);
  const context = contextAtOnce(services, principal.tenant, scenario, now);
  const text = textAtOnce(subject, `+${digits}`, probed, context);
  // The quota is counted last, since the route counts what goes there.
  const { id, perMinute } = principal;
  const isAnswered = text !== null && (perMinute === null || quota.takeAtOnce(id, perMinute));
  return isAnswered ? jsonText(text) : new QuickMiss(principal, asked, probed, body);
}

const BODY_START = '{"number":"+';
const BODY_END = '"}';
/** As other writers of JSON put it, and with what else is usual. */
const BODY = /^\{"number": ?"\+(\d+)"(?:, ?"country": ?"([A-Za-z]{2})")?(?:, ?"scenario": ?"([a-z0-9_-]{1,64})")?\}$/;

/** What a body of the usual form asks; null: the route has to read it. */
function readBody(text: string): Asked | null {
  if (text.startsWith(BODY_START) && text.endsWith(BODY_END)) {
    const digits = text.slice(BODY_START.length, -BODY_END.length);
    const subject = readClean(digits, 0);
    if (subject !== null) return { subject, digits, scenario: null };
  }
  const [, digits, country, scenario = null] = BODY.exec(text) ?? [];
  // A number with its plus sign is read the same in every country.
  if (digits === undefined || (country !== undefined && !isCountry(country))) return null;
  const subject = readClean(digits, 0);
  return subject === null ? null : { subject, digits, scenario };
}

/** The owner of a key that is known to be valid; null: the key has to be checked. */
function principalOf(request: Request, keys: KeyRegistry, now: number): Principal | null {
  const token = bearerToken(request.headers.get('authorization'));
  return token === null ? null : keys.recognize(token, now);
}
