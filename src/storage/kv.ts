/** The slice store contract on Cloudflare Workers KV. */
import type { SliceHead, SliceStore } from './store.ts';

/** Slices never change under their key, so the edge may keep them for long: a day. */
const CACHE_SECONDS = 86_400;

interface SliceMetadata {
  readonly writtenAt: number;
}

export class KvSliceStore implements SliceStore {
  readonly #kv: KVNamespace;

  constructor(kv: KVNamespace) {
    this.#kv = kv;
  }

  async get(key: string): Promise<Uint8Array<ArrayBuffer> | null> {
    const buffer = await this.#kv.get(key, { type: 'arrayBuffer', cacheTtl: CACHE_SECONDS });
    return buffer === null ? null : new Uint8Array(buffer);
  }

  async put(key: string, bytes: Uint8Array<ArrayBuffer>, writtenAt: number): Promise<void> {
    const metadata: SliceMetadata = { writtenAt };
    await this.#kv.put(key, bytes, { metadata });
  }

  async delete(key: string): Promise<void> {
    await this.#kv.delete(key);
  }

  async list(cursor?: string): Promise<{ readonly slices: readonly SliceHead[]; readonly cursor?: string }> {
    const page = await this.#kv.list<SliceMetadata>(cursor === undefined ? {} : { cursor });
    // A value without metadata is not ours to judge: it counts as just written, so that it is never collected.
    const slices = page.keys.map(({ name, metadata }) => ({
      key: name,
      writtenAt: metadata?.writtenAt ?? Number.POSITIVE_INFINITY,
    }));
    return page.list_complete ? { slices } : { slices, cursor: page.cursor };
  }
}
