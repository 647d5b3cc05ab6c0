/** Rollbacks: a new generation with the inventory of a retained one. */

import { decodeManifest, type Manifest, watermarkAt } from '../format/manifest.ts';
import { ledgerAfterRollback, type Rollback } from '../quality/decide.ts';
import { readLedger, writeLedger } from '../quality/ledger.ts';
import { generationKey, RETAINED_PREFIX } from '../storage/keys.ts';
import type { MergeContext } from './context.ts';
import { decideOn, LOST } from './decisions.ts';
import { readSetAside, type SetAside, writeSetAside } from './failing-batches.ts';
import { batchesSince, NO_BATCHES } from './history.ts';
import { publish } from './publish-manifest.ts';
import { readWithdrawals, type Withdrawals, writeWithdrawals } from './withdraw.ts';

export type RollbackResult =
  | {
      readonly kind: 'done';
      /** The generation that was made. */
      readonly generation: number;
      /** The generation whose inventory it has. */
      readonly restored: number;
      /** Batches that are not in that inventory: set aside, or to be merged again. All are kept. */
      readonly batches: readonly string[];
    }
  | { readonly kind: 'not-retained'; readonly retained: readonly number[] };

/**
 * Publishes a generation with the inventory of a retained one. What was merged since is set aside, or with `requeue`
 * merged again by the next ticks. Rejects when storage fails; then the inventory is as before, or as asked for.
 */
export async function rollback(
  context: MergeContext,
  generation: number,
  options: { readonly requeue: boolean; readonly by?: string },
): Promise<RollbackResult> {
  return decideOn(context, `rollback to generation ${generation}`, async (base) => {
    const { manifest } = base;
    const entry = manifest.retained.find((candidate) => candidate.generation === generation);
    if (entry === undefined) {
      return { kind: 'not-retained', retained: manifest.retained.map((candidate) => candidate.generation) };
    }
    const object = await context.objects.get(generationKey(RETAINED_PREFIX, entry.generation, entry.commit));
    if (object === null) throw new RangeError(`the manifest of generation ${generation} is missing`);
    const target = decodeManifest(object.bytes);
    // All that was ever merged and is not in the target: what it had left out itself, and what came later.
    const later = await batchesSince(context.objects, manifest, generation, context.pace);
    const asideThen = await readSetAside(context.objects, target, context.pace);
    const asideNow = await readSetAside(context.objects, manifest, context.pace);
    const withdrawals = await readWithdrawals(context.objects, manifest);
    const withdrawn = new Set(withdrawals.withdrawn.map(({ id }) => id));
    const out = new Set([...asideThen.map(({ id }) => id), ...target.replay, ...later]);
    const excluded = [...out].filter((id) => !withdrawn.has(id));
    const isAside = new Map(asideNow.map((one) => [one.id, one]));
    const replay = options.requeue ? excluded.filter((id) => !isAside.has(id)) : [];
    const isReplayed = new Set(replay);
    const at = context.now();
    const setAside = excluded
      .filter((id) => !isReplayed.has(id))
      .map((id): SetAside => {
        // Released and not merged yet, one that no generation has screened is still to be judged.
        const reason = manifest.unscreened.includes(id) ? 'failed' : 'rollback';
        return isAside.get(id) ?? { id, reason, detail: null, at, by: options.by ?? null };
      });
    const how = { requeue: options.requeue, now: at, excluded: out, withdrawn };
    const { ledger, revived } = await rolledBackLedger(context, manifest, target, how);
    const published = await publish(
      context,
      base,
      {
        runs: target.runs,
        ledger,
        withdrawals: await rolledBackWithdrawals(context, base.manifest, target, withdrawals, { out, revived }),
        compaction: null,
        replay,
        unscreened: manifest.unscreened.filter((id) => isReplayed.has(id)),
        setAside: await writeSetAside(context.objects, manifest.generation + 1, context.randomId(), setAside),
        missingSlices: [...new Set([...target.missingSlices, ...manifest.missingSlices])],
        activity: target.activity,
        // Activity of any day may be gone, and none of a day before the first.
        watermarks: watermarkAt(manifest.watermarks, manifest.generation + 1, 0),
      },
      NO_BATCHES,
    );
    if (published === null) return LOST;
    context.log('rollback', { generation: published.manifest.generation, restored: generation });
    return { kind: 'done', generation: published.manifest.generation, restored: generation, batches: excluded };
  });
}

/** The target's inventory is not made of the same rows as that of now, so neither ledger will do. */
async function rolledBackLedger(
  context: MergeContext,
  current: Manifest,
  target: Manifest,
  how: Rollback,
): Promise<{ readonly ledger: string | null; readonly revived: readonly string[] }> {
  if (current.ledger === null && target.ledger === null) return { ledger: null, revived: [] };
  const { objects, pace } = context;
  const now = await readLedger(objects, current, pace);
  const then = await readLedger(objects, target, pace);
  const { ledger, revived } = await ledgerAfterRollback(objects, now, then, how, pace);
  return {
    ledger: await writeLedger(objects, current.generation + 1, context.randomId(), ledger, pace),
    revived,
  };
}

/**
 * What was withdrawn stays withdrawn, and what was dropped stays dropped: what the target's inventory has of it is to
 * be taken out again, and what was to be taken out of the target's is so still.
 */
async function rolledBackWithdrawals(
  context: MergeContext,
  base: Manifest,
  target: Manifest,
  { withdrawn }: Withdrawals,
  { out, revived }: { readonly out: ReadonlySet<string>; readonly revived: readonly string[] },
): Promise<Manifest['withdrawals']> {
  const then = await readWithdrawals(context.objects, target);
  const known = new Set(then.withdrawn.map(({ id }) => id));
  const since = withdrawn.map(({ id }) => id).filter((id) => !known.has(id) && !out.has(id));
  const pending = new Map(then.pending.map((one) => [one.id, one]));
  for (const id of [...since, ...revived]) pending.set(id, { id, from: 0 });
  return writeWithdrawals(context.objects, base, context.randomId(), {
    withdrawn,
    pending: [...pending.values()],
    job: null,
  });
}
