import { describe, expect, test } from 'vitest';
import { decodeManifest, EMPTY_MANIFEST, encodeManifest } from '../../../src/format/manifest.ts';
import { encodeParcel, isParcel, manifestOfCopy, openParcel, parcelOffsets } from '../../../src/format/parcel.ts';
import { FormatError } from '../../../src/lib/bytes.ts';
import { embedded, everyByte, flipped, withVersion } from './support/damage.ts';

const MANIFEST = encodeManifest({ ...EMPTY_MANIFEST, generation: 7, commit: 'c' });
const PARTS = [Uint8Array.of(1, 2, 3), new Uint8Array(), Uint8Array.of(4, 5, 6, 7, 8, 9, 10, 11, 12)];
const parcel = encodeParcel(PARTS, MANIFEST);

describe('a parcel', () => {
  test('has its parts where they were said to be, each from a multiple of eight bytes on, and the manifest last', () => {
    const { offsets, end } = parcelOffsets(PARTS.map(({ length }) => length));
    const { parts, manifest } = openParcel(parcel);
    expect(parts.map(({ offset }) => offset)).toEqual(offsets);
    expect(parts.map(({ bytes }) => bytes)).toEqual(PARTS);
    expect(parts.every(({ offset }) => offset % 8 === 0) && end % 8 === 0).toBe(true);
    expect(manifest).toEqual(MANIFEST);
    expect(openParcel(encodeParcel([], MANIFEST)).manifest).toEqual(MANIFEST);
  });

  test('is read as its manifest, as the manifest alone is', () => {
    expect([isParcel(parcel), isParcel(MANIFEST), isParcel(new Uint8Array(3))]).toEqual([true, false, false]);
    expect(manifestOfCopy(MANIFEST)).toBe(MANIFEST);
    expect(decodeManifest(parcel)).toEqual(decodeManifest(MANIFEST));
    expect(decodeManifest(embedded(parcel, 3)).generation).toBe(7);
  });

  test('is refused with a flipped bit in its head or its manifest, cut off, or of another version', () => {
    const { offsets, end } = parcelOffsets(PARTS.map(({ length }) => length));
    for (const at of everyByte(parcel)) {
      expect(() => decodeManifest(parcel.slice(0, at)), `${at} bytes`).toThrow(FormatError);
      const isOfParts = at >= (offsets[0] ?? 0) && at < end;
      // Whoever reads a part checks it; zeros between are nobody's.
      if (!isOfParts && at < 32) expect(() => decodeManifest(flipped(parcel, at)), `byte ${at}`).toThrow(FormatError);
      if (at >= end) expect(() => decodeManifest(flipped(parcel, at)), `byte ${at}`).toThrow(FormatError);
    }
    expect(() => decodeManifest(withVersion(parcel, 2))).toThrow('RFPC: expected version 1, found 2');
  });
});
