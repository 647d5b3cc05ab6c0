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
  const answers = lookups.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  const [first, ...others] = answers;
  const worst = others.reduce((a, b) => (severityOf(b) > severityOf(a) ? b : a), first as LookupAnswer);
  for (const one of lookups) if (one.status === 'rejected' && worst?.action !== SEVEREST) throw one.reason;
  return worst;
}

/** -1 for an answer that does not say what to do. */
function severityOf({ action }: LookupAnswer): number {
  return action === null ? -1 : ACTIONS.indexOf(action);
}
