/** The server as an import sees it: it sends uploads until they are accepted, and asks which labels there are. */
import * as v from 'valibot';
import { DEFAULT_LABEL, type Labels } from '../../src/ingest/validate.ts';
import { secondsFrom } from '../../src/sdk/client/answer.ts';
import { keyAdvice, refusalText } from '../command/errors.ts';
import { type Output, outputOf } from '../command/progress.ts';
import { ImportError } from './mapping.ts';

/** What an import needs of the world around it. */
export interface ImportIo {
  readonly fetch: (url: string, init: UploadInit) => Promise<Response>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly sleep: (milliseconds: number) => Promise<void>;
  /** From 0 up to, not including, 1. */
  readonly random: () => number;
  readonly out: Output;
}

export interface UploadInit {
  readonly method: 'POST';
  readonly headers: Record<string, string>;
  readonly body: Uint8Array<ArrayBuffer>;
  readonly signal: AbortSignal;
}

/** @param stream where progress and messages go */
export function realIo(stream: NodeJS.WriteStream): ImportIo {
  return {
    fetch: (url, init) => fetch(url, init),
    now: () => Date.now(),
    sleep: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
    random: () => Math.random(),
    out: outputOf(stream),
  };
}

export interface Target {
  /** Of the API, without a slash at its end. */
  readonly url: string;
  readonly key: string;
}

export interface UploadReceipt {
  readonly batch: string;
  readonly accepted: number;
  readonly rejected: number;
  readonly errors: readonly { readonly line: number; readonly code: string; readonly detail: string }[];
  /** Accepted lines that had none of their own. Absent from servers, and of uploads, that did not count them. */
  readonly defaulted?: { readonly label: number; readonly channel: number } | undefined;
  /** Of an upload that was counted before: what became of it, such as `merged` or `set-aside`. */
  readonly state?: string | undefined;
  /** The server had counted this very upload before. */
  readonly replayed: boolean;
}

/** The Idempotency-Key has been used with another body. */
export class KeyUsed extends ImportError {}

/** With the delays below, a server may be away for about a minute before an import stops. */
const MAX_ATTEMPTS = 8;
const FIRST_DELAY_MS = 500;
const MAX_DELAY_MS = 30_000;
/** A `Retry-After` beyond this is not waited for to its end. */
const MAX_RETRY_AFTER_MS = 120_000;
/** An upload of 20,000 lines takes a fraction of a second; past this nothing is going to come any more. */
const TIMEOUT_MS = 120_000;

const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const RECEIPT = v.object({
  batch: v.string(),
  accepted: count,
  rejected: count,
  errors: v.array(v.object({ line: count, code: v.string(), detail: v.string() })),
  defaulted: v.optional(v.object({ label: count, channel: count })),
  state: v.optional(v.string()),
});

/** A line that no server accepts, for a reason that says nothing of where it comes from. */
const NOTHING = `${JSON.stringify({ observedAt: 'never' })}\n`;

interface UploadOptions {
  /** None for an upload that has nothing to count. */
  readonly idempotencyKey?: string;
  readonly gzip?: boolean;
  /** Give up at once if there is no answer at all: the URL may be wrong, or the server not started. */
  readonly expectServer?: boolean;
}

/**
 * Sends one NDJSON upload, again and again while the server is busy, away or failing.
 * @throws ImportError if it does not get through, or the server refuses it
 */
export async function upload(
  body: Uint8Array<ArrayBuffer>,
  options: UploadOptions,
  target: Target,
  io: ImportIo,
): Promise<UploadReceipt> {
  let problem = '';
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    const response = await send(body, options, target, io);
    if (response instanceof Response) {
      if (response.status === 202) return receiptOf(response);
      problem = await refusalText(response);
      if (!isRetryable(response.status)) throw refusal(response.status, problem, target);
    } else {
      problem = response.problem;
      if (options.expectServer) throw nobodyThere(problem, target);
    }
    if (attempt + 1 < MAX_ATTEMPTS) {
      const waitMs = delayMs(attempt, response instanceof Response ? response.headers.get('retry-after') : null, io);
      io.out.write(`${problem}; trying again in ${Math.ceil(waitMs / 1000)} s\n`);
      await io.sleep(waitMs);
    }
  }
  throw new ImportError(`gave up after ${MAX_ATTEMPTS} attempts: ${problem}`);
}

/**
 * Whether the server has an upload with this key, without sending it again. If it has not, it never will: the key is
 * used up by the question, also for an upload that is still under way.
 * @throws ImportError if there is no clear answer
 */
export async function isTaken(idempotencyKey: string, target: Target, io: ImportIo): Promise<boolean> {
  try {
    await upload(new Uint8Array(Buffer.from(NOTHING)), { idempotencyKey }, target, io);
    return false;
  } catch (error) {
    if (error instanceof KeyUsed) return true;
    throw error;
  }
}

interface NoAnswer {
  readonly problem: string;
}

async function send(
  body: Uint8Array<ArrayBuffer>,
  { idempotencyKey, gzip }: UploadOptions,
  target: Target,
  io: ImportIo,
): Promise<Response | NoAnswer> {
  const headers: Record<string, string> = {
    authorization: `Bearer ${target.key}`,
    'content-type': 'application/x-ndjson',
    ...(gzip && { 'content-encoding': 'gzip' }),
    ...(idempotencyKey !== undefined && { 'idempotency-key': idempotencyKey }),
  };
  try {
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    return await io.fetch(`${target.url}/v1/detections`, { method: 'POST', headers, body, signal });
  } catch (error) {
    const cause = error instanceof Error ? error.cause : undefined;
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
    const name = error instanceof Error ? error.name : 'error';
    return { problem: `no answer from ${target.url} (${code || name})` };
  }
}

function isRetryable(status: number): boolean {
  return status === 408 || status === 429 || status >= 500;
}

/** Full jitter, so that many importers do not come back all at once. */
function delayMs(attempt: number, retryAfter: string | null, io: ImportIo): number {
  const backoffMs = io.random() * Math.min(FIRST_DELAY_MS * 2 ** attempt, MAX_DELAY_MS);
  const askedMs = (secondsFrom(retryAfter, io.now()) ?? 0) * 1000;
  return Math.max(backoffMs, Math.min(askedMs, MAX_RETRY_AFTER_MS));
}

async function receiptOf(response: Response): Promise<UploadReceipt> {
  const parsed = v.safeParse(RECEIPT, await response.json().catch(() => null));
  if (!parsed.success) throw new ImportError('the server answers 202 without a receipt: is this the URL of Ringfence?');
  return { ...parsed.output, replayed: response.headers.get('idempotent-replayed') === 'true' };
}

function refusal(status: number, problem: string, { url }: Target): ImportError {
  const advice: Readonly<Record<number, string>> = {
    404: `There is no Ringfence at ${url}: check --url.`,
    405: `There is no Ringfence at ${url}: check --url.`,
    413: 'Send fewer lines at a time with --batch-size.',
  };
  const other = status < 400 ? `Is ${url} the URL of Ringfence? It answers an upload with 202.` : undefined;
  const message = [problem, keyAdvice(status, 'ingest') ?? advice[status] ?? other].filter(Boolean).join('\n');
  return status === 409 ? new KeyUsed(message) : new ImportError(message);
}

function nobodyThere(problem: string, { url }: Target): ImportError {
  return new ImportError(
    `${problem}\nIs Ringfence running at ${url}? Start it with \`npm start\`, or give another --url.`,
  );
}

/** Labels that are asked about; a column with more distinct values than that is not one of labels. */
const MAX_QUESTIONS = 64;

/**
 * The labels that the server is configured with, as far as it has been asked. It is asked by sending one line that has
 * a label and no number: it cannot be accepted, and the reason tells. Nothing is stored for it.
 */
export class ServerLabels implements Labels {
  readonly #target: Target;
  readonly #io: ImportIo;
  readonly #known = new Set<string>();
  /** Unknown labels, with the reason as the server gave it. */
  readonly #unknown = new Map<string, string>();

  constructor(target: Target, io: ImportIo) {
    this.#target = target;
    this.#io = io;
  }

  /**
   * The first question of an import, which also shows whether the server is there and the key is good.
   * @param label that of --set, if given
   * @throws ImportError saying what to do
   */
  async check(label: string | undefined): Promise<void> {
    await this.learn(label, true);
    const reason = this.reason(label ?? DEFAULT_LABEL);
    if (label !== undefined && reason !== null) throw new ImportError(`--set label=${label}: ${reason}`);
  }

  /** Asks, unless this label has been asked about. */
  async learn(label: string = DEFAULT_LABEL, expectServer = false): Promise<void> {
    if (this.has(label) || this.#unknown.has(label)) return;
    if (this.#known.size + this.#unknown.size >= MAX_QUESTIONS) {
      this.#unknown.set(label, `expected at most ${MAX_QUESTIONS} different labels; found more`);
      return;
    }
    const body = new Uint8Array(Buffer.from(`${JSON.stringify({ label })}\n`));
    const { errors } = await upload(body, { expectServer }, this.#target, this.#io);
    const error = errors.find(({ code }) => code === 'unknown-label');
    if (error === undefined) this.#known.add(label);
    else this.#unknown.set(label, error.detail);
  }

  has(label: string): boolean {
    return this.#known.has(label);
  }

  /** Why the server does not take the label; null if it does. */
  reason(label: string): string | null {
    return this.#unknown.get(label) ?? null;
  }

  [Symbol.iterator](): Iterator<string> {
    return this.#known.values();
  }
}
