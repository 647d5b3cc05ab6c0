/** The body of an upload: its bounds, the error that refuses it, and the interface of its readers. */
import type { LineError } from '../format/batch.ts';

/** What the caller of an upload can be told, each answered with another HTTP status. */
type BodyErrorCode = 'invalid-body' | 'payload-too-large' | 'unsupported-media-type';

/** Advice for a sender whose line ends were stripped. */
export const LINE_ENDS_LOST = 'line ends may be lost: curl -d strips them, curl --data-binary does not';

/** The whole upload is refused and nothing of it is stored: 400, 413 or 415 by `code`. The sender has to change it. */
export class BodyError extends Error {
  readonly code: BodyErrorCode;
  /** What was expected and what was found, for the sender; never a number or a link. */
  readonly detail: string;

  constructor(code: BodyErrorCode, detail: string) {
    super(`${code}: ${detail}`);
    this.name = 'BodyError';
    this.code = code;
    this.detail = detail;
  }
}

// Bounds on one upload. The first two are part of the API; the others let an upload be read in constant memory.

/** Detections in one upload, accepted and rejected together. */
export const MAX_DETECTIONS = 100_000;
/**
 * Body after content decoding; it bounds the body as sent too, since gzip can also inflate a lot of bytes to nothing.
 */
export const MAX_BODY_BYTES = 32 * 1024 * 1024;
/**
 * One line, CSV record or array element, in UTF-16 code units. The longest sensible one (a link of 2,048) has ~3,000.
 */
export const MAX_LINE_CHARS = 65_536;
/** Objects and arrays inside one array element. A detection is flat; a feed's extra fields may nest a little. */
export const MAX_NESTING = 32;
/** Errors reported on one upload; the rest are only counted. Part of the API. */
export const MAX_REPORTED_ERRORS = 100;
/** Different values of `source`. Collectors send a handful in an upload, a list of channels some hundreds. */
export const MAX_UPLOAD_SOURCES = 1_000;
/** Distinct combinations of everything in a line but its number, its times and its link. */
export const MAX_UPLOAD_KINDS = 20_000;
/** Bytes of distinct attributes, as JavaScript holds them. A different link for each of 100,000 lines takes 12 MiB. */
export const MAX_UPLOAD_TEXT_BYTES = 16 * 2 ** 20;

/** The fields of one line by name, as the body gave them and not yet checked. */
export type RawLine = Readonly<Record<string, unknown>>;

/** Receives the lines of a body in order. `line` is 1-based: a line of text, or the element of a JSON array. */
export interface LineReceiver {
  /** A header, before any line: the names of all columns, also of those that no line is given with. */
  header?(names: readonly string[]): void;
  raw(fields: RawLine, line: number): void;
  /** The line cannot be read at all. */
  reject(error: LineError): void;
}

/** Reads a body that comes in pieces of text. Both methods throw BodyError if the body as a whole cannot be read. */
export interface BodyReader {
  push(text: string): void;
  end(): void;
}

export function malformed(line: number, detail: string): LineError {
  return { line, code: 'malformed-line', detail };
}

export function isRawLine(value: unknown): value is RawLine {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What a value is, for a message that must not repeat the value. */
export function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}
