/** The copies of manifests, for who has lost the manifest: which of them it may have been. */
import { generationKey, HISTORY_PREFIX, RETAINED_PREFIX } from '../../src/store/keys.ts';
import type { ObjectStore } from '../../src/store/store.ts';
import { listObjects } from './list-all.ts';

export interface NewestCopies {
  /** Keys of all copies of the newest generation that has one; of several, one at most was published. */
  readonly keys: readonly string[];
  /** History of as late a generation or a later one whose copy is gone: that may have been the one published. */
  readonly gone: string | null;
  /**
   * What the manifest was, or would have been a moment later: of the newest generation there was no other. null: nobody
   * can tell.
   */
  readonly certain: string | null;
}

export async function newestCopies(objects: ObjectStore): Promise<NewestCopies> {
  const keys: string[] = [];
  for await (const { key } of listObjects(objects, RETAINED_PREFIX)) {
    if (keys[0] !== undefined && generationOf(keys[0]) !== generationOf(key)) keys.length = 0;
    keys.push(key);
  }
  const [only, other] = keys;
  if (only === undefined) return { keys, gone: null, certain: null };
  const startAfter = generationKey(HISTORY_PREFIX, generationOf(only), '');
  const histories = (await objects.list(HISTORY_PREFIX, { limit: keys.length + 1, startAfter })).objects;
  const copied = new Set(keys.map((key) => HISTORY_PREFIX + key.slice(RETAINED_PREFIX.length)));
  const gone = histories.find(({ key }) => !copied.has(key))?.key ?? null;
  return { keys, gone, certain: other === undefined && gone === null ? only : null };
}

/** Of a key below `manifests/`. */
export function generationOf(key: string): number {
  return Number(key.slice(RETAINED_PREFIX.length, key.indexOf('-')));
}
