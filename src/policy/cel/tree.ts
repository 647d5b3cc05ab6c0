/**
 * The checked tree of a condition. It is stored beside its source and sent to replicas, so that evaluating a policy
 * needs no parser. It is JSON; the version of a policy's trees says which of these nodes there can be.
 *
 *   true, false                         a bool
 *   5                                   an int, 0 to 2^53 - 1
 *   "PH"                                a string
 *   ["real", 0.5]                       a double
 *   ["var", "level"]                    a variable, `neighbourhood.score` too, or that of a macro around it
 *   ["list", a, b, ...]                 a list of these elements
 *   ["!", a]  ["neg", a]  ["size", a]  ["double", a]
 *   ["&&", a, b]                        likewise || == != < <= > >= + - * / % in startsWith endsWith contains
 *   ["?:", condition, a, b]
 *   ["exists", list, "x", condition]    likewise all, exists_one: x stands for each element in the condition
 *
 * This file knows shapes. evaluate.ts checks types, variables and what a condition can cost, with the same code when a
 * tree is stored and when it is read.
 */
import { MAX_DEPTH, MAX_EXPRESSION_CHARS, MAX_INTEGER, MAX_LIST_ELEMENTS, MAX_NODES } from './limits.ts';

/**
 * Raised when a node is added or changes its meaning. A reader that knows another version has the source compiled anew.
 */
export const TREE_VERSION = 1;

const UNARY = ['!', 'neg', 'size', 'double'] as const;
const BINARY = [
  ...(['&&', '||', '==', '!=', '<', '<=', '>', '>=', '+', '-', '*', '/', '%', 'in'] as const),
  ...(['startsWith', 'endsWith', 'contains'] as const),
] as const;
const MACROS = ['exists', 'all', 'exists_one'] as const;

export type Unary = (typeof UNARY)[number];
export type Binary = (typeof BINARY)[number];
export type Macro = (typeof MACROS)[number];

export type ListTree = readonly ['list', ...Tree[]];
export type UnaryTree = readonly [Unary, Tree];
export type BinaryTree = readonly [Binary, Tree, Tree];
export type TernaryTree = readonly ['?:', Tree, Tree, Tree];
export type MacroTree = readonly [Macro, list: Tree, variable: string, condition: Tree];
export type Tree =
  | boolean
  | number
  | string
  | readonly ['real', number]
  | readonly ['var', string]
  | ListTree
  | UnaryTree
  | BinaryTree
  | TernaryTree
  | MacroTree;

/** The conditions of a policy's rules, in their order. */
export interface PolicyTree {
  readonly version: typeof TREE_VERSION;
  readonly conditions: readonly Tree[];
}

/** A tree that this version cannot evaluate. The message repeats nothing of it. */
export class TreeError extends Error {
  override readonly name = 'TreeError';
  /** "expected …" */
  readonly detail: string;
  /** The node at fault; null: none, or none that is known. */
  readonly node: Tree | null;
  /** Id of the rule, where that is known. */
  readonly rule: string | null;

  constructor(detail: string, { node = null, rule = null }: { node?: Tree | null; rule?: string | null } = {}) {
    super(`policy tree${rule === null ? '' : `, rule ${rule}`}: ${detail}`);
    this.detail = detail;
    this.node = node;
    this.rule = rule;
  }
}

/** @throws TreeError unless it is a tree of this version for so many rules */
export function readPolicyTree(json: unknown, rules: number): PolicyTree {
  if (!isObject(json) || json.version !== TREE_VERSION) throw new TreeError(`expected version ${TREE_VERSION}`);
  const { version: _, conditions, ...others } = json;
  if (Object.keys(others).length > 0) throw new TreeError('expected nothing but version and conditions');
  if (!Array.isArray(conditions) || conditions.length !== rules) {
    throw new TreeError(`expected one condition for each of ${rules} rules`);
  }
  return { version: TREE_VERSION, conditions: conditions.map(readTree) };
}

/** @throws TreeError unless it is a tree of known nodes, within the bounds of one condition */
function readTree(json: unknown): Tree {
  return read(json, 1, { nodes: MAX_NODES, chars: MAX_EXPRESSION_CHARS });
}

/** The nodes right below this one. */
export function children(tree: Tree): readonly Tree[] {
  if (typeof tree !== 'object') return [];
  switch (tree[0]) {
    case 'real':
    case 'var':
      return [];
    case 'exists':
    case 'all':
    case 'exists_one':
      return [tree[1], tree[3]];
    case 'list':
      return tree.slice(1);
    default: {
      const [, ...operands] = tree;
      return operands;
    }
  }
}

/** Whether a variable of this name is anywhere in the condition; the variable of a macro may have the same name. */
export function mentions(tree: Tree, variable: string): boolean {
  if (typeof tree === 'object' && tree[0] === 'var') return tree[1] === variable;
  return children(tree).some((child) => mentions(child, variable));
}

/** How much more one condition may have. */
interface Rest {
  nodes: number;
  chars: number;
}

/** Names of macro variables. */
const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

function read(json: unknown, depth: number, rest: Rest): Tree {
  rest.nodes -= 1;
  if (rest.nodes < 0) throw new TreeError(`expected at most ${MAX_NODES} nodes`);
  if (depth > MAX_DEPTH) throw new TreeError(`expected at most ${MAX_DEPTH} levels of nesting`);
  if (typeof json === 'boolean') return json;
  if (typeof json === 'string') return readText(json, rest);
  if (typeof json === 'number') return readInteger(json);
  if (!Array.isArray(json)) throw new TreeError('expected true, false, a number, text or a list for each node');
  const [operator, ...operands]: readonly unknown[] = json;
  const [first, second, third] = operands;
  const below = (operand: unknown) => read(operand, depth + 1, rest);
  if (operator === 'list') {
    if (operands.length > MAX_LIST_ELEMENTS) throw new TreeError(`expected at most ${MAX_LIST_ELEMENTS} elements`);
    return ['list', ...operands.map(below)];
  }
  switch (operands.length) {
    case 1:
      if (operator === 'var') return ['var', readText(first, rest)];
      if (operator === 'real') return ['real', readReal(first)];
      if (isOneOf(UNARY, operator)) return [operator, below(first)];
      break;
    case 2:
      if (isOneOf(BINARY, operator)) return [operator, below(first), below(second)];
      break;
    case 3:
      if (operator === '?:') return [operator, below(first), below(second), below(third)];
      if (isOneOf(MACROS, operator)) return [operator, below(first), readName(second, rest), below(third)];
      break;
  }
  throw new TreeError('expected an operator that is known, with as many operands as it takes');
}

function readText(json: unknown, rest: Rest): string {
  if (typeof json !== 'string') throw new TreeError('expected text');
  rest.chars -= json.length;
  if (rest.chars < 0) throw new TreeError(`expected at most ${MAX_EXPRESSION_CHARS} characters`);
  return json;
}

function readName(json: unknown, rest: Rest): string {
  const name = readText(json, rest);
  if (!NAME.test(name)) throw new TreeError('expected a plain name as the variable of a macro');
  return name;
}

function readInteger(json: number): number {
  if (!Number.isInteger(json) || json < 0 || json > MAX_INTEGER || Object.is(json, -0)) {
    throw new TreeError('expected an integer from 0, below 2^53');
  }
  return json;
}

function readReal(json: unknown): number {
  if (typeof json !== 'number' || !Number.isFinite(json) || json < 0 || Object.is(json, -0)) {
    throw new TreeError('expected a number that is not negative');
  }
  return json;
}

function isOneOf<T extends string>(all: readonly T[], value: unknown): value is T {
  return (all as readonly unknown[]).includes(value);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
