/**
 * The pointer, a replica's only object that changes: which copy answers. Everything that it leads to is in the store
 * before it is. Frame "RFRP" version 1 around JSON.
 */
import * as v from 'valibot';
import { MAX_MANIFEST_BYTES, SLICE_HASH } from '../feed/manifest.ts';
import { framedJson } from '../format/framed-json.ts';
import { checkedSlice, type SliceShape } from '../format/segment.ts';
import { listPages } from '../store/list-objects.ts';
import type { ReplicaStore } from './stores.ts';

export const POINTER_KEY = 'current';
const SLICE_PREFIX = 'slices/';

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const sha256 = v.pipe(v.string(), v.regex(SLICE_HASH));
const manifestSlice = v.object({
  sha256,
  bytes: v.pipe(count, v.maxValue(MAX_MANIFEST_BYTES)),
});

const schema = v.object({
  /** Larger with every swap, also where the origin goes back to an older generation. */
  sequence: count,
  generation: count,
  /** Of the origin's manifest. */
  etag: v.string(),
  /** The origin's manifest as it came; it names all other slices. */
  manifest: manifestSlice,
  /** The one before, whose slices are kept for isolates that have not seen the swap. */
  previous: v.nullable(manifestSlice),
  /** When the sync began that last found the origin to have nothing newer; milliseconds since 1970, as all times. */
  confirmedAt: count,
  /** When the slices in the store were last held against the manifest. */
  auditedAt: count,
  /** Since when the origin has been answering with a generation older than this one; null: it does not. */
  olderSince: v.nullable(count),
  /** Slices that a sync is deleting, and since when: no other may count on them (collect.ts). Absent in older pointers. */
  deleting: v.optional(v.nullable(v.object({ at: count, slices: v.array(sha256) })), null),
});

export type Pointer = v.InferOutput<typeof schema>;

/** Throws FormatError unless the bytes are a pointer. */
export const { encode: encodePointer, decode: decodePointer } = framedJson('RFRP', 1, schema);

export interface HeldPointer {
  readonly pointer: Pointer;
  /** The store's, for the next swap. */
  readonly etag: string;
}

/** null: nothing has been synced yet. */
export async function readPointer(store: ReplicaStore): Promise<HeldPointer | null> {
  const object = await store.get(POINTER_KEY);
  return object === null ? null : { pointer: decodePointer(object.bytes), etag: object.etag };
}

/**
 * Puts a pointer in the place of `held`: the sole commit point of a sync. null: another sync has put its own there first,
 * and nothing was written. Rejects when the store fails; then either of the two is there, whole.
 */
export async function swapPointer(
  store: ReplicaStore,
  held: HeldPointer | null,
  next: Pointer,
): Promise<HeldPointer | null> {
  const condition = held === null ? ({ absent: true } as const) : { etag: held.etag };
  const written = await store.put(POINTER_KEY, encodePointer(next), condition);
  return written === null ? null : { pointer: next, etag: written.etag };
}

export function sliceKey(sha256: string): string {
  return SLICE_PREFIX + sha256;
}

/** A slice from the store. Rejects unless it is there undamaged. */
export async function readSlice(store: ReplicaStore, slice: SliceShape): Promise<Uint8Array<ArrayBuffer>> {
  const object = await store.get(sliceKey(slice.sha256));
  if (object === null) throw new RangeError(`slice ${slice.sha256} is not in the replica's store`);
  return checkedSlice(object.bytes, slice);
}

/** Slices of the largest manifest there may be, twice, in pages of 1,000 keys, and as many again that are garbage. */
const LIST_PAGES = 600;

export interface StoredSlice {
  readonly sizeBytes: number;
  readonly uploadedAt: number;
}

/** Every slice in the store, by hash. */
export async function listSlices(store: ReplicaStore): Promise<Map<string, StoredSlice>> {
  const slices = new Map<string, StoredSlice>();
  for await (const { objects, cursor } of listPages(store, SLICE_PREFIX, LIST_PAGES)) {
    for (const { key, sizeBytes, uploadedAt } of objects) {
      slices.set(key.slice(SLICE_PREFIX.length), { sizeBytes, uploadedAt });
    }
    if (cursor === undefined) return slices;
  }
  throw new RangeError(`expected at most ${LIST_PAGES} pages of slices in the replica's store`);
}
