/**
 * The frame around every stored structure: 16 bytes, little-endian, before a body.
 *
 *   offset size
 *        0    4  magic, ASCII: what the body is
 *        4    2  version
 *        6    2  reserved, zero
 *        8    4  body length in bytes
 *       12    4  CRC-32 of the body
 *
 * A frame is exactly header + body: anything else is refused, with what was expected and what was found.
 */

import type * as v from 'valibot';
import { type Bytes, decodeText, FormatError, parseJson } from './bytes.ts';
import { crc32 } from './crc32.ts';
import { parseStored } from './schema.ts';

export const FRAME_HEADER_BYTES = 16;

/** Parts of a file are padded with zeros to eight bytes, so that views of 64-bit values can stand on them. */
export function roundUp8(bytes: number): number {
  return Math.ceil(bytes / 8) * 8;
}

/** Fills in the header of a frame whose body already stands at `FRAME_HEADER_BYTES`. */
export function sealFrame(frame: Bytes, magic: string, version: number): Bytes {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  for (let i = 0; i < 4; i++) frame[i] = magic.charCodeAt(i);
  view.setUint16(4, version, true);
  view.setUint16(6, 0, true);
  const body = frame.subarray(FRAME_HEADER_BYTES);
  view.setUint32(8, body.length, true);
  view.setUint32(12, crc32(body), true);
  return frame;
}

/** How long the frame is that the bytes begin with, if they begin with one. Throws FormatError if they are too few. */
export function frameBytes(bytes: Bytes): number {
  if (bytes.length < FRAME_HEADER_BYTES) {
    throw new FormatError(`expected a frame of at least ${FRAME_HEADER_BYTES} bytes, found ${bytes.length}`);
  }
  const length = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(8, true);
  return Math.min(bytes.length, FRAME_HEADER_BYTES + length);
}

/** The magic that the bytes begin with; empty if they are too few. Not checked further. */
export function frameMagic(bytes: Bytes): string {
  return bytes.length < 4 ? '' : String.fromCharCode(...bytes.subarray(0, 4));
}

/** The version that a frame says it has, whatever it is; -1 if the bytes are too few to say. Not checked further. */
export function frameVersion(bytes: Bytes): number {
  return bytes.length < 6 ? -1 : new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint16(4, true);
}

/**
 * Whether the bytes are what was written as a frame, of whatever version: a reader that refuses it is of other
 * software.
 */
export function isWholeFrame(bytes: Bytes): boolean {
  if (bytes.length < FRAME_HEADER_BYTES) return false;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const body = bytes.subarray(FRAME_HEADER_BYTES);
  return view.getUint32(8, true) === body.length && view.getUint32(12, true) === crc32(body);
}

/** Frames a body by copying it. */
export function frame(magic: string, version: number, body: Uint8Array): Bytes {
  const out = new Uint8Array(FRAME_HEADER_BYTES + body.length);
  out.set(body, FRAME_HEADER_BYTES);
  return sealFrame(out, magic, version);
}

/** Checks a whole frame and returns a view of its body. Throws FormatError. */
export function openFrame(bytes: Bytes, magic: string, version: number): Bytes {
  const body = openHashedFrame(bytes, magic, version);
  const expected = new DataView(bytes.buffer, bytes.byteOffset).getUint32(12, true);
  const actual = crc32(body);
  if (expected !== actual) {
    throw new FormatError(`${magic}: expected checksum ${expected.toString(16)}, found ${actual.toString(16)}`);
  }
  return body;
}

/**
 * The same but for the checksum, of bytes whose SHA-256 has just been found to be the expected one: that they are as
 * they were written is shown by then.
 */
export function openHashedFrame(bytes: Bytes, magic: string, version: number): Bytes {
  if (bytes.length < FRAME_HEADER_BYTES) {
    throw new FormatError(`${magic}: expected at least ${FRAME_HEADER_BYTES} bytes, found ${bytes.length}`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const found = frameMagic(bytes);
  if (found !== magic) throw new FormatError(`expected magic ${magic}, found ${JSON.stringify(found)}`);
  const foundVersion = view.getUint16(4, true);
  if (foundVersion !== version) {
    throw new FormatError(`${magic}: expected version ${version}, found ${foundVersion}`);
  }
  const reserved = view.getUint16(6, true);
  if (reserved !== 0) throw new FormatError(`${magic}: expected reserved bytes of zero, found ${reserved}`);
  const length = view.getUint32(8, true);
  const body = bytes.subarray(FRAME_HEADER_BYTES);
  if (length !== body.length) {
    throw new FormatError(`${magic}: expected a body of ${length} bytes, found ${body.length}`);
  }
  return body;
}

// An object that is a frame around JSON, checked by a schema.

export interface FramedJson<T> {
  encode(value: T): Bytes;
  /** @throws FormatError unless the bytes are such an object */
  decode(bytes: Bytes): T;
}

/**
 * @param magic four characters of ASCII
 * @param older how versions before are read, by version: their output is what this version has
 */
export function framedJson<const Schema extends v.GenericSchema>(
  magic: string,
  version: number,
  schema: Schema,
  older: Readonly<Record<number, v.GenericSchema<unknown, v.InferOutput<Schema>>>> = {},
): FramedJson<v.InferOutput<Schema>> {
  return {
    encode: (value) => frame(magic, version, new TextEncoder().encode(JSON.stringify(value))),
    decode: (bytes) => {
      const found = frameVersion(bytes);
      const known = older[found];
      const body = openFrame(bytes, magic, known === undefined ? version : found);
      return parseStored(known ?? schema, parseJson(decodeText(body, magic), magic), magic);
    },
  };
}
