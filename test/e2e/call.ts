/** Calls of the API over HTTP, with JSON in both directions. */

export const ADMIN_KEY = 'end-to-end-admin-key-0123456789abcdef';

interface Request {
  /** Default: GET, or POST with a body. */
  readonly method?: string | undefined;
  readonly body?: unknown;
  /** Null: none. Default: the admin key. */
  readonly key?: string | null;
}

export interface Response {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The body, if it is a JSON object; else empty. */
  readonly json: Readonly<Record<string, unknown>>;
}

export async function send(url: string, { method, body, key = ADMIN_KEY }: Request = {}): Promise<Response> {
  const response = await fetch(url, {
    method: method ?? (body === undefined ? 'GET' : 'POST'),
    headers: { 'content-type': 'application/json', ...(key === null ? {} : { authorization: `Bearer ${key}` }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  const json = text.startsWith('{') ? (JSON.parse(text) as Record<string, unknown>) : {};
  return { status: response.status, headers: response.headers, text, json };
}

/** The body of an answer with 2xx; rejects on any other. */
export async function call(url: string, request: Request = {}): Promise<Response['json']> {
  const { status, text, json } = await send(url, request);
  if (status < 200 || status > 299) throw new Error(`${new URL(url).pathname} answers ${status}: ${text}`);
  return json;
}
