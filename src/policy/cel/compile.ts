/** Compiles a policy: from its source to one that runs, and to the tree that is stored for Workers without a parser. */
import type { Policy, PolicySource } from '../policy.ts';
import { RULE_ID } from '../schema.ts';
import { PolicyError, positionOf, Refusal } from './error.ts';
import { openCondition, openPolicy } from './evaluate.ts';
import { MAX_RULES } from './limits.ts';
import { parseCondition } from './parse.ts';
import { type PolicyTree, TREE_VERSION, type Tree, TreeError } from './tree.ts';

/** The values of `rule` that stand for no rule: `default`, and `override` or `override-…` for an override. */
const RESERVED_RULE_ID = /^(default$|override)/;

/** @throws PolicyError for the first rule that is wrong, or that takes the policy over a bound */
export function compilePolicy(source: PolicySource): Policy {
  if (source.rules.length > MAX_RULES) throw new PolicyError('rules', null, `expected at most ${MAX_RULES} rules`);
  const ids = new Set<string>();
  const conditions: Tree[] = [];
  for (const [index, { id, when }] of source.rules.entries()) {
    checkId(id, `rules[${index}]`, ids);
    ids.add(id);
    conditions.push(compileCondition(id, when));
  }
  try {
    // It is opened as it will be wherever it is stored.
    return openPolicy(source, { version: TREE_VERSION, conditions });
  } catch (error) {
    if (error instanceof TreeError) throw new PolicyError(error.rule ?? 'rules', null, error.detail);
    throw error;
  }
}

/** The tree of a source, for a Worker that cannot compile; null if the source does not compile. */
export function policyTreeOf(source: PolicySource): PolicyTree | null {
  try {
    return compilePolicy(source).tree;
  } catch (error) {
    if (error instanceof PolicyError) return null;
    throw error;
  }
}

function checkId(id: string, place: string, taken: ReadonlySet<string>): void {
  if (!RULE_ID.test(id)) {
    throw new PolicyError(place, null, 'expected an id of a-z, 0-9, _, . and -, at most 64 characters');
  }
  if (RESERVED_RULE_ID.test(id)) {
    throw new PolicyError(id, null, 'expected an id other than default and override…, which answers use themselves');
  }
  if (taken.has(id)) throw new PolicyError(id, null, 'expected an id that no rule before it has');
}

function compileCondition(id: string, when: string): Tree {
  let offsetOf = (_node: Tree): number => 0;
  try {
    const parsed = parseCondition(when);
    offsetOf = parsed.offsetOf;
    openCondition(parsed.tree, id);
    return parsed.tree;
  } catch (error) {
    if (error instanceof Refusal) throw new PolicyError(id, positionOf(when, error.offset), error.message);
    if (error instanceof TreeError) {
      const offset = error.node === null ? 0 : offsetOf(error.node);
      throw new PolicyError(id, positionOf(when, offset), error.detail);
    }
    throw error;
  }
}
