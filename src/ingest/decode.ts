import { BodyError } from './errors.ts';
import { MAX_BODY_BYTES } from './limits.ts';
import { Utf8Text } from './utf8-text.ts';

/**
 * gzip turns one byte into at most ~1,032, and workerd inflates a whole written chunk before it looks whether anyone
 * reads. Small writes keep a hostile upload at about 4 MiB in flight whatever the size of the chunks it came in.
 */
const GZIP_WRITE_BYTES = 4096;

export interface DecodeOptions {
  readonly gzip: boolean;
  /** Sees the body after content decoding, piece by piece. */
  readonly onBytes?: (bytes: Uint8Array) => void;
}

/**
 * The text of an upload in pieces, without its byte order mark. Whoever stops early cancels the upload.
 * @throws BodyError `payload-too-large` beyond MAX_BODY_BYTES; `invalid-body` if it is not whole gzip, not UTF-8, or
 *   breaks off
 */
export async function* decodeText(
  body: ReadableStream<Uint8Array>,
  { gzip, onBytes }: DecodeOptions,
): AsyncGenerator<string, void, undefined> {
  const utf8 = new Utf8Text();
  const sent = new SentBytes();
  const reader = (gzip ? gunzip(body, sent) : body).getReader();
  let sizeBytes = 0;
  try {
    for (;;) {
      const bytes = await readPiece(reader, gzip, sent);
      if (bytes === null) break;
      sizeBytes += bytes.length;
      if (sizeBytes > MAX_BODY_BYTES) throw tooLarge('decoded');
      onBytes?.(bytes);
      yield utf8.push(bytes);
    }
    yield utf8.end();
  } finally {
    // After the end this does nothing. Before it, the rest is not needed: neither it nor an error of it is awaited.
    reader.cancel().catch(() => undefined);
  }
}

async function readPiece(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  gzip: boolean,
  sent: SentBytes,
): Promise<Uint8Array | null> {
  try {
    const { value, done } = await reader.read();
    return done ? null : value;
  } catch {
    // How much of the reason a failed pipe passes on differs between runtimes.
    if (sent.tooMany) throw tooLarge('as sent');
    const found = gzip ? 'damaged or unfinished data, or data after the end' : 'a body that breaks off';
    throw new BodyError('invalid-body', `expected ${gzip ? 'one gzip member' : 'a whole body'}; found ${found}`);
  }
}

/** Counts the body as it was sent. */
class SentBytes {
  #count = 0;

  add(count: number): void {
    this.#count += count;
  }

  get tooMany(): boolean {
    return this.#count > MAX_BODY_BYTES;
  }
}

function gunzip(body: ReadableStream<Uint8Array>, sent: SentBytes): ReadableStream<Uint8Array> {
  const portion = new TransformStream<Uint8Array, Uint8Array<ArrayBuffer>>({
    transform(chunk, controller) {
      sent.add(chunk.length);
      if (sent.tooMany) throw tooLarge('as sent');
      for (let at = 0; at < chunk.length; at += GZIP_WRITE_BYTES) {
        controller.enqueue(chunk.slice(at, at + GZIP_WRITE_BYTES));
      }
    },
  });
  return body.pipeThrough(portion).pipeThrough(new DecompressionStream('gzip'));
}

function tooLarge(what: string): BodyError {
  const limitMiB = MAX_BODY_BYTES / 1024 / 1024;
  return new BodyError('payload-too-large', `expected at most ${limitMiB} MiB ${what}; found more`);
}
