import type { Bytes } from '../../../../src/lib/bytes.ts';

/** A copy with one bit of a byte flipped; over a whole file, each bit of a byte has its turn. */
export function flipped(bytes: Bytes, at: number): Bytes {
  const copy = bytes.slice();
  copy[at] = (copy[at] as number) ^ (1 << (at % 8));
  return copy;
}

/** A copy that claims another version of the frame that begins at `frameAt`. The checksum does not cover it. */
export function withVersion(bytes: Bytes, version: number, frameAt = 0): Bytes {
  const copy = bytes.slice();
  new DataView(copy.buffer).setUint16(frameAt + 4, version, true);
  return copy;
}

export function withTrailing(bytes: Bytes, count: number): Bytes {
  const copy = new Uint8Array(bytes.length + count);
  copy.set(bytes);
  return copy;
}

/** The same bytes at `offset` of a larger buffer, with ones all around. */
export function embedded(bytes: Bytes, offset: number): Bytes {
  const buffer = new Uint8Array(offset + bytes.length + 64).fill(0xff);
  buffer.set(bytes, offset);
  return buffer.subarray(offset, offset + bytes.length);
}

/** Numbers from 0 to the length of the bytes, for tests of every cut or every flip. */
export function everyByte(bytes: Bytes): number[] {
  return Array.from(bytes, (_, at) => at);
}
