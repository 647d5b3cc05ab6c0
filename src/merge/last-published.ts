/**
 * What an isolate has published last. A tick may work on it without reading it again: should another writer have
 * published since, its swap fails and the tick goes again with what there is. Nothing but a swap may follow from it:
 * not the deletion of anything.
 */
import { decodeManifest, type Manifest } from '../format/manifest.ts';
import type { Bytes } from '../lib/bytes.ts';

export interface LoadedManifest {
  readonly manifest: Manifest;
  /** Null before the first generation. */
  readonly etag: string | null;
}

/**
 * For so long what this isolate has published is taken to be current: ticks come every minute, and an isolate has most
 * of them.
 */
const HOLD_MS = 90_000;

export class LastPublished {
  #held: { readonly bytes: Bytes; readonly etag: string; readonly generation: number; readonly until: number } | null =
    null;

  hold(bytes: Bytes, { manifest: { generation }, etag }: LoadedManifest, now: number): void {
    // The answer to an earlier swap may come later.
    if (etag === null || generation < (this.#held?.generation ?? 0)) return;
    this.#held = { bytes, etag, generation, until: now + HOLD_MS };
  }

  drop(): void {
    this.#held = null;
  }

  /** null: nothing, or not of late. */
  read(now: number): LoadedManifest | null {
    if (this.#held === null || now >= this.#held.until) return null;
    return { manifest: decodeManifest(this.#held.bytes), etag: this.#held.etag };
  }
}
