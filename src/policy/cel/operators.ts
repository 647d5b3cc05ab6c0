/**
 * Operators, functions and macros with the meaning that CEL gives them. Operands come compiled, and run before their
 * operator.
 */

import { type PolicyFacts, RuleFailure } from '../policy.ts';
import {
  asBool,
  asList,
  asNumber,
  asText,
  constant,
  type Expression,
  type Run,
  refuse,
  type Scalar,
  type ScalarType,
} from './expression.ts';
import { CHARS_PER_STEP, MAX_INTEGER, MAX_LIST_ELEMENTS, STEPS_PER_PLACE } from './limits.ts';
import type { BinaryTree, MacroTree, Tree } from './tree.ts';

const DIVISION_BY_ZERO = new RuleFailure('division by zero');

type Numbers<T extends Scalar> = (left: Run<number>, right: Run<number>) => Run<T>;

const ORDER: Readonly<Record<string, Numbers<boolean>>> = {
  '<': (left, right) => (facts) => left(facts) < right(facts),
  '<=': (left, right) => (facts) => left(facts) <= right(facts),
  '>': (left, right) => (facts) => left(facts) > right(facts),
  '>=': (left, right) => (facts) => left(facts) >= right(facts),
};

const ARITHMETIC: Readonly<Record<string, Numbers<number>>> = {
  '+': (left, right) => (facts) => left(facts) + right(facts),
  '-': (left, right) => (facts) => left(facts) - right(facts),
  '*': (left, right) => (facts) => left(facts) * right(facts),
  '/': (left, right) => (facts) => left(facts) / right(facts),
};

/** Both round towards zero, as `/` and `%` of CEL's integers do. */
const INTEGER_DIVISION: Readonly<Record<string, Numbers<number>>> = {
  '/': (left, right) => (facts) => Math.trunc(left(facts) / nonZero(right(facts))),
  '%': (left, right) => (facts) => left(facts) % nonZero(right(facts)),
};

/** The largest magnitude that the result of two integers can have. */
const MAGNITUDE: Readonly<Record<string, (left: number, right: number) => number>> = {
  '+': (left, right) => left + right,
  '-': (left, right) => left + right,
  '*': (left, right) => left * right,
  '/': (left) => left,
  '%': (left) => left,
};

function nonZero(divisor: number): number {
  if (divisor === 0) throw DIVISION_BY_ZERO;
  return divisor;
}

/**
 * CEL's `&&` and `||` do not depend on the order of their operands: a failure on one side does not matter if the other
 * side decides.
 */
export function logical(node: Tree, deciding: boolean, left: Expression, right: Expression): Expression {
  const [l, r] = [asBool(node, left), asBool(node, right)];
  const run: Run<boolean> = (facts) => {
    let first: boolean;
    try {
      first = l(facts);
    } catch (failure) {
      if (r(facts) === deciding) return deciding;
      throw failure;
    }
    return first === deciding ? deciding : r(facts);
  };
  return { type: 'bool', max: 1, steps: 1 + left.steps + right.steps, run };
}

export function not(node: Tree, operand: Expression): Expression {
  const run = asBool(node, operand);
  return { type: 'bool', max: 1, steps: 1 + operand.steps, run: (facts) => !run(facts) };
}

export function negate(node: Tree, operand: Expression): Expression {
  const run = asNumber(node, operand);
  if (typeof operand.constant === 'number' && operand.type !== 'list') return constant(operand.type, -operand.constant);
  return { type: operand.type, max: operand.max, steps: 1 + operand.steps, run: (facts) => -run(facts) };
}

export function ternary(node: Tree, condition: Expression, yes: Expression, no: Expression): Expression {
  if (yes.type === 'list' || no.type === 'list') refuse(node, 'expected values that are no lists on both sides of :');
  if (yes.type !== no.type) refuse(node, `expected one type on both sides of :; found ${yes.type} and ${no.type}`);
  const test = asBool(node, condition);
  const [a, b] = [yes.run, no.run];
  return {
    type: yes.type,
    max: Math.max(yes.max, no.max),
    steps: 1 + condition.steps + Math.max(yes.steps, no.steps),
    run: (facts) => (test(facts) ? a(facts) : b(facts)),
  };
}

export function equality(node: BinaryTree, left: Expression, right: Expression): Expression {
  const [operator] = node;
  if (left.type === 'list' || right.type === 'list') {
    refuse(node, `expected ${operator} between single values; lists have size(), in, exists() and all()`);
  }
  if (left.type !== right.type) refuse(node, `expected two values of one type; found ${left.type} and ${right.type}`);
  const steps = 1 + left.steps + right.steps + lookAt(left.type, Math.min(left.max, right.max));
  const [l, r] = [left.run, right.run];
  const run: Run<boolean> = operator === '==' ? (facts) => l(facts) === r(facts) : (facts) => l(facts) !== r(facts);
  return { type: 'bool', max: 1, steps, run };
}

/** Integers and doubles compare with each other: an integer within MAX_INTEGER is the double of that value. */
export function order(node: BinaryTree, left: Expression, right: Expression): Expression {
  const compare = ORDER[node[0]];
  if (compare === undefined) return refuse(node, 'expected a comparison');
  const run = compare(asNumber(node, left), asNumber(node, right));
  return { type: 'bool', max: 1, steps: 1 + left.steps + right.steps, run };
}

export function arithmetic(node: BinaryTree, left: Expression, right: Expression): Expression {
  const [operator] = node;
  const [l, r] = [asNumber(node, left), asNumber(node, right)];
  const steps = 1 + left.steps + right.steps;
  if (left.type !== right.type) refuse(node, `expected two values of one type; found ${left.type} and ${right.type}`);
  if (left.type === 'double') {
    const double = ARITHMETIC[operator] ?? refuse(node, `expected integers; found double ${operator} double`);
    return { type: 'double', max: 0, steps, run: double(l, r) };
  }
  const max = MAGNITUDE[operator]?.(left.max, right.max) ?? refuse(node, 'expected + - * / or %');
  if (max > MAX_INTEGER) refuse(node, 'expected integers that stay below 2^53 for all values of the variables');
  const int = INTEGER_DIVISION[operator] ?? ARITHMETIC[operator] ?? refuse(node, 'expected + - * / or %');
  return { type: 'int', max, steps, run: int(l, r) };
}

/** A list of constants becomes a set, so that a country in a list of 200 costs no more than in a list of two. */
export function membership(node: Tree, left: Expression, right: Expression): Expression {
  const list = asList(node, right);
  if (left.type === 'list') refuse(node, 'expected a single value before in');
  if (right.item && right.item.type !== left.type) {
    refuse(node, `expected a list of ${left.type}; found a list of ${right.item.type}`);
  }
  const value = left.run as Run<Scalar>;
  const each = 1 + lookAt(left.type, Math.min(left.max, right.item?.max ?? 0));
  if (Array.isArray(right.constant)) {
    const set: ReadonlySet<Scalar> = new Set(right.constant);
    return { type: 'bool', max: 1, steps: left.steps + each, run: (facts) => set.has(value(facts)) };
  }
  // indexOf, not includes: NaN is in no list.
  const run: Run<boolean> = (facts) => list(facts).indexOf(value(facts)) !== -1;
  return { type: 'bool', max: 1, steps: left.steps + right.steps + right.max * each, run };
}

export function list(node: Tree, elements: readonly Expression[]): Expression {
  const [first] = elements;
  const max = elements.length;
  if (first === undefined) return { type: 'list', max, item: null, steps: 1, run: () => [], constant: [] };
  const type: ScalarType = first.type === 'list' ? refuse(node, 'expected a list of single values') : first.type;
  if (elements.some((element) => element.type !== type)) refuse(node, `expected a list of ${type} only`);
  const item = { type, max: Math.max(...elements.map((element) => element.max)) };
  const constants = elements.map((element) => element.constant as Scalar | undefined);
  if (constants.every((value) => value !== undefined)) {
    return { type: 'list', max, item, steps: 1, run: () => constants, constant: constants };
  }
  const runs = elements.map((element) => element.run as Run<Scalar>);
  const steps = elements.reduce((sum, element) => sum + element.steps, 1);
  return { type: 'list', max, item, steps, run: (facts) => runs.map((run) => run(facts)) };
}

/** Steps for comparing a string of so many characters; comparing other values takes none. */
function lookAt(type: string, chars: number): number {
  return type === 'string' ? Math.floor(chars / CHARS_PER_STEP) : 0;
}

// Functions, methods and macros. Any that is not listed here is refused: each one more has to be kept within bounds.
type Texts = (text: Run<string>, part: Run<string>) => Run<boolean>;

const TEXT_METHODS: ReadonlyMap<string, Texts> = new Map<string, Texts>([
  ['startsWith', (text, part) => (facts) => text(facts).startsWith(part(facts))],
  ['endsWith', (text, part) => (facts) => text(facts).endsWith(part(facts))],
  ['contains', (text, part) => (facts) => text(facts).includes(part(facts))],
]);

type Quantifier = (items: Run<readonly Scalar[]>, slot: Slot, body: Run<boolean>) => Run<boolean>;

const QUANTIFIERS: ReadonlyMap<string, Quantifier> = new Map<string, Quantifier>([
  ['exists', (items, slot, body) => (facts) => search(items(facts), slot, body, facts, true)],
  ['all', (items, slot, body) => (facts) => search(items(facts), slot, body, facts, false)],
  ['exists_one', (items, slot, body) => (facts) => count(items(facts), slot, body, facts) === 1],
]);

export function size(node: Tree, operand: Expression): Expression {
  if (operand.type === 'list') {
    const run = asList(node, operand);
    return { type: 'int', max: MAX_LIST_ELEMENTS, steps: 1 + operand.steps, run: (facts) => run(facts).length };
  }
  const run = asText(node, operand);
  const steps = 1 + operand.steps + operand.max;
  return { type: 'int', max: operand.max, steps, run: (facts) => codePoints(run(facts)) };
}

export function toDouble(node: Tree, operand: Expression): Expression {
  const run = asNumber(node, operand);
  // 0 is added since an integer calculated as -0 is 0 in CEL, and 1 / 0 is not 1 / -0.
  const converted: Run<number> = operand.type === 'int' ? (facts) => run(facts) + 0 : run;
  return { type: 'double', max: 0, steps: 1 + operand.steps, run: converted };
}

/** CEL counts code points, JS counts UTF-16 units. */
function codePoints(text: string): number {
  let points = 0;
  for (const _ of text) points++;
  return points;
}

/** `startsWith`, `endsWith` and `contains`. */
export function textMethod(node: BinaryTree, receiver: Expression, argument: Expression): Expression {
  const [method] = node;
  const texts = TEXT_METHODS.get(method) ?? refuse(node, 'expected a method of texts');
  const run = texts(asText(node, receiver), asText(node, argument));
  const search = method === 'contains' ? receiver.max * STEPS_PER_PLACE : 0;
  const steps = 1 + receiver.steps + argument.steps + search + Math.ceil(argument.max / CHARS_PER_STEP);
  return { type: 'bool', max: 1, steps, run };
}

/**
 * The variable of a macro. One slot for each macro of the compiled rule is enough: evaluation never waits in between,
 * and a macro is never inside itself.
 */
interface Slot {
  value: Scalar;
}

/** @param openBody the condition, with the macro's variable in its scope */
export function macro(
  node: MacroTree,
  receiver: Expression,
  openBody: (variable: Expression) => Expression,
): Expression {
  const quantifier = QUANTIFIERS.get(node[0]) ?? refuse(node, 'expected a macro');
  const items = asList(node, receiver);
  const item = receiver.item ?? refuse(node, 'expected a list with elements');
  const slot: Slot = { value: false };
  const body = openBody({ ...item, steps: 1, run: () => slot.value });
  const steps = 1 + receiver.steps + receiver.max * (1 + body.steps);
  return { type: 'bool', max: 1, steps, run: quantifier(items, slot, asBool(node, body)) };
}

/** Whether any element (`exists`) decides, or all (`all`) do. Failures do not matter if one element decides. */
function search(
  items: readonly Scalar[],
  slot: Slot,
  body: Run<boolean>,
  facts: PolicyFacts,
  deciding: boolean,
): boolean {
  let failure: unknown;
  for (const item of items) {
    slot.value = item;
    try {
      if (body(facts) === deciding) return deciding;
    } catch (error) {
      failure ??= error;
    }
  }
  if (failure !== undefined) throw failure;
  return !deciding;
}

/** For `exists_one`, every failure matters, as CEL defines it. */
function count(items: readonly Scalar[], slot: Slot, body: Run<boolean>, facts: PolicyFacts): number {
  let found = 0;
  for (const item of items) {
    slot.value = item;
    if (body(facts)) found++;
  }
  return found;
}
