/** From a policy as it is written to one that runs. */
import type { Policy, PolicySource, Rule, RuleSource } from '../policy.ts';
import { compileExpression } from './closures.ts';
import { PolicyError, positionOf, Refusal } from './error.ts';
import { asBool } from './expression.ts';
import { MAX_POLICY_STEPS, MAX_RULE_STEPS, MAX_RULES } from './limits.ts';
import { names, parseCondition } from './parse.ts';

export { PolicyError } from './error.ts';

/** Short enough to be shown in every answer, and of one case, so that two ids never differ by case alone. */
const RULE_ID = /^[a-z0-9][a-z0-9_.-]{0,63}$/;
/** What answers say in place of a rule's id: `default`, and `override`, `override-…` for an override. */
const RESERVED_ID = /^(default$|override)/;

/** @throws PolicyError for the first rule that is wrong, or that takes the policy over a bound */
export function compilePolicy(source: PolicySource): Policy {
  if (source.rules.length > MAX_RULES) throw new PolicyError('rules', null, `expected at most ${MAX_RULES} rules`);
  const ids = new Set<string>();
  const rules: Rule[] = [];
  let steps = 0;
  let readsProjects = false;
  for (const [index, rule] of source.rules.entries()) {
    checkId(rule.id, `rules[${index}]`, ids);
    ids.add(rule.id);
    const compiled = compileRule(rule);
    rules.push(compiled.rule);
    steps += compiled.steps;
    readsProjects ||= compiled.readsProjects;
    if (steps > MAX_POLICY_STEPS)
      throw new PolicyError(rule.id, null, tooCostly(MAX_POLICY_STEPS, 'all rules up to it'));
  }
  return { source, rules, readsProjects, default: source.default };
}

function checkId(id: string, place: string, taken: ReadonlySet<string>): void {
  if (!RULE_ID.test(id)) {
    throw new PolicyError(place, null, 'expected an id of a-z, 0-9, _, . and -, at most 64 characters');
  }
  if (RESERVED_ID.test(id)) {
    throw new PolicyError(id, null, 'expected an id other than default and override…, which answers use themselves');
  }
  if (taken.has(id)) throw new PolicyError(id, null, 'expected an id that no rule before it has');
}

interface CompiledRule {
  readonly rule: Rule;
  readonly steps: number;
  readonly readsProjects: boolean;
}

function compileRule({ id, when, action, mode }: RuleSource): CompiledRule {
  try {
    const condition = parseCondition(when);
    const expression = compileExpression(condition);
    if (expression.steps > MAX_RULE_STEPS) throw new Refusal(0, tooCostly(MAX_RULE_STEPS, 'the expression'));
    const rule = { id, action, mode, matches: asBool(condition, expression) };
    return { rule, steps: expression.steps, readsProjects: names(condition, 'projects') };
  } catch (error) {
    if (error instanceof Refusal) throw new PolicyError(id, positionOf(when, error.offset), error.message);
    throw error;
  }
}

function tooCostly(max: number, what: string): string {
  return `expected ${what} to take at most ${max} steps; exists() and all() take those of their condition per element`;
}
