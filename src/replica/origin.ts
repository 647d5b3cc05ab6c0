/** The origin's feed over HTTP. What it returns is whole and has the hash that was asked for. */

import type { SliceShape } from '../format/segment.ts';
import { type Bytes, FormatError } from '../lib/bytes.ts';
import { readBounded } from '../lib/http-body.ts';
import { MAX_MANIFEST_BYTES } from './feed-manifest.ts';

/**
 * Attempts have pauses of 0.5 and 1 s between them. What fails three times is left to the next sync, a minute later.
 */
const ATTEMPTS = 3;
const BASE_DELAY_MS = 500;
/** A slice has some 100 KB and a manifest less than a megabyte, so an origin that takes longer has failed. */
const TIMEOUT_MS = 30_000;

interface OriginOptions {
  /** Where the origin is, such as `https://ringfence.example.com`; a path in front of `/v1` is kept. */
  readonly url: string;
  /** With the scope `feed`. */
  readonly key: string;
  fetch(request: Request): Promise<Response>;
  sleep(ms: number): Promise<void>;
  /** 0 to 1, for the pauses between attempts. */
  random(): number;
}

export interface FetchedManifest {
  readonly etag: string;
  readonly bytes: Bytes;
}

/**
 * What a manifest names and a replica keeps: slices, and segments up to their evidence under the hash of their numbers.
 * The content follows from the hash, so one of them may stand in several places.
 */
export interface NamedSlice extends SliceShape {
  /** At the origin, beneath its feed. */
  readonly path: string;
  /** Rejects with FormatError unless the bytes are what the hash stands for. */
  check(bytes: Bytes): Promise<unknown>;
  /** Rejects unless the bytes, which are the right ones, can be used by this version. */
  open(bytes: Bytes): Promise<unknown>;
}

/** A failure that may be over a moment later, so the request is made again. */
class Transient extends Error {}

export class Origin {
  readonly #options: OriginOptions;
  readonly #feedUrl: string;

  constructor(options: OriginOptions) {
    this.#options = options;
    this.#feedUrl = `${new URL(options.url).href.replace(/\/+$/, '')}/v1/feed`;
  }

  /** @param etag of the manifest that is held; null: none, and the answer is never 'unchanged' */
  async manifest(etag: string | null): Promise<FetchedManifest | 'unchanged'> {
    return this.#attempt('manifest', etag, async (response) => {
      if (response.status === 304 && etag !== null) return 'unchanged';
      if (response.status !== 200) throw unexpected('manifest', response.status);
      const tag = response.headers.get('etag');
      if (tag === null) throw new ReplicaError('invalid', 'the manifest: expected an ETag');
      return { etag: tag, bytes: await readBody(response, MAX_MANIFEST_BYTES) };
    });
  }

  /** 'gone': the origin has no such slice, or no more. */
  async slice({ path, bytes: length, check }: NamedSlice): Promise<Bytes | 'gone'> {
    return this.#attempt(path, null, async (response) => {
      if (response.status === 404) return 'gone';
      if (response.status !== 200) throw unexpected('slice', response.status);
      const bytes = await readBody(response, length);
      await check(bytes).catch(asTransient);
      return bytes;
    });
  }

  async #attempt<T>(path: string, etag: string | null, read: (response: Response) => Promise<T>): Promise<T> {
    const { sleep, random } = this.#options;
    let failure: Error | undefined;
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      if (attempt > 0) await sleep(BASE_DELAY_MS * 2 ** (attempt - 1) * (0.5 + random() / 2));
      try {
        const response = await this.#send(path, etag);
        try {
          return await read(response);
        } finally {
          // A body that is not read would keep its connection.
          if (!response.bodyUsed) await response.body?.cancel().catch(() => undefined);
        }
      } catch (error) {
        if (!(error instanceof Transient)) throw error;
        failure = error;
      }
    }
    throw new ReplicaError('unavailable', `${ATTEMPTS} attempts: ${failure?.message ?? 'failed'}`, failure);
  }

  async #send(path: string, etag: string | null): Promise<Response> {
    const request = new Request(`${this.#feedUrl}/${path}`, {
      headers: {
        authorization: `Bearer ${this.#options.key}`,
        ...(etag === null ? {} : { 'if-none-match': etag }),
      },
      // If a redirect were followed, the key would go there too.
      redirect: 'manual',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const response = await this.#options.fetch(request).catch(asTransient);
    const { status } = response;
    if (status === 401 || status === 403) {
      await response.body?.cancel();
      throw new ReplicaError('refused', `the origin answered ${status}: expected an API key with the scope feed`);
    }
    if (status === 429 || status >= 500) {
      await response.body?.cancel();
      throw new Transient(`the origin answered ${status}`);
    }
    return response;
  }
}

async function readBody(response: Response, maxBytes: number): Promise<Bytes> {
  const bytes = await readBounded(response.body, maxBytes).catch(asTransient);
  if (bytes === null) throw new Transient(`expected at most ${maxBytes} bytes`);
  return bytes;
}

/**
 * Makes network errors, broken bodies and wrong bytes transient. The platform's messages may name the address, but not
 * the key.
 */
function asTransient(error: unknown): never {
  const reason = error instanceof FormatError ? error.message : 'the origin was not reached, or broke off';
  throw new Transient(reason, { cause: error });
}

function unexpected(what: string, status: number): ReplicaError {
  return new ReplicaError('invalid', `the ${what}: expected 200, found ${status}; is this the URL of a Ringfence?`);
}

/**
 * Why a sync did not end. In each case what was held before goes on answering.
 *
 * | code | what to do |
 * | --- | --- |
 * | refused | the key is not valid, or lacks the scope `feed`: set another |
 * | unavailable | nothing: the next sync tries again |
 * | invalid | the origin sent what no replica of this version can use: is it the right URL, and this package up to date? |
 * | outdated | the origin is of a version before this package's, and sends no compiled policy: deploy the origin anew |
 * | older | nothing: the origin answers with an older generation than is held; if it keeps to it, it is followed |
 */
export type ReplicaErrorCode = 'refused' | 'unavailable' | 'invalid' | 'outdated' | 'older';

export class ReplicaError extends Error {
  override readonly name = 'ReplicaError';
  readonly code: ReplicaErrorCode;

  constructor(code: ReplicaErrorCode, detail: string, cause?: unknown) {
    super(`${code}: ${detail}`, { cause });
    this.code = code;
  }
}
