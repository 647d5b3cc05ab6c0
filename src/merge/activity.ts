/**
 * The activity that a tick keeps: that of its batches, folded with the small objects of earlier ticks. New objects are
 * written before the manifest that names them; the objects that they replace become garbage.
 */

import type { ActivityKey } from '../format/activity.ts';
import {
  type ActivityInput,
  checkActivityBlocks,
  type EncodedActivity,
  openActivityObject,
} from '../format/activity-object.ts';
import type { Batch } from '../format/batch.ts';
import type { ActivityEntry } from '../format/manifest.ts';
import { rowWork, STEP_ROWS, type Steps } from '../lib/cooperate.ts';
import { messageOf } from '../lib/errors.ts';
import { ACTIVITY_PREFIX } from '../storage/keys.ts';
import { ActivityRows, foldActivityPaced, OBJECT_BYTES, PIECE_ROWS } from './activity-fold.ts';
import type { MergeContext } from './context.ts';

interface MergedActivity {
  /** Of the next manifest. */
  readonly entries: ActivityEntry[];
  /** The earliest day that a row was added for, null if none was. */
  readonly firstDay: number | null;
}

/**
 * Rejects when an object cannot be written: then nothing refers to any of them.
 * @param joins whether small objects may be rewritten; if not, those of the batches are added
 */
export async function mergeActivity(
  context: MergeContext,
  entries: readonly ActivityEntry[],
  batches: readonly Batch[],
  joins = true,
): Promise<MergedActivity> {
  const { pace } = context;
  const pieces = await pace.run(activityOf(batches));
  if (pieces.length === 0) return { entries: [...entries], firstDay: null };
  const newBytes = pieces.reduce((sum, { shape }) => sum + shape.bytes, 0);
  const { inputs, keys } = await readJoined(context, joins ? entries : [], newBytes);
  // What is folded has been encoded already, since its size decides what is joined, and is decoded again: 1.3 ms for
  // 100,000 rows, of 80 that the fold takes.
  const isOne = keys.size === 0 && pieces.length === 1;
  if (!isOne) for (const { file, shape } of pieces) inputs.push(await pace.run(openActivityObject(file, shape)));
  const written = await writeActivity(context, isOne ? pieces : foldActivityPaced(pace, inputs));
  return {
    entries: [...entries.filter(({ key }) => !keys.has(key)), ...written],
    firstDay: Math.min(...pieces.map(({ shape }) => shape.firstDay)),
  };
}

/**
 * Entries with others that were made apart, folded with small ones as those of a tick are: else there were one more
 * after every withdrawal. Rejects when an object cannot be read or written: then nothing refers to any of them.
 */
export async function joinActivity(
  context: MergeContext,
  entries: readonly ActivityEntry[],
  added: readonly ActivityEntry[],
): Promise<ActivityEntry[]> {
  const addedBytes = added.reduce((sum, { bytes }) => sum + bytes, 0);
  const { inputs, keys } = await readJoined(context, added.length > 0 ? entries : [], addedBytes);
  if (keys.size === 0) return [...entries, ...added];
  inputs.unshift(...(await Promise.all(added.map((entry) => readActivity(context, entry)))));
  const written = await writeActivity(context, foldActivityPaced(context.pace, inputs));
  return [...entries.filter(({ key }) => !keys.has(key)), ...written];
}

async function writeActivity(
  { objects, randomId }: MergeContext,
  files: Iterable<EncodedActivity> | AsyncIterable<EncodedActivity>,
): Promise<ActivityEntry[]> {
  const attempt = randomId();
  const written: ActivityEntry[] = [];
  for await (const { file, shape } of files) {
    const key = activityObjectKey(attempt, written.length);
    await objects.put(key, file);
    written.push({ key, ...shape });
  }
  return written;
}

/** Keys are unique to the attempt, so that none is ever written twice. */
export function activityObjectKey(attempt: string, index: number): string {
  return `${ACTIVITY_PREFIX}${attempt}-${String(index).padStart(6, '0')}`;
}

/** The activity of batches, in pieces of a bounded number of rows. */
export function* activityOf(batches: readonly Batch[]): Steps<EncodedActivity[]> {
  const pieces: EncodedActivity[] = [];
  const keys = batches.flatMap((batch) => batch.keys);
  const linkHigh = joined(batches.map((batch) => batch.linkHigh));
  const linkLow = joined(batches.map((batch) => batch.linkLow));
  const atMost = batches.reduce((sum, batch) => sum + batch.rows * 2, 0);
  const rows = new ActivityRows(
    (id) => ({
      key: keys[id] as ActivityKey,
      linkHigh: linkHigh[id] as number,
      linkLow: linkLow[id] as number,
    }),
    (piece) => pieces.push(piece),
    Math.min(atMost, PIECE_ROWS),
  );
  let base = 0;
  for (const { rows: count, numbers, firstSeenAt, observedAt, attributesIndex, attributes } of batches) {
    for (let row = 0; row < count; row++) {
      if (row % STEP_ROWS === 0) yield rowWork(STEP_ROWS);
      if (rows.isFull) yield* rows.finishSteps();
      const id = base + (attributesIndex[row] as number);
      rows.add(numbers[row] as number, firstSeenAt[row] as number, observedAt[row] as number, id);
    }
    base += attributes.length;
  }
  yield* rows.finishSteps();
  return pieces;
}

function joined(columns: readonly Uint32Array[]): Uint32Array {
  const all = new Uint32Array(columns.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const column of columns) {
    all.set(column, at);
    at += column.length;
  }
  return all;
}

/**
 * The objects that are to be rewritten, and their keys. One that cannot be read is left as it is: it holds no tick up.
 */
async function readJoined(
  context: MergeContext,
  entries: readonly ActivityEntry[],
  newBytes: number,
): Promise<{ readonly inputs: ActivityInput[]; readonly keys: ReadonlySet<string> }> {
  const { log, budget } = context;
  const inputs: ActivityInput[] = [];
  const keys = new Set<string>();
  for (const entry of planActivity(entries, newBytes, budget.activityObjects)) {
    try {
      inputs.push(await readActivity(context, entry));
      keys.add(entry.key);
    } catch (error) {
      log('facts.unreadable', { object: entry.key, reason: messageOf(error) });
    }
  }
  return { inputs, keys };
}

/**
 * An object without the rows of some numbers: what is to stand in its place, none if it has no other rows. Rejects when
 * it cannot be read or written.
 */
export async function activityWithout(
  context: MergeContext,
  entry: ActivityEntry,
  numbers: { has(number: number): boolean },
): Promise<ActivityEntry[]> {
  const input = await readActivity(context, entry);
  return writeActivity(context, foldActivityPaced(context.pace, [input], { without: numbers }));
}

/** A whole object, every block checked. Rejects when it is not there or damaged. */
async function readActivity({ objects, pace }: MergeContext, entry: ActivityEntry): Promise<ActivityInput> {
  const object = await objects.get(entry.key);
  if (object === null) throw new RangeError(`${entry.key} is not in the object store`);
  const input = await pace.run(openActivityObject(object.bytes, entry));
  await pace.run(checkActivityBlocks(input));
  return input;
}

// Which activity objects a tick rewrites together with its own: none until there are eight of a size, so that a
// minute's detections rewrite nothing as a rule; and an object that has reached half of its full size never again
// (docs/decisions/0022-activity.md).

/** Objects below this size are of the first tier. */
const TIER_BYTES = 2 ** 19;
const TIER_RATIO = 8;
/** From here on an object is left as it is. */
const FULL_BYTES = OBJECT_BYTES / 2;

/**
 * The objects that are joined with `newBytes` of new ones, all together at most an object's size.
 * @param tierObjects how many of a tier become one
 */
function planActivity(entries: readonly ActivityEntry[], newBytes: number, tierObjects: number): ActivityEntry[] {
  const growing = entries.filter(({ bytes }) => bytes < FULL_BYTES);
  const joined: ActivityEntry[] = [];
  let total = newBytes;
  for (let tier = 0; total < FULL_BYTES; tier++) {
    if (tierOf(total) > tier) continue;
    const members = growing.filter(({ bytes }) => tierOf(bytes) === tier).sort((a, b) => a.bytes - b.bytes);
    if (members.length + 1 < tierObjects) break;
    for (const entry of members) {
      if (total + entry.bytes > OBJECT_BYTES) return joined;
      joined.push(entry);
      total += entry.bytes;
    }
  }
  return joined;
}

function tierOf(bytes: number): number {
  return bytes < TIER_BYTES ? 0 : 1 + Math.floor(Math.log(bytes / TIER_BYTES) / Math.log(TIER_RATIO));
}
