/** The transports of a lookup (RPC, replica, HTTP) behind one interface: a function that asks and never rejects. */

import {
  type Action,
  type CheckError,
  checkSecret,
  expectation,
  type Fetch,
  type HttpSource,
  type LookupAnswer,
  type LookupQuery,
  type LookupSource,
  type ServiceError,
  type Source,
} from './types.ts';

/**
 * Asks the source, and returns the answer or what went wrong. The caller watches the time; the signal ends a late
 * request.
 */
type Lookup = (query: LookupQuery, signal: AbortSignal) => Promise<DecidedAnswer | CheckError>;

/** @throws Error if it is not a source */
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

/** Without credentials, query or fragment: they would be lost, or end up in the middle of the URL. */
const BASE_URL = /^https?:\/\/[^\s?#@]+$/;

function lookupAddress(url: string): string {
  if (!BASE_URL.test(url)) throw expectation('from.url', 'http(s)://host/path');
  return `${url.replace(/\/+$/, '')}/v1/lookup`;
}

function failureOf(status: unknown): CheckError {
  // 400, 413: the client's input is at fault. Of the request, that can only be number, country and scenario.
  if (status === 400 || status === 413) return 'invalid-number';
  if (status === 401 || status === 403) return 'refused';
  if (status === 429) return 'rate-limited';
  return Number(status) >= 500 ? 'unavailable' : 'malformed';
}

type Guard = (value: unknown) => boolean;
type Field = keyof LookupAnswer;
/** The fields that every answer has. */
type UsualField = { [Name in Field]: undefined extends LookupAnswer[Name] ? never : Name }[Field];

/** Written out from src/policy/policy.ts: an import would bring server code into the bundle. */
const VERDICTS: readonly unknown[] = ['listed', 'suspect', 'clear', 'unknown'] satisfies LookupAnswer['verdict'][];
const ACTIONS: readonly unknown[] = ['allow', 'flag', 'challenge', 'block', null] satisfies LookupAnswer['action'][];

const isText: Guard = (value) => typeof value === 'string';
const isNumber: Guard = (value) => typeof value === 'number';
const isTexts: Guard = (value) => Array.isArray(value) && value.every(isText);
const isNeighbourhood: Guard = (value) =>
  isObject(value) && [value.hundred, value.thousand, value.score].every(isNumber);
const orNull =
  (guard: Guard): Guard =>
  (value) =>
    value === null || guard(value);

/**
 * All of the usual fields (test/unit/policy/answer-shape.test.ts holds this to them). A later version of the service
 * may add others, which are handed on unchanged.
 */
const SHAPE: readonly (readonly [fits: Guard, ...fields: UsualField[]])[] = [
  [isText, 'number', 'lineType'],
  [orNull(isText), 'country', 'firstSeen', 'lastSeen', 'rule'],
  [orNull(isNumber), 'level', 'sightings', 'generation'],
  [isTexts, 'labels', 'channels', 'industries'],
  [orNull(isNeighbourhood), 'neighbourhood'],
  [(value) => VERDICTS.includes(value), 'verdict'],
  [(value) => ACTIONS.includes(value), 'action'],
];

/** An answer that says what to do. "Unknown" is not one: the service sends it with a null action. */
type DecidedAnswer = LookupAnswer & { readonly action: Action };

export function readAnswer(value: unknown): DecidedAnswer | ServiceError {
  if (!isAnswer(value)) return 'malformed';
  return isDecided(value) ? value : 'unavailable';
}

function isAnswer(value: unknown): value is LookupAnswer {
  return isObject(value) && SHAPE.every(([fits, ...fields]) => fields.every((field) => fits(value[field])));
}

function isDecided(answer: LookupAnswer): answer is DecidedAnswer {
  return answer.verdict !== 'unknown' && answer.action !== null;
}

/**
 * An answer is below 1 KiB, and below this with dozens of labels. It is read by a loop of its own, since the bound of
 * the bundles (docs/MIDDLEWARE.md) has no room for src/lib/http-body.ts.
 */
const MAX_REPLY_CHARS = 64 * 1024;

/** @throws whatever fetch throws: no connection, aborted by the signal */
export function postJson(
  fetchGiven: Fetch | undefined,
  url: string,
  body: Readonly<Record<string, unknown>>,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<Response> {
  // It is called as a plain function: called as a method of the options, the global one of Workers throws "Illegal
  // invocation".
  const send: Fetch = fetchGiven ?? fetch;
  return send(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json', ...headers },
    body: JSON.stringify(body),
    signal,
    // If a redirect were followed, number and key would go wherever it points. Workers do not have the mode 'error'.
    redirect: 'manual',
  });
}

/**
 * The JSON of a body; undefined if it is not JSON, or too long. A body that is too long is not read to its end.
 * @throws if the connection breaks off
 */
export async function readJson(response: Response): Promise<unknown> {
  const decoder = new TextDecoder();
  let text = '';
  // The loop ends with the body, at the bound, or when the deadline aborts the read.
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length > MAX_REPLY_CHARS) return undefined;
  }
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
