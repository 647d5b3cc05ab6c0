/** The copies of manifests, for who has lost the manifest: which of them it may have been. */
import { generationKey, HISTORY_PREFIX, RETAINED_PREFIX } from '../../src/store/keys.ts';
import type { ObjectStore } from '../../src/store/store.ts';
import { listObjects } from './list-all.ts';

export interface NewestCopies {
  /** Keys of all copies of the newest generation that has one; of several, one at most was published. */
  readonly keys: readonly string[];
  /** A later generation may have been published: its history is there, and its copy is gone. Key of that history. */
  readonly later: string | null;
  /**
   * What the manifest was, or would have been a moment later: the only copy of the newest generation, of which no other
   * can have been published. null: nobody can tell.
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
  if (only === undefined) return { keys, later: null, certain: null };
  const startAfter = generationKey(HISTORY_PREFIX, generationOf(only) + 1, '');
  const later = (await objects.list(HISTORY_PREFIX, { limit: 1, startAfter })).objects[0]?.key ?? null;
  return { keys, later, certain: other === undefined && later === null ? only : null };
}

/** Of a key below `manifests/`. */
export function generationOf(key: string): number {
  return Number(key.slice(RETAINED_PREFIX.length, key.indexOf('-')));
}
