import { SANDBOX } from '../../../src/lookup/sandbox.ts';

export interface Outcome {
  readonly status: number;
  readonly text: string;
  readonly code: unknown;
  readonly milliseconds: number;
}

export function signUpRequest(number: number, token?: string) {
  return {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(token === undefined ? {} : { 'cf-turnstile-response': token }) },
    body: JSON.stringify({ email: 'someone@example.com', phone: `+${number}` }),
  };
}

export async function outcomeOf(send: () => Promise<{ status: number; text(): Promise<string> }>): Promise<Outcome> {
  const start = performance.now();
  const response = await send();
  const text = await response.text();
  const milliseconds = performance.now() - start;
  const { code } = JSON.parse(text) as { readonly code?: unknown };
  return { status: response.status, text, code, milliseconds };
}

export function signUp(url: string, number: number, token?: string): Promise<Outcome> {
  return outcomeOf(() => fetch(`${url}/sign-up`, signUpRequest(number, token)));
}

export { SANDBOX };

export const CREATED = { status: 201, code: undefined };
export const REFUSED = { status: 403, code: 'request-refused' };
export const CHALLENGED = { status: 403, code: 'challenge-required' };

/** What no answer to an end user may hold: who decided, by what, and why. */
export const REASONS = /ringfence|listed|suspect|clear|modem|policy|verdict|level|timeout|unreach|error|\d{8}/i;
