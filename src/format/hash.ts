import type { Bytes } from './frame.ts';

/** SHA-256 in 64 lower-case hex digits: the content address of a slice. */
export async function sha256Hex(bytes: Bytes): Promise<string> {
  return toHex(new Uint8Array(await crypto.subtle.digest('SHA-256', bytes)));
}

/** By byte: a manifest has thousands of hashes. */
const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

export function toHex(bytes: Uint8Array): string {
  let hex = '';
  for (let i = 0; i < bytes.length; i++) hex += HEX[bytes[i] as number];
  return hex;
}

/** @param hex an even number of hex digits */
export function fromHex(hex: string): Bytes {
  const bytes = new Uint8Array(hex.length / 2);
  for (let i = 0; i < bytes.length; i++) bytes[i] = digit(hex, i * 2) * 16 + digit(hex, i * 2 + 1);
  return bytes;
}

function digit(hex: string, at: number): number {
  const code = hex.charCodeAt(at);
  // '0' to '9' are 48 to 57; 'A' to 'F' and 'a' to 'f' differ in the bit of 32.
  return code < 58 ? code - 48 : (code | 32) - 87;
}
