import type { Bytes } from './frame.ts';

/** SHA-256 in 64 lower-case hex digits: the content address of a slice. */
export async function sha256Hex(bytes: Bytes): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
