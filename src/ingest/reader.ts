import type { LineError } from '../format/batch.ts';

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
