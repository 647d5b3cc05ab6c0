/**
 * Errors as problem details (RFC 9457). `type` is `urn:ringfence:problem:<code>`, a name and not an address, so that it
 * is the same on every deployment. A problem never quotes what a client sent, since that may be a number.
 */
import { redacted } from '../lib/errors.ts';
import { LookupError, RETRY_AFTER_SECONDS } from '../lookup/request.ts';
import { StorageUnavailable } from '../storage/store.ts';

interface ProblemKind {
  readonly status: number;
  readonly title: string;
}

export const PROBLEMS = {
  'invalid-number': { status: 400, title: 'Not a phone number' },
  'invalid-request': { status: 400, title: 'Not a valid request' },
  'invalid-body': { status: 400, title: 'The body cannot be read' },
  'invalid-policy': { status: 400, title: 'A rule of the policy cannot be used' },
  unauthorized: { status: 401, title: 'A valid API key is needed' },
  forbidden: { status: 403, title: 'The API key lacks a scope' },
  'not-found': { status: 404, title: 'Not found' },
  'not-retained': { status: 404, title: 'The generation is not retained' },
  'not-quarantined': { status: 404, title: 'The source is not in quarantine' },
  'not-set-aside': { status: 404, title: 'The batch is not set aside' },
  'method-not-allowed': { status: 405, title: 'Method not allowed' },
  'idempotency-conflict': { status: 409, title: 'The Idempotency-Key has been used with another body' },
  'ambiguous-source': { status: 409, title: 'Several sources have this name' },
  'too-many-keys': { status: 409, title: 'No more API keys can be stored' },
  'batch-unreadable': { status: 409, title: 'The batch cannot be read' },
  'overrides-lost': { status: 409, title: 'The list of overrides is lost' },
  'limit-reached': { status: 409, title: 'No more can be stored' },
  'payload-too-large': { status: 413, title: 'Payload too large' },
  'unsupported-media-type': { status: 415, title: 'Unsupported media type' },
  'range-not-satisfiable': { status: 416, title: 'The range lies outside of the bytes' },
  'quota-exceeded': { status: 429, title: 'The quota of the API key is used up' },
  'internal-error': { status: 500, title: 'Internal error' },
  'storage-unavailable': { status: 503, title: 'The storage does not answer' },
} as const satisfies Record<string, ProblemKind>;

export type ProblemCode = keyof typeof PROBLEMS;

export const PROBLEM_TYPE_PREFIX = 'urn:ringfence:problem:';
export const PROBLEM_MEDIA_TYPE = 'application/problem+json';

interface ProblemExtras {
  /** Further members of the problem, such as the field at fault. */
  readonly members?: Readonly<Record<string, unknown>>;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Thrown anywhere below a route, it ends the request with this answer. Any other error is a fault of the software. */
export class Problem extends Error {
  override readonly name = 'Problem';
  readonly code: ProblemCode;
  readonly detail: string;
  readonly members: Readonly<Record<string, unknown>>;
  readonly headers: Readonly<Record<string, string>>;

  /** @param detail tells the client what was expected, never what was sent */
  constructor(code: ProblemCode, detail: string, { members = {}, headers = {} }: ProblemExtras = {}) {
    super(`${code}: ${detail}`);
    this.code = code;
    this.detail = detail;
    this.members = members;
    this.headers = headers;
  }

  get status(): number {
    return PROBLEMS[this.code].status;
  }

  toJSON(): Record<string, unknown> {
    const { status, title } = PROBLEMS[this.code];
    return { type: PROBLEM_TYPE_PREFIX + this.code, title, status, detail: this.detail, ...this.members };
  }
}

export function storageUnavailable(detail: string, members: Readonly<Record<string, unknown>> = {}): Problem {
  return new Problem('storage-unavailable', detail, {
    members,
    headers: { 'retry-after': String(RETRY_AFTER_SECONDS) },
  });
}

/** Answers are about people and change by the minute; no cache on the way may keep one. */
export const COMMON_HEADERS = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' } as const;

export function problemResponse(problem: Problem): Response {
  return new Response(JSON.stringify(problem), {
    status: problem.status,
    headers: { ...COMMON_HEADERS, 'content-type': PROBLEM_MEDIA_TYPE, ...problem.headers },
  });
}

/** As RequestServices has them (services.ts). */
interface FailureServices {
  randomId(): string;
  log(event: string, fields: Readonly<Record<string, string | number>>): void;
}

/** Turns whatever a route threw into an answer, and logs it unless the client caused it. */
export function failureResponse(error: unknown, route: string, services: FailureServices): Response {
  return problemResponse(problemOf(error, route, services));
}

/** The same as a problem, for callers that do not answer over HTTP. */
export function problemOf(error: unknown, route: string, services: FailureServices): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof LookupError) {
    const { code, detail, members, retryAfterSeconds } = error;
    const headers = retryAfterSeconds === null ? {} : { 'retry-after': String(retryAfterSeconds) };
    return new Problem(code, detail, { members, headers });
  }
  if (error instanceof StorageUnavailable) {
    services.log('storage-unavailable', { route, ...described(error.cause ?? error) });
    return storageUnavailable(error.detail);
  }
  const id = services.randomId();
  services.log('internal-error', { id, route, ...described(error) });
  return new Problem('internal-error', 'an unexpected error; its id finds it in the logs', { members: { id } });
}

const MAX_STACK_CHARS = 2000;
function described(error: unknown): Record<string, string> {
  if (!(error instanceof Error)) return { error: typeof error };
  const stack = redacted(error.stack ?? '').slice(0, MAX_STACK_CHARS);
  return { error: error.name, message: redacted(error.message), stack };
}
