/** A policy: an ordered list of rules over what is known of a number, the first that matches decides. */
import type { Channel, Industry } from '../format/vocabulary.ts';
import type { LineType } from '../number/phone-number.ts';

export const ACTIONS = ['allow', 'flag', 'challenge', 'block'] as const;
export type Action = (typeof ACTIONS)[number];

export const VERDICTS = ['listed', 'suspect', 'clear', 'unknown'] as const;
export type Verdict = (typeof VERDICTS)[number];

/** How many *other* listed numbers are in the same block of 100 and of 1,000, and the score of neighbourhood.ts. */
export interface Neighbourhood {
  readonly hundred: number;
  readonly thousand: number;
  readonly score: number;
}

/** The variables of a rule, named as in API.md (Policy). There is no `unknown` here: no data is no matter for a rule. */
export interface PolicyFacts {
  readonly verdict: Exclude<Verdict, 'unknown'>;
  /** 0 to 9; 0 if not listed, so that rules can compare it without asking first. */
  readonly level: number;
  readonly labels: readonly string[];
  readonly channels: readonly Channel[];
  readonly industries: readonly Industry[];
  /** UTC days from the last, and from the first, detection until today; null if not listed. */
  readonly daysSinceSeen: number | null;
  readonly daysListed: number | null;
  /** 0 if not listed. */
  readonly sightings: number;
  readonly neighbourhood: Neighbourhood;
  readonly country: string | null;
  readonly lineType: LineType;
  /** What the caller is about to do ("signup"), if it said so. */
  readonly scenario: string | null;
}

export interface Rule {
  readonly id: string;
  readonly action: Action;
  readonly matches: (facts: PolicyFacts) => boolean;
}

export interface Policy {
  readonly rules: readonly Rule[];
  /** When no rule matches. */
  readonly default: Action;
}

export interface Decision {
  readonly action: Action;
  /** Id of the rule that matched, or DEFAULT_RULE. */
  readonly rule: string;
}

/** What `rule` says when no rule matched. */
export const DEFAULT_RULE = 'default';

export function applyPolicy(policy: Policy, facts: PolicyFacts): Decision {
  for (const rule of policy.rules) {
    if (rule.matches(facts)) return { action: rule.action, rule: rule.id };
  }
  return { action: policy.default, rule: DEFAULT_RULE };
}
