/**
 * Errors as RFC 9457 problem details. `type` is `urn:ringfence:problem:<code>`: a name and not an address, so that it
 * stays true wherever the service is deployed. Nothing a client sent is ever quoted in one: it may be a number.
 */

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

export interface ProblemExtras {
  /** Further members of the problem, such as the field at fault. */
  readonly members?: Readonly<Record<string, unknown>>;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Thrown anywhere below a route to end the request with this answer; any other error is a fault of ours. */
export class Problem extends Error {
  override readonly name = 'Problem';
  readonly code: ProblemCode;
  readonly detail: string;
  readonly members: Readonly<Record<string, unknown>>;
  readonly headers: Readonly<Record<string, string>>;

  /** @param detail for the client: what was expected, never what was sent */
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

/** Long enough for a storage hiccup to pass, short enough for a sign-up form to try again. */
const RETRY_AFTER_SECONDS = 5;

export function storageUnavailable(detail: string, members: Readonly<Record<string, unknown>> = {}): Problem {
  return new Problem('storage-unavailable', detail, {
    members,
    headers: { 'retry-after': String(RETRY_AFTER_SECONDS) },
  });
}
