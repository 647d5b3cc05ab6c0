/**
 * A dry run compares a policy with the present one, as counts over numbers that have been looked up. It does no I/O.
 */
import type { Steps } from '../lib/cooperate.ts';
import {
  type Action,
  applyPolicy,
  type Decision,
  type Policy,
  type PolicyFacts,
  type RuleMode,
  tryRule,
} from './policy.ts';

/**
 * Where a number of a dry run comes from: the caller named it, or it was drawn from the inventory, or from numbers that
 * are not listed.
 */
export const SAMPLES = ['numbers', 'inventory', 'clear'] as const;
export type Sample = (typeof SAMPLES)[number];

export interface DryRunCase {
  readonly sample: Sample;
  readonly facts: PolicyFacts;
}

export type ActionCounts = Readonly<Record<Action, number>>;

export interface Comparison {
  readonly tested: number;
  readonly present: ActionCounts;
  readonly policy: ActionCounts;
  /** Numbers that would get another action. */
  readonly changed: number;
}

export interface RuleOutcome {
  readonly id: string;
  readonly action: Action;
  readonly mode: RuleMode;
  /** Numbers that the rule matches, whatever rules stand before it. */
  readonly matched: number;
  /** Numbers whose action the rule decides. */
  readonly decided: number;
  /** Numbers for which the rule fails at run time and is skipped. */
  readonly failed: number;
}

export interface DryRun {
  readonly total: Comparison;
  readonly bySample: readonly (Comparison & { readonly sample: Sample })[];
  /** Most numbers first; null: the plan belongs to no single country. */
  readonly byCountry: readonly (Comparison & { readonly country: string | null })[];
  /** Most numbers first; null: not listed. A number with two labels is counted under both. */
  readonly byLabel: readonly (Comparison & { readonly label: string | null })[];
  readonly rules: readonly RuleOutcome[];
  /** Of each case, in their order. */
  readonly decisions: readonly { readonly present: Decision; readonly policy: Decision }[];
}

interface Decided extends DryRunCase {
  readonly present: Decision;
  readonly policy: Decision;
}

/**
 * The work of a case, in records of a merge: rules of usual size take some 5 us, and the most costly that there may be
 * some 200.
 */
const CASE_WORK = 32;

/**
 * What `policy` would do with these cases, beside what `present` does.
 * @param cases with projects where one of the policies reads them, else its rules fail
 */
export function* dryRun(policy: Policy, present: Policy, cases: readonly DryRunCase[]): Steps<DryRun> {
  const decided: Decided[] = [];
  const counts = policy.rules.map(() => ({ matched: 0, failed: 0 }));
  for (const one of cases) {
    decided.push({ ...one, present: applyPolicy(present, one.facts), policy: applyPolicy(policy, one.facts) });
    for (const [i, rule] of policy.rules.entries()) {
      const matched = tryRule(rule, one.facts);
      const ofRule = counts[i];
      if (ofRule !== undefined && matched !== false) ofRule[matched === undefined ? 'failed' : 'matched'] += 1;
    }
    yield CASE_WORK;
  }
  const bySample = grouped(decided, ({ sample }) => [sample]);
  const byCountry = grouped(decided, ({ facts }) => [facts.country]);
  const byLabel = grouped(decided, ({ facts }) => (facts.labels.length === 0 ? [null] : facts.labels));
  return {
    total: compare(decided),
    bySample: bySample.map(([sample, group]) => ({ sample, ...compare(group) })),
    byCountry: byCountry.map(([country, group]) => ({ country, ...compare(group) })),
    byLabel: byLabel.map(([label, group]) => ({ label, ...compare(group) })),
    rules: policy.rules.map(({ id, action, mode }, i) => ({
      ...{ id, action, mode },
      matched: counts[i]?.matched ?? 0,
      decided: decided.filter((one) => one.policy.rule === id).length,
      failed: counts[i]?.failed ?? 0,
    })),
    decisions: decided.map(({ present: now, policy: then }) => ({ present: now, policy: then })),
  };
}

function compare(group: readonly Decided[]): Comparison {
  return {
    tested: group.length,
    present: countActions(group.map(({ present }) => present)),
    policy: countActions(group.map(({ policy }) => policy)),
    changed: group.filter(({ present, policy }) => present.action !== policy.action).length,
  };
}

function countActions(decisions: readonly Decision[]): ActionCounts {
  const counts = { allow: 0, flag: 0, challenge: 0, block: 0 };
  for (const { action } of decisions) counts[action] += 1;
  return counts;
}

/** Groups by each of the keys, the largest group first. */
function grouped<K>(all: readonly Decided[], keysOf: (one: Decided) => readonly K[]): [K, Decided[]][] {
  const groups = new Map<K, Decided[]>();
  for (const one of all) {
    for (const key of keysOf(one)) {
      const group = groups.get(key);
      if (group === undefined) groups.set(key, [one]);
      else group.push(one);
    }
  }
  return [...groups].sort(([, a], [, b]) => b.length - a.length);
}
