/** What an expression is compiled to: a closure, its type, and how large its value and its cost can get. */
import type { PolicyFacts } from '../policy.ts';
import { type Tree, TreeError } from './tree.ts';

export type Scalar = boolean | number | string;
export type Value = Scalar | readonly Scalar[];
export type ScalarType = 'bool' | 'int' | 'double' | 'string';
export type Run<T extends Value> = (facts: PolicyFacts) => T;

export interface Expression {
  readonly type: ScalarType | 'list';
  /** Largest magnitude of an int, longest string in UTF-16 units, longest list; of no meaning for bool and double. */
  readonly max: number;
  /** Of a list: what its elements are; null if it is the empty list, which has none. */
  readonly item?: { readonly type: ScalarType; readonly max: number } | null;
  /** Upper bound of closures called, each a step (limits.ts). */
  readonly steps: number;
  /** A value of `type`: int and double are JS numbers. @throws RuleFailure */
  readonly run: Run<Value>;
  /** The value, if it is the same for all facts and known now. */
  readonly constant?: Value;
}

/** The variables of the macros around an expression, innermost last. */
export type Scope = ReadonlyMap<string, Expression>;

export function refuse(node: Tree, detail: string): never {
  throw new TreeError(detail, { node });
}

export function asBool(node: Tree, expression: Expression): Run<boolean> {
  return runOf<boolean>(node, expression, 'bool');
}

export function asText(node: Tree, expression: Expression): Run<string> {
  return runOf<string>(node, expression, 'string');
}

export function asList(node: Tree, expression: Expression): Run<readonly Scalar[]> {
  return runOf<readonly Scalar[]>(node, expression, 'list');
}

export function asNumber(node: Tree, expression: Expression): Run<number> {
  return runOf<number>(node, expression, 'int', 'double');
}

/** The one place that trusts an expression to be of the type it says. */
function runOf<T extends Value>(node: Tree, { type, run }: Expression, ...expected: string[]): Run<T> {
  if (!expected.includes(type)) refuse(node, `expected ${expected.join(' or ')}; found ${type}`);
  return run as Run<T>;
}

export function constant(type: ScalarType, value: Scalar): Expression {
  const max = typeof value === 'number' ? Math.abs(value) : typeof value === 'string' ? value.length : 1;
  return { type, max, steps: 1, run: () => value, constant: value };
}
