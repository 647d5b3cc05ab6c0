/** The guard: the check of a request, which the adapters of the frameworks have in common. */

import { type CheckOptions, createCheck, withDeadline } from './check.ts';
import { type Check, checkFunction, type Subject } from './types.ts';

/**
 * The longest time in which a request is read. It is not part of `timeoutMs`: it passes while the client sends its
 * body, for which the route would wait as well, and a client must not be able to make a lookup time out by sending
 * slowly.
 */
export const MAX_READ_MS = 10_000;

type Maybe<T> = T | null | undefined;
/**
 * Reads something from the request, and returns text, or null, undefined or '' for none. It may throw and may be
 * asynchronous. What it returns comes from a client, so it may be anything, and is checked before it is used.
 */
type Reader<Args extends readonly unknown[]> = (...args: Args) => unknown;
/** The context comes first, then the check, then everything else that the framework hands to a handler. */
type WithCheck<Args extends readonly unknown[]> = Args extends readonly [infer Context, ...infer Rest]
  ? [context: Context, check: Check, ...rest: Rest]
  : never;

/**
 * `Args` are the arguments of a handler of the framework. All functions are guarded: nothing that they throw gets out.
 */
export interface GuardOptions<Args extends readonly unknown[]> extends CheckOptions<Args> {
  /** The number as the user wrote it; null if the request has none. It must read every form that the route reads. */
  readonly number: Reader<Args>;
  /** ISO 3166-1 alpha-2, for numbers in national form. */
  readonly country?: string | Reader<Args>;
  /** What the number is about to be used for (`signup`), for the rules of the policy. */
  readonly scenario?: string | Reader<Args>;
  readonly turnstile?: NonNullable<CheckOptions<Args>['turnstile']> & {
    /** Default: the header `cf-turnstile-response`. */
    readonly token?: Reader<Args>;
    /** Address of the end user, for siteverify. Default: not sent. */
    readonly remoteIp?: Reader<Args>;
  };
  /** The response to a block. If it throws or gives none, the default one is sent. */
  readonly onBlock?: (...args: WithCheck<Args>) => Maybe<Response> | Promise<Maybe<Response>>;
  /**
   * The response to a challenge that was not passed, or 'pass' to let the route do a step-up of its own. If it throws
   * or gives none, the default one is sent.
   */
  readonly onChallenge?: (...args: WithCheck<Args>) => Maybe<Response | 'pass'> | Promise<Maybe<Response | 'pass'>>;
  /**
   * Called once for each request when everything is decided, and not awaited. It is meant for metrics; the check names
   * the number.
   */
  readonly onResult?: (...args: WithCheck<Args>) => unknown;
}

interface Guarded {
  readonly check: Check;
  /** What to answer instead of calling the route; null if the route is to be called. */
  readonly refusal: Response | null;
}

export const TOKEN_HEADER = 'cf-turnstile-response';

/**
 * @param tokenHeader reads TOKEN_HEADER from the request
 * @returns a function that never rejects
 * @throws Error if an option is not usable
 */
export function createGuard<Args extends readonly [unknown, ...unknown[]]>(
  options: GuardOptions<Args>,
  tokenHeader: (context: Args[0]) => unknown,
): (...args: Args) => Promise<Guarded> {
  // Only the number must be given; null stands for a missing one, which is refused.
  checkFunction('number', options.number ?? null);
  for (const name of ['onBlock', 'onChallenge', 'onResult'] as const) checkFunction(name, options[name]);
  const checkSubject = createCheck(options);
  const readSubject = subjectReader(options, tokenHeader);

  return async (...args) => {
    const result = await checkSubject(await readSubject(...args), ...args);
    const [context, ...rest] = args;
    const withCheck = (check: Check) => [context, check, ...rest] as unknown as WithCheck<Args>;
    let refusal: Response | null = null;
    if (!result.pass) {
      const isBlock = result.outcome === 'block';
      const wish: unknown = await quietly(isBlock ? options.onBlock : options.onChallenge, withCheck(result));
      if (isBlock || wish !== 'pass') refusal = responseOf(wish) ?? refusalOf(isBlock);
    }
    const check = { ...result, pass: !refusal };
    void quietly(options.onResult, withCheck(check));
    return { check, refusal };
  };
}

/** The subject; null if anything but the token and the address could not be read. Does not reject. */
function subjectReader<Args extends readonly unknown[]>(
  { number, country, scenario, turnstile }: GuardOptions<Args>,
  tokenHeader: (context: Args[0]) => unknown,
): (...args: Args) => Promise<Subject | null> {
  const token =
    readerOf('turnstile.token', turnstile?.token) ?? (turnstile && (tokenHeader as unknown as Reader<Args>));
  const required = [number, readerOf('country', country), readerOf('scenario', scenario)];
  const readers = [...required, token, readerOf('turnstile.remoteIp', turnstile?.remoteIp)];
  const read = async (args: Args): Promise<Subject | null> => {
    try {
      // All are started before the first is awaited, since each may clone the body, which must be untouched then. Each
      // is wrapped by itself, so that if two fail neither rejection is left unhandled.
      const [numberRead, countryRead, scenarioRead, turnstileToken, remoteIp] = await Promise.all(
        readers.map(async (reader, i) => (i < required.length ? reader?.(...args) : quietly(reader, args))),
      );
      return { number: numberRead, country: countryRead, scenario: scenarioRead, turnstileToken, remoteIp } as Subject;
    } catch {
      return null;
    }
  };
  return (...args) => withDeadline(MAX_READ_MS, null, (race) => race(read(args)));
}

function readerOf<Args extends readonly unknown[]>(
  name: string,
  given: string | Reader<Args> | undefined,
): Reader<Args> | undefined {
  if (typeof given === 'string') return () => given;
  checkFunction(name, given);
  return given;
}

/**
 * Calls a function of the user if there is one. If it throws, the result is undefined; no rejection is left unhandled.
 */
async function quietly<Args extends readonly unknown[], T>(
  call: ((...args: Args) => T) | undefined,
  args: Args,
): Promise<Awaited<T> | undefined> {
  try {
    return await call?.(...args);
  } catch {
    return undefined;
  }
}

/**
 * A response is recognised by its members: on Node, a framework may have replaced the global Response by a class of its
 * own.
 */
function responseOf(value: unknown): Response | undefined {
  const { status, headers } = Object(value) as Partial<Response>;
  return status && headers ? (value as Response) : undefined;
}

/**
 * The response to a refused end user. The front end tells the two apart by `code`; a fraudster must not learn more. So
 * there is one body for every block, by the list, by a rule or for want of an answer, and it does not name this
 * service.
 */
function refusalOf(isBlock: boolean): Response {
  const [code, title] = isBlock ? ['request-refused', 'Forbidden'] : ['challenge-required', 'Verification required'];
  return new Response(JSON.stringify({ type: 'about:blank', title, status: 403, code }), {
    status: 403,
    headers: { 'content-type': 'application/problem+json', 'cache-control': 'no-store' },
  });
}

// A view of a request whose body can be read without taking it from the route.

const BODY_MEMBERS = /^(arrayBuffer|blob|body|bytes|formData|json|text)$/;

/**
 * The same request, with everything that a router has added to it, but each access to its body goes to a new clone. It
 * is cloned only then: a clone makes the runtime keep the whole body in memory, and if nobody reads it, for nothing. A
 * view is for reading; to hand the request on, use the request itself.
 */
export function untouched<R extends Request>(request: R): R {
  return new Proxy(request, {
    get(target, name) {
      const owner = BODY_MEMBERS.test(String(name)) ? target.clone() : target;
      // The receiver is not the proxy: the getters of a Request refuse to work on one.
      const value: unknown = Reflect.get(owner, name, owner);
      return typeof value === 'function' ? value.bind(owner) : value;
    },
  });
}
