/** What `npm run example` sets through the environment. In code of your own, write the values that you want. */
import type { CheckOptions, Fallback } from 'ringfence/fetch';

type Settings = Pick<CheckOptions, 'onError' | 'timeoutMs' | 'turnstile'>;

/** The middleware checks the values: it does not start with ones that it cannot use. */
export function settingsFrom(env: object): Settings {
  const { ON_ERROR, TIMEOUT_MS, TURNSTILE_SECRET, TURNSTILE_URL } = env as Readonly<Record<string, string | undefined>>;
  return {
    ...(ON_ERROR ? { onError: ON_ERROR as Fallback } : {}),
    ...(TIMEOUT_MS ? { timeoutMs: Number(TIMEOUT_MS) } : {}),
    // Without a secret nobody passes a challenge.
    ...(TURNSTILE_SECRET
      ? { turnstile: { secret: TURNSTILE_SECRET, ...(TURNSTILE_URL ? { url: TURNSTILE_URL } : {}) } }
      : {}),
  };
}
