/**
 * Parsing: text becomes a tree (tree.ts). cel-js parses and type-checks it; of its syntax tree only what the language
 * of rules has is taken, and anything else is refused with its position. Error messages never repeat the text.
 */
import { type ASTNode, Environment, ParseError, TypeError as TypeMismatch } from '@marcbachmann/cel-js';
import { Refusal } from './error.ts';
import { NEIGHBOURHOOD, quoted, unknownVariable, VARIABLES, variableOf } from './expression.ts';
import { MAX_DEPTH, MAX_EXPRESSION_CHARS, MAX_INTEGER, MAX_LIST_ELEMENTS, MAX_NODES } from './limits.ts';
import type { Tree } from './tree.ts';

/** Names for the symbols among cel-js's tokens. */
const TOKENS: Readonly<Record<string, string>> = {
  RPAREN: ')',
  RBRACKET: ']',
  RBRACE: '}',
  COLON: ':',
  IDENTIFIER: 'a name',
};

/**
 * What was expected, by the code of cel-js's error; null: its own summary names only types, and is passed on as it is.
 */
const EXPECTED: Readonly<Record<string, string | null>> = {
  unexpected_character: 'expected an operator, a value, or the end of the expression',
  unexpected_token: 'expected a value',
  reserved_identifier: 'expected a name that CEL does not reserve',
  invalid_macro_argument: 'expected a plain name as the variable of a macro',
  no_such_key: 'expected neighbourhood.hundred, neighbourhood.thousand or neighbourhood.score',
  no_such_overload: null,
  heterogeneous_list_element: null,
  invalid_condition_type: null,
  invalid_logical_operand: null,
  incompatible_ternary_branches: null,
  unterminated_string: 'expected a closing quote',
  unterminated_triple_quoted_string: 'expected three closing quotes',
  newline_in_string: 'expected a closing quote before the end of the line',
};

/** Each of our bounds by the name that cel-js's messages give it. */
const LIMITS = { maxAstNodes: MAX_NODES, maxDepth: MAX_DEPTH, maxListElements: MAX_LIST_ELEMENTS };
const LIMIT_NAMES: Readonly<Record<string, string>> = {
  maxAstNodes: `at most ${MAX_NODES} operators, names and values`,
  maxDepth: `at most ${MAX_DEPTH} levels of nesting`,
  maxListElements: `at most ${MAX_LIST_ELEMENTS} elements of a list`,
};

/** The variables of a rule as cel-js knows them. The differential test evaluates with it. */
export const ENVIRONMENT: Environment = declareVariables(new Environment({ limits: LIMITS }));

export interface ParsedCondition {
  readonly tree: Tree;
  /** The position of a node in the text; 0 for a node that is not in it. */
  offsetOf(node: Tree): number;
}

/** @throws Refusal unless the text is a condition over the variables */
export function parseCondition(text: string): ParsedCondition {
  if (text.length > MAX_EXPRESSION_CHARS) {
    throw new Refusal(MAX_EXPRESSION_CHARS, `expected at most ${MAX_EXPRESSION_CHARS} characters`);
  }
  const parsed = refusing(() => ENVIRONMENT.parse(text));
  refuseDeep(parsed.ast);
  const { valid, type, error } = parsed.check();
  if (!valid) throw asRefusal(error);
  if (type !== 'bool') throw new Refusal(0, `expected a condition, which is true or false; found ${type}`);
  const offsets = new Map<Tree, number>();
  const tree = treeOf(parsed.ast, new Set(), offsets);
  return { tree, offsetOf: (node) => offsets.get(node) ?? 0 };
}

/** The variables of the macros around a node. */
type Scope = ReadonlySet<string>;

/** @param offsets takes the position of each node; for a literal, of the last one with its value */
function treeOf(node: ASTNode, scope: Scope, offsets: Map<Tree, number>): Tree {
  const tree = translate(node, scope, (operand, inner = scope) => treeOf(operand, inner, offsets));
  offsets.set(tree, node.pos);
  return tree;
}

function translate(node: ASTNode, scope: Scope, below: (operand: ASTNode, inner?: Scope) => Tree): Tree {
  switch (node.op) {
    case 'value':
      return literal(node, node.args);
    case 'id':
      return variable(node, node.args, scope);
    case '.':
      return field(node, ...node.args, scope);
    case '!_':
      return ['!', below(node.args)];
    case '-_':
      return ['neg', below(node.args)];
    case '?:':
      return ['?:', below(node.args[0]), below(node.args[1]), below(node.args[2])];
    case '&&':
    case '||':
    case '==':
    case '!=':
    case '<':
    case '<=':
    case '>':
    case '>=':
    case '+':
    case '-':
    case '*':
    case '/':
    case '%':
    case 'in':
      return [node.op, below(node.args[0]), below(node.args[1])];
    case 'list':
      return ['list', ...node.args.map((element) => below(element))];
    case 'call':
      return functionCall(
        node,
        node.args[0],
        node.args[1].map((argument) => below(argument)),
      );
    case 'rcall':
      return methodCall(node, ...node.args, scope, below);
    default:
      return refuse(node, 'expected no maps and no [index]; lists have size(), in, exists() and all()');
  }
}

function literal(node: ASTNode, value: unknown): Tree {
  switch (typeof value) {
    case 'bigint':
      if (value > MAX_INTEGER) refuse(node, 'expected an integer below 2^53');
      return Number(value);
    case 'number':
      return ['real', value];
    case 'string':
    case 'boolean':
      return value;
    default:
      return refuse(node, 'expected a number, text, true or false');
  }
}

function variable(node: ASTNode, name: string, scope: Scope): Tree {
  return scope.has(name) || variableOf(name) !== undefined ? ['var', name] : refuse(node, unknownVariable(name));
}

function field(node: ASTNode, of: ASTNode, name: string, scope: Scope): Tree {
  const isNeighbourhood = of.op === 'id' && of.args === 'neighbourhood' && !scope.has(of.args);
  if (isNeighbourhood && Object.hasOwn(NEIGHBOURHOOD, name)) return ['var', `neighbourhood.${name}`];
  return refuse(node, 'expected neighbourhood.hundred, neighbourhood.thousand or neighbourhood.score');
}

function functionCall(node: ASTNode, name: string, args: readonly Tree[]): Tree {
  const [operand] = args;
  if (operand === undefined || args.length > 1) return refuse(node, `expected one argument of ${quoted(name)}()`);
  if (name === 'size' || name === 'double') return [name, operand];
  return refuse(node, `expected one of the functions size() and double(); found ${quoted(name)}()`);
}

/** `receiver.name(args)`, macros included. */
function methodCall(
  node: ASTNode,
  name: string,
  receiverNode: ASTNode,
  args: readonly ASTNode[],
  scope: Scope,
  below: (operand: ASTNode, inner?: Scope) => Tree,
): Tree {
  if (name === 'matches') {
    refuse(node, 'expected startsWith(), endsWith(), contains() or in; a regular expression can run for ever');
  }
  const receiver = below(receiverNode);
  const [first, second] = args;
  switch (name) {
    case 'size':
      if (first === undefined) return [name, receiver];
      break;
    case 'startsWith':
    case 'endsWith':
    case 'contains':
      if (first !== undefined) return [name, receiver, below(first)];
      break;
    case 'exists':
    case 'all':
    case 'exists_one':
      if (first?.op !== 'id' || second === undefined) break;
      return [name, receiver, first.args, below(second, new Set(scope).add(first.args))];
  }
  const methods = 'size(), startsWith(), endsWith(), contains(), exists(), all() and exists_one()';
  return refuse(node, `expected one of the methods ${methods}; found ${quoted(name)}()`);
}

function refuse(node: ASTNode, detail: string): never {
  throw new Refusal(node.pos, detail);
}

function children(node: ASTNode): readonly ASTNode[] {
  return nodesIn(node.args);
}

function nodesIn(args: unknown): ASTNode[] {
  if (Array.isArray(args)) return args.flatMap(nodesIn);
  return isNode(args) ? [args] : [];
}

function isNode(value: unknown): value is ASTNode {
  return typeof value === 'object' && value !== null && 'op' in value && 'args' in value;
}

/**
 * cel-js bounds the depth of brackets, but chains of operators are deep as well. This goes level by level and never
 * recurses.
 */
function refuseDeep(root: ASTNode): void {
  let level: readonly ASTNode[] = [root];
  for (let depth = 1; depth <= MAX_DEPTH; depth++) level = level.flatMap(children);
  const [tooDeep] = level;
  if (tooDeep !== undefined) throw new Refusal(tooDeep.pos, `expected ${LIMIT_NAMES.maxDepth}`);
}

function refusing<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw asRefusal(error);
  }
}

function asRefusal(error: unknown): unknown {
  if (!(error instanceof ParseError || error instanceof TypeMismatch)) return error;
  return new Refusal(error.range?.start ?? 0, detailOf(error.code, error.summary));
}

function detailOf(code: string, summary: string): string {
  const found = summary.slice(summary.lastIndexOf(':') + 1).trim();
  if (code === 'expected_token') return expectedToken(summary);
  if (code === 'limit_exceeded') return `expected ${limitIn(summary)}`;
  if (code === 'unknown_variable') return unknownVariable(found);
  if (code === 'no_matching_overload') return `expected a function or method that exists; found ${callIn(summary)}`;
  if (code === 'no_such_overload' && summary.includes('null')) {
    return 'expected no comparison with null; whether there are days is asked with verdict == "listed"';
  }
  const expected = EXPECTED[code];
  return expected === null
    ? `expected types that go together; found: ${summary.replace(/^no such overload: /, '')}`
    : (expected ?? 'expected valid CEL');
}

/** `Expected RPAREN, got EOF` */
function expectedToken(summary: string): string {
  const token = /^Expected (\w+)/.exec(summary)?.[1] ?? '';
  return `expected ${TOKENS[token] ?? token}`;
}

/** `found no matching overload for 'foo(int)'`: a name and types */
function callIn(summary: string): string {
  return quoted(/'(.*)'/.exec(summary)?.[1] ?? 'another');
}

/** `Exceeded maxDepth (100)` */
function limitIn(summary: string): string {
  const name = /^Exceeded (\w+)/.exec(summary)?.[1] ?? '';
  return LIMIT_NAMES[name] ?? 'fewer arguments';
}

function declareVariables(environment: Environment): Environment {
  for (const [name, { type }] of Object.entries(VARIABLES)) {
    environment.registerVariable(name, type === 'list' ? 'list<string>' : type);
  }
  const schema = Object.fromEntries(Object.entries(NEIGHBOURHOOD).map(([name, { type }]) => [name, type]));
  return environment.registerVariable({ name: 'neighbourhood', schema });
}
