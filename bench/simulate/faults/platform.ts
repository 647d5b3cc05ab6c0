/**
 * The platform without what no seed decides: threads, real time and real randomness. Native work (hashes, gzip) is done
 * at once. Reading a real clock, or drawing real randomness, is an error: a failure in such a part could not be
 * repeated.
 */
import { createHash } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { TextTable } from '../../../src/lib/text-table.ts';

let isGuarded = false;
// Draws the keys of hashes of texts, which hold for the process: no text's id depends on them.
new TextTable().has('');

/** For this process, for good. */
export function replacePlatform(): void {
  replace(crypto.subtle, 'digest', () => async (algorithm: string, data: Uint8Array | ArrayBuffer) => {
    if (algorithm !== 'SHA-256') throw new Error(`the simulation has no ${algorithm}`);
    const bytes = data instanceof ArrayBuffer ? new Uint8Array(data) : data;
    return new Uint8Array(createHash('sha256').update(bytes).digest()).buffer;
  });
  replace(globalThis, 'DecompressionStream', () => Gunzip);
  // The signal of a request to a replica's origin; the simulated origin answers or does not, in virtual time.
  replace(AbortSignal, 'timeout', () => () => new AbortController().signal);
  guard(Date, 'now');
  guard(Math, 'random');
  guard(crypto, 'randomUUID');
  guard(crypto, 'getRandomValues');
  guard(globalThis, 'setTimeout');
  guard(globalThis, 'setInterval');
}

/** Runs a part of the simulation under guard. */
export async function guarded<T>(work: () => Promise<T>): Promise<T> {
  isGuarded = true;
  try {
    return await work();
  } finally {
    isGuarded = false;
  }
}

function replace(holder: object, name: string, make: (original: unknown) => unknown): void {
  const value = make(Reflect.get(holder, name));
  Object.defineProperty(holder, name, { value, configurable: true, writable: true });
}

function guard(holder: object, name: string): void {
  replace(holder, name, (original) => (...args: unknown[]) => {
    if (isGuarded) throw new Error(`${name} was asked for real time or chance`);
    return (original as (...given: unknown[]) => unknown).apply(holder, args);
  });
}

/** As the platform's, but nothing comes out before all is in. */
class Gunzip {
  readonly readable: ReadableStream<Uint8Array>;
  readonly writable: WritableStream<Uint8Array>;

  constructor() {
    const chunks: Uint8Array[] = [];
    const stream = new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk) {
        chunks.push(chunk);
      },
      flush(controller) {
        controller.enqueue(new Uint8Array(gunzipSync(Buffer.concat(chunks))));
      },
    });
    this.readable = stream.readable;
    this.writable = stream.writable;
  }
}
