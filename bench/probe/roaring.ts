/**
 * A 64-bit roaring bitmap as Roaring64 makes one: a 32-bit bitmap for each value of the high bits. CRoaring compiled
 * to WebAssembly (roaring-wasm), runs optimised.
 */
import { RoaringBitmap32, SerializationFormat } from 'roaring-wasm';
import type { Contender } from './contenders.ts';

const LOW = 2 ** 32;
/** High parts of 15 digits: an array of this many bitmaps is indexed directly, the fastest there is. */
const HIGH_PARTS = Math.ceil(1e15 / LOW);

export class Roaring implements Contender {
  readonly name = 'roaring';
  /** Bytes of the portable serialization of all bitmaps: what would be stored. */
  readonly serializedBytes: number;
  readonly #bitmaps: (RoaringBitmap32 | undefined)[];

  /** @param numbers ascending */
  constructor(numbers: Float64Array) {
    this.#bitmaps = new Array<RoaringBitmap32 | undefined>(Math.min(HIGH_PARTS, highPart(numbers.at(-1) ?? 0) + 1));
    let serializedBytes = 0;
    for (let from = 0; from < numbers.length; ) {
      const high = highPart(numbers[from] as number);
      let to = from;
      while (to < numbers.length && highPart(numbers[to] as number) === high) to += 1;
      const bitmap = RoaringBitmap32.from(Uint32Array.from(numbers.subarray(from, to), (n) => n - high * LOW));
      bitmap.runOptimize();
      bitmap.shrinkToFit();
      serializedBytes += bitmap.getSerializationSizeInBytes(SerializationFormat.portable);
      this.#bitmaps[high] = bitmap;
      from = to;
    }
    this.serializedBytes = serializedBytes;
  }

  answer(probes: Float64Array, out: Uint8Array): void {
    const bitmaps = this.#bitmaps;
    for (let i = 0; i < probes.length; i++) {
      const probe = probes[i] as number;
      const high = highPart(probe);
      const bitmap = bitmaps[high];
      out[i] = bitmap?.has(probe - high * LOW) ? 1 : 0;
    }
  }
}

function highPart(number: number): number {
  return Math.floor(number / LOW);
}
