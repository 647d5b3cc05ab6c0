/**
 * Batches that are kept out of the inventory as a whole, and why: each is kept, named by the history as consumed, and
 * can be brought back. The manifest, which every isolate reads, has only their key and how many they are.
 *
 * Immutable objects, written before the manifest that names them: `KEY-INDEX`, each with up to 5,000 batches, all but
 * the last full. A change writes all of them anew, since it is rare; those of no retained manifest are garbage. Frame
 * "RFSA" version 1 around JSON.
 */
import * as v from 'valibot';
import { type Bytes, FormatError } from '../format/frame.ts';
import { framedJson } from '../format/framed-json.ts';
import type { Manifest, SetAsideKey } from '../format/manifest.ts';
import { generationKey, SET_ASIDE_PREFIX } from '../store/keys.ts';
import type { ObjectStore } from '../store/store.ts';

/** An object of some 700 KB at most. */
export const SET_ASIDE_PAGE = 5_000;

export const SET_ASIDE_REASONS = [
  /** Merged after the generation that a rollback returned to. */
  'rollback',
  /** Merging it throws; never merged, and never screened. */
  'failed',
  /** Ticks that took it up did not come to an end; never opened since, never merged, never screened. */
  'exhausted',
] as const;

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const entry = v.object({
  id: v.string(),
  reason: v.picklist(SET_ASIDE_REASONS),
  /** For who looks at it: never with a number, a link or a name that an upload gave. */
  detail: v.nullable(v.string()),
  /** Milliseconds since 1970. */
  at: count,
  /** Id of the API key of whoever did it; null: a tick, or not known. */
  by: v.nullable(v.string()),
});

const page = framedJson('RFSA', 1, v.object({ batches: v.pipe(v.array(entry), v.maxLength(SET_ASIDE_PAGE)) }));

export type SetAside = Readonly<v.InferOutput<typeof entry>>;

export function encodeSetAside(batches: readonly SetAside[]): Bytes {
  return page.encode({ batches: [...batches] });
}

/** Throws FormatError unless the bytes are an object with batches set aside. */
export function decodeSetAside(bytes: Bytes): readonly SetAside[] {
  return page.decode(bytes).batches;
}

/** In the order in which they were set aside. Rejects when an object is missing or damaged, or lists fewer or more. */
export async function readSetAside(
  objects: ObjectStore,
  { setAside, publishedAt }: Pick<Manifest, 'setAside' | 'publishedAt'>,
): Promise<readonly SetAside[]> {
  const { key, count: expected, ids } = setAside;
  if (ids !== undefined) {
    return ids.map((id) => ({ id, reason: 'rollback', detail: null, at: publishedAt, by: null }));
  }
  const batches: SetAside[] = [];
  for (let index = 0; key !== null && index * SET_ASIDE_PAGE < expected; index++) {
    const object = await objects.get(pageKey(key, index));
    if (object === null) throw new FormatError(`RFSA: ${pageKey(key, index)} is missing`);
    batches.push(...decodeSetAside(object.bytes));
  }
  if (batches.length !== expected) {
    throw new FormatError(`RFSA: expected ${expected} batches set aside, found ${batches.length}`);
  }
  return batches;
}

/**
 * Returns what the manifest is to say. Not published, the objects are garbage.
 * @param generation that is to name them
 */
export async function writeSetAside(
  objects: ObjectStore,
  generation: number,
  randomId: string,
  batches: readonly SetAside[],
): Promise<SetAsideKey> {
  if (batches.length === 0) return { key: null, count: 0 };
  const key = generationKey(SET_ASIDE_PREFIX, generation, randomId);
  for (let from = 0; from < batches.length; from += SET_ASIDE_PAGE) {
    const bytes = encodeSetAside(batches.slice(from, from + SET_ASIDE_PAGE));
    await objects.put(pageKey(key, from / SET_ASIDE_PAGE), bytes);
  }
  return { key, count: batches.length };
}

/** Those that ticks could not merge, and set aside by themselves. */
export function unmergeable(batches: readonly SetAside[]): readonly SetAside[] {
  return batches.filter(({ reason }) => reason === 'failed' || reason === 'exhausted');
}

/** Keys of the objects that a manifest names. */
export function setAsideKeys({ setAside: { key, count: batches } }: Pick<Manifest, 'setAside'>): string[] {
  if (key === null) return [];
  return Array.from({ length: Math.ceil(batches / SET_ASIDE_PAGE) }, (_, index) => pageKey(key, index));
}

function pageKey(key: string, index: number): string {
  return `${key}-${String(index).padStart(6, '0')}`;
}
