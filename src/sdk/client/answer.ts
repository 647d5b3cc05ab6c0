/** Reads a response: the answer of an operation, or the error that it is. */
import { readBounded } from '../../lib/http-body.ts';
import { problemCode, RingfenceError } from './error.ts';

/** Far above any answer: the answer to a batch of 1,000 numbers has half a megabyte. */
const MAX_ANSWER_BYTES = 16 * 1024 * 1024;
/** A `detail` of this length fits into a log line. */
const MAX_DETAIL_CHARS = 500;
const NO_CONTENT = 204;

/**
 * @param answers statuses whose body is the answer
 * @throws RingfenceError
 */
export async function readAnswer(response: Response, answers: readonly number[], nowMs: number): Promise<unknown> {
  const { status } = response;
  const mediaType = (response.headers.get('content-type') ?? '').split(';')[0]?.trim().toLowerCase();
  if (answers.includes(status)) {
    if (status === NO_CONTENT) return undefined;
    if (mediaType === 'application/json') return parseJson(await readText(response), status);
  }
  const retryAfterSeconds = secondsFrom(response.headers.get('retry-after'), nowMs);
  if (mediaType === 'application/problem+json') {
    const { type, detail } = asObject(parseJson(await readText(response), status));
    const code = problemCode(type);
    if (code !== null) throw new RingfenceError(code, detailText(detail), { status, retryAfterSeconds });
  }
  response.body?.cancel().catch(() => undefined);
  const expected = `expected an answer of Ringfence; found one with the status ${status}`;
  throw new RingfenceError('unexpected-answer', expected, { status, retryAfterSeconds });
}

async function readText({ body, status }: Response): Promise<string> {
  const bytes = await readBounded(body, MAX_ANSWER_BYTES);
  if (bytes !== null) return new TextDecoder().decode(bytes);
  throw new RingfenceError('unexpected-answer', `expected an answer of at most ${MAX_ANSWER_BYTES} bytes`, { status });
}

function parseJson(text: string, status: number): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    // The parser's own message quotes the text, which may hold the number.
    throw new RingfenceError('unexpected-answer', 'expected JSON', { status });
  }
}

function asObject(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}

function detailText(detail: unknown): string {
  return typeof detail === 'string' ? detail.slice(0, MAX_DETAIL_CHARS) : 'no detail was given';
}

/** Retry-After in seconds, or as a date, which proxies may write. null: there is none, or none that can be read. */
export function secondsFrom(header: string | null, nowMs: number): number | null {
  if (header === null) return null;
  if (/^\d{1,9}$/.test(header)) return Number(header);
  const atMs = Date.parse(header);
  return Number.isNaN(atMs) ? null : Math.max(0, Math.ceil((atMs - nowMs) / 1000));
}
