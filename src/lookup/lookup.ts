/**
 * A lookup from the request to the answer, without any transport: HTTP, RPC and replicas call it. It finds what is
 * known, now or as of an earlier day or generation, and decides by the tenant's rules.
 */
import { dayOf, isoDay, parseDay } from '../lib/time.ts';
import { readingsOf } from '../phone/parse.ts';
import type { PhoneNumber } from '../phone/phone-number.ts';
import type { Finding, LookupAnswer } from '../policy/answer.ts';
import {
  type AsOfContext,
  type DecideContext,
  decide,
  decideText,
  severest,
  type TenantRules,
} from '../policy/decide.ts';
import type { LabelLevels } from '../policy/labels.ts';
import { StorageUnavailable } from '../storage/store.ts';
import type { AsOf, FindPast, PastFinding } from './as-of.ts';
import type { FindOptions, LookupFinder, Probed } from './finder.ts';
import { invalidRequest, LookupError, type LookupRequest, RETRY_AFTER_SECONDS } from './request.ts';
import { refuseSandboxQuota } from './sandbox.ts';

/** What each tenant decides with (src/tenants/tenant-rules.ts). */
export interface Rules {
  /** The rules, if a recent copy is at hand; null says nothing about them. @param now milliseconds since 1970 */
  peek(tenant: string, now?: number): TenantRules | null;
  get(tenant: string): Promise<TenantRules>;
}

export interface LookupDeps {
  readonly finder: LookupFinder;
  /** What was known of a number at an earlier day or generation. */
  readonly past: FindPast;
  readonly rules: Rules;
  readonly labels: LabelLevels;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** How a number is looked up. `number` and `country` have been read before. */
export type LookupOptions = Pick<LookupRequest, 'scenario' | 'evidence' | 'asOf' | 'receipt'>;

/** @throws LookupError `invalid-number`, and as `lookupNumber` */
export async function lookupOne(deps: LookupDeps, tenant: string, request: LookupRequest): Promise<LookupAnswer> {
  return lookupReadings(request, (subject) => lookupNumber(deps, tenant, subject, request));
}

/**
 * One answer for a text that may be read as more than one number.
 * @throws LookupError `invalid-number`, and what `look` rejects with
 */
export async function lookupReadings(
  { number, country, plusMayBeLost }: Pick<LookupRequest, 'number' | 'country' | 'plusMayBeLost'>,
  look: (subject: PhoneNumber) => Promise<LookupAnswer>,
): Promise<LookupAnswer> {
  const read = readingsOf(number, country ?? undefined, plusMayBeLost ?? false);
  if (!read.ok) throw new LookupError(read.code, read.detail, { field: 'number' });
  const [subject, ...others] = read.values;
  return others.length === 0 ? look(subject) : severest(await Promise.allSettled(read.values.map(look)));
}

/**
 * @param begun what the finder's `probe` said of the number, if it was asked already
 * @throws LookupError `invalid-request`, `not-retained`, `quota-exceeded`, or `storage-unavailable`; its `verdict` is
 *   there for clients that look at nothing else
 */
export async function lookupNumber(
  deps: LookupDeps,
  tenant: string,
  subject: PhoneNumber,
  options: LookupOptions,
  begun: Probed | null = null,
): Promise<LookupAnswer> {
  refuseSandboxQuota(subject.number);
  const scenario = options.scenario ?? null;
  const evidence = options.evidence ?? false;
  const receipt = options.receipt ?? false;
  const asOf = options.asOf ?? null;
  if (asOf !== null) {
    if (receipt) throw invalidRequest('receipt', 'expected none with asOf');
    return answering(() => lookupPast(deps, tenant, { subject, asOf, scenario, evidence }));
  }
  const now = deps.now();
  const probed = begun ?? deps.finder.probe(subject.number, now);
  if (!evidence && !receipt) {
    const context = contextAtOnce(deps, tenant, scenario, now);
    const finding = enough(probed, context);
    if (finding !== null && context !== null) return decide(subject, finding, context);
  }
  const { findings, rules } = await findFor(deps, tenant, [subject.number], { evidence, basis: receipt }, probed);
  const [finding] = findings;
  if (!finding) throw unanswered();
  return decide(subject, finding, { ...rules, levels: deps.labels, now: deps.now(), scenario, evidence, receipt });
}

/**
 * What answers from memory are decided with; null: the rules have to be read.
 * @param now milliseconds since 1970, asked for once a request: on the platform it stands still until something is waited for
 */
export function contextAtOnce(
  { rules, labels }: LookupDeps,
  tenant: string,
  scenario: string | null,
  now: number,
): DecideContext | null {
  const held = rules.peek(tenant, now);
  if (held === null) return null;
  return { policy: held.policy, overrides: held.overrides, levels: labels, now, scenario, evidence: false };
}

/**
 * The answer to what memory found, as text and without a promise; null: it takes reads of storage.
 * @param e164 as in `decideText`
 */
export function textAtOnce(
  subject: PhoneNumber,
  e164: string,
  probed: Probed | null,
  context: DecideContext | null,
): string | null {
  const finding = enough(probed, context);
  return finding === null || context === null ? null : decideText(subject, finding, context, e164);
}

/** What memory found, if that is all that the rules ask for; null: it takes reads of storage. */
export function enough(probed: Probed | null, context: DecideContext | null): Finding | null {
  const finding = probed?.finding ?? null;
  // The evidence of a listed number is never kept in memory.
  return finding?.record != null && context?.policy.readsProjects === true ? null : finding;
}

export interface Found {
  /** In the order of the numbers; null: storage could not answer for this one. */
  readonly findings: readonly (Finding | null)[];
  readonly rules: TenantRules;
}

/**
 * What is known of the numbers, and what the tenant decides with. If both have to be read, they are read at the same
 * time.
 * @param begun what the finder's `probe` returned for the first number
 * @throws LookupError `storage-unavailable` if storage answers for none of the numbers
 */
export async function findFor(
  { finder, rules }: LookupDeps,
  tenant: string,
  numbers: readonly number[],
  options: FindOptions,
  begun: Probed | null = null,
): Promise<Found> {
  const withEvidence = { ...options, evidence: true };
  const find = async (wanted: FindOptions, some = numbers) =>
    some.length === 0 ? [] : finder.find(some, wanted, begun);
  return answering(async () => {
    const held = rules.peek(tenant);
    if (held !== null) {
      return { findings: await find(held.policy.readsProjects ? withEvidence : options), rules: held };
    }
    const [findings, read] = await Promise.all([find(options), rules.get(tenant)]);
    if (!read.policy.readsProjects || options.evidence) return { findings, rules: read };
    // Only now is it known that the rules ask for the evidence, which only listed numbers have.
    const isListed = (i: number) => findings[i]?.record != null;
    const again = await find(
      withEvidence,
      numbers.filter((_, i) => isListed(i)),
    );
    let next = 0;
    return { findings: findings.map((finding, i) => (isListed(i) ? (again[next++] ?? null) : finding)), rules: read };
  });
}

interface PastLookup {
  readonly subject: PhoneNumber;
  /** A UTC date, YYYY-MM-DD, or the number of a generation. */
  readonly asOf: string | number;
  readonly scenario: string | null;
  readonly evidence: boolean;
}

/**
 * Answers with the rules of today on what was known then.
 * @throws LookupError `invalid-request` for a day to come, `not-retained`
 * @throws StorageUnavailable
 */
async function lookupPast(deps: LookupDeps, tenant: string, lookup: PastLookup): Promise<LookupAnswer> {
  const { subject, scenario, evidence } = lookup;
  const now = deps.now();
  const rules = await deps.rules.get(tenant);
  const options = { evidence: evidence || rules.policy.readsProjects };
  const past = await deps.past(subject.number, asOfFrom(lookup.asOf, now), options);
  if (past.kind === 'not-retained') throw notRetained(past.retained);
  const asOf = asOfContext(lookup.asOf, past);
  return decide(subject, past.finding, { ...rules, levels: deps.labels, now, asOf, scenario, evidence });
}

/**
 * Reads `asOf` of a request.
 * @throws LookupError `invalid-request` for a day in the future
 */
function asOfFrom(asOf: string | number, now: number): AsOf {
  if (typeof asOf === 'number') return { generation: asOf };
  const day = parseDay(asOf);
  if (day === null || day > dayOf(now / 1000)) throw invalidRequest('asOf', 'expected a date that is not to come');
  return { day };
}

function asOfContext(asOf: string | number, { at, complete }: PastFinding & { readonly kind: 'found' }): AsOfContext {
  if (typeof asOf === 'number') return { at, answer: { generation: asOf, publishedAt: new Date(at).toISOString() } };
  const date = isoDay(dayOf(at / 1000));
  return { at, answer: complete ? { date } : { date, complete } };
}

function notRetained(retained: readonly number[]): LookupError {
  const expected = `expected a date, or one of the retained generations: ${retained.join(', ')}`;
  return new LookupError('not-retained', `asOf: ${expected}`, { field: 'asOf', retained });
}

/** @throws LookupError `storage-unavailable` where the work rejects with StorageUnavailable */
async function answering<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof StorageUnavailable ? unanswered() : error;
  }
}

/** The error of a lookup for which storage did not answer. */
export function unanswered(): LookupError {
  const detail = 'the number can be called neither listed nor clear at the moment';
  return new LookupError('storage-unavailable', detail, { verdict: 'unknown' }, RETRY_AFTER_SECONDS);
}
