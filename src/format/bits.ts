/** Bit strings in 32-bit words, least significant bit first. Positions stay below 2^31: a column has 32,768 values. */

/** Writes `width` (0 to 32) low bits of an unsigned `value` at bit `position`. The bits there must still be zero. */
export function writeBits(words: Uint32Array, position: number, width: number, value: number): void {
  if (width === 0) return;
  const word = position >>> 5;
  const shift = position & 31;
  words[word] = (words[word] as number) | (value << shift);
  if (shift + width > 32) words[word + 1] = (words[word + 1] as number) | (value >>> (32 - shift));
}

/** Reads `width` (0 to 32) bits at bit `position` as an unsigned integer. */
export function readBits(words: Uint32Array, position: number, width: number): number {
  if (width === 0) return 0;
  const word = position >>> 5;
  const shift = position & 31;
  let value = (words[word] as number) >>> shift;
  if (shift + width > 32) value |= (words[word + 1] as number) << (32 - shift);
  return width === 32 ? value >>> 0 : value & ((1 << width) - 1);
}

export function setBit(words: Uint32Array, position: number): void {
  const word = position >>> 5;
  words[word] = (words[word] as number) | (1 << (position & 31));
}

export function testBit(words: Uint32Array, position: number): boolean {
  return (((words[position >>> 5] as number) >>> (position & 31)) & 1) === 1;
}

/** How many of the 32 bits are one (Hacker's Delight, 2nd ed., figure 5-2). */
export function popcount(word: number): number {
  let x = word - ((word >>> 1) & 0x55555555);
  x = (x & 0x33333333) + ((x >>> 2) & 0x33333333);
  return Math.imul((x + (x >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

/** Bits needed for an unsigned integer below 2^32: 0 for 0. */
export function bitLength(value: number): number {
  return 32 - Math.clz32(value);
}

/** Copies words to a multiple of four bytes, little-endian as every platform of Workers is. Returns where they end. */
export function putWords(out: Uint8Array, at: number, words: Uint32Array): number {
  out.set(new Uint8Array(words.buffer, words.byteOffset, words.byteLength), at);
  return at + words.byteLength;
}
