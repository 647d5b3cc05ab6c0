/** What a policy would do, beside the present one: counts over numbers that have been looked up. Pure. */
import { type Action, applyPolicy, type Decision, type Policy, type PolicyFacts, type RuleMode } from './policy.ts';

/** Where a number of a dry run comes from: named by the caller, drawn from the inventory, or drawn from what is not listed. */
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
  /** Numbers that it matches, whatever stands before it. */
  readonly matched: number;
  /** Numbers whose action it decides. */
  readonly decided: number;
  /** Numbers that it fails on at run time: it is skipped for these. */
  readonly failed: number;
}

export interface DryRun {
  readonly total: Comparison;
  readonly bySample: readonly (Comparison & { readonly sample: Sample })[];
  /** Most numbers first; null: a plan of no one country. */
  readonly byCountry: readonly (Comparison & { readonly country: string | null })[];
  /** Most numbers first; null: not listed. A number with two labels counts under both. */
  readonly byLabel: readonly (Comparison & { readonly label: string | null })[];
  readonly rules: readonly RuleOutcome[];
}

interface Decided extends DryRunCase {
  readonly present: Decision;
  readonly policy: Decision;
}

export function dryRun(policy: Policy, present: Policy, cases: readonly DryRunCase[]): DryRun {
  const decided = cases.map((one) => ({
    ...one,
    present: applyPolicy(present, one.facts),
    policy: applyPolicy(policy, one.facts),
  }));
  const bySample = grouped(decided, ({ sample }) => [sample]);
  const byCountry = grouped(decided, ({ facts }) => [facts.country]);
  const byLabel = grouped(decided, ({ facts }) => (facts.labels.length === 0 ? [null] : facts.labels));
  return {
    total: compare(decided),
    bySample: bySample.map(([sample, group]) => ({ sample, ...compare(group) })),
    byCountry: byCountry.map(([country, group]) => ({ country, ...compare(group) })),
    byLabel: byLabel.map(([label, group]) => ({ label, ...compare(group) })),
    rules: policy.rules.map((rule) => {
      const outcomes = cases.map(({ facts }) => outcomeOf(rule.matches, facts));
      return {
        id: rule.id,
        action: rule.action,
        mode: rule.mode,
        matched: outcomes.filter((outcome) => outcome === 'matched').length,
        decided: decided.filter((one) => one.policy.rule === rule.id).length,
        failed: outcomes.filter((outcome) => outcome === 'failed').length,
      };
    }),
  };
}

function outcomeOf(matches: (facts: PolicyFacts) => boolean, facts: PolicyFacts): 'matched' | 'not' | 'failed' {
  try {
    return matches(facts) ? 'matched' : 'not';
  } catch {
    return 'failed';
  }
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

/** By each of its keys; the largest group first. */
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
