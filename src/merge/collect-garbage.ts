/**
 * Garbage collection by mark and sweep: what no retained manifest names, and what is older than any tick that could
 * still be about to name it, is deleted. If anything needed for the marking cannot be read, nothing is deleted.
 */
import { decodeManifest, type Manifest } from '../format/manifest.ts';
import { messageOf } from '../lib/errors.ts';
import { COLLECTIONS_APART_MS } from '../lib/time.ts';
import {
  ACTIVITY_PREFIX,
  COMPACTION_PREFIX,
  generationKey,
  LEDGER_PREFIX,
  RETAINED_PREFIX,
  SEGMENT_PREFIX,
  SET_ASIDE_PREFIX,
  WITHDRAWALS_PREFIX,
} from '../storage/keys.ts';
import { partOf } from '../storage/parts.ts';
import { deleteObjects, listObjects, type ObjectHead } from '../storage/store.ts';
import { readOutput } from './compaction-output.ts';
import type { MergeContext } from './context.ts';
import { setAsideKeys } from './failing-batches.ts';
import { loadManifest } from './publish-manifest.ts';
import { readWithdrawals } from './withdraw.ts';

/** Longer than the longest tick (15 minutes) plus any cache and clock difference. */
export const GARBAGE_AGE_MS = 60 * 60_000;
const COLLECTION_MINUTE = 17;
const MINUTE_MS = 60_000;
/** Pages of 1,000 keys looked at in one collection; what is beyond waits for the next. */
const PAGE_LIMIT = 1000;
/** An entry of a manifest, decoding included, and a listed key, in records of a merge. */
const ENTRY_WORK = 5;
const KEY_WORK = 1;

/** Whether the tick at this time collects: one in two hours. */
export function isCollectionTick(now: number): boolean {
  return Math.floor((now % COLLECTIONS_APART_MS) / MINUTE_MS) === COLLECTION_MINUTE;
}

/** How many objects were deleted, by what they are of. */
export type Collected = Readonly<Record<string, number>>;

/**
 * Goes by the manifest that is current, as storage has it: what an isolate remembers is not enough to delete by. Never
 * rejects: what goes wrong is logged, and the next collection finds what is left.
 */
export async function collectGarbage(context: MergeContext): Promise<Collected> {
  const collected: Record<string, number> = {};
  const failures: { readonly of: string; readonly reason: string }[] = [];
  // What one has deleted by the time it fails was garbage, and no reason to keep that of others.
  const collect = async (of: string, sweep: () => Promise<number>) => {
    try {
      collected[of] = await sweep();
    } catch (error) {
      failures.push({ of, reason: messageOf(error) });
    }
  };
  let marked: Marked | null = null;
  try {
    marked = await mark(context, (await loadManifest(context.objects)).manifest);
  } catch (error) {
    failures.push({ of: 'inventory', reason: messageOf(error) });
  }
  if (marked !== null) {
    await collect('segments', () => sweepObjects(context, SEGMENT_PREFIX, marked.segments));
    await collect('facts', () => sweepObjects(context, ACTIVITY_PREFIX, marked.facts));
    await collect('compactions', () => sweepObjects(context, COMPACTION_PREFIX, marked.compactions));
    await collect('ledgers', () => sweepObjects(context, LEDGER_PREFIX, marked.ledgers));
    await collect('setAside', () => sweepObjects(context, SET_ASIDE_PREFIX, marked.setAside));
    await collect('withdrawals', () => sweepObjects(context, WITHDRAWALS_PREFIX, marked.withdrawals));
    await collect('slices', () => sweepSlices(context, marked.slices));
    await collect('manifests', () => sweepObjects(context, RETAINED_PREFIX, marked.manifests));
  }
  for (const [name, sweep] of Object.entries(context.collectors ?? {})) await collect(name, sweep);
  if (Object.keys(collected).length > 0) context.log('garbage.collected', collected);
  for (const failure of failures) context.log('garbage.failed', failure);
  return collected;
}

interface Marked {
  readonly segments: ReadonlySet<string>;
  readonly facts: ReadonlySet<string>;
  readonly compactions: ReadonlySet<string>;
  readonly ledgers: ReadonlySet<string>;
  readonly setAside: ReadonlySet<string>;
  readonly withdrawals: ReadonlySet<string>;
  readonly slices: ReadonlySet<string>;
  readonly manifests: ReadonlySet<string>;
}

async function mark(context: MergeContext, current: Manifest): Promise<Marked> {
  const segments = new Set<string>();
  const facts = new Set<string>();
  const compactions = new Set<string>();
  const ledgers = new Set<string>();
  const setAside = new Set<string>();
  const withdrawn = new Set<string>();
  const slices = new Set<string>();
  const manifests = new Set([generationKey(RETAINED_PREFIX, current.generation, current.commit)]);
  /** What is a part of a generation's copy keeps that, however long ago the generation was. */
  const add = (of: Set<string>, key: string) => {
    const part = partOf(key);
    if (part === null) of.add(key);
    else manifests.add(part.object);
  };
  /** Many generations have a compaction where the one before them had it. */
  const unmarked = async (compaction: Manifest['compaction']) => {
    const key = compaction?.output.key ?? null;
    if (compaction === null || (key !== null && compactions.has(key))) return [];
    const output = await readOutput(context.objects, compaction.output);
    if (key !== null) compactions.add(key);
    return output;
  };
  const markManifest = async (manifest: Manifest) => {
    const { runs, compaction, activity: entries, ledger, withdrawals } = manifest;
    for (const key of setAsideKeys(manifest)) setAside.add(key);
    if (withdrawals !== null) withdrawn.add(withdrawals.key);
    if (ledger !== null) add(ledgers, ledger);
    for (const { key } of entries) add(facts, key);
    for (const entry of [...runs.flatMap((run) => run.segments), ...(await unmarked(compaction))]) {
      add(segments, entry.key);
      slices.add(entry.numbers.sha256);
      if (entry.parts !== null) slices.add(entry.parts.verdicts.sha256);
      if (context.pace.count(ENTRY_WORK)) await context.pace.giveWay();
    }
  };
  await markManifest(current);
  // What a job has made so far; those of earlier generations are not gone on with.
  const made = (await readWithdrawals(context.objects, current)).job;
  for (const { key } of made?.side ?? []) segments.add(key);
  for (const { key } of [...(made?.sideFacts ?? []), ...(made?.facts?.output ?? [])]) facts.add(key);
  for (const { generation, commit } of current.retained) {
    const key = generationKey(RETAINED_PREFIX, generation, commit);
    const object = await context.objects.get(key);
    if (object === null) throw new RangeError(`retained manifest ${key} is missing`);
    manifests.add(key);
    await markManifest(decodeManifest(object.bytes));
  }
  return { segments, facts, compactions, ledgers, setAside, withdrawals: withdrawn, slices, manifests };
}

async function sweepObjects(context: MergeContext, prefix: string, marked: ReadonlySet<string>): Promise<number> {
  const oldest = context.now() - GARBAGE_AGE_MS;
  const isGarbage = ({ key, uploadedAt }: ObjectHead) => !marked.has(key) && uploadedAt < oldest;
  const garbage: string[] = [];
  for await (const head of listObjects(context.objects, prefix, PAGE_LIMIT)) {
    if (isGarbage(head)) garbage.push(head.key);
    if (context.pace.count(KEY_WORK)) await context.pace.giveWay();
  }
  await deleteObjects(context.objects, garbage);
  return garbage.length;
}

async function sweepSlices(context: MergeContext, marked: ReadonlySet<string>): Promise<number> {
  const oldest = context.now() - GARBAGE_AGE_MS;
  let deleted = 0;
  let cursor: string | undefined;
  for (let page = 0; page < PAGE_LIMIT; page++) {
    const listed = await context.slices.list(cursor);
    for (const { key, writtenAt } of listed.slices) {
      if (context.pace.count(KEY_WORK)) await context.pace.giveWay();
      if (marked.has(key) || writtenAt >= oldest) continue;
      await context.slices.delete(key);
      deleted += 1;
    }
    cursor = listed.cursor;
    if (cursor === undefined) break;
  }
  return deleted;
}
