/** From the bytes of an upload to its text: the media type, gzip, and UTF-8. */
import { BodyError, MAX_BODY_BYTES, MAX_LINE_CHARS } from './body.ts';

export type BodyFormat = 'ndjson' | 'json' | 'csv';

export interface BodyEncoding {
  readonly format: BodyFormat;
  readonly gzip: boolean;
}

const FORMATS: ReadonlyMap<string, BodyFormat> = new Map([
  ['application/x-ndjson', 'ndjson'],
  ['application/json', 'json'],
  ['text/csv', 'csv'],
]);

/** The Content-Types that clients send if none was chosen. */
const FORMS: ReadonlyMap<string, string> = new Map([
  [
    'application/x-www-form-urlencoded',
    ', which is what curl -d says unless told otherwise: name the type with -H, and send a file with --data-binary @FILE',
  ],
  ['multipart/form-data', ': send the file itself as the body, with curl --data-binary @FILE'],
]);

/**
 * Reads the headers that say how an upload is written.
 * @throws BodyError `unsupported-media-type` for anything but UTF-8 NDJSON, JSON or CSV, plain or gzip
 */
export function bodyEncoding(contentType: string | null, contentEncoding: string | null): BodyEncoding {
  const [type = '', ...parameters] = (contentType ?? '').split(';').map((part) => part.trim().toLowerCase());
  const format = FORMATS.get(type);
  if (format === undefined) {
    const expected = [...FORMATS.keys()].join(', ');
    const advice = FORMS.get(type) ?? '';
    throw new BodyError('unsupported-media-type', `expected Content-Type ${expected}; found ${quoted(type)}${advice}`);
  }
  const charset = parameters.find((parameter) => parameter.startsWith('charset='))?.slice('charset='.length);
  if (charset !== undefined && !['utf-8', 'utf8', 'us-ascii'].includes(charset.replaceAll('"', ''))) {
    throw new BodyError('unsupported-media-type', `expected charset utf-8; found ${quoted(charset)}`);
  }
  return { format, gzip: isGzip(contentEncoding) };
}

function isGzip(contentEncoding: string | null): boolean {
  const encoding = (contentEncoding ?? '').trim().toLowerCase();
  if (encoding === '' || encoding === 'identity') return false;
  // RFC 9110, 8.4.1.3: x-gzip is the same thing.
  if (encoding === 'gzip' || encoding === 'x-gzip') return true;
  throw new BodyError('unsupported-media-type', `expected Content-Encoding gzip or none; found ${quoted(encoding)}`);
}

const MAX_QUOTED_CHARS = 60;
const MAX_QUOTED_DIGITS = 6;

/** The text, unless it has more digits than any media type or charset and so may be a phone number. */
function quoted(found: string): string {
  if (found === '') return 'none';
  return found.replace(/\D/g, '').length > MAX_QUOTED_DIGITS ? 'another' : `"${found.slice(0, MAX_QUOTED_CHARS)}"`;
}

/**
 * gzip turns one byte into at most ~1,032, and workerd inflates a whole written chunk before it looks whether anyone
 * reads. Small writes keep a hostile upload at about 4 MiB in flight whatever the size of the chunks it came in.
 */
const GZIP_WRITE_BYTES = 4096;

interface DecodeOptions {
  readonly gzip: boolean;
  /** Sees the body after content decoding, piece by piece. */
  readonly onBytes?: (bytes: Uint8Array) => void;
}

/**
 * The text of an upload in pieces, without its byte order mark. Whoever stops early cancels the upload.
 * @throws BodyError `payload-too-large` beyond MAX_BODY_BYTES; `invalid-body` if it is not whole gzip, not UTF-8, or
 *   breaks off
 */
export async function* decodedText(
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

/** Enough to know UTF-16 and UTF-32 by their byte order mark, or by the NUL beside an ASCII letter. */
const START_BYTES = 2;
/** No UTF-8 begins with them, and both byte order marks do. */
const MARK_BYTES: ReadonlySet<number | undefined> = new Set([0xfe, 0xff]);

/** UTF-8 that comes in pieces, as text without its byte order mark. */
export class Utf8Text {
  readonly #decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false });
  readonly #start: number[] = [];

  /** @throws BodyError `invalid-body`, saying so if it is UTF-16 */
  push(bytes: Uint8Array): string {
    if (this.#start.length < START_BYTES) {
      for (const byte of bytes.subarray(0, START_BYTES - this.#start.length)) this.#start.push(byte);
      if (MARK_BYTES.has(this.#start[0]) || (this.#start.includes(0) && this.#start.some((byte) => byte > 0))) {
        throw new BodyError('invalid-body', 'expected UTF-8 text; found what seems to be UTF-16: save it as UTF-8');
      }
    }
    return this.#decode(() => this.#decoder.decode(bytes, { stream: true }));
  }

  /** @throws BodyError `invalid-body` if it breaks off within a character */
  end(): string {
    return this.#decode(() => this.#decoder.decode());
  }

  #decode(decode: () => string): string {
    try {
      return decode();
    } catch {
      throw new BodyError('invalid-body', 'expected UTF-8 text; found bytes that are not UTF-8');
    }
  }
}

/** Receives lines in order, without their ends; `line` counts from 1 and counts blank lines too. */
interface LineSink {
  line(text: string, line: number): void;
  /** The line has more than MAX_LINE_CHARS; its text was dropped while it was read. */
  overlong(line: number): void;
}

const LF = 0x0a;

/** Cuts text that comes in pieces into lines, ended by LF, CRLF or CR. Holds at most one line. */
export class LineSplitter {
  readonly #sink: LineSink;
  #pending = '';
  #overlong = false;
  /** The line ended with a CR, which an LF may follow. */
  #afterCr = false;
  #line = 1;

  constructor(sink: LineSink) {
    this.#sink = sink;
  }

  push(text: string): void {
    if (text === '') return;
    let start = this.#afterCr && text.charCodeAt(0) === LF ? 1 : 0;
    this.#afterCr = false;
    // Each is looked for only once it has been passed, so that a text without it is gone through once.
    let lf = text.indexOf('\n', start);
    let cr = text.indexOf('\r', start);
    while (lf >= 0 || cr >= 0) {
      const isCr = cr >= 0 && (lf < 0 || cr < lf);
      const end = isCr ? cr : lf;
      this.#take(text.slice(start, end));
      this.#emit();
      start = isCr && lf === end + 1 ? end + 2 : end + 1;
      this.#afterCr = isCr && start === text.length && start === end + 1;
      if (isCr) cr = text.indexOf('\r', start);
      if (lf >= 0 && lf < start) lf = text.indexOf('\n', start);
    }
    this.#take(text.slice(start));
  }

  /** The last line needs no end. */
  end(): void {
    if (this.#pending !== '' || this.#overlong) this.#emit();
  }

  #take(text: string): void {
    if (this.#overlong || this.#pending.length + text.length > MAX_LINE_CHARS) {
      this.#overlong = true;
      this.#pending = '';
    } else {
      this.#pending = this.#pending === '' ? text : this.#pending + text;
    }
  }

  #emit(): void {
    const line = this.#line;
    const text = this.#pending;
    const overlong = this.#overlong;
    this.#line += 1;
    this.#pending = '';
    this.#overlong = false;
    if (overlong) this.#sink.overlong(line);
    else this.#sink.line(text, line);
  }
}
