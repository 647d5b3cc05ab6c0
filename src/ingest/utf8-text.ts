import { BodyError } from './errors.ts';

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
