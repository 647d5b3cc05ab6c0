/**
 * Publishing a generation: the swap of the manifest, which is the only commit; and which earlier generations are
 * retained.
 */
import {
  decodeManifest,
  EMPTY_MANIFEST,
  encodeManifest,
  type Manifest,
  type RetainedGeneration,
} from '../format/manifest.ts';
import type { Bytes } from '../lib/bytes.ts';
import { messageOf } from '../lib/errors.ts';
import { DAY_MS } from '../lib/time.ts';
import { generationKey, HISTORY_PREFIX, MANIFEST_KEY, RETAINED_PREFIX } from '../storage/keys.ts';
import { firstManifest } from '../storage/manifest-object.ts';
import type { ObjectStore, PutCondition } from '../storage/store.ts';
import { progressOf, writeOutput } from './compaction-output.ts';
import type { MergeContext } from './context.ts';
import { readSetAside, writeSetAside } from './failing-batches.ts';
import { GatheredWrites } from './gathered-writes.ts';
import { type MergedBatches, nextPage } from './history.ts';
import type { LoadedManifest } from './last-published.ts';

/** R2 refuses a second write of a key within a second. */
const WRITE_INTERVAL_MS = 1_000;
/** Attempts of one swap. If storage refuses longer than this, it is down, and the next tick does the work again. */
const SWAP_ATTEMPTS = 3;

/**
 * An empty one for a store that never had one. Rejects for a store that has lost its manifest, when it is damaged, or
 * when the storage does not answer.
 */
export async function loadManifest(objects: ObjectStore): Promise<LoadedManifest> {
  const object = (await objects.get(MANIFEST_KEY)) ?? (await firstManifest(objects));
  return object === null
    ? { manifest: EMPTY_MANIFEST, etag: null }
    : { manifest: decodeManifest(object.bytes), etag: object.etag };
}

/** What a tick or a rollback changes; generation, commit, parent and times are filled in here. */
export type ManifestChange = Partial<
  Pick<
    Manifest,
    | 'runs'
    | 'compaction'
    | 'consumed'
    | 'replay'
    | 'setAside'
    | 'unscreened'
    | 'missingSlices'
    | 'activity'
    | 'watermarks'
    | 'ledger'
    | 'withdrawals'
    | 'lastTick'
  >
> & {
  /** null: none any more. */
  readonly caution?: number | null | undefined;
};

/**
 * Publishes the next generation, or returns null when another writer published first. Rejects when storage fails
 * before the outcome is known; then either the old or the new generation is whole and current, and the next tick
 * goes on from whichever it is.
 *
 * @param merged ids of the batches merged by this generation
 */
export async function publish(
  context: MergeContext,
  base: LoadedManifest,
  change: ManifestChange,
  merged: MergedBatches,
): Promise<LoadedManifest | null> {
  const { objects } = context;
  const previous = base.manifest;
  if (base.etag === null && (await firstManifest(objects)) !== null) {
    context.log('publish.lost', { generation: 1, reason: 'another writer published the first generation' });
    return null;
  }
  const sinceLastMs = context.now() - previous.publishedAt;
  if (sinceLastMs >= 0 && sinceLastMs < WRITE_INTERVAL_MS) await context.sleep(WRITE_INTERVAL_MS - sinceLastMs);
  const publishedAt = context.now();
  const { caution = previous.caution ?? null, ...changes } = change;
  const { caution: _, ...rest } = previous;
  const changed: Manifest = { ...rest, ...changes, ...(caution === null ? {} : { caution }) };
  const generation = previous.generation + 1;
  const commit = context.randomId();
  const parent = previous.generation === 0 ? null : previous.commit;
  const historyKey = generationKey(HISTORY_PREFIX, generation, commit);
  const page = await nextPage(context, previous, { generation, commit, parent, writtenAt: publishedAt, ...merged });
  const gathered = context.gathered ?? (context.gathers === true ? new GatheredWrites(objects) : null);
  const isPart = gathered !== null && !page.isFull;
  if (isPart) gathered.gather(historyKey, page.bytes);
  const next: Manifest = {
    ...changed,
    ...(await inObjects(context, changed)),
    missingSlices: await ofItsSegments(context, changed),
    ...{ generation, commit, parent, publishedAt },
    history: isPart ? historyKey : null,
    retained: thinRetained(
      previous.generation === 0
        ? []
        : [
            ...previous.retained,
            { generation: previous.generation, commit: previous.commit, publishedAt: previous.publishedAt },
          ],
      publishedAt,
    ),
  };
  const copyKey = generationKey(RETAINED_PREFIX, generation, commit);
  const parcel = gathered?.parcel(copyKey, next, encodeManifest) ?? null;
  const bytes = parcel?.bytes ?? encodeManifest(next);
  // Both are written first, so that a published generation always has them, and all that it names. If the swap does not
  // happen they are garbage: nothing leads to them, and they are collected (the copy) or passed over (the history)
  // later.
  await objects.put(copyKey, parcel?.copy ?? bytes);
  if (!isPart) await objects.put(historyKey, page.bytes);

  // Until it is known who won.
  context.lastPublished?.drop();
  const published = await swap(context, base, parcel?.manifest ?? next, bytes);
  if (published !== null) context.lastPublished?.hold(bytes, published, context.now());
  return published;
}

/**
 * Tries more than once, since R2 refuses a second write within a second, and the generation before may have been
 * written later than its `publishedAt` says: by a slow tick, or by a Worker whose clock is ahead.
 */
async function swap(
  context: MergeContext,
  base: LoadedManifest,
  next: Manifest,
  bytes: Bytes,
): Promise<LoadedManifest | null> {
  const { objects } = context;
  const condition: PutCondition = base.etag === null ? { absent: true } : { etag: base.etag };
  for (let attempt = 1; ; attempt++) {
    let failure: unknown;
    try {
      const written = await objects.put(MANIFEST_KEY, bytes, condition);
      if (written !== null) return { manifest: next, etag: written.etag };
    } catch (error) {
      failure = error;
    }
    // Refused or failed, but the answer may have been lost after the write took place: our commit id tells.
    const current = await loadManifest(objects);
    if (current.manifest.commit === next.commit) return current;
    const isUnchanged = current.etag === base.etag;
    if (failure === undefined || !isUnchanged || attempt === SWAP_ATTEMPTS) {
      context.log('publish.lost', {
        generation: next.generation,
        reason: failure === undefined ? 'another writer was first' : messageOf(failure),
      });
      if (failure !== undefined && isUnchanged) throw failure;
      return null;
    }
    // Nothing was written. Should the failed write land after all, it lands once: both have the same condition.
    await context.sleep(WRITE_INTERVAL_MS);
  }
}

/** What a manifest of an earlier version lists itself goes into objects, once. */
async function inObjects(
  { objects, randomId, pace }: MergeContext,
  manifest: Manifest,
): Promise<Pick<Manifest, 'setAside' | 'compaction'>> {
  let { setAside, compaction } = manifest;
  const generation = manifest.generation + 1;
  if (setAside.ids !== undefined) {
    setAside = await writeSetAside(objects, generation, randomId(), await readSetAside(objects, manifest, pace));
  }
  if (compaction?.output.segments !== undefined) {
    const output = await writeOutput(objects, generation, randomId(), compaction.output.segments);
    compaction = { ...compaction, output };
  }
  return { setAside, compaction };
}

/** Those of the segments with missing slices that the runs still have, or the compaction that is under way. */
async function ofItsSegments(context: MergeContext, { runs, compaction, missingSlices }: Manifest): Promise<string[]> {
  const named = new Set(runs.flatMap(({ segments }) => segments.map(({ key }) => key)));
  const isWanted = compaction !== null && missingSlices.some((key) => !named.has(key));
  if (isWanted) for (const { key } of (await progressOf(context, compaction)).output) named.add(key);
  return missingSlices.filter((key) => named.has(key));
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/**
 * Every generation that was current in the last hour is retained: readers may still hold it, and that hour is longer
 * than the longest tick (15 minutes) and the caches (a minute) together.
 */
const KEEP_ALL_MS = HOUR_MS;
/** Then one an hour for a day, and one a day for three days. */
const KEEP_HOURLY_MS = DAY_MS;
const KEEP_DAILY_MS = 3 * DAY_MS;

/** Which of the earlier generations (oldest first) can be dropped: pure, so that every writer thins the same. */
export function thinRetained(retained: readonly RetainedGeneration[], now: number): RetainedGeneration[] {
  return retained.filter((entry, i) => {
    const successor = retained[i + 1];
    if (successor === undefined || now - successor.publishedAt <= KEEP_ALL_MS) return true;
    const age = now - entry.publishedAt;
    const period = age <= KEEP_HOURLY_MS ? HOUR_MS : DAY_MS;
    // The last generation of each period stays.
    const isLast = Math.floor(successor.publishedAt / period) !== Math.floor(entry.publishedAt / period);
    return isLast && age <= KEEP_DAILY_MS;
  });
}
