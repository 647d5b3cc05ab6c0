/** One POST with a JSON body, and the bounded reading of what comes back. */
import type { Fetch } from './types.ts';

/**
 * An answer is below 1 KiB; with dozens of labels it is still below this. Read by a loop of its own and not by
 * src/lib/http-body.ts, for which the bound of the bundles (docs/MIDDLEWARE.md) has no room.
 */
const MAX_REPLY_CHARS = 64 * 1024;

/** @throws whatever fetch throws: no connection, aborted by the signal */
export function postJson(
  fetchGiven: Fetch | undefined,
  url: string,
  body: Readonly<Record<string, unknown>>,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<Response> {
  // Called as a plain function: as a method of the options, the global one of Workers throws "Illegal invocation".
  const send: Fetch = fetchGiven ?? fetch;
  return send(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json', ...headers },
    body: JSON.stringify(body),
    signal,
    // A followed redirect would carry number and key to wherever it points. Workers do not have the mode 'error'.
    redirect: 'manual',
  });
}

/**
 * The JSON of a body; undefined if it is none or too long. One that is too long is read no further.
 * @throws if the connection breaks off
 */
export async function readJson(response: Response): Promise<unknown> {
  const decoder = new TextDecoder();
  let text = '';
  // Ends with the body, with the bound, or with the deadline, which aborts the read.
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length > MAX_REPLY_CHARS) return undefined;
  }
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
