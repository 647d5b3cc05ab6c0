/**
 * The Worker that is measured: it holds all contenders in one isolate, and times one of them over one workload a
 * request. Its data come from a folder (the service DATA), written by workerd.ts.
 */
import { RoaringBitmap32, roaringLibraryInitialize, SerializationFormat } from 'roaring-wasm';
import { type Contender, openRingfence, SortedArray, timedPass } from './contenders.ts';
import './precompiled-wasm.ts';
import type { ObjectStore, SliceStore, StoredObject } from '../../src/store/store.ts';
import { WORKLOADS, type Workload } from './workload.ts';

/**
 * A 64-bit roaring bitmap as Roaring64 makes one: a 32-bit bitmap for each value of the high bits. CRoaring compiled
 * to WebAssembly (roaring-wasm), runs optimised.
 */

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

interface Env {
  readonly DATA: Fetcher;
}

/** What /load answers. */
export interface Loaded {
  readonly contenders: readonly string[];
  /** Bytes of Ringfence's columns in its cache. */
  readonly columnBytes: number;
  readonly roaringBytes: number;
}

const contenders = new Map<string, Contender>();
const workloads = new Map<string, Workload>();
/** Tells an isolate from one that took its place. */
let isolate = '';

export default {
  async fetch(request: Request, { DATA }: Env): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    if (isolate === '') isolate = crypto.randomUUID();
    if (pathname === '/load') return Response.json({ isolate, ...(await load(DATA)) });
    const contender = contenders.get(searchParams.get('contender') ?? '');
    const workload = workloads.get(searchParams.get('workload') ?? '');
    if (contender === undefined || workload === undefined) return new Response('not loaded', { status: 404 });
    const repeats = Number(searchParams.get('repeats'));
    return Response.json({ isolate, ...timedPass(contender, workload, repeats, () => performance.now()) });
  },
};

async function load(data: Fetcher): Promise<Loaded> {
  const numbers = new Float64Array(await bufferOf(data, 'numbers'));
  for (const name of WORKLOADS) {
    const probes = new Float64Array(await bufferOf(data, `${name}.probes`));
    const expected = new Uint8Array(await bufferOf(data, `${name}.expected`));
    workloads.set(name, { probes, expected });
  }
  await roaringLibraryInitialize();
  const ringfence = await openRingfence(new OneObject(data), new Columns(data));
  const roaring = new Roaring(numbers);
  for (const contender of [ringfence, new SortedArray(numbers), roaring]) contenders.set(contender.name, contender);
  return {
    contenders: [...contenders.keys()],
    columnBytes: ringfence.columnBytes,
    roaringBytes: roaring.serializedBytes,
  };
}

async function bufferOf(data: Fetcher, name: string): Promise<ArrayBuffer> {
  const response = await data.fetch(`http://data/${encodeURIComponent(name)}`);
  if (!response.ok) throw new RangeError(`${name}: expected a file, found status ${response.status}`);
  return response.arrayBuffer();
}

const refuse = () => Promise.reject(new RangeError('the measured Worker only reads the manifest and numbers columns'));

/** The object store with nothing but the manifest in it. */
class OneObject implements ObjectStore {
  readonly #data: Fetcher;
  constructor(data: Fetcher) {
    this.#data = data;
  }

  async get(key: string): Promise<StoredObject> {
    const bytes = new Uint8Array(await bufferOf(this.#data, key));
    return { key, bytes, etag: '', sizeBytes: bytes.length, uploadedAt: 0 };
  }

  readonly getIfChanged = refuse;
  readonly getRange = refuse;
  readonly head = refuse;
  readonly put = refuse;
  readonly list = refuse;
  readonly delete = refuse;
}

/** The slice store with the numbers columns in it. */
class Columns implements SliceStore {
  readonly #data: Fetcher;
  constructor(data: Fetcher) {
    this.#data = data;
  }

  async get(key: string): Promise<Uint8Array<ArrayBuffer>> {
    return new Uint8Array(await bufferOf(this.#data, key));
  }

  readonly put = refuse;
  readonly delete = refuse;
  readonly list = refuse;
}
