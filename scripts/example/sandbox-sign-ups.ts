/** Sign-ups with the numbers of the sandbox, to try and to warm up with. */
import { SANDBOX } from '../../src/lookup/sandbox.ts';

const MAX_TRIES = 50;
const BETWEEN_TRIES_MS = 100;

const TRIES = [
  { number: SANDBOX.listed, means: 'listed: 403 request-refused' },
  { number: SANDBOX.suspect, means: 'suspect: 403 challenge-required' },
  { number: SANDBOX.clear, means: 'clear: 201' },
];

export function curlLines(url: string): string {
  return TRIES.map(
    ({ number, means }) =>
      `  curl -H 'Content-Type: application/json' -d '{"phone":"+${number}"}' ${url}/sign-up   # ${means}`,
  ).join('\n');
}

/**
 * Until both Workers have found each other and are warm, so that the first sign-up is not one for `onError`. Gives up
 * in the end: the policy or the overrides of this state may decide otherwise about these numbers.
 */
export async function warmUp(url: string, stop: AbortSignal): Promise<void> {
  for (let i = 0; i < MAX_TRIES && !stop.aborted; i++) {
    const statuses = [await signUp(url, SANDBOX.listed), await signUp(url, SANDBOX.clear)];
    if (statuses[0] === 403 && statuses[1] === 201) return;
    await new Promise((resolve) => setTimeout(resolve, BETWEEN_TRIES_MS));
  }
}

async function signUp(url: string, number: number): Promise<number> {
  const response = await fetch(`${url}/sign-up`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ phone: `+${number}` }),
  });
  await response.body?.cancel();
  return response.status;
}
