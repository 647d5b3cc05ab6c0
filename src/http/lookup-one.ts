/** One lookup, whichever way it was asked for: by HTTP or by RPC. */
import { parseNumber } from '../number/parse.ts';
import type { PhoneNumber } from '../number/phone-number.ts';
import type { LookupAnswer } from '../policy/answer.ts';
import { decide, type TenantRules } from '../policy/decide.ts';
import type { Finding } from '../policy/finding.ts';
import { StorageUnavailable } from '../store/errors.ts';
import { Problem, storageUnavailable } from './problem.ts';
import { refuseSandboxQuota } from './sandbox.ts';
import type { Services } from './services.ts';

export interface LookupInput {
  readonly number: string;
  readonly country?: string | null | undefined;
  readonly scenario?: string | null | undefined;
  readonly evidence?: boolean | null | undefined;
}

/** @throws Problem `invalid-number`, or `storage-unavailable`; its `verdict` is there for clients that look at nothing else */
export async function lookupOne(services: Services, tenant: string, input: LookupInput): Promise<LookupAnswer> {
  const parsed = parseNumber(input.number, input.country ?? undefined);
  if (!parsed.ok) throw new Problem(parsed.code, parsed.detail, { members: { field: 'number' } });
  refuseSandboxQuota(parsed.value.number);
  const scenario = input.scenario ?? null;
  const evidence = input.evidence ?? false;
  if (!evidence) {
    const answer = lookupAtOnce(services, tenant, parsed.value, scenario);
    if (answer !== null) return answer;
  }
  const { findings, rules } = await findFor(services, tenant, [parsed.value.number], evidence);
  const [finding] = findings;
  if (!finding) throw unknown();
  return decide(parsed.value, finding, { ...rules, levels: services.labels, now: services.now(), scenario, evidence });
}

/** The same without a promise: null if that takes a look at storage. */
export function lookupAtOnce(
  { finder, rules, labels, now }: Services,
  tenant: string,
  subject: PhoneNumber,
  scenario: string | null,
): LookupAnswer | null {
  const held = rules.peek(tenant);
  const finding = held === null ? null : finder.peek(subject.number);
  if (held === null || finding === null) return null;
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
  { finder, rules }: Services,
  tenant: string,
  numbers: readonly number[],
  evidence: boolean,
): Promise<Found> {
  try {
    const held = rules.peek(tenant);
    const find = numbers.length === 0 ? [] : finder.find(numbers, { evidence });
    if (held !== null) return { findings: await find, rules: held };
    const [findings, read] = await Promise.all([find, rules.get(tenant)]);
    return { findings, rules: read };
  } catch (error) {
    throw error instanceof StorageUnavailable ? unknown() : error;
  }
}

function unknown(): Problem {
  const detail = 'the number can be called neither listed nor clear at the moment';
  return storageUnavailable(detail, { verdict: 'unknown' });
}
