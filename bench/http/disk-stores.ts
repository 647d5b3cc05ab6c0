/**
 * The store contracts, read only, on workerd's own `disk` service: a folder that bench/support/directory-store.ts
 * wrote. Every request that reaches the disk is counted, since a warm lookup must make none.
 */

import type { LookupAnswer } from '../../src/policy/answer.ts';
import type {
  ObjectHead,
  ObjectPage,
  ObjectStore,
  SliceHead,
  SliceStore,
  StoredObject,
} from '../../src/storage/store.ts';

/** What has been asked of the disk since the isolate began. */
interface DiskCounters {
  /** Objects read for what they hold: the keys and the columns that no slice had. */
  objectReads: number;
  /** Looks at whether the manifest or the keys have changed; a snapshot refresh makes one. */
  freshnessChecks: number;
  sliceReads: number;
}

export class Disk {
  readonly counters: DiskCounters = { objectReads: 0, freshnessChecks: 0, sliceReads: 0 };
  readonly #service: Fetcher;

  constructor(service: Fetcher) {
    this.#service = service;
  }

  /** null: there is no such file. Rejects when the disk answers with anything else but it. */
  async request(path: string, init: RequestInit = {}): Promise<Response | null> {
    const response = await this.#service.fetch(`http://disk/${path}`, init);
    if (response.ok) return response;
    await response.body?.cancel();
    if (response.status === 404) return null;
    throw new Error(`the disk answers ${response.status} for ${path}`);
  }
}

export class DiskObjectStore implements ObjectStore {
  readonly #diskOf: (key: string) => Disk;

  /** @param diskOf where an object is */
  constructor(diskOf: (key: string) => Disk) {
    this.#diskOf = diskOf;
  }

  async get(key: string): Promise<StoredObject | null> {
    this.#diskOf(key).counters.objectReads += 1;
    const response = await this.#diskOf(key).request(`objects/${key}`);
    if (response === null) return null;
    const bytes = new Uint8Array(await response.arrayBuffer());
    return { ...headOf(key, response), sizeBytes: bytes.length, bytes };
  }

  async getIfChanged(key: string, etag: string): Promise<StoredObject | 'unchanged' | null> {
    this.#diskOf(key).counters.freshnessChecks += 1;
    const head = await this.#head(key);
    if (head === null) return null;
    return head.etag === etag ? 'unchanged' : this.get(key);
  }

  async getRange(key: string, offset: number, length: number): Promise<Uint8Array<ArrayBuffer> | null> {
    this.#diskOf(key).counters.objectReads += 1;
    const range = `bytes=${offset}-${offset + length - 1}`;
    const response = await this.#diskOf(key).request(`objects/${key}`, { headers: { range } });
    if (response === null) return null;
    const bytes = new Uint8Array(await response.arrayBuffer());
    if (response.status !== 206 || bytes.length !== length) {
      throw new RangeError(`expected ${length} bytes at ${offset} of ${key}, found ${bytes.length}`);
    }
    return bytes;
  }

  async head(key: string): Promise<ObjectHead | null> {
    this.#diskOf(key).counters.objectReads += 1;
    return this.#head(key);
  }

  async #head(key: string): Promise<ObjectHead | null> {
    const response = await this.#diskOf(key).request(`objects/${key}`, { method: 'HEAD' });
    return response === null ? null : headOf(key, response);
  }

  async list(): Promise<ObjectPage> {
    return { objects: [] };
  }

  put(): Promise<ObjectHead | null> {
    return readOnly();
  }

  delete(): Promise<void> {
    return readOnly();
  }
}

export class DiskSliceStore implements SliceStore {
  readonly #disk: Disk;

  constructor(disk: Disk) {
    this.#disk = disk;
  }

  async get(key: string): Promise<Uint8Array<ArrayBuffer> | null> {
    this.#disk.counters.sliceReads += 1;
    const response = await this.#disk.request(`slices/${key}`);
    return response === null ? null : new Uint8Array(await response.arrayBuffer());
  }

  async list(): Promise<{ readonly slices: readonly SliceHead[] }> {
    return { slices: [] };
  }

  put(): Promise<void> {
    return readOnly();
  }

  delete(): Promise<void> {
    return readOnly();
  }
}

/** The disk gives no ETag; nothing changes in the folder during a benchmark. */
function headOf(key: string, { headers }: Response): ObjectHead {
  const modified = headers.get('last-modified') ?? '';
  const sizeBytes = Number(headers.get('content-length'));
  return { key, etag: modified, sizeBytes, uploadedAt: Date.parse(modified) };
}

function readOnly(): never {
  throw new Error('the stores of a benchmark are read only');
}

// What the Worker under load answers beside the API; shared by it and those who drive it.

/** Answers GET and POST with the same short JSON every time, without looking at the request. */
export const EMPTY_PATH = '/empty';
export const COUNTERS_PATH = '/bench/counters';

export interface Counters {
  readonly store: DiskCounters;
  readonly keys: DiskCounters;
}

/** As long as the answer to a lookup, so that both routes send the same number of bytes. */
export const EMPTY_ANSWER: LookupAnswer = {
  number: '+639171234567',
  country: 'PH',
  lineType: 'mobile',
  verdict: 'clear',
  level: null,
  labels: [],
  channels: [],
  industries: [],
  firstSeen: null,
  lastSeen: null,
  sightings: null,
  neighbourhood: { hundred: 0, thousand: 0, score: 0 },
  action: 'allow',
  rule: 'default',
  generation: 1234,
};
