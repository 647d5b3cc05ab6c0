/**
 * The store contracts on a folder: what the benchmarks keep a whole inventory in, without holding it in memory. One
 * process at a time; a put replaces the file by renaming, so that a stopped run leaves no half-written object.
 */
import { hash } from 'node:crypto';
import {
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative } from 'node:path';
import type {
  ListOptions,
  ObjectHead,
  ObjectPage,
  ObjectStore,
  PutCondition,
  SliceHead,
  SliceStore,
  StoredObject,
} from '../../src/storage/store.ts';

const PAGE_LIMIT = 1000;

export class DirectoryObjectStore implements ObjectStore {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
    mkdirSync(folder, { recursive: true });
  }

  async get(key: string): Promise<StoredObject | null> {
    const bytes = readFile(this.#path(key));
    if (bytes === null) return null;
    return { ...headOf(key, bytes, statSync(this.#path(key)).mtimeMs), bytes };
  }

  async getIfChanged(key: string, etag: string): Promise<StoredObject | 'unchanged' | null> {
    const object = await this.get(key);
    return object?.etag === etag ? 'unchanged' : object;
  }

  async getRange(key: string, offset: number, length: number): Promise<Uint8Array<ArrayBuffer> | null> {
    // At once: turns of the thread pool would be half of what a read costs, and none of it is what is measured.
    const file = openFile(this.#path(key));
    if (file === null) return null;
    try {
      const bytes = new Uint8Array(length);
      const bytesRead = readSync(file, bytes, 0, length, offset);
      if (bytesRead < length) throw new RangeError(`range ${offset}+${length} is outside of ${key}`);
      return bytes;
    } finally {
      closeSync(file);
    }
  }

  async head(key: string): Promise<ObjectHead | null> {
    return this.get(key);
  }

  async put(key: string, bytes: Uint8Array<ArrayBuffer>, condition?: PutCondition): Promise<ObjectHead | null> {
    if (condition !== undefined) {
      const existing = await this.get(key);
      const holds = 'absent' in condition ? existing === null : existing?.etag === condition.etag;
      if (!holds) return null;
    }
    writeFile(this.#path(key), bytes);
    return headOf(key, bytes, Date.now());
  }

  async list(prefix: string, options: ListOptions = {}): Promise<ObjectPage> {
    const limit = Math.min(options.limit ?? PAGE_LIMIT, PAGE_LIMIT);
    const cursor = options.cursor ?? options.startAfter;
    const keys = keysUnder(this.#folder).filter((key) => key.startsWith(prefix));
    const rest = cursor === undefined ? keys : keys.filter((key) => key > cursor);
    const objects: ObjectHead[] = [];
    for (const key of rest.slice(0, limit)) {
      const object = await this.get(key);
      if (object !== null) objects.push(object);
    }
    const last = rest[limit - 1];
    return rest.length > limit && last !== undefined ? { objects, cursor: last } : { objects };
  }

  async delete(keys: readonly string[]): Promise<void> {
    for (const key of keys) rmSync(this.#path(key), { force: true });
  }

  #path(key: string): string {
    return join(this.#folder, key);
  }
}

export class DirectorySliceStore implements SliceStore {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
    mkdirSync(folder, { recursive: true });
  }

  async get(key: string): Promise<Uint8Array<ArrayBuffer> | null> {
    return readFile(join(this.#folder, key));
  }

  async put(key: string, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    writeFile(join(this.#folder, key), bytes);
  }

  async delete(key: string): Promise<void> {
    rmSync(join(this.#folder, key), { force: true });
  }

  async list(): Promise<{ slices: readonly SliceHead[] }> {
    const slices = keysUnder(this.#folder).map((key) => ({
      key,
      writtenAt: statSync(join(this.#folder, key)).mtimeMs,
    }));
    return { slices };
  }
}

/** R2 makes its etags by itself: this is the hash that takes least, of those that tell any two contents apart. */
function headOf(key: string, bytes: Uint8Array, uploadedAt: number): ObjectHead {
  return { key, etag: hash('sha256', bytes), sizeBytes: bytes.length, uploadedAt };
}

function readFile(path: string): Uint8Array<ArrayBuffer> | null {
  // A copy: the readers want views at multiples of eight bytes, which a pooled Buffer does not promise.
  return ifThere(() => new Uint8Array(readFileSync(path)));
}

function openFile(path: string): number | null {
  return ifThere(() => openSync(path, 'r'));
}

function ifThere<T>(read: () => T): T | null {
  try {
    return read();
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}

function writeFile(path: string, bytes: Uint8Array): void {
  mkdirSync(dirname(path), { recursive: true });
  const part = `${path}.part`;
  writeFileSync(part, bytes);
  renameSync(part, path);
}

function keysUnder(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.endsWith('.part'))
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .sort();
}
