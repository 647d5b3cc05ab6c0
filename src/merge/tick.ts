/**
 * One tick of the cron handler, as a list of stages: each takes what those before it hand on, and none calls another.
 * Ticks may overlap and may stop anywhere: everything before a swap of the manifest is invisible, everything after it
 * is taken up again from the manifest.
 */

import type { Manifest } from '../format/manifest.ts';
import type { Bytes } from '../lib/bytes.ts';
import { redacted } from '../lib/errors.ts';
import type { Case } from '../quality/ledger.ts';
import { collectGarbage, isCollectionTick } from './collect-garbage.ts';
import { compact } from './compact.ts';
import { boundLog, type MergeContext } from './context.ts';
import { underLease } from './decisions.ts';
import {
  type Attempt,
  beginAttempt,
  bisectFaulty,
  readSetAside,
  type SetAside,
  watch,
  writeSetAside,
} from './failing-batches.ts';
import { type Folded, foldBatches } from './fold-batches.ts';
import { GatheredWrites } from './gathered-writes.ts';
import type { LoadedManifest } from './last-published.ts';
import { publish } from './publish-manifest.ts';
import { rewrite } from './rewrite-withdrawn.ts';
import { type ScreenedBatches, screenBatches } from './screen.ts';
import { type Loaded, load, NOTHING_PENDING, type OpenedBatch, type Taken, take } from './take.ts';
import { settle } from './waiting.ts';

export interface TickResult {
  /** The generation that was current when the tick ended, as far as it knows. */
  readonly generation: number;
  /** Batches that this tick took up, released ones included, and detections of them that it published. */
  readonly batches: number;
  readonly detections: number;
  /** Another writer published first: this tick's work will be done again by a later one. */
  readonly lostRace: boolean;
}

/** How often a tick goes again if it publishes nothing because others are first. */
const LEASES = 2;

export async function tick(outer: MergeContext): Promise<TickResult> {
  const bounded = boundLog(outer);
  const context = { ...outer, log: bounded.log };
  try {
    let result = await stages(context);
    for (let lease = 0; lease < LEASES && result.lostRace && result.batches === 0; lease++) {
      result = await underLease(context, () => stages(context));
    }
    return result;
  } finally {
    bounded.end();
  }
}

/**
 * The stages, one after the other: load, then what `mergeWaiting` has (take, screen, fold, publish, settle), then
 * rewriting for withdrawals, compaction and the collection of garbage.
 */
async function stages(context: MergeContext): Promise<TickResult> {
  const loaded = await load(context);
  // What it has opened is let go before the heavier work: its result has none of it.
  const { current, batches, detections } = await mergeWaiting(gathering(context), loaded);
  if (current === null) {
    return { generation: loaded.base.manifest.generation, batches: 0, detections: 0, lostRace: true };
  }
  const rewritten = await rewrite(context, current);
  const compacted = rewritten && (await compact(context, rewritten));
  const { manifest } = compacted ?? rewritten ?? current;
  if (isCollectionTick(context.now())) await collectGarbage(context);
  return { generation: manifest.generation, batches, detections, lostRace: compacted === null };
}

/** What is written for the next generation is written with it (gathered-writes.ts). */
function gathering(context: MergeContext): MergeContext {
  if (context.gathers !== true) return context;
  const gathered = new GatheredWrites(context.objects);
  return { ...context, objects: gathered, gathered };
}

type MergedWaiting = Pick<Published, 'current' | 'batches' | 'detections'>;

async function mergeWaiting(context: MergeContext, loaded: Loaded): Promise<MergedWaiting> {
  const { manifest } = loaded.base;
  const { replay, waiting, oldestAt } = loaded.candidates;
  const attempt = await beginAttempt(context, manifest, [...replay, ...waiting], oldestAt);
  let isPublished = false;
  try {
    const taken = await take(context, loaded, attempt);
    const merged = await mergeOrBisect(context, taken, async (watched, some) => {
      const screened = await screenBatches(watched, manifest, some);
      return { taken: some, screened, folded: await foldBatches(watched, manifest, screened) };
    });
    const published = await publishMerged(context, loaded, attempt, merged);
    isPublished = published.current !== null && published.current !== loaded.base;
    await settle(context, published.settled, heldBytes(taken));
    return published;
  } finally {
    // Whatever it threw, or whoever was first: it did not die.
    if (!isPublished) await attempt.end();
  }
}

function heldBytes({ batches }: Taken): ReadonlyMap<string, Bytes> {
  return new Map(batches.waiting.map(({ id, bytes }) => [id, bytes]));
}

/** What was taken, or a part of it, as it is to be published. */
interface MergedPart {
  readonly taken: Pick<Taken, 'batches' | 'due'>;
  readonly screened: ScreenedBatches;
  readonly folded: Folded;
}

export interface Merged {
  /** null: there is nothing to publish of what was taken. */
  readonly part: MergedPart | null;
  /** To be set aside. */
  readonly aside: readonly SetAside[];
  /** Of the batches that were looked at. */
  readonly unreadable: number;
}

/** All that was taken in one merge, or if that fails for some of the batches, and not for the store, as many as go. */
async function mergeOrBisect(
  context: MergeContext,
  { batches, due, exhausted }: Taken,
  merge: (watched: MergeContext, some: MergedPart['taken']) => Promise<MergedPart>,
): Promise<Merged> {
  const { unreadable } = batches;
  const aside = exhausted.map((id) => asideEntry(context, id, 'exhausted', null));
  if (batches.all.length + due.batches.length === 0) return { part: null, aside, unreadable };
  const watched = watch(context);
  if (due.batches.length > 0) {
    try {
      return { part: await merge(watched.context, { batches, due }), aside, unreadable };
    } catch (error) {
      if (!watched.isInputs(error)) throw error;
      // Released rows stay due, and are tried again by the next tick.
      context.log('merge.failed', { batches: batches.all.length + due.batches.length, reason: detailOf(error) });
    }
  }
  const isReplayed = new Set(batches.replayed);
  const partOf = (all: readonly OpenedBatch[]) => ({
    replayed: all.filter((one) => isReplayed.has(one)),
    waiting: all.filter((one) => !isReplayed.has(one)),
    all,
    unreadable,
  });
  const { merged: part, faulty } = await bisectFaulty(
    batches.all,
    (some) => merge(watched.context, { batches: partOf(some), due: NOTHING_PENDING }),
    watched.isInputs,
  );
  if (faulty.length === 0) return { part, aside, unreadable };
  context.log('merge.failed', { batches: faulty.length, reason: detailOf(faulty[0]?.error) });
  // Where nothing could be merged at all, it may be the code or the store that fails: they wait, and nobody with them.
  if (part === null || part.screened.detections === 0) return { part, aside, unreadable };
  const failed = faulty.map(({ item, error }) => asideEntry(context, item.id, 'failed', detailOf(error)));
  return { part, aside: [...failed, ...aside], unreadable };
}

interface Published {
  /** What is current now: what was, if there was nothing to publish; null: another writer was first. */
  readonly current: LoadedManifest | null;
  /** Batches that were taken up, released ones included, and detections of them. */
  readonly batches: number;
  readonly detections: number;
  /** No longer waiting, as the manifest says. */
  readonly settled: readonly string[];
}

/** Publishes what was merged and what is set aside. Rejects when storage fails (publish-manifest.ts). */
export async function publishMerged(
  context: MergeContext,
  { base, leftover, missingSlices }: Pick<Loaded, 'base' | 'leftover' | 'missingSlices'>,
  { caution }: Pick<Attempt, 'caution'>,
  { part, aside, unreadable }: Merged,
): Promise<Published> {
  const { manifest } = base;
  const nothing = { current: base, batches: 0, detections: 0, settled: [] };
  const isRepaired = missingSlices.length < manifest.missingSlices.length;
  if (part === null && aside.length === 0 && !isRepaired) return nothing;
  const waiting = part?.taken.batches.waiting.map(({ id }) => id) ?? [];
  const replayed = part?.taken.batches.replayed.map(({ id }) => id) ?? [];
  const due = part?.taken.due.batches ?? [];
  const { detections = 0, newNumbers = 0, released = [], quarantined = [] } = part?.screened ?? {};
  const { runs, activity, watermarks } = part?.folded ?? manifest;
  // They are not to be merged again: merged now, or set aside.
  const isDone = new Set([...replayed, ...aside.map(({ id }) => id)]);
  const settled = [...waiting, ...aside.map(({ id }) => id).filter((id) => !manifest.replay.includes(id))];
  const current = await publish(
    context,
    base,
    {
      ...{ runs, activity, watermarks },
      missingSlices: [...missingSlices],
      ledger: part === null ? manifest.ledger : part.screened.ledger,
      consumed: [...leftover, ...settled],
      replay: manifest.replay.filter((id) => !isDone.has(id)),
      unscreened: manifest.unscreened.filter((id) => !isDone.has(id)),
      ...(aside.length === 0 ? {} : { setAside: await withAside(context, manifest, aside) }),
      caution,
      lastTick: {
        at: context.now(),
        batches: waiting.length + replayed.length,
        detections,
        newNumbers,
        unreadable,
      },
    },
    { batches: settled, replayed, released },
  );
  if (current === null) return { ...nothing, current };
  logQuarantined(context, quarantined);
  for (const { id, reason, detail } of aside) {
    context.log('batch.set-aside', { batch: id, reason: detail === null ? reason : `${reason}: ${detail}` });
  }
  return { current, batches: waiting.length + replayed.length + due.length, detections, settled };
}

function asideEntry(context: MergeContext, id: string, reason: SetAside['reason'], detail: string | null): SetAside {
  return { id, reason, detail, at: context.now(), by: null };
}

async function withAside({ objects, randomId, pace }: MergeContext, manifest: Manifest, aside: readonly SetAside[]) {
  const before = await readSetAside(objects, manifest, pace);
  return writeSetAside(objects, manifest.generation + 1, randomId(), [...before, ...aside]);
}

const MAX_DETAIL_CHARS = 200;

/** Kept with the batch, and shown to operators. */
function detailOf(error: unknown): string {
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return redacted(text).slice(0, MAX_DETAIL_CHARS);
}

/** Logs one line for all of them: an upload may name as many sources as it has lines. */
function logQuarantined({ log }: MergeContext, quarantined: readonly Case[]): void {
  if (quarantined.length === 0) return;
  const reasons = [...new Set(quarantined.flatMap((one) => one.reasons))];
  log('source.quarantined', { sources: quarantined.length, reasons: reasons.join(' ') });
}
