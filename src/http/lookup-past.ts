/** A lookup of an earlier moment. */
import { dayOf, isoDay, parseDay } from '../format/records.ts';
import type { PhoneNumber } from '../number/phone-number.ts';
import type { LookupAnswer } from '../policy/answer.ts';
import { decide, type PastMoment } from '../policy/decide.ts';
import type { Moment, PastFinding } from '../serve/past-finder.ts';
import { Problem } from './problem.ts';
import type { EdgeServices } from './services.ts';

export interface PastLookup {
  readonly subject: PhoneNumber;
  /** A UTC date, YYYY-MM-DD, or the number of a generation. */
  readonly asOf: string | number;
  readonly scenario: string | null;
  readonly evidence: boolean;
}

/**
 * Answers with the rules of today on what was known then.
 * @throws Problem `invalid-request` for a day to come, `not-retained`
 * @throws StorageUnavailable
 */
export async function lookupPast(services: EdgeServices, tenant: string, lookup: PastLookup): Promise<LookupAnswer> {
  const { subject, scenario, evidence } = lookup;
  const now = services.now();
  const rules = await services.rules.get(tenant);
  const options = { evidence: evidence || rules.policy.readsProjects };
  const past = await services.past(subject.number, momentOf(lookup.asOf, now), options);
  if (past.kind === 'not-retained') throw notRetained(past.retained);
  const asOf = answerMoment(lookup.asOf, past);
  return decide(subject, past.finding, { ...rules, levels: services.labels, now, asOf, scenario, evidence });
}

function momentOf(asOf: string | number, now: number): Moment {
  if (typeof asOf === 'number') return { generation: asOf };
  const day = parseDay(asOf);
  if (day === null || day > dayOf(now / 1000)) {
    throw new Problem('invalid-request', 'asOf: expected a date that is not to come', { members: { field: 'asOf' } });
  }
  return { day };
}

function answerMoment(asOf: string | number, { at, complete }: PastFinding & { readonly kind: 'found' }): PastMoment {
  if (typeof asOf === 'number') return { at, answer: { generation: asOf, publishedAt: new Date(at).toISOString() } };
  const date = isoDay(dayOf(at / 1000));
  return { at, answer: complete ? { date } : { date, complete } };
}

function notRetained(retained: readonly number[]): Problem {
  return new Problem(
    'not-retained',
    `asOf: expected a date, or one of the retained generations: ${retained.join(', ')}`,
    {
      members: { field: 'asOf', retained },
    },
  );
}
