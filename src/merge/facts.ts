/**
 * What a tick keeps of the days on which numbers were detected: the facts of its batches, folded with the small objects
 * of the ticks before. New objects are written before the manifest that names them; what is replaced becomes garbage.
 */
import type { Batch } from '../format/batch.ts';
import type { EncodedFacts } from '../format/facts.ts';
import { checkFactsBlocks, type FactsInput, openFactsObject } from '../format/facts-open.ts';
import type { FactsEntry } from '../format/manifest.ts';
import { rowWork, STEP_ROWS, type Steps } from '../lib/cooperate.ts';
import { FACTS_PREFIX } from '../store/keys.ts';
import { type MergeContext, messageOf } from './context.ts';
import { foldObjectsPaced } from './facts-objects.ts';
import { FactsRows, PIECE_ROWS } from './facts-rows.ts';
import { planFacts } from './facts-tiers.ts';

export interface MergedFacts {
  /** Of the next manifest. */
  readonly entries: FactsEntry[];
  /** The earliest day that a row was added for, null if none was. */
  readonly firstDay: number | null;
}

/**
 * Rejects when an object cannot be written: then nothing refers to any of them.
 * @param joins whether small objects may be rewritten; if not, those of the batches are added
 */
export async function mergeFacts(
  context: MergeContext,
  entries: readonly FactsEntry[],
  batches: readonly Batch[],
  joins = true,
): Promise<MergedFacts> {
  const pieces = await context.pace.run(factsOf(batches));
  if (pieces.length === 0) return { entries: [...entries], firstDay: null };
  const newBytes = pieces.reduce((sum, { shape }) => sum + shape.bytes, 0);
  const joined = await readJoined(context, joins ? entries : [], newBytes);
  const opened = pieces.map(({ file, shape }) => openFactsObject(file, shape));
  const isOne = joined.size === 0 && pieces.length === 1;
  const written = await writeFacts(
    context,
    isOne ? pieces : foldObjectsPaced(context.pace, [...opened, ...joined.values()]),
  );
  return {
    entries: [...entries.filter(({ key }) => !joined.has(key)), ...written],
    firstDay: Math.min(...pieces.map(({ shape }) => shape.firstDay)),
  };
}

/**
 * Entries with others that were made apart, folded with small ones as those of a tick are: else there were one more after
 * every withdrawal. Rejects when an object cannot be read or written: then nothing refers to any of them.
 */
export async function joinFacts(
  context: MergeContext,
  entries: readonly FactsEntry[],
  added: readonly FactsEntry[],
): Promise<FactsEntry[]> {
  const addedBytes = added.reduce((sum, { bytes }) => sum + bytes, 0);
  const joined = await readJoined(context, added.length > 0 ? entries : [], addedBytes);
  if (joined.size === 0) return [...entries, ...added];
  const inputs = await Promise.all(added.map((entry) => readFacts(context, entry)));
  const written = await writeFacts(context, foldObjectsPaced(context.pace, [...inputs, ...joined.values()]));
  return [...entries.filter(({ key }) => !joined.has(key)), ...written];
}

async function writeFacts(
  { objects, randomId }: MergeContext,
  files: Iterable<EncodedFacts> | AsyncIterable<EncodedFacts>,
): Promise<FactsEntry[]> {
  const attempt = randomId();
  const written: FactsEntry[] = [];
  for await (const { file, shape } of files) {
    const key = factsKey(attempt, written.length);
    await objects.put(key, file);
    written.push({ key, ...shape });
  }
  return written;
}

/** Keys are unique to the attempt, so that none is ever written twice. */
export function factsKey(attempt: string, index: number): string {
  return `${FACTS_PREFIX}${attempt}-${String(index).padStart(6, '0')}`;
}

/** The facts of batches, in pieces of a bounded number of rows. */
export function* factsOf(batches: readonly Batch[]): Steps<EncodedFacts[]> {
  const pieces: EncodedFacts[] = [];
  const texts = batches.flatMap(({ circumstances }) => circumstances);
  const atMost = batches.reduce((sum, batch) => sum + batch.rows * 2, 0);
  const rows = new FactsRows(
    (id) => texts[id] as string,
    (piece) => pieces.push(piece),
    Math.min(atMost, PIECE_ROWS),
  );
  let base = 0;
  for (const { rows: count, numbers, firstSeenAt, observedAt, circumstance, circumstances } of batches) {
    for (let row = 0; row < count; row++) {
      if (row % STEP_ROWS === 0) yield rowWork(STEP_ROWS);
      if (rows.isFull) yield* rows.finishSteps();
      const id = base + (circumstance[row] as number);
      rows.add(numbers[row] as number, firstSeenAt[row] as number, observedAt[row] as number, id);
    }
    base += circumstances.length;
  }
  yield* rows.finishSteps();
  return pieces;
}

/** The objects that are to be rewritten, by key. One that cannot be read is left as it is: it holds no tick up. */
async function readJoined(
  context: MergeContext,
  entries: readonly FactsEntry[],
  newBytes: number,
): Promise<Map<string, FactsInput>> {
  const { log, budget } = context;
  const inputs = new Map<string, FactsInput>();
  for (const entry of planFacts(entries, newBytes, budget.factsObjects)) {
    try {
      inputs.set(entry.key, await readFacts(context, entry));
    } catch (error) {
      log('facts.unreadable', { object: entry.key, reason: messageOf(error) });
    }
  }
  return inputs;
}

/**
 * An object without the rows of some numbers: what is to stand in its place, none if it has no other rows. Rejects when
 * it cannot be read or written.
 */
export async function factsWithout(
  context: MergeContext,
  entry: FactsEntry,
  numbers: { has(number: number): boolean },
): Promise<FactsEntry[]> {
  const input = await readFacts(context, entry);
  return writeFacts(context, foldObjectsPaced(context.pace, [input], { without: numbers }));
}

/** A whole object, every block checked. Rejects when it is not there or damaged. */
async function readFacts({ objects, pace }: MergeContext, entry: FactsEntry): Promise<FactsInput> {
  const object = await objects.get(entry.key);
  if (object === null) throw new RangeError(`${entry.key} is not in the object store`);
  const input = openFactsObject(object.bytes, entry);
  await pace.run(checkFactsBlocks(input));
  return input;
}
