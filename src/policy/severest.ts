/** One answer for a text that can be read as more than one number. */
import type { LookupAnswer } from './answer.ts';
import { ACTIONS } from './policy.ts';

const SEVEREST = ACTIONS.at(-1);

/**
 * The answer with the severest action; of two alike the first.
 * @throws what the first lookup that failed was rejected with, unless another says the severest that there is: the one
 *   that failed could not change that
 */
export function severest(lookups: readonly PromiseSettledResult<LookupAnswer>[]): LookupAnswer {
  let worst: LookupAnswer | null = null;
  let failed: PromiseRejectedResult | null = null;
  for (const one of lookups) {
    if (one.status === 'rejected') failed ??= one;
    else if (worst === null || severityOf(one.value) > severityOf(worst)) worst = one.value;
  }
  if (failed !== null && worst?.action !== SEVEREST) throw failed.reason;
  if (worst === null) throw new RangeError('expected one lookup at least');
  return worst;
}

/** -1 for an answer that does not say what to do. */
function severityOf({ action }: LookupAnswer): number {
  return action === null ? -1 : ACTIONS.indexOf(action);
}
