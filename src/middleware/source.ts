/** The transports of a lookup (RPC, replica, HTTP) behind one interface: a function that asks and never rejects. */
import { type DecidedAnswer, readAnswer } from './answer-shape.ts';
import { checkSecret, expectation } from './expectation.ts';
import { postJson, readJson } from './post-json.ts';
import type { CheckError, HttpSource, LookupQuery, LookupSource, Source } from './types.ts';

/** The answer, or what went wrong. The caller keeps the time; the signal ends a request that is late. */
export type Lookup = (query: LookupQuery, signal: AbortSignal) => Promise<DecidedAnswer | CheckError>;

/** @throws Error if it is none */
export function openSource(source: Source): Lookup {
  const ask = askOf(source);
  return async (query, signal) => {
    try {
      return await ask(query, signal);
    } catch {
      return 'unreachable';
    }
  };
}

/** Rejects if the source cannot be reached or breaks off. */
function askOf(source: Source): Lookup {
  // An RPC stub has every property as a function, so only a string in `url` tells an address from a stub.
  const { url, lookup } = Object(source) as Partial<HttpSource & LookupSource>;
  if (typeof url === 'string') return byHttp(source as HttpSource);
  if (typeof lookup === 'function') return byRpc(source as LookupSource);
  throw expectation('from', 'a service binding, a replica or {url, key}');
}

function byRpc(source: LookupSource): Lookup {
  return async (query) => {
    const result = (await source.lookup(query)) as Partial<Record<keyof AnyResult, unknown>> | undefined;
    return result?.ok === true ? readAnswer(result.answer) : failureOf(result?.status);
  };
}

type AnyResult = { ok: unknown; answer: unknown; status: unknown };

function byHttp({ url, key, fetch: fetchGiven }: HttpSource): Lookup {
  const endpoint = lookupAddress(url);
  checkSecret('from.key', key);
  return async (query, signal) => {
    const headers = { authorization: `Bearer ${key}` };
    const response = await postJson(fetchGiven, endpoint, { ...query }, headers, signal);
    return response.ok ? readAnswer(await readJson(response)) : failureOf(response.status);
  };
}

/** No credentials, query or fragment: they would be lost, or end up in the middle. */
const BASE_URL = /^https?:\/\/[^\s?#@]+$/;

function lookupAddress(url: string): string {
  if (!BASE_URL.test(url)) throw expectation('from.url', 'http(s)://host/path');
  return `${url.replace(/\/+$/, '')}/v1/lookup`;
}

function failureOf(status: unknown): CheckError {
  // 400, 413: what the client sent. Only number, country and scenario of the request can be at fault.
  if (status === 400 || status === 413) return 'invalid-number';
  if (status === 401 || status === 403) return 'refused';
  if (status === 429) return 'rate-limited';
  return Number(status) >= 500 ? 'unavailable' : 'malformed';
}
