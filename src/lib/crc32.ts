/**
 * CRC-32 as in zlib and PNG (reflected polynomial 0xEDB88320).
 *
 * The platform's own, in Workers as in Node, is some six times as fast as this one, but it comes with all of node:zlib:
 * 3 to 4 ms that every new isolate would pay before its first answer, to sum what takes less than one. So the first
 * bytes are summed here, and whoever goes on to sum a lot, a merge for one, gets the platform's.
 */

/** What takes this code about as long as node:zlib takes to load. */
const PLATFORM_FROM_BYTES = 4 * 2 ** 20;

let summedBytes = 0;
/** undefined: not asked for yet; null: there is none. */
let platforms: ((data: Uint8Array | string) => number) | null | undefined;
let table: Int32Array | null = null;

/** @returns an unsigned 32-bit integer; of a text, that of its UTF-8 */
export function crc32(data: Uint8Array | string): number {
  if (platforms === undefined && summedBytes > PLATFORM_FROM_BYTES) {
    // By way of globalThis: where there is no `process`, as in a Worker without nodejs_compat, this code goes on.
    platforms = globalThis.process?.getBuiltinModule?.('node:zlib')?.crc32 ?? null;
  }
  if (platforms) return platforms(data);
  const bytes = typeof data === 'string' ? new TextEncoder().encode(data) : data;
  summedBytes += bytes.length;
  table ??= tableOfFour();
  return sum(bytes, table);
}

/** Four bytes at a time: `t[256 * k + b]` is what byte b does to the sum when k further bytes follow it. */
function sum(bytes: Uint8Array, t: Int32Array): number {
  const whole = bytes.length - (bytes.length % 4);
  let crc = -1;
  let i = 0;
  for (; i < whole; i += 4) {
    crc ^= of(bytes, i) | (of(bytes, i + 1) << 8) | (of(bytes, i + 2) << 16) | (of(bytes, i + 3) << 24);
    crc =
      of(t, 768 + (crc & 255)) ^
      of(t, 512 + ((crc >>> 8) & 255)) ^
      of(t, 256 + ((crc >>> 16) & 255)) ^
      of(t, crc >>> 24);
  }
  for (; i < bytes.length; i++) crc = (crc >>> 8) ^ of(t, (crc ^ of(bytes, i)) & 255);
  return ~crc >>> 0;
}

function of(values: Uint8Array | Int32Array, i: number): number {
  return values[i] as number;
}

function tableOfFour(): Int32Array {
  const made = new Int32Array(4 * 256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
    made[byte] = crc;
  }
  for (let i = 256; i < made.length; i++) {
    const before = made[i - 256] as number;
    made[i] = (before >>> 8) ^ (made[before & 255] as number);
  }
  return made;
}
