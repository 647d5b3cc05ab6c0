/**
 * Abstract values: what an expression can come to for one kind of number (listed, suspect, clear), whatever else is
 * known of it. This is abstract interpretation of the tree, over ranges and sets of names. It may take an outcome for
 * possible that is not, so what it says is impossible is certain: a condition without `yes` matches no number of that
 * kind.
 */
import type { PolicyFacts } from '../policy.ts';
import { children, type MacroTree, type Tree } from './tree.ts';

export type Kind = PolicyFacts['verdict'];

export interface AbstractValue {
  /** Of a condition: whether it can be true, and false. */
  readonly yes: boolean;
  readonly no: boolean;
  /**
   * Whether it can ask for the days of a number that is not listed. Divisions by zero are ignored: rules guard against
   * them.
   */
  readonly fails: boolean;
  /** Of a number; low > high if it has no value. */
  readonly low: number;
  readonly high: number;
  /** Of a text, or of the elements of a list; null: anything. */
  readonly among: ReadonlySet<string> | null;
}

/** What variables can be, by name. Fields of neighbourhood have the dot in their names. */
export type Environment = ReadonlyMap<string, AbstractValue>;

export const ANYTHING: AbstractValue = {
  yes: true,
  no: true,
  fails: false,
  low: -Infinity,
  high: Infinity,
  among: null,
};

export function interpret(tree: Tree, environment: Environment): AbstractValue {
  if (typeof tree === 'string') return text(tree);
  if (typeof tree === 'number') return range(tree, tree);
  if (typeof tree === 'boolean') return { ...ANYTHING, yes: tree, no: !tree };
  const below = (operand: Tree) => interpret(operand, environment);
  switch (tree[0]) {
    case 'real':
      return range(tree[1], tree[1]);
    case 'var':
      return environment.get(tree[1]) ?? ANYTHING;
    case 'list':
      return merged(tree.slice(1).map(below));
    case '!':
      return opposite(below(tree[1]));
    case 'neg':
      return negative(below(tree[1]));
    case 'size':
      return size(below(tree[1]));
    case '&&':
      return both(below(tree[1]), below(tree[2]));
    case '||':
      return opposite(both(opposite(below(tree[1])), opposite(below(tree[2]))));
    case '==':
      return equal(below(tree[1]), below(tree[2]));
    case '!=':
      return opposite(equal(below(tree[1]), below(tree[2])));
    case '<':
      return less(below(tree[1]), below(tree[2]));
    case '>':
      return less(below(tree[2]), below(tree[1]));
    case '<=':
      return opposite(less(below(tree[2]), below(tree[1])));
    case '>=':
      return opposite(less(below(tree[1]), below(tree[2])));
    case 'in':
      return among(below(tree[1]), below(tree[2]));
    case '?:':
      return choice(below(tree[1]), below(tree[2]), below(tree[3]));
    case 'exists':
    case 'all':
    case 'exists_one':
      return quantified(tree, environment);
    default:
      return unknown(tree, environment);
  }
}

export function text(...values: readonly string[]): AbstractValue {
  return { ...ANYTHING, among: new Set(values) };
}

export function range(low: number, high: number): AbstractValue {
  return { ...ANYTHING, low, high };
}

/** The days of a number that is not listed. */
export const NO_VALUE: AbstractValue = {
  ...ANYTHING,
  yes: false,
  no: false,
  fails: true,
  low: Infinity,
  high: -Infinity,
};

/** A list without elements: no text is in it. */
export const EMPTY_LIST: AbstractValue = merged([]);

/** Only whether the expression fails is known. */
function unknown(tree: Tree, environment: Environment): AbstractValue {
  return { ...ANYTHING, fails: children(tree).some((child) => interpret(child, environment).fails) };
}

function condition(yes: boolean, no: boolean, ...operands: readonly AbstractValue[]): AbstractValue {
  return { ...ANYTHING, yes, no, fails: operands.some(({ fails }) => fails) };
}

/** A failure on one side counts only where the other side does not decide. */
function both(left: AbstractValue, right: AbstractValue): AbstractValue {
  const fails = (left.fails && (right.yes || right.fails)) || (right.fails && (left.yes || left.fails));
  return { ...ANYTHING, yes: left.yes && right.yes, no: left.no || right.no, fails };
}

function opposite(operand: AbstractValue): AbstractValue {
  return { ...operand, yes: operand.no, no: operand.yes };
}

function negative(operand: AbstractValue): AbstractValue {
  return { ...operand, low: -operand.high, high: -operand.low };
}

function choice(test: AbstractValue, whenYes: AbstractValue, whenNo: AbstractValue): AbstractValue {
  const taken = merged([...(test.yes ? [whenYes] : []), ...(test.no ? [whenNo] : [])]);
  return { ...taken, fails: test.fails || taken.fails };
}

function equal(left: AbstractValue, right: AbstractValue): AbstractValue {
  const isSame = isOne(left) && isOne(right) && meet(left, right);
  return condition(meet(left, right), !isSame && hasValue(left) && hasValue(right), left, right);
}

function less(left: AbstractValue, right: AbstractValue): AbstractValue {
  const hasValues = hasValue(left) && hasValue(right);
  return condition(hasValues && left.low < right.high, hasValues && left.high >= right.low, left, right);
}

function among(value: AbstractValue, list: AbstractValue): AbstractValue {
  return condition(meet(value, list), true, value, list);
}

/** Any of these values; none if there are none, as for the elements of an empty list. */
function merged(values: readonly AbstractValue[]): AbstractValue {
  return {
    yes: values.some(({ yes }) => yes),
    no: values.some(({ no }) => no),
    fails: values.some(({ fails }) => fails),
    low: Math.min(...values.map(({ low }) => low)),
    high: Math.max(...values.map(({ high }) => high)),
    among: union(values),
  };
}

function union(values: readonly AbstractValue[]): ReadonlySet<string> | null {
  const names = new Set<string>();
  for (const { among: some } of values) {
    if (some === null) return null;
    for (const name of some) names.add(name);
  }
  return names;
}

function size(operand: AbstractValue): AbstractValue {
  return { ...range(0, isEmptyList(operand) ? 0 : Infinity), fails: operand.fails };
}

function quantified([macro, list, variable, body]: MacroTree, environment: Environment): AbstractValue {
  const items = interpret(list, environment);
  const isAll = macro === 'all';
  if (isEmptyList(items)) return condition(isAll, !isAll, items);
  const one = interpret(body, new Map(environment).set(variable, { ...items, fails: false }));
  // `all` is true of the empty list, and the others false.
  return condition(isAll || one.yes, !isAll || one.no, items, one);
}

function isEmptyList({ among: some }: AbstractValue): boolean {
  return some !== null && some.size === 0;
}

function meet(left: AbstractValue, right: AbstractValue): boolean {
  if (left.low > right.high || right.low > left.high) return false;
  const [a, b] = [left.among, right.among];
  return a === null || b === null || [...a].some((name) => b.has(name));
}

function hasValue({ low, high }: AbstractValue): boolean {
  return low <= high;
}

/** Exactly one value is possible. */
function isOne({ low, high, among: some }: AbstractValue): boolean {
  return some === null ? low === high : some.size === 1;
}
