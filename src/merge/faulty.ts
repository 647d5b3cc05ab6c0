/**
 * Which inputs a merge fails for. What is wrong with a batch by itself shows when it is opened; what is left is a sum or
 * a size that no code can hold, of one batch or of several together. Such a batch must not hold up all others for good,
 * so it is found by merging parts of what waits, and the rest is merged without it.
 */
import { FormatError } from '../format/frame.ts';
import type { ObjectStore } from '../store/store.ts';
import type { MergeContext } from './context.ts';

/** Of one tick: one bad batch of 500 takes 18. What was not tried then is left for the next tick. */
const MAX_TRIALS = 24;

/** Storage that is watched: of an error that follows a rejection of it, no input is to blame. */
export interface Watched {
  readonly context: MergeContext;
  /** Whether an error of the work is the input's doing: not the storage's, and not that of damage to what is stored. */
  isInputs(error: unknown): boolean;
}

export function watch(context: MergeContext): Watched {
  let hasRejected = false;
  const noting = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await work;
    } catch (error) {
      hasRejected = true;
      throw error;
    }
  };
  const { objects, numbers } = context;
  const watchedObjects: ObjectStore = {
    get: (key) => noting(objects.get(key)),
    getIfChanged: (key, etag) => noting(objects.getIfChanged(key, etag)),
    getRange: (key, offset, length) => noting(objects.getRange(key, offset, length)),
    head: (key) => noting(objects.head(key)),
    put: (key, bytes, condition, owner) => noting(objects.put(key, bytes, condition, owner)),
    list: (prefix, options) => noting(objects.list(prefix, options)),
    delete: (keys) => noting(objects.delete(keys)),
  };
  return {
    context: {
      ...context,
      objects: watchedObjects,
      ...(numbers === undefined ? {} : { numbers: (entry) => noting(numbers(entry)) }),
    },
    isInputs: (error) =>
      !hasRejected && !(error instanceof FormatError) && (error instanceof RangeError || error instanceof TypeError),
  };
}

export interface Sifted<Item, Merged> {
  /** Of those that go together; null: none does. */
  readonly merged: Merged | null;
  readonly items: readonly Item[];
  /** Those that fail by themselves, with what they throw. */
  readonly faulty: readonly { readonly item: Item; readonly error: unknown }[];
}

/**
 * Merges as much as goes.
 * @param attempt merges some, and publishes nothing; rejects with an error that `isInputs` is told of
 */
export async function sift<Item, Merged>(
  items: readonly Item[],
  attempt: (items: readonly Item[]) => Promise<Merged>,
  isInputs: (error: unknown) => boolean,
): Promise<Sifted<Item, Merged>> {
  const groups: { readonly items: readonly Item[]; readonly merged: Merged }[] = [];
  const faulty: { readonly item: Item; readonly error: unknown }[] = [];
  let trials = 0;
  const tried = async (some: readonly Item[]): Promise<Merged | { readonly error: unknown }> => {
    trials += 1;
    try {
      return await attempt(some);
    } catch (error) {
      if (!isInputs(error)) throw error;
      return { error };
    }
  };
  const isFailure = (result: Merged | { readonly error: unknown }): result is { readonly error: unknown } =>
    typeof result === 'object' && result !== null && 'error' in result;
  const search = async (some: readonly Item[]): Promise<void> => {
    const [first] = some;
    if (first === undefined || trials >= MAX_TRIALS) return;
    const result = await tried(some);
    if (!isFailure(result)) groups.push({ items: some, merged: result });
    else if (some.length === 1) faulty.push({ item: first, error: result.error });
    else {
      const middle = Math.ceil(some.length / 2);
      await search(some.slice(0, middle));
      await search(some.slice(middle));
    }
  };
  await search(items);
  const [only, other] = groups;
  if (only === undefined) return { merged: null, items: [], faulty };
  if (other === undefined) return { ...only, faulty };
  const all = groups.flatMap((group) => group.items);
  const together = await tried(all);
  if (!isFailure(together)) return { merged: together, items: all, faulty };
  // Only together do they fail: the most that go are merged, and the others meet them merged.
  const largest = groups.reduce((a, b) => (b.items.length > a.items.length ? b : a));
  return { ...largest, faulty };
}
