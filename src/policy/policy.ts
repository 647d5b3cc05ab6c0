/** A policy: an ordered list of rules over what is known of a number. The first enforced rule that matches decides. */
import type { Channel, Industry } from '../format/attributes.ts';
import type { LineType } from '../phone/phone-number.ts';
import type { PolicyTree } from './cel/tree.ts';

export const ACTIONS = ['allow', 'flag', 'challenge', 'block'] as const;
export type Action = (typeof ACTIONS)[number];

export const VERDICTS = ['listed', 'suspect', 'clear', 'unknown'] as const;
export type Verdict = (typeof VERDICTS)[number];

/**
 * A rule in shadow mode decides nothing. Answers name it where it matches, so that it can be watched before it is
 * enforced.
 */
export const RULE_MODES = ['enforce', 'shadow'] as const;
export type RuleMode = (typeof RULE_MODES)[number];

/** How many *other* listed numbers are in the same block of 100 and of 1,000, and the score of score.ts. */
export interface Neighbourhood {
  readonly hundred: number;
  readonly thousand: number;
  readonly score: number;
}

/**
 * The variables of a rule, named as in docs/POLICY.md. There is no verdict `unknown` here: without data, rules are not
 * asked.
 */
export interface PolicyFacts {
  readonly verdict: Exclude<Verdict, 'unknown'>;
  /** 0 to 9; 0 if not listed, so that rules can compare it without asking first. */
  readonly level: number;
  readonly labels: readonly string[];
  readonly channels: readonly Channel[];
  readonly industries: readonly Industry[];
  /**
   * The projects that the number was seen for, in code unit order; null if its evidence was not read. Records do not
   * have them, so they take a read of storage: it is made for listed numbers only, and only for a policy that names
   * `projects` (Policy.readsProjects).
   */
  readonly projects: readonly string[] | null;
  /** UTC days from the last, and from the first, detection to today; null if not listed. */
  readonly daysSinceSeen: number | null;
  readonly daysListed: number | null;
  /** 0 if not listed. */
  readonly sightings: number;
  readonly neighbourhood: Neighbourhood;
  readonly country: string | null;
  readonly lineType: LineType;
  /** What the caller is about to do ("signup"), if it said. */
  readonly scenario: string | null;
}

/** A rule as a tenant writes it, and as it is sent and stored (schema.ts). */
export interface RuleSource {
  readonly id: string;
  /** A CEL expression of type bool over the variables of PolicyFacts (docs/POLICY.md). */
  readonly when: string;
  readonly action: Action;
  readonly mode: RuleMode;
}

export interface PolicySource {
  readonly rules: readonly RuleSource[];
  /** The action when no enforced rule matches. */
  readonly default: Action;
}

export interface Rule {
  readonly id: string;
  readonly action: Action;
  readonly mode: RuleMode;
  /** @throws RuleFailure when the expression has no value for these facts */
  readonly matches: (facts: PolicyFacts) => boolean;
}

/** compilePolicy (cel/compile.ts) makes it from a source, openPolicy (cel/evaluate.ts) from a stored tree. */
export interface Policy {
  readonly source: PolicySource;
  /** What the conditions of the source were compiled to. It is stored and sent. */
  readonly tree: PolicyTree;
  readonly rules: readonly Rule[];
  /** Whether a rule uses `projects`: then deciding on a listed number takes its evidence. */
  readonly readsProjects: boolean;
  readonly default: Action;
}

export interface Decision {
  readonly action: Action;
  /** Id of the rule that matched, or DEFAULT_RULE. */
  readonly rule: string;
  /** Ids of all shadow rules that match, in order, wherever they stand; absent if none does. */
  readonly shadow?: readonly string[];
  /** Ids of the rules that failed and were skipped, in order; absent if none did. */
  readonly failed?: readonly string[];
}

/**
 * An expression has no value for these facts: it divides by zero, or asks for the days of a number that is not listed.
 * Its instances are made once and thrown many times, since making one costs more than evaluating a whole policy.
 */
export class RuleFailure extends Error {
  override readonly name = 'RuleFailure';
}

/** The value of `rule` when no rule matched. */
const DEFAULT_RULE = 'default';

/** Allocates only the decision if no rule failed and none in shadow mode matched, which is nearly always so. */
export function applyPolicy(policy: Policy, facts: PolicyFacts): Decision {
  let decided: Rule | undefined;
  let shadow: string[] | undefined;
  let failed: string[] | undefined;
  for (const rule of policy.rules) {
    if (decided !== undefined && rule.mode !== 'shadow') continue;
    const matched = tryRule(rule, facts);
    if (matched === undefined) failed = append(failed, rule.id);
    else if (!matched) continue;
    else if (rule.mode === 'shadow') shadow = append(shadow, rule.id);
    else decided = rule;
  }
  const action = decided === undefined ? policy.default : decided.action;
  const rule = decided === undefined ? DEFAULT_RULE : decided.id;
  if (shadow === undefined && failed === undefined) return { action, rule };
  return {
    action,
    rule,
    ...(shadow === undefined ? undefined : { shadow }),
    ...(failed === undefined ? undefined : { failed }),
  };
}

/** Whether the rule matches; undefined: it failed. Any other error is a fault of the software, and is not hidden. */
export function tryRule(rule: Rule, facts: PolicyFacts): boolean | undefined {
  try {
    return rule.matches(facts);
  } catch (error) {
    if (error instanceof RuleFailure) return undefined;
    throw error;
  }
}

function append(ids: string[] | undefined, id: string): string[] {
  if (ids === undefined) return [id];
  ids.push(id);
  return ids;
}
