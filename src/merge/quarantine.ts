/** Publishing what an admin decides of a source in quarantine: a new generation with the ledger changed. */
import { type Ledger, readLedger, writeLedger } from '../quality/ledger.ts';
import type { MergeContext } from './context.ts';
import { decideOn, LOST } from './decisions.ts';
import { NO_BATCHES } from './history.ts';
import { publish } from './publish.ts';

export type DecisionResult =
  | { readonly kind: 'done'; readonly generation: number; readonly ledger: Ledger }
  | { readonly kind: 'not-quarantined' };

/**
 * @param decide the ledger as it is to be, or null if the source is not in quarantine; called once an attempt
 * Rejects when storage fails; then the decision may or may not have been made.
 */
export async function decideSource(
  context: MergeContext,
  decide: (ledger: Ledger) => Ledger | null,
): Promise<DecisionResult> {
  return decideOn(context, 'decision', async (base) => {
    const { generation } = base.manifest;
    const ledger = decide(await readLedger(context.objects, base.manifest));
    if (ledger === null) return { kind: 'not-quarantined' };
    const key = await writeLedger(context.objects, generation + 1, context.randomId(), ledger);
    const published = await publish(context, base, { ledger: key }, NO_BATCHES);
    return published === null ? LOST : { kind: 'done', generation: published.manifest.generation, ledger };
  });
}
