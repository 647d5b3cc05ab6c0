/**
 * In which order waiting batches are taken when more wait than a tick takes: each tenant in its turn, each key of a
 * tenant in its turn, of each the oldest first. A turn is as long as what it takes of a tick's budget, so that neither
 * many batches nor large ones of one key keep those of others waiting.
 */
import { tenantOf } from '../store/keys.ts';
import type { ObjectHead } from '../store/store.ts';
import type { TickBudget } from './context.ts';

interface Queued {
  readonly head: ObjectHead;
  /** Of the budget; what a tick has of it is 1. */
  readonly cost: number;
}

export function inTurns(heads: readonly ObjectHead[], { batches, batchBytes }: TickBudget): ObjectHead[] {
  const queue = heads
    .toSorted((a, b) => a.uploadedAt - b.uploadedAt || (a.key < b.key ? -1 : 1))
    .map((head): Queued => ({ head, cost: 1 / batches + head.sizeBytes / batchBytes }));
  const byKey = Map.groupBy(queue, ({ head }) => head.owner ?? '');
  if (byKey.size <= 1) return queue.map(({ head }) => head);
  const byTenant = Map.groupBy(byKey, ([owner]) => tenantOf(owner));
  const ofTenants = [...byTenant.values()].map((keys) => merged(keys.map(([, own]) => own)));
  return merged(ofTenants).map(({ head }) => head);
}

/** Each stands where its own queue has taken as much of the budget as the others have; equal ones by age. */
function merged(queues: readonly (readonly Queued[])[]): Queued[] {
  const all: { readonly queued: Queued; readonly at: number }[] = [];
  for (const queue of queues) {
    let at = 0;
    for (const queued of queue) {
      all.push({ queued, at });
      at += queued.cost;
    }
  }
  const ageOf = ({ queued }: { readonly queued: Queued }) => queued.head.uploadedAt;
  return all.sort((a, b) => a.at - b.at || ageOf(a) - ageOf(b)).map(({ queued }) => queued);
}
