/** Text in stored structures: strict UTF-8, and JSON in it. What is neither is damage like any other. */
import { FormatError } from './frame.ts';

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export function encodeText(text: string): Uint8Array {
  return encoder.encode(text);
}

/** @param what names the text in the error */
export function decodeText(bytes: Uint8Array, what: string): string {
  try {
    return decoder.decode(bytes);
  } catch {
    throw new FormatError(`${what}: expected UTF-8, found ${bytes.length} bytes that are not`);
  }
}

/** @param what names the text in the error */
export function parseJson(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new FormatError(`${what}: expected JSON, found ${text.length} characters that are not`);
  }
}
