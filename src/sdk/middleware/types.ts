/**
 * What the middleware takes and hands on. These are types only, so nothing of the server gets into the package with
 * them.
 */

import type { LookupAnswer } from '../../policy/answer.ts';
import type { Action } from '../../policy/policy.ts';

export type { Action, LookupAnswer };

export interface LookupQuery {
  /** As the user wrote it: the lookup reads E.164, `tel:`, or national form with `country`. */
  readonly number: string;
  /** ISO 3166-1 alpha-2. */
  readonly country?: string;
  readonly scenario?: string;
  /**
   * A plus sign may have been lost before the digits. With `country`, the number is then also read as international
   * digits, and the answer is that of the reading with the severest action.
   */
  readonly plusMayBeLost?: true;
}

/** The result of a lookup by RPC. `status` is what the same lookup would have over HTTP. */
export type LookupResult =
  | { readonly ok: true; readonly answer: LookupAnswer }
  | { readonly ok: false; readonly status: number; readonly code: string; readonly detail: string };

/** A service binding to the `Lookup` entry point, or a replica in the same process. */
export interface LookupSource {
  /** Resolves for every expected failure; a rejection means that the service could not be reached or broke off. */
  lookup(query: LookupQuery): PromiseLike<LookupResult>;
}

/** How `fetch` is called here. Hand in `(url, init) => binding.fetch(url, init)` to go through a binding. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/** A Ringfence at an address. */
export interface HttpSource {
  /** Where it is deployed: `https://ringfence.example.workers.dev`, with a path if it is mounted under one. */
  readonly url: string;
  /** An API key with the scope `lookup`. */
  readonly key: string;
  /** The global `fetch` if not given. */
  readonly fetch?: Fetch;
}

export type Source = LookupSource | HttpSource;

/**
 * Why there is no verdict. The first three come from what the client sent, so they follow `onBadNumber`; all others
 * are failures of the service or of the set-up and follow `onError`. `no-number` is no failure: the request has none.
 *
 * | error | what happened |
 * | --- | --- |
 * | unreadable | `number`, `country` or `scenario` threw, or took longer than MAX_READ_MS |
 * | not-text | `number`, `country` or `scenario` gave something other than text of a sane length (`number`: or an integer, or a list of one) |
 * | invalid-number | the lookup refused the number, the country or the scenario |
 * | no-number | `number` gave null, undefined or the empty string: always let through |
 * | timeout | no verdict within `timeoutMs` |
 * | unreachable | no connection, or it broke off |
 * | refused | the API key is not valid or lacks the scope (401, 403) |
 * | rate-limited | the quota of the API key is used up (429) |
 * | unavailable | the service failed or could not say (5xx, verdict `unknown`) |
 * | malformed | something answered that is not a lookup: a redirect, a page, JSON of another shape |
 * | another-number | the answer is about another number than the one that was asked for |
 * | misconfigured | `from` or the Turnstile secret, as a function, threw or gave nothing usable |
 * | unverified | Turnstile's siteverify gave no usable answer, or refused the secret |
 */
export type CheckError = ClientError | ServiceError | 'no-number';
export type ClientError = 'unreadable' | 'not-text' | 'invalid-number';
export type ServiceError =
  | 'timeout'
  | 'unreachable'
  | 'refused'
  | 'rate-limited'
  | 'unavailable'
  | 'malformed'
  | 'another-number'
  | 'misconfigured'
  | 'unverified';

/** What came of a request, for the handler and for metrics; the end user must not see it. */
export interface Check {
  /** What the answer says to do, or else `onError` or `onBadNumber`. It is the same in a dry run. */
  readonly outcome: Action;
  /** False in a dry run: whatever the outcome, the request was let through. */
  readonly enforced: boolean;
  /**
   * Whether the request may go on to the route: it was allowed, flagged, challenged and passed, or nothing is enforced.
   */
  readonly pass: boolean;
  /** The answer of the lookup; null if there is none. */
  readonly answer: LookupAnswer | null;
  /** Why the outcome does not come from an answer; null if it does. */
  readonly error: CheckError | null;
  /** Whether the outcome is `challenge` and Turnstile confirmed the token of this request. */
  readonly challengePassed: boolean;
}

/** What `createCheck` checks. An adapter reads the same from the request. */
export interface Subject {
  /** As the client sent it: text, or a JSON number (an integer), or a list with one of these. */
  readonly number: string | number | readonly (string | number)[] | null | undefined;
  readonly country?: string | null | undefined;
  readonly scenario?: string | null | undefined;
  /** The response token of the Turnstile widget; needed only if the answer is `challenge`. */
  readonly turnstileToken?: string | null | undefined;
  /** Address of the end user, for siteverify. */
  readonly remoteIp?: string | null | undefined;
}

/** What is done with a request without a verdict. */
export type Fallback = 'allow' | 'block';

export interface CheckSettings {
  /** Milliseconds from having the number until the outcome, Turnstile included; 1 to 60,000. Default 500. */
  readonly timeoutMs?: number;
  /**
   * What to do when the service gives no verdict. Default `allow`: an outage of a fraud list must not close a sign-up.
   */
  readonly onError?: Fallback;
  /**
   * What to do when the client's input cannot be checked (ClientError). Default `block`: `allow` is a way past the
   * check, with a number that the lookup refuses and the SMS gateway reads.
   */
  readonly onBadNumber?: Fallback;
  /** Looks up and reports, but lets every request through and uses up no Turnstile token. Default false. */
  readonly dryRun?: boolean;
}

export interface TurnstileSettings {
  /** The widget's hostname must be (one of) these, if given. */
  readonly hostname?: string | readonly string[];
  /** The widget's action must be this, if given. */
  readonly action?: string;
  /** Siteverify, if not Cloudflare's own. */
  readonly url?: string;
  /** The global `fetch` if not given. */
  readonly fetch?: Fetch;
}

// Errors in the options are found when the middleware is set up. Messages say what was expected, never what was given.

export function expectation(option: string, expected: string): Error {
  return new TypeError(`ringfence: ${option}: expected ${expected}`);
}

/** @throws Error if it is not text, or empty, as a forgotten environment variable is */
export function checkSecret(option: string, value: unknown): void {
  if (typeof value !== 'string' || value === '') throw expectation(option, 'a secret');
}

/** @throws Error if it is given and is not a function */
export function checkFunction(option: string, value: unknown): void {
  if (value !== undefined && typeof value !== 'function') throw expectation(option, 'a function');
}
