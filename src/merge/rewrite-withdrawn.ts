/**
 * Taking rows out of the inventory. A record is a fold of sums, minima and unions, from which nothing can be
 * subtracted, so the records of the numbers concerned are computed anew from all kept batches but those withdrawn:
 *
 *   1. gather    the batches are read in order of their ids, a chunk a tick, and what they have of the numbers is folded
 *                into a small run of its own, the side run; likewise activity. What is merged meanwhile is read from the
 *                history. In the end the side run has what the inventory would have of the numbers, as of one generation.
 *   2. replace   all runs of that generation are compacted into one, with the records of the side run in the place of
 *                theirs, and its activity objects likewise. What is merged meanwhile makes runs and activity of its own.
 *   3. swap      both take the place of what they were made of, in one generation.
 *
 * Until the swap lookups answer as before. Every chunk ends with a publication, so whichever tick stops, loses to
 * another writer or cannot read something, the next one goes on from what was published last; a rollback begins anew.
 */
import { type Batch, openBatchSteps } from '../format/batch.ts';
import { type Compaction, type Manifest, NO_OUTPUT, type Run, runNumbers, watermarkAt } from '../format/manifest.ts';
import { CONNECTIONS } from '../lib/concurrency.ts';
import { rowWork } from '../lib/cooperate.ts';
import { messageOf } from '../lib/errors.ts';
import { SortedNumbers } from '../lib/sorted.ts';
import { dayOf } from '../lib/time.ts';
import { type ExcludedOfBatch, ofNumbers, only, readExcludedRows, without } from '../quality/excluded-rows.ts';
import { readLedger } from '../quality/ledger.ts';
import { MERGED_PREFIX } from '../storage/keys.ts';
import type { ObjectHead, StoredObject } from '../storage/store.ts';
import { activityWithout, joinActivity, mergeActivity } from './activity.ts';
import { foldChunk, runCursor } from './compact.ts';
import { progressOf, writeOutput } from './compaction-output.ts';
import type { MergeContext } from './context.ts';
import { readSetAside } from './failing-batches.ts';
import { distinctNumbers, findKnown } from './first-time.ts';
import { BatchCursor, fold, WithoutNumbers } from './fold.ts';
import { historySince, NO_BATCHES } from './history.ts';
import type { LoadedManifest } from './last-published.ts';
import { publish } from './publish-manifest.ts';
import { MergeDictionary } from './segment-builder.ts';
import { SegmentWriter } from './segment-writer.ts';
import { readKept } from './waiting.ts';
import {
  type Gathered,
  type Job,
  markedWithdrawn,
  readWithdrawals,
  type Withdrawals,
  writeWithdrawals,
} from './withdraw.ts';

/** Bytes of batches read by a chunk, as a multiple of those that a tick holds: most of them are let go at once. */
const READ_FACTOR = 4;
/** Read at the same time, but for a single batch that is larger. */
const GROUP_BYTES = 8 * 2 ** 20;
/** Bytes of memory for each row that is kept of them, with its place in the fold. */
const ROW_BYTES = 48;
/** Activity objects replaced by a chunk: each up to 4 MiB, of earlier versions 8, read and written. */
const ACTIVITY_A_SHARE = 4;
/** A gathering that is further behind is begun anew: the history would take longer to read than the batches. */
const MAX_BEHIND = 1_000;

/** What a chunk works on. */
interface Subject {
  readonly list: Withdrawals;
  readonly job: Job;
  /** The numbers whose records are computed anew. */
  readonly numbers: Float64Array;
  /** UTC day since 1970 of their earliest detection by the batches of the job. */
  readonly firstDay: number | null;
}

/**
 * Does a tick's chunk. Returns what is current afterwards, or null when another writer was first. A failure is logged,
 * and the chunk is done again by the next tick.
 */
export async function rewrite(context: MergeContext, base: LoadedManifest): Promise<LoadedManifest | null> {
  const { withdrawals } = base.manifest;
  if (withdrawals === null || withdrawals.pending === 0) return base;
  try {
    const list = await readWithdrawals(context.objects, base.manifest);
    const subject = await subjectOf(context, base.manifest, list);
    if (subject.job.batches.length === 0) return base;
    const job = subject.job.facts === null ? await gather(context, base.manifest, subject) : subject.job;
    const isGathered = job.gathered.isWhole && job.gathered.queue.length === 0;
    if (!isGathered) return publishJob(context, base, list, job);
    return await replace(context, base, { ...subject, job });
  } catch (error) {
    context.log('withdrawal.failed', { reason: messageOf(error) });
    return base;
  }
}

async function publishJob(context: MergeContext, base: LoadedManifest, list: Withdrawals, job: Job) {
  const withdrawals = await writeWithdrawals(context.objects, base.manifest, context.randomId(), { ...list, job });
  return publish(context, base, { withdrawals }, NO_BATCHES);
}

/**
 * The job that is under way, or a new one: of the oldest of the pending batches, as many as fit into memory. Those that
 * cannot be read are passed over, and tried again by the next job.
 */
async function subjectOf(context: MergeContext, manifest: Manifest, list: Withdrawals): Promise<Subject> {
  const { budget } = context;
  const known = list.job;
  if (known !== null && (known.facts !== null || manifest.generation - known.gathered.generation <= MAX_BEHIND)) {
    const batches = await openParts(context, known.batches);
    return { list, job: known, ...(await numbersOf(context, batches)) };
  }
  const batches: Job['batches'] = [];
  const opened: Batch[] = [];
  let rows = 0;
  for (const { id, from } of list.pending) {
    const [batch] = await openParts(context, [{ id, from, to: null }]).catch((error: unknown) => {
      context.log('withdrawal.failed', { batch: id, reason: messageOf(error) });
      return [];
    });
    if (batch === undefined) continue;
    if (rows > 0 && rows + batch.rows > budget.inlineRecords) break;
    const numbers = await context.pace.run(distinctNumbers([batch]));
    const to = numbers[budget.inlineRecords] ?? null;
    batches.push({ id, from, to });
    opened.push(to === null ? batch : ofNumbers(batch, numbers.subarray(0, budget.inlineRecords)));
    rows += batch.rows;
  }
  const { consumed, generation } = manifest;
  const job: Job = {
    batches,
    // What was merged and may not have been moved yet could be moved behind the cursor.
    gathered: { generation, cursor: '', isWhole: false, queue: consumed.map((id) => ({ id })), skip: [...consumed] },
    side: [],
    sideFacts: [],
    facts: null,
  };
  return { list, job, ...(await numbersOf(context, opened)) };
}

/** The rows of parts of batches. Rejects when one cannot be read: then nobody knows what to take out. */
async function openParts({ objects, pace }: MergeContext, parts: Job['batches']): Promise<Batch[]> {
  const opened: Batch[] = [];
  for (const { id, from, to } of parts) {
    const batch = await pace.run(openBatchSteps((await readKept(objects, id)).bytes));
    const isWanted = (number: number) => number >= from && (to === null || number < to);
    opened.push(ofNumbers(batch, batch.numbers.filter(isWanted)));
  }
  return opened;
}

async function numbersOf(
  { pace }: MergeContext,
  batches: readonly Batch[],
): Promise<Pick<Subject, 'numbers' | 'firstDay'>> {
  let first = Number.POSITIVE_INFINITY;
  for (const { firstSeenAt } of batches) for (const second of firstSeenAt) first = Math.min(first, second);
  const numbers = await pace.run(distinctNumbers(batches));
  return { numbers, firstDay: first === Number.POSITIVE_INFINITY ? null : dayOf(first) };
}

/** Reads a chunk of what is to be gathered, and folds it into the side run. */
async function gather(context: MergeContext, manifest: Manifest, { list, job, numbers }: Subject): Promise<Job> {
  const { objects, pace } = context;
  const omissions = await readExcludedRows(objects, await readLedger(objects, manifest, pace), pace);
  const reader = new ShareReader(context, await outsideOf(context, manifest, list), omissions, numbers);
  const gathered = await reader.read(await caughtUp(context, manifest, job.gathered));
  if (reader.rows === 0) return { ...job, gathered };
  const sideFacts = await mergeActivity(context, job.sideFacts, reader.batches);
  const writer = new SegmentWriter(context, false);
  const dictionary = new MergeDictionary();
  const cursors = [
    ...reader.batches.map((batch) => new BatchCursor(batch, dictionary)),
    runCursor(context, job.side, 0, dictionary),
  ];
  for await (const { segment } of fold(cursors, dictionary, pace, context.budget.segmentRecords))
    await writer.write(segment);
  return { ...job, gathered, side: (await writer.finish()).entries, sideFacts: sideFacts.entries };
}

/** Kept batches of which the inventory has nothing, or is to have nothing. */
async function outsideOf(
  { objects, pace }: MergeContext,
  manifest: Manifest,
  { withdrawn }: Withdrawals,
): Promise<ReadonlySet<string>> {
  const aside = await readSetAside(objects, manifest, pace);
  const outside = new Set([...manifest.replay, ...[...aside, ...withdrawn].map(({ id }) => id)]);
  for await (const id of markedWithdrawn(objects)) outside.add(id);
  return outside;
}

/** With what was merged since the last chunk in the queue. */
async function caughtUp({ objects, pace }: MergeContext, manifest: Manifest, before: Gathered): Promise<Gathered> {
  const queue = [...before.queue];
  const skip = new Set(before.skip);
  const whole = new Set(queue.flatMap(({ id, of }) => (of === undefined ? [id] : [])));
  const isToBeRead = (id: string) => !before.isWhole && id > before.cursor && !skip.has(id);
  for (const { batches, replayed, released = [] } of (
    await historySince(objects, manifest, before.generation, pace)
  ).toReversed()) {
    for (const id of [...batches, ...replayed]) {
      queue.push({ id });
      whole.add(id);
      skip.add(id);
    }
    for (const { batch: id, ...of } of released) {
      // If the batch is still to be read, these rows are read with it: the ledger of that time no longer keeps them
      // out.
      if (!whole.has(id) && !isToBeRead(id)) queue.push({ id, of });
    }
  }
  return { ...before, generation: manifest.generation, queue, skip: beyond(skip, before.cursor) };
}

function beyond(ids: Iterable<string>, cursor: string): string[] {
  return [...ids].filter((id) => id > cursor);
}

/** Reads batches up to the budget of a chunk, and keeps the rows of the numbers. */
class ShareReader {
  readonly batches: Batch[] = [];
  rows = 0;
  readonly #context: MergeContext;
  readonly #outside: ReadonlySet<string>;
  readonly #omissions: ReadonlyMap<string, ExcludedOfBatch>;
  readonly #numbers: Float64Array;
  #count = 0;
  #bytes = 0;

  constructor(
    context: MergeContext,
    outside: ReadonlySet<string>,
    omissions: ReadonlyMap<string, ExcludedOfBatch>,
    numbers: Float64Array,
  ) {
    this.#context = context;
    this.#outside = outside;
    this.#omissions = omissions;
    this.#numbers = numbers;
  }

  /** Returns how far it has come. */
  async read(before: Gathered): Promise<Gathered> {
    const queue = [...before.queue];
    for (let next = queue[0]; next !== undefined && !this.#isFull; next = queue[0]) {
      await this.#take(next);
      queue.shift();
    }
    if (queue.length > 0 || before.isWhole) return { ...before, queue };
    const skip = new Set(before.skip);
    let { cursor } = before;
    for (;;) {
      const { objects, cursor: more } = await this.#context.objects.list(
        MERGED_PREFIX,
        cursor === '' ? {} : { startAfter: MERGED_PREFIX + cursor },
      );
      for (const group of this.#groupsOf(objects)) {
        if (this.#isFull) return { ...before, queue, cursor, skip: beyond(skip, cursor) };
        const ids = group.map(({ key }) => key.slice(MERGED_PREFIX.length));
        await this.#takeAll(ids.filter((id) => !skip.has(id) && !this.#outside.has(id)));
        cursor = ids.at(-1) ?? cursor;
      }
      if (more === undefined) return { ...before, queue, cursor, isWhole: true, skip: [] };
    }
  }

  get #isFull(): boolean {
    const { budget } = this.#context;
    return (
      this.#count >= budget.withdrawalBatches ||
      this.#bytes >= budget.batchBytes * READ_FACTOR ||
      this.rows * ROW_BYTES >= budget.batchBytes
    );
  }

  /** In order, as many together as may be read at the same time. */
  *#groupsOf(heads: readonly ObjectHead[]): Generator<ObjectHead[]> {
    const most = Math.min(CONNECTIONS, this.#context.budget.withdrawalBatches);
    let group: ObjectHead[] = [];
    let bytes = 0;
    for (const head of heads) {
      if (group.length > 0 && (group.length >= most || bytes + head.sizeBytes > GROUP_BYTES)) {
        yield group;
        group = [];
        bytes = 0;
      }
      group.push(head);
      bytes += head.sizeBytes;
    }
    if (group.length > 0) yield group;
  }

  async #takeAll(ids: readonly string[]): Promise<void> {
    const objects = await Promise.all(ids.map((id) => readKept(this.#context.objects, id)));
    for (const [i, object] of objects.entries()) await this.#keep({ id: ids[i] as string }, object);
  }

  /** What the inventory has of a batch, or of what was released of one. */
  async #take(item: Gathered['queue'][number]): Promise<void> {
    if (!this.#outside.has(item.id)) await this.#keep(item, await readKept(this.#context.objects, item.id));
  }

  async #keep({ id, of }: Gathered['queue'][number], object: StoredObject): Promise<void> {
    this.#count += 1;
    this.#bytes += object.sizeBytes;
    const { pace } = this.#context;
    const opened = await pace.run(openBatchSteps(object.bytes));
    const all = ofNumbers(opened, this.#numbers);
    if (pace.count(rowWork(opened.rows))) await pace.giveWay();
    if (all.rows === 0) return;
    const omission = this.#omissions.get(id);
    const own = of === undefined ? all : only(all, of, new Set());
    const batch = omission === undefined ? own : without(own, omission);
    if (batch.rows === 0) return;
    this.batches.push(batch);
    this.rows += batch.rows;
  }
}

/** Does a chunk of the replacement: activity first, then runs, and the swap once both are done. */
async function replace(context: MergeContext, base: LoadedManifest, subject: Subject): Promise<LoadedManifest | null> {
  const { manifest } = base;
  const { list, numbers } = subject;
  const facts = await replaceActivity(context, manifest, subject);
  const job = { ...subject.job, facts };
  const isBegun = manifest.withdrawals?.replacing === true;
  const begun = (isBegun ? manifest.compaction : null) ?? startOf(manifest);
  if (facts.done < facts.inputs.length) {
    const withdrawals = await writeWithdrawals(context.objects, manifest, context.randomId(), { ...list, job });
    return publish(context, base, { compaction: begun, withdrawals }, NO_BATCHES);
  }
  const state = await progressOf(context, begun);
  const inputs = manifest.runs.filter(({ id }) => state.inputs.includes(id));
  const chunk = await foldChunk(context, (dictionary) => [
    ...inputs.map(
      ({ segments }) => new WithoutNumbers(runCursor(context, segments, state.resumeFrom, dictionary), numbers),
    ),
    runCursor(context, job.side, state.resumeFrom, dictionary),
  ]);
  const segments = [...state.output, ...chunk.entries];
  const missingSlices = [...manifest.missingSlices, ...chunk.missingSlices];
  if (chunk.resumeFrom !== null) {
    const withdrawals = await writeWithdrawals(context.objects, manifest, context.randomId(), { ...list, job });
    const output = await writeOutput(context.objects, manifest.generation + 1, context.randomId(), segments);
    const compaction = { inputs: state.inputs, output, resumeFrom: chunk.resumeFrom };
    return publish(context, base, { compaction, missingSlices, withdrawals }, NO_BATCHES);
  }
  const newer = manifest.runs.filter(({ id }) => !state.inputs.includes(id));
  const merged: Run = { id: chunk.attempt, newNumbers: 0, segments };
  const replaced = { ...merged, newNumbers: runNumbers(merged) };
  const counted = await withNewNumbers(context, newer, inputs, { numbers, side: job.side });
  const isReplaced = new Set(facts.inputs);
  const others = [...manifest.activity.filter(({ key }) => !isReplaced.has(key)), ...facts.output];
  const pending = pendingAfter(list, job);
  const published = await publish(
    context,
    base,
    {
      runs: segments.length === 0 ? counted : [...counted, replaced],
      compaction: null,
      missingSlices,
      activity: await joinActivity(context, others, job.sideFacts),
      watermarks: watermarkAt(manifest.watermarks, manifest.generation + 1, subject.firstDay),
      withdrawals: await writeWithdrawals(context.objects, manifest, context.randomId(), {
        ...list,
        pending,
        job: null,
      }),
    },
    NO_BATCHES,
  );
  if (published !== null) {
    context.log('withdrawal.done', { batches: list.pending.length - pending.length, pending: pending.length });
  }
  return published;
}

function startOf({ runs }: Manifest): Compaction {
  return { inputs: runs.map(({ id }) => id), output: NO_OUTPUT, resumeFrom: 0 };
}

async function replaceActivity(context: MergeContext, manifest: Manifest, { job, numbers }: Subject) {
  const before = job.facts ?? { inputs: manifest.activity.map(({ key }) => key), done: 0, output: [] };
  const set = new SortedNumbers(numbers);
  const entries = new Map(manifest.activity.map((entry) => [entry.key, entry]));
  const output = [...before.output];
  let { done } = before;
  for (const key of before.inputs.slice(done, done + ACTIVITY_A_SHARE)) {
    const entry = entries.get(key);
    if (entry === undefined) throw new RangeError(`facts object ${key} is to be replaced, and not there`);
    output.push(...(await activityWithout(context, entry, set)));
    done += 1;
  }
  return { ...before, done, output };
}

/**
 * Runs that stay in front of the replacement, their counts made right: a number that is no longer in what they stand on
 * is first in the oldest of them that has it.
 */
async function withNewNumbers(
  context: MergeContext,
  newer: readonly Run[],
  inputs: readonly Run[],
  { numbers, side }: { readonly numbers: Float64Array; readonly side: Run['segments'] },
): Promise<Run[]> {
  const before = await findKnown(context, inputs, numbers);
  const after = await findKnown(context, [{ id: 'side', newNumbers: 0, segments: side }], numbers);
  let gone = numbers.filter((_, i) => before.isKnown[i] === 1 && after.isKnown[i] === 0);
  const counted: Run[] = [];
  for (const run of newer.toReversed()) {
    const { isKnown } = await findKnown(context, [run], gone);
    const newNumbers = run.newNumbers + isKnown.reduce((sum, known) => sum + known, 0);
    gone = gone.filter((_, i) => isKnown[i] === 0);
    counted.unshift({ ...run, newNumbers });
  }
  return counted;
}

function pendingAfter({ pending }: Withdrawals, job: Job): Withdrawals['pending'] {
  const done = new Map(job.batches.map(({ id, to }) => [id, to]));
  return pending.flatMap(({ id, from }) => {
    const to = done.get(id);
    if (to === undefined) return [{ id, from }];
    return to === null ? [] : [{ id, from: to }];
  });
}
