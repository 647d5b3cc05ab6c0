/** What a client is made with, checked once. Nothing that was given is quoted: it may be a key. */
import type { Clock } from './clock.ts';
import { checkTimeout } from './deadline.ts';
import type { Connection, Fetch } from './transport.ts';

export interface ClientOptions {
  /** Where the service is, such as `https://ringfence.example.workers.dev`. */
  readonly url: string;
  /** `rf_…`. Only `health` does without. */
  readonly key?: string | undefined;
  /** Default: the platform's. In a Worker a service binding saves a round trip: `(url, init) => env.RINGFENCE.fetch(url, init)`. */
  readonly fetch?: Fetch | undefined;
  /** For a call with all its retries. Default: 10,000; an upload has at least two minutes. */
  readonly timeoutMs?: number | undefined;
  /** How often a call that is safe to repeat is sent again, 0 to 10. Default: 2. */
  readonly retries?: number | undefined;
}

const DEFAULT_TIMEOUT_MS = 10_000;
const DEFAULT_RETRIES = 2;
const MAX_RETRIES = 10;
/** What can stand in a header: fetch's own refusal quotes what it refuses. */
const HEADER_TEXT = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/;

/** @throws TypeError naming the option and what was expected of it */
export function connectionOf(options: ClientOptions, clock: Clock): Connection {
  const { url, key, fetch: chosen, timeoutMs = DEFAULT_TIMEOUT_MS, retries = DEFAULT_RETRIES } = options;
  checkTimeout(timeoutMs);
  if (!Number.isInteger(retries) || retries < 0 || retries > MAX_RETRIES) {
    throw new TypeError(`retries: expected an integer from 0 to ${MAX_RETRIES}`);
  }
  if (key !== undefined) checkHeaderText('key', key);
  return {
    url: baseUrl(url),
    key: key ?? null,
    // Called as a function of nothing: browsers and Workers refuse a fetch that is a method of something else.
    fetch: chosen ?? ((url, init) => fetch(url, init)),
    timeoutMs,
    retries,
    clock,
  };
}

export function checkHeaderText(name: string, value: string): void {
  if (!HEADER_TEXT.test(value)) throw new TypeError(`${name}: expected printable ASCII characters`);
}

function baseUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  const isPlain = url !== null && url.username === '' && url.password === '' && url.search === '' && url.hash === '';
  if (!isPlain || !/^https?:$/.test(url.protocol)) {
    throw new TypeError('url: expected an http(s) address without credentials, query and fragment');
  }
  return url.href.replace(/\/$/, '');
}
