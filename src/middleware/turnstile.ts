/** Asks Turnstile's siteverify whether a token is good. */
import { isObject } from './answer-shape.ts';
import { postJson, readJson } from './post-json.ts';
import type { Subject, TurnstileSettings } from './types.ts';

const SITEVERIFY_URL = 'https://challenges.cloudflare.com/turnstile/v0/siteverify';
/** Turnstile's own bound is 2,048 characters. What is no token is not sent, so that it cannot cause an error either. */
const TOKEN = /^[\x21-\x7e]{1,2048}$/;
/** Failures of ours or theirs. All other codes, and unknown ones, are about the token. */
const NOT_THE_TOKEN: readonly unknown[] = ['missing-input-secret', 'invalid-input-secret', 'internal-error'];

/** A token is good once: this is never tried again, and must not be called for a request that is let through anyway. */
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
    if (!isObject(reply) || typeof reply.success !== 'boolean') return 'unverified';
    if (reply.success) return isForUs(settings, reply);
    const codes = reply['error-codes'];
    return Array.isArray(codes) && codes.some((code) => NOT_THE_TOKEN.includes(code)) ? 'unverified' : false;
  } catch {
    return 'unverified';
  }
}

/** A token that was solved for another page with the same widget is good as such, but not here. */
function isForUs({ hostname, action }: TurnstileSettings, reply: Readonly<Record<string, unknown>>): boolean {
  const isOurHost = hostname === undefined || [hostname].flat().some((name) => name === reply.hostname);
  return isOurHost && (action === undefined || action === reply.action);
}
