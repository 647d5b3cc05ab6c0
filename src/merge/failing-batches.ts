/**
 * Batches that ticks fail on. Errors that can be caught are dealt with by `bisectFaulty`, which finds the batches at
 * fault.
 *
 * Ticks may also die, of memory or of their time, so that nothing can be caught. So if batches have waited for minutes
 * and no generation was published since, a tick notes what it is about to take before it opens it. If an attempt on the
 * same generation did not publish, the next tick takes half as many, down to one. A single batch that ticks die of is
 * passed over, tried alone a few times more, and then set aside unopened. Meanwhile the manifest says how many batches
 * a tick may take (`caution`); otherwise none of this is read or written.
 *
 * The object `attempt` changes and may be lost: then halving begins anew. Frame "RFAT" version 1 around JSON.
 */

import * as v from 'valibot';
import type { Manifest, SetAsideKey } from '../format/manifest.ts';
import { type Bytes, FormatError } from '../lib/bytes.ts';
import { jsonWork, type Pacer } from '../lib/cooperate.ts';
import { messageOf } from '../lib/errors.ts';
import { framedJson } from '../lib/frame.ts';
import { count } from '../lib/schema.ts';
import { ATTEMPT_KEY, generationKey, SET_ASIDE_PREFIX } from '../storage/keys.ts';
import { answering, type ObjectStore } from '../storage/store.ts';
import type { MergeContext } from './context.ts';

/** Ticks come by the minute: an attempt that began later than the last of them may be under way. */
const UNDER_WAY_MS = 45_000;
/** Several ticks: one that is late, or lost its race, is no sign of anything. */
export const STUCK_AFTER_MS = 5 * 60_000;
/** Attempts that die of one batch before it is set aside, and the time between them, in which the others go on. */
export const MAX_TRIES = 3;
export const RETRY_AFTER_MS = 5 * 60_000;
/** By how much a tick that published raises what the next may take. */
const RECOVERY = 4;

const file = framedJson(
  'RFAT',
  1,
  v.object({
    /** Commit of the generation it began from; another one has been published since: it did not die. */
    commit: v.string(),
    /** Milliseconds since 1970. */
    at: count,
    /** How many it was about to take; 0: it came to an end. */
    batches: count,
    /** The batch, if it was one. */
    only: v.nullable(v.string()),
    /** Batches that single attempts died of. */
    suspects: v.array(v.object({ id: v.string(), tries: count, lastAt: count })),
  }),
);

type State = ReturnType<typeof file.decode>;
type Suspect = State['suspects'][number];

export interface Attempt {
  /** How many batches may be taken. */
  readonly most: number;
  /** Taken by itself, since it is suspect; or null. */
  readonly only: string | null;
  /** Not to be taken now. */
  readonly passedOver: ReadonlySet<string>;
  /** To be set aside unopened. */
  readonly exhausted: readonly string[];
  /** What the manifest is to say if this publishes; undefined: what it says. */
  readonly caution: number | null | undefined;
  /** Notes that it came to an end, whatever it threw: it did not die. */
  end(): Promise<void>;
}

/**
 * @param ids of the batches that could be taken, in their order
 * @param oldestAt when the oldest of them was uploaded, milliseconds since 1970
 */
export async function beginAttempt(
  context: MergeContext,
  manifest: Manifest,
  ids: readonly string[],
  oldestAt: number,
): Promise<Attempt> {
  const { budget } = context;
  const now = context.now();
  const isStuck = now - oldestAt > STUCK_AFTER_MS && now - manifest.publishedAt > STUCK_AFTER_MS;
  if (ids.length === 0 || (!isStuck && manifest.caution === undefined)) {
    const none = { only: null, passedOver: new Set<string>(), exhausted: [], caution: undefined };
    return { ...none, most: budget.batches, end: async () => {} };
  }
  const before = await readState(context);
  const hasDied = before?.commit === manifest.commit && before.batches > 0 && now - before.at >= UNDER_WAY_MS;
  const died = hasDied ? before : null;
  const suspects = suspectsAfter(before?.suspects ?? [], died).filter(({ id }) => ids.includes(id));
  const exhausted = suspects.filter(({ tries }) => tries >= MAX_TRIES).map(({ id }) => id);
  // To set them aside is all that such a tick does: nothing that it could die of comes between.
  const passedOver = new Set(exhausted.length > 0 ? ids : suspects.map(({ id }) => id));
  const others = ids.filter((id) => !passedOver.has(id));
  // A suspect has its turn when the last attempt did not die, or when nothing else waits.
  const isDue = ({ lastAt }: Suspect) => exhausted.length === 0 && now - lastAt >= RETRY_AFTER_MS;
  const retried = died === null || others.length === 0 ? (suspects.find(isDue)?.id ?? null) : null;
  const allowed = Math.min(manifest.caution ?? budget.batches, budget.batches);
  const isAlone = retried !== null || exhausted.length > 0;
  const most = isAlone ? 1 : died === null ? allowed : Math.max(1, Math.floor(died.batches / 2));
  const batches = retried !== null ? 1 : Math.min(most, others.length);
  const only = batches === 1 ? (retried ?? others[0] ?? null) : null;
  const state = { commit: manifest.commit, at: now, batches, only, suspects: [...suspects] };
  await context.objects.put(ATTEMPT_KEY, file.encode(state));
  if (died !== null) context.log('tick.died', { batches: died.batches, taken: batches });
  const raised = isAlone ? allowed : most * RECOVERY;
  const isOver = raised >= budget.batches && suspects.length === 0;
  return {
    most,
    only: retried,
    passedOver,
    exhausted,
    caution: isOver ? null : Math.min(raised, budget.batches),
    end: async () => {
      try {
        await context.objects.put(ATTEMPT_KEY, file.encode({ ...state, batches: 0 }));
      } catch (error) {
        // Taken for one that died: the next tick takes half as many, and publishes all the same.
        context.log('attempt.unended', { reason: messageOf(error) });
      }
    },
  };
}

/** A suspect that is merged, or moved away, is none any more: it no longer waits. */
function suspectsAfter(suspects: readonly Suspect[], died: State | null): readonly Suspect[] {
  if (died === null || died.only === null) return suspects;
  const { only: id, at: lastAt } = died;
  const tries = (suspects.find((one) => one.id === id)?.tries ?? 0) + 1;
  return [...suspects.filter((one) => one.id !== id), { id, tries, lastAt }];
}

async function readState({ objects, log }: MergeContext): Promise<State | null> {
  const object = await objects.get(ATTEMPT_KEY);
  if (object === null) return null;
  try {
    return file.decode(object.bytes);
  } catch (error) {
    log('attempt.damaged', { reason: messageOf(error) });
    return null;
  }
}

/** Of one tick: one bad batch of 500 takes 18. What was not tried then is left for the next tick. */
const MAX_TRIALS = 24;

/** Storage that is watched: of an error that follows a rejection of it, no input is to blame. */
interface Watched {
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
  return {
    context: {
      ...context,
      objects: answering(objects, noting),
      ...(numbers && {
        numbers: { load: (entry) => noting(numbers.load(entry)), retain: (entries) => numbers.retain(entries) },
      }),
    },
    isInputs: (error) =>
      !hasRejected && !(error instanceof FormatError) && (error instanceof RangeError || error instanceof TypeError),
  };
}

interface Sifted<Item, Merged> {
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
export async function bisectFaulty<Item, Merged>(
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

// Batches that are kept out of the inventory as a whole, and why: each is kept, named by the history as consumed, and
// can be brought back. The manifest, which every isolate reads, has only their key and how many they are.
//
// Immutable objects, written before the manifest that names them: `KEY-INDEX`, each with up to 5,000 batches, all but
// the last full. A change writes all of them anew, since it is rare; those of no retained manifest are garbage. Frame
// "RFSA" version 1 around JSON.

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
  pace: Pacer,
): Promise<readonly SetAside[]> {
  const { key, count: expected, ids } = setAside;
  if (ids !== undefined) {
    return ids.map((id) => ({ id, reason: 'rollback', detail: null, at: publishedAt, by: null }));
  }
  const batches: SetAside[] = [];
  for (let index = 0; key !== null && index * SET_ASIDE_PAGE < expected; index++) {
    const object = await objects.get(pageKey(key, index));
    if (object === null) throw new FormatError(`RFSA: ${pageKey(key, index)} is missing`);
    if (pace.count(jsonWork(object.bytes.length))) await pace.giveWay();
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
