/** One lookup, whichever way it was asked for: by HTTP or by RPC. */
import type { PhoneNumber } from '../number/phone-number.ts';
import { readingsOf } from '../number/readings.ts';
import type { LookupAnswer } from '../policy/answer.ts';
import { decide, type TenantRules } from '../policy/decide.ts';
import type { Finding } from '../policy/finding.ts';
import { severest } from '../policy/severest.ts';
import type { FindOptions } from '../serve/finder.ts';
import { StorageUnavailable } from '../store/errors.ts';
import { lookupPast } from './lookup-past.ts';
import { Problem, storageUnavailable } from './problem.ts';
import { refuseSandboxQuota } from './sandbox.ts';
import type { EdgeServices } from './services.ts';

export interface LookupInput {
  readonly number: string;
  readonly country?: string | null | undefined;
  readonly scenario?: string | null | undefined;
  readonly evidence?: boolean | null | undefined;
  /** A UTC date, YYYY-MM-DD, or the number of a generation. */
  readonly asOf?: string | number | null | undefined;
  readonly receipt?: boolean | null | undefined;
  /** A plus sign may be lost before the digits: the answer is that of the reading with the severest action. */
  readonly plusMayBeLost?: boolean | null | undefined;
}

/** @throws Problem `invalid-number`, `invalid-request`, `not-retained`, or `storage-unavailable`; its `verdict` is there for clients that look at nothing else */
export async function lookupOne(services: EdgeServices, tenant: string, input: LookupInput): Promise<LookupAnswer> {
  const read = readingsOf(input.number, input.country ?? undefined, input.plusMayBeLost ?? false);
  if (!read.ok) throw new Problem(read.code, read.detail, { members: { field: 'number' } });
  const [subject, ...others] = read.values;
  if (others.length === 0) return lookupSubject(services, tenant, subject, input);
  return severest(await Promise.allSettled(read.values.map((one) => lookupSubject(services, tenant, one, input))));
}

/** @throws Problem as `lookupOne` */
async function lookupSubject(
  services: EdgeServices,
  tenant: string,
  subject: PhoneNumber,
  input: LookupInput,
): Promise<LookupAnswer> {
  refuseSandboxQuota(subject.number);
  const scenario = input.scenario ?? null;
  const evidence = input.evidence ?? false;
  const receipt = input.receipt ?? false;
  if (input.asOf !== undefined && input.asOf !== null) {
    if (receipt)
      throw new Problem('invalid-request', 'receipt: expected none with asOf', { members: { field: 'receipt' } });
    const lookup = { subject, asOf: input.asOf, scenario, evidence };
    return answering(() => lookupPast(services, tenant, lookup));
  }
  if (!evidence && !receipt) {
    const answer = lookupAtOnce(services, tenant, subject, scenario);
    if (answer !== null) return answer;
  }
  const { findings, rules } = await findFor(services, tenant, [subject.number], { evidence, basis: receipt });
  const [finding] = findings;
  if (!finding) throw unknown();
  const context = { ...rules, levels: services.labels, now: services.now(), scenario, evidence, receipt };
  return decide(subject, finding, context);
}

/** The same without a promise: null if that takes a look at storage. */
export function lookupAtOnce(
  { finder, rules, labels, now }: EdgeServices,
  tenant: string,
  subject: PhoneNumber,
  scenario: string | null,
): LookupAnswer | null {
  const held = rules.peek(tenant);
  const finding = held === null ? null : finder.peek(subject.number);
  if (held === null || finding === null) return null;
  // The evidence of a listed number is never in memory.
  if (held.policy.readsProjects && finding.record !== null) return null;
  const { policy, overrides } = held;
  return decide(subject, finding, { policy, overrides, levels: labels, now: now(), scenario, evidence: false });
}

export interface Found {
  /** In the order of the numbers; null: storage could not answer for this one. */
  readonly findings: readonly (Finding | null)[];
  readonly rules: TenantRules;
}

/**
 * What is known of the numbers, and what the tenant decides with; where either has to be read, both are at once.
 * @throws Problem `storage-unavailable` if nothing can be said of any
 */
export async function findFor(
  { finder, rules }: EdgeServices,
  tenant: string,
  numbers: readonly number[],
  options: FindOptions,
): Promise<Found> {
  const withEvidence = { ...options, evidence: true };
  const find = async (wanted: FindOptions) => (numbers.length === 0 ? [] : finder.find(numbers, wanted));
  return answering(async () => {
    const held = rules.peek(tenant);
    if (held !== null) {
      return { findings: await find(held.policy.readsProjects ? withEvidence : options), rules: held };
    }
    const [findings, read] = await Promise.all([find(options), rules.get(tenant)]);
    const isLacking = read.policy.readsProjects && !options.evidence && findings.some((found) => found?.record != null);
    return { findings: isLacking ? await find(withEvidence) : findings, rules: read };
  });
}

/** @throws Problem `storage-unavailable` where the work rejects with StorageUnavailable */
async function answering<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof StorageUnavailable ? unknown() : error;
  }
}

function unknown(): Problem {
  const detail = 'the number can be called neither listed nor clear at the moment';
  return storageUnavailable(detail, { verdict: 'unknown' });
}
