/**
 * Why a lookup has no answer. HTTP makes a problem of it, RPC and replicas a result; the statuses are those of
 * src/http/problem.ts. Like there, nothing that was sent is quoted.
 */
const STATUS = {
  'invalid-number': 400,
  'invalid-request': 400,
  'not-retained': 404,
  'quota-exceeded': 429,
  'storage-unavailable': 503,
} as const;

export type LookupErrorCode = keyof typeof STATUS;

export class LookupError extends Error {
  override readonly name = 'LookupError';
  readonly code: LookupErrorCode;
  /** What was expected. */
  readonly detail: string;
  /** Further members of the problem, such as the field at fault. */
  readonly members: Readonly<Record<string, unknown>>;
  /** After which the same lookup may be answered; null: nobody knows. */
  readonly retryAfterSeconds: number | null;

  constructor(
    code: LookupErrorCode,
    detail: string,
    members: Readonly<Record<string, unknown>> = {},
    retryAfterSeconds: number | null = null,
  ) {
    super(`${code}: ${detail}`);
    this.code = code;
    this.detail = detail;
    this.members = members;
    this.retryAfterSeconds = retryAfterSeconds;
  }

  get status(): number {
    return STATUS[this.code];
  }
}
