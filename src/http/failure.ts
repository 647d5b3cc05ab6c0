/** What became of a request that did not get its answer. */
import { LookupError } from '../lookup/lookup-error.ts';
import { StorageUnavailable } from '../store/errors.ts';
import { Problem, storageUnavailable } from './problem.ts';
import { problemResponse } from './respond.ts';
import type { RequestServices } from './services.ts';

/** Turns whatever a route threw into an answer, and logs it if it was not the client's doing. */
export function failureResponse(
  error: unknown,
  route: string,
  services: Pick<RequestServices, 'log' | 'randomId'>,
): Response {
  return problemResponse(problemOf(error, route, services));
}

/** The same as the problem, for those who do not answer over HTTP. */
export function problemOf(error: unknown, route: string, services: Pick<RequestServices, 'log' | 'randomId'>): Problem {
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
/** A message may quote what it failed on: seven digits and more, however parted, may be a number. */
const DIGITS = /\d(?:(?:[\s()._/-]|%20)*\d){6,}/g;

function described(error: unknown): Record<string, string> {
  if (!(error instanceof Error)) return { error: typeof error };
  const stack = (error.stack ?? '').slice(0, MAX_STACK_CHARS);
  return { error: error.name, message: redact(error.message), stack: redact(stack) };
}

function redact(text: string): string {
  return text.replace(DIGITS, '[digits]');
}
