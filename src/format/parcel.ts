/**
 * A parcel: the copy of a generation's manifest, and in front of it what else its tick wrote and it names, so that one
 * put does for all. Frame "RFPC" version 1, around
 *
 *   u32        how many parts
 *   u32        length of each
 *
 * then the parts, each from a multiple of eight bytes on, and at last the manifest, likewise. Parts have checksums of
 * their own, and so has the manifest.
 */
import { type Bytes, FormatError } from '../lib/bytes.ts';
import { FRAME_HEADER_BYTES, frame, frameBytes, frameMagic, openFrame, roundUp8 } from '../lib/frame.ts';

const MAGIC = 'RFPC';
const VERSION = 1;

/** Where parts of these lengths are in their parcel, and what follows them. */
export function parcelOffsets(lengths: readonly number[]): { readonly offsets: number[]; readonly end: number } {
  let at = roundUp8(FRAME_HEADER_BYTES + 4 + 4 * lengths.length);
  const offsets: number[] = [];
  for (const length of lengths) {
    offsets.push(at);
    at = roundUp8(at + length);
  }
  return { offsets, end: at };
}

export function encodeParcel(parts: readonly Bytes[], manifest: Bytes): Bytes {
  const { offsets, end } = parcelOffsets(parts.map(({ length }) => length));
  const body = new Uint8Array(4 + 4 * parts.length);
  const view = new DataView(body.buffer);
  view.setUint32(0, parts.length, true);
  for (const [i, { length }] of parts.entries()) view.setUint32(4 + 4 * i, length, true);
  const out = new Uint8Array(end + manifest.length);
  out.set(frame(MAGIC, VERSION, body));
  for (const [i, part] of parts.entries()) out.set(part, offsets[i]);
  out.set(manifest, end);
  return out;
}

export function isParcel(bytes: Bytes): boolean {
  return frameMagic(bytes) === MAGIC;
}

export interface OpenParcel {
  readonly parts: readonly { readonly offset: number; readonly bytes: Bytes }[];
  readonly manifest: Bytes;
}

/** Views of what is in it, none of them checked. Throws FormatError unless the bytes are a parcel. */
export function openParcel(bytes: Bytes): OpenParcel {
  const body = openFrame(bytes.subarray(0, frameBytes(bytes)), MAGIC, VERSION);
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  const count = body.length < 4 ? -1 : view.getUint32(0, true);
  if (body.length !== 4 + 4 * count) throw new FormatError(`${MAGIC}: expected the lengths of ${count} parts`);
  const lengths = Array.from({ length: count }, (_, i) => view.getUint32(4 + 4 * i, true));
  const { offsets, end } = parcelOffsets(lengths);
  if (end > bytes.length) throw new FormatError(`${MAGIC}: expected more than ${end} bytes, found ${bytes.length}`);
  return {
    parts: offsets.map((offset, i) => ({ offset, bytes: bytes.subarray(offset, offset + (lengths[i] as number)) })),
    manifest: bytes.subarray(end),
  };
}

/** The manifest of a generation's copy, whether it is a parcel or the manifest alone. */
export function manifestOfCopy(bytes: Bytes): Bytes {
  return isParcel(bytes) ? openParcel(bytes).manifest : bytes;
}
