/**
 * Evaluation: checked trees become closures over the facts. Ten usual rules take a seventh of the time that cel-js
 * takes, lists and failures far less (docs/decisions/0013-cel.md), and closures need no eval, which Workers forbid.
 * Both storing a tree and reading one go through here, so the same code checks types, variables and bounds: a tree that
 * is not understood as a whole is refused, and no part of it is evaluated.
 */
import type { Policy, PolicyFacts, PolicySource, Rule } from '../policy.ts';
import { asBool, constant, type Expression, refuse, type Scope, unknownVariable, variableOf } from './expression.ts';
import { MAX_POLICY_STEPS, MAX_RULE_STEPS, MAX_RULES, PROJECTS_FACTOR } from './limits.ts';
import {
  arithmetic,
  equality,
  list,
  logical,
  macro,
  membership,
  negate,
  not,
  order,
  size,
  ternary,
  textMethod,
  toDouble,
} from './operators.ts';
import { mentions, readPolicyTree, type Tree, TreeError } from './tree.ts';

/**
 * The policy that a source and its stored tree make. The tree says what it does; the source gives ids, actions and
 * modes, and is what people see.
 * @throws TreeError unless the tree is one of this version, well typed and within the bounds, for as many rules
 */
export function openPolicy(source: PolicySource, tree: unknown): Policy {
  if (source.rules.length > MAX_RULES) throw new TreeError(`expected at most ${MAX_RULES} rules`);
  const read = readPolicyTree(tree, source.rules.length);
  const readsProjects = read.conditions.some((condition) => mentions(condition, 'projects'));
  const maxSteps = MAX_POLICY_STEPS * (readsProjects ? PROJECTS_FACTOR : 1);
  const rules: Rule[] = [];
  let steps = 0;
  for (const [index, condition] of read.conditions.entries()) {
    const rule = source.rules[index];
    if (rule === undefined) throw new TreeError('expected a rule for each condition');
    const { id, action, mode } = rule;
    const opened = openCondition(condition, id);
    steps += opened.steps;
    if (steps > maxSteps) throw new TreeError(tooCostly(maxSteps, 'all rules up to it'), { rule: id });
    rules.push({ id, action, mode, matches: opened.matches });
  }
  return { source, tree: read, rules, readsProjects, default: source.default };
}

/** Opens what is stored; null: there is no tree, or none of a known version, so that the source has to be compiled. */
export function openPolicyIfKnown(source: PolicySource, tree: unknown): Policy | null {
  if (tree === undefined) return null;
  try {
    return openPolicy(source, tree);
  } catch (error) {
    if (error instanceof TreeError) return null;
    throw error;
  }
}

export interface OpenCondition {
  /** @throws RuleFailure when the condition has no value for these facts */
  readonly matches: (facts: PolicyFacts) => boolean;
  readonly steps: number;
}

/** @throws TreeError unless the tree is a condition within the bounds of one rule */
export function openCondition(tree: Tree, rule: string): OpenCondition {
  try {
    const expression = expressionOf(tree);
    const { steps } = expression;
    const maxSteps = MAX_RULE_STEPS * (mentions(tree, 'projects') ? PROJECTS_FACTOR : 1);
    if (steps > maxSteps) refuse(tree, tooCostly(maxSteps, 'the expression'));
    return { matches: asBool(tree, expression), steps };
  } catch (error) {
    throw error instanceof TreeError ? new TreeError(error.detail, { node: error.node, rule }) : error;
  }
}

function tooCostly(max: number, what: string): string {
  return `expected ${what} to take at most ${max} steps; exists() and all() take those of their condition per element`;
}

/** @throws TreeError naming the node that is at fault */
export function expressionOf(tree: Tree, scope: Scope = new Map()): Expression {
  if (typeof tree === 'boolean') return constant('bool', tree);
  if (typeof tree === 'number') return constant('int', tree);
  if (typeof tree === 'string') return constant('string', tree);
  const below = (operand: Tree) => expressionOf(operand, scope);
  switch (tree[0]) {
    case 'real':
      return constant('double', tree[1]);
    case 'var':
      return scope.get(tree[1]) ?? variableOf(tree[1]) ?? refuse(tree, unknownVariable(tree[1]));
    case 'list':
      return list(tree, tree.slice(1).map(below));
    case '!':
      return not(tree, below(tree[1]));
    case 'neg':
      return negate(tree, below(tree[1]));
    case 'size':
      return size(tree, below(tree[1]));
    case 'double':
      return toDouble(tree, below(tree[1]));
    case '&&':
      return logical(tree, false, below(tree[1]), below(tree[2]));
    case '||':
      return logical(tree, true, below(tree[1]), below(tree[2]));
    case '==':
    case '!=':
      return equality(tree, below(tree[1]), below(tree[2]));
    case '<':
    case '<=':
    case '>':
    case '>=':
      return order(tree, below(tree[1]), below(tree[2]));
    case '+':
    case '-':
    case '*':
    case '/':
    case '%':
      return arithmetic(tree, below(tree[1]), below(tree[2]));
    case 'in':
      return membership(tree, below(tree[1]), below(tree[2]));
    case 'startsWith':
    case 'endsWith':
    case 'contains':
      return textMethod(tree, below(tree[1]), below(tree[2]));
    case '?:':
      return ternary(tree, below(tree[1]), below(tree[2]), below(tree[3]));
    case 'exists':
    case 'all':
    case 'exists_one':
      return macro(tree, below(tree[1]), (variable) => expressionOf(tree[3], new Map(scope).set(tree[2], variable)));
  }
}
