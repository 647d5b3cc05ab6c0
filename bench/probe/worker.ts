/**
 * The Worker that is measured: it holds all contenders in one isolate, and times one of them over one workload a
 * request. Its data come from a folder (the service DATA), written by workerd.ts.
 */
import './precompiled-wasm.ts';
import { roaringLibraryInitialize } from 'roaring-wasm';
import type { ObjectStore, SliceStore, StoredObject } from '../../src/storage/store.ts';
import { type Contender, openRingfence, SortedArray, timedPass } from './contenders.ts';
import { Roaring } from './roaring.ts';
import { WORKLOADS, type Workload } from './workload.ts';

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
