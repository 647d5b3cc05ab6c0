/** The error with which every failed call rejects, and its codes. */
import type { Problem } from '../../generated/api-types.ts';

const PROBLEM_TYPE_PREFIX = 'urn:ringfence:problem:';

/** Error codes of the service: the last part of the type of a problem. */
export type ProblemCode = Problem['type'] extends `urn:ringfence:problem:${infer Code}` ? Code : never;

/**
 * Codes of the client's own:
 *
 * - `network`: no whole answer came;
 * - `timeout`: no answer came within the time of the call;
 * - `aborted`: the caller's own signal ended the call;
 * - `unexpected-answer`: what answered is not Ringfence, or of a version that this client does not know.
 */
export type ClientCode = 'network' | 'timeout' | 'aborted' | 'unexpected-answer';

/**
 * Every failed call rejects with this. Its texts never hold the number or the key, so it may be logged: `detail` is the
 * service's own, which quotes nothing that was sent, or this client's, which does not either.
 */
export class RingfenceError extends Error {
  override readonly name = 'RingfenceError';
  /** Status of the answer; null if there was none. */
  readonly status: number | null;
  readonly code: ProblemCode | ClientCode;
  /** What was expected. */
  readonly detail: string;
  /** Seconds after which the same call may succeed; null if the service did not say. */
  readonly retryAfterSeconds: number | null;

  constructor(
    code: ProblemCode | ClientCode,
    detail: string,
    { status = null, retryAfterSeconds = null }: { status?: number | null; retryAfterSeconds?: number | null } = {},
  ) {
    super(`${code}: ${detail}`);
    this.code = code;
    this.detail = detail;
    this.status = status;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/**
 * The code of a problem that Ringfence answered; null: it is not one. A newer service may have codes that are not
 * listed here.
 */
export function problemCode(type: unknown): ProblemCode | null {
  if (typeof type !== 'string' || !type.startsWith(PROBLEM_TYPE_PREFIX)) return null;
  return type.slice(PROBLEM_TYPE_PREFIX.length) as ProblemCode;
}
