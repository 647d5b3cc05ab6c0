/** Asks Turnstile's siteverify whether a token is valid. */
import { postJson, readJson } from './transport.ts';
import type { Subject, TurnstileSettings } from './types.ts';

const SITEVERIFY_URL = 'https://challenges.cloudflare.com/turnstile/v0/siteverify';
/**
 * Turnstile's own bound is 2,048 characters. Text that cannot be a token is not sent, so that it cannot cause an error.
 */
const TOKEN = /^[\x21-\x7e]{1,2048}$/;
/** Failures of the set-up or of Turnstile. All other codes, unknown ones too, are about the token. */
const NOT_THE_TOKEN = /^((missing|invalid)-input-secret|internal-error)$/;

/**
 * A token is valid once. So this is never tried again, and must not be called for a request that is let through anyway.
 */
export async function verifyToken(
  settings: TurnstileSettings,
  secret: string,
  { turnstileToken: token, remoteIp }: Pick<Subject, 'turnstileToken' | 'remoteIp'>,
  signal: AbortSignal,
): Promise<boolean | 'unverified'> {
  if (typeof token !== 'string' || !TOKEN.test(token)) return false;
  try {
    const body = { secret, response: token, ...(remoteIp ? { remoteip: remoteIp } : {}) };
    const reply = await readJson(await postJson(settings.fetch, settings.url ?? SITEVERIFY_URL, body, {}, signal));
    const { success, hostname, action, 'error-codes': codes } = Object(reply) as Readonly<Record<string, unknown>>;
    if (success === true) return isForUs(settings, hostname, action);
    return success !== false || [codes].flat().some((code) => NOT_THE_TOKEN.test(String(code))) ? 'unverified' : false;
  } catch {
    return 'unverified';
  }
}

/** A token that was solved on another page with the same widget is valid, but not here. */
function isForUs(expected: TurnstileSettings, hostname: unknown, action: unknown): boolean {
  const hostnames: readonly unknown[] = [expected.hostname ?? hostname].flat();
  return hostnames.includes(hostname) && (expected.action ?? action) === action;
}
