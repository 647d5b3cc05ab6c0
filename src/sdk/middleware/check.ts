/** The check without any framework: for Express, for jobs, for any code that has a number. */

import { openSource } from './transport.ts';
import { verifyToken } from './turnstile.ts';
import {
  type Action,
  type Check,
  type CheckError,
  type CheckSettings,
  type ClientError,
  checkSecret,
  expectation,
  type LookupAnswer,
  type LookupQuery,
  type Source,
  type Subject,
  type TurnstileSettings,
} from './types.ts';

/** A cold TLS connection and a lookup fit, or a lookup and a siteverify; in a sign-up a user does not notice it. */
const DEFAULT_TIMEOUT_MS = 500;
/** Nobody waits longer for a form. Timers fire at once from 2^31 ms on, which is far above this. */
const MAX_TIMEOUT_MS = 60_000;
/** Far more than the longest written number with all its punctuation. */
const MAX_TEXT_CHARS = 256;
/**
 * With white space around the number. Even as UTF-8 this fits into the lookup's largest body, which no text may exceed.
 */
const MAX_PADDED_CHARS = 4096;
/** A space where a plus sign would stand, before all digits: a plus that a form did not escape is read as a space. */
const SPACE_FOR_PLUS = /^[^\d+]* /;

const CLIENT_ERRORS: readonly unknown[] = ['unreadable', 'not-text', 'invalid-number'] satisfies ClientError[];

/** `Args` are the arguments of the functions among the options: the context of a framework, or nothing. */
export interface CheckOptions<Args extends readonly unknown[] = []> extends CheckSettings {
  /** Whom to ask: a service binding, a replica, `{url, key}`, or a function that gives one of these. */
  readonly from: Source | ((...args: Args) => Source);
  /** Without it, no challenge can be passed here. */
  readonly turnstile?: TurnstileSettings & {
    /** The widget's secret, or a function that gives it. */
    readonly secret: string | ((...args: Args) => string);
  };
}

/**
 * @returns a function that checks a subject, or null for one that could not be read. It never rejects, and takes
 *   `timeoutMs` at most
 * @throws Error if an option is not usable
 * @example
 * const check = createCheck({ from: { url, key }, onError: 'allow' });
 * const { pass } = await check({ number: form.phone, country: 'PH' });
 */
export function createCheck<Args extends readonly unknown[] = []>(
  options: CheckOptions<Args>,
): (subject: Subject | null, ...args: Args) => Promise<Check> {
  const { from, turnstile, timeoutMs = DEFAULT_TIMEOUT_MS, dryRun = false } = options;
  const { onError = 'allow', onBadNumber = 'block' } = options;
  if (!(timeoutMs >= 1 && timeoutMs <= MAX_TIMEOUT_MS)) throw expectation('timeoutMs', `1 to ${MAX_TIMEOUT_MS} ms`);
  for (const [name, value] of Object.entries({ onError, onBadNumber })) {
    if (value !== 'allow' && value !== 'block') throw expectation(name, "'allow' or 'block'");
  }
  // The text 'false', which an environment variable may hold, would count as true.
  if (typeof dryRun !== 'boolean') throw expectation('dryRun', 'true or false');
  const sourceOf = perRequest(from, openSource);
  const secretOf = turnstile && perRequest(turnstile.secret, openSecret);

  const conclude = (
    outcome: Action,
    answer: LookupAnswer | null,
    error: CheckError | null = null,
    challengePassed = false,
  ): Check => {
    const pass = dryRun || outcome === 'allow' || outcome === 'flag' || challengePassed;
    return { outcome, enforced: !dryRun, pass, answer, error, challengePassed };
  };
  const failed = (error: CheckError, answer: LookupAnswer | null = null): Check => {
    const fallback = CLIENT_ERRORS.includes(error) ? onBadNumber : onError;
    return conclude(error === 'no-number' ? 'allow' : fallback, answer, error);
  };

  return async (subject, ...args) => {
    if (!subject) return failed('unreadable');
    const query = queryOf(subject);
    if (typeof query === 'string') return failed(query);
    const lookup = sourceOf(...args);
    if (!lookup) return failed('misconfigured');
    return withDeadline(timeoutMs, 'timeout' as const, async (race, signal) => {
      const answer = await race(lookup(query, signal));
      if (typeof answer === 'string') return failed(answer);
      if (!isAbout(answer.number, query.number)) return failed('another-number');
      // A dry run changes nothing, so it must not use up a token that the route may want to verify by itself.
      if (answer.action !== 'challenge' || dryRun || !secretOf) return conclude(answer.action, answer);
      const secret = secretOf(...args);
      if (!secret) return failed('misconfigured', answer);
      const passed = await race(verifyToken(turnstile, secret, subject, signal));
      return typeof passed === 'string' ? failed(passed, answer) : conclude('challenge', answer, null, passed);
    });
  };
}

/** @throws Error if the secret is missing or empty */
function openSecret(secret: string): string {
  checkSecret('turnstile.secret', secret);
  return secret;
}

/** The fields come from users' functions over what a client sent, so they may be anything, whatever their types say. */
function queryOf({ number, country, scenario }: Subject): LookupQuery | CheckError {
  if (number === null || number === undefined || number === '') return 'no-number';
  // A query or a form may give a list of one, and JSON a number: `String()` of either is the text, perhaps without the
  // plus or the leading zero.
  const [only, ...more] = [number].flat();
  const text = Number.isSafeInteger(only) ? ` ${only}` : only;
  if (more.length || ![text, country ?? '', scenario ?? ''].every(isShortText)) return 'not-text';
  const query: Record<string, unknown> = { number: text };
  const plusMayBeLost = SPACE_FOR_PLUS.test(text as string);
  for (const [name, value] of Object.entries({ country, scenario, plusMayBeLost })) if (value) query[name] = value;
  return query as unknown as LookupQuery;
}

function isShortText(value: unknown): boolean {
  return typeof value === 'string' && value.length <= MAX_PADDED_CHARS && value.trim().length <= MAX_TEXT_CHARS;
}

/**
 * Whether an answer can be about the number that was asked for: the last four digits of its number stand in the text in
 * a row, in any script.
 */
function isAbout(answered: string, asked: string): boolean | undefined {
  const digits = asked.match(/\p{Nd}/gu)?.map((digit) => digit.charCodeAt(0) & 15);
  return digits?.join('').includes(answered.slice(-4));
}

/**
 * An option that is given at set-up, or by each request, since a Worker's bindings and secrets come with requests.
 * @param open turns the given value into the one that is used, and throws if it is unusable
 * @returns a function of the context that returns the value for a request, or null if that threw or was unusable
 * @throws what `open` throws, if the value is given at set-up
 */
function perRequest<Args extends readonly unknown[], Given, Opened>(
  given: Given | ((...args: Args) => Given),
  open: (given: Given) => Opened,
): (...args: Args) => Opened | null {
  if (!isContextFunction(given)) {
    const opened = open(given);
    return () => opened;
  }
  return (...args) => {
    try {
      // It must not be awaited: a service binding may treat `then` as a method to be called.
      return open(given(...args));
    } catch {
      return null;
    }
  };
}

/**
 * A stub of an entry point in the same Worker (`ctx.exports`) is a function too, but it has every method one asks for.
 */
function isContextFunction<Args extends readonly unknown[], Given>(
  given: Given | ((...args: Args) => Given),
): given is (...args: Args) => Given {
  return typeof given === 'function' && !(given as { readonly lookup?: unknown }).lookup;
}

/**
 * The value of the step, or the value for being late if the deadline passes first or has passed already. A late step
 * may still settle in any way: its rejection is handled.
 */
type Race<Late> = <T>(step: Promise<T>) => Promise<T | Late>;

/**
 * Runs several awaited steps under one deadline.
 * @param late the value of a step that the deadline has cut off
 * @param work its signal is aborted when the deadline passes, and when the work is done: that closes what a step has
 *   left open, such as an unread body
 */
export async function withDeadline<Late, T>(
  milliseconds: number,
  late: Late,
  work: (race: Race<Late>, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const passed = new Promise<Late>((resolve) => {
    timer = setTimeout(() => {
      // This resolves before the abort, so that a step which the abort rejects loses the race.
      resolve(late);
      controller.abort();
    }, milliseconds);
  });
  try {
    return await work((step) => Promise.race([step, passed]), controller.signal);
  } finally {
    clearTimeout(timer);
    controller.abort();
  }
}
