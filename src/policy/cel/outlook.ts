/**
 * What an expression can come to for a kind of number (listed, suspect, clear) whatever else is known of it: abstract
 * interpretation of the syntax tree over ranges and sets of names. It may take an outcome for possible that is not, so
 * what it says is impossible is sure: a condition without `yes` matches no number of that kind.
 */
import type { ASTNode } from '@marcbachmann/cel-js';
import type { PolicyFacts } from '../policy.ts';
import { children } from './parse.ts';

export type Kind = PolicyFacts['verdict'];

export interface Outlook {
  /** Of a condition: whether it can be true, and false. */
  readonly yes: boolean;
  readonly no: boolean;
  /** Whether it can ask for the days of a number that is not listed. Divisions by zero are left out: guards hide them. */
  readonly fails: boolean;
  /** Of a number; low > high if it has no value. */
  readonly low: number;
  readonly high: number;
  /** Of a text, or of the elements of a list; null: anything. */
  readonly among: ReadonlySet<string> | null;
}

/** The outlook of variables by name; those of the fields of neighbourhood have the dot in theirs. */
export type World = ReadonlyMap<string, Outlook>;

export const ANYTHING: Outlook = { yes: true, no: true, fails: false, low: -Infinity, high: Infinity, among: null };

export function outlook(node: ASTNode, world: World): Outlook {
  switch (node.op) {
    case 'value':
      return literal(node.args);
    case 'id':
      return world.get(node.args) ?? ANYTHING;
    case '.':
      return world.get(`neighbourhood.${node.args[1]}`) ?? ANYTHING;
    case '&&':
      return both(outlook(node.args[0], world), outlook(node.args[1], world));
    case '||':
      return opposite(both(opposite(outlook(node.args[0], world)), opposite(outlook(node.args[1], world))));
    case '!_':
      return opposite(outlook(node.args, world));
    case '-_':
      return negative(outlook(node.args, world));
    case '?:':
      return choice(outlook(node.args[0], world), outlook(node.args[1], world), outlook(node.args[2], world));
    case '==':
      return equal(outlook(node.args[0], world), outlook(node.args[1], world));
    case '!=':
      return opposite(equal(outlook(node.args[0], world), outlook(node.args[1], world)));
    case '<':
      return less(outlook(node.args[0], world), outlook(node.args[1], world));
    case '>':
      return less(outlook(node.args[1], world), outlook(node.args[0], world));
    case '<=':
      return opposite(less(outlook(node.args[1], world), outlook(node.args[0], world)));
    case '>=':
      return opposite(less(outlook(node.args[0], world), outlook(node.args[1], world)));
    case 'in':
      return among(outlook(node.args[0], world), outlook(node.args[1], world));
    case 'list':
      return merged(node.args.map((element) => outlook(element, world)));
    case 'call':
      return call(node, ...node.args, world);
    case 'rcall':
      return method(node, ...node.args, world);
    default:
      return unknown(node, world);
  }
}

export function text(...values: readonly string[]): Outlook {
  return { ...ANYTHING, among: new Set(values) };
}

export function range(low: number, high: number): Outlook {
  return { ...ANYTHING, low, high };
}

/** Of the days of a number that is not listed. */
export const NO_VALUE: Outlook = { ...ANYTHING, yes: false, no: false, fails: true, low: Infinity, high: -Infinity };

/** A list with no elements: nothing is among it. */
export const EMPTY_LIST: Outlook = merged([]);

function literal(value: unknown): Outlook {
  if (typeof value === 'string') return text(value);
  if (typeof value === 'boolean') return { ...ANYTHING, yes: value, no: !value };
  const number = Number(value);
  return range(number, number);
}

/** Only whether it fails is known. */
function unknown(node: ASTNode, world: World): Outlook {
  return { ...ANYTHING, fails: children(node).some((child) => outlook(child, world).fails) };
}

function condition(yes: boolean, no: boolean, ...operands: readonly Outlook[]): Outlook {
  return { ...ANYTHING, yes, no, fails: operands.some(({ fails }) => fails) };
}

/** A failure on one side counts only where the other side does not decide. */
function both(left: Outlook, right: Outlook): Outlook {
  const fails = (left.fails && (right.yes || right.fails)) || (right.fails && (left.yes || left.fails));
  return { ...ANYTHING, yes: left.yes && right.yes, no: left.no || right.no, fails };
}

function opposite(operand: Outlook): Outlook {
  return { ...operand, yes: operand.no, no: operand.yes };
}

function negative(operand: Outlook): Outlook {
  return { ...operand, low: -operand.high, high: -operand.low };
}

function choice(test: Outlook, whenYes: Outlook, whenNo: Outlook): Outlook {
  const taken = merged([...(test.yes ? [whenYes] : []), ...(test.no ? [whenNo] : [])]);
  return { ...taken, fails: test.fails || taken.fails };
}

function equal(left: Outlook, right: Outlook): Outlook {
  const isSame = isOne(left) && isOne(right) && meet(left, right);
  return condition(meet(left, right), !isSame && hasValue(left) && hasValue(right), left, right);
}

function less(left: Outlook, right: Outlook): Outlook {
  const hasValues = hasValue(left) && hasValue(right);
  return condition(hasValues && left.low < right.high, hasValues && left.high >= right.low, left, right);
}

function among(value: Outlook, list: Outlook): Outlook {
  return condition(meet(value, list), true, value, list);
}

/** Any of them; nothing at all if there are none, which is also the outlook of an empty list's elements. */
function merged(outlooks: readonly Outlook[]): Outlook {
  return {
    yes: outlooks.some(({ yes }) => yes),
    no: outlooks.some(({ no }) => no),
    fails: outlooks.some(({ fails }) => fails),
    low: Math.min(...outlooks.map(({ low }) => low)),
    high: Math.max(...outlooks.map(({ high }) => high)),
    among: union(outlooks),
  };
}

function union(outlooks: readonly Outlook[]): ReadonlySet<string> | null {
  const names = new Set<string>();
  for (const { among: some } of outlooks) {
    if (some === null) return null;
    for (const name of some) names.add(name);
  }
  return names;
}

function call(node: ASTNode, name: string, args: readonly ASTNode[], world: World): Outlook {
  const [operand] = args;
  return name === 'size' && operand !== undefined ? size(outlook(operand, world)) : unknown(node, world);
}

function size(operand: Outlook): Outlook {
  return { ...range(0, isEmptyList(operand) ? 0 : Infinity), fails: operand.fails };
}

function method(node: ASTNode, name: string, receiver: ASTNode, args: readonly ASTNode[], world: World): Outlook {
  const [variable, body] = args;
  if (name === 'size') return size(outlook(receiver, world));
  if (variable?.op !== 'id' || body === undefined) return unknown(node, world);
  const items = outlook(receiver, world);
  if (isEmptyList(items)) return condition(name === 'all', name !== 'all', items);
  const one = outlook(body, new Map(world).set(variable.args, { ...items, fails: false }));
  // `all` is true of the empty list, and the others false.
  return condition(name === 'all' || one.yes, name !== 'all' || one.no, items, one);
}

function isEmptyList({ among: some }: Outlook): boolean {
  return some !== null && some.size === 0;
}

function meet(left: Outlook, right: Outlook): boolean {
  if (left.low > right.high || right.low > left.high) return false;
  const [a, b] = [left.among, right.among];
  return a === null || b === null || [...a].some((name) => b.has(name));
}

function hasValue({ low, high }: Outlook): boolean {
  return low <= high;
}

/** Exactly one value is possible. */
function isOne({ low, high, among: some }: Outlook): boolean {
  return some === null ? low === high : some.size === 1;
}
