/** Publishing what an admin decides of a source in quarantine: a new generation with the ledger changed. */
import { type Ledger, readLedger, writeLedger } from '../quality/ledger.ts';
import type { MergeContext } from './context.ts';
import { NO_BATCHES } from './history.ts';
import { DECISION_ATTEMPTS, loadManifest, publish } from './publish.ts';

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
  for (let attempt = 0; attempt < DECISION_ATTEMPTS; attempt++) {
    const base = await loadManifest(context.objects);
    const { generation } = base.manifest;
    const ledger = decide(await readLedger(context.objects, base.manifest));
    if (ledger === null) return { kind: 'not-quarantined' };
    const key = await writeLedger(context.objects, generation + 1, context.randomId(), ledger);
    const published = await publish(context, base, { ledger: key }, NO_BATCHES);
    if (published !== null) return { kind: 'done', generation: published.manifest.generation, ledger };
  }
  throw new Error(`the decision lost to other writers ${DECISION_ATTEMPTS} times`);
}
