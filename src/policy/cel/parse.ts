/** Text to a checked syntax tree, by cel-js; its errors in our words, which do not repeat the text. */
import { type ASTNode, Environment, ParseError, TypeError as TypeMismatch } from '@marcbachmann/cel-js';
import { quoted, Refusal } from './error.ts';
import { MAX_DEPTH, MAX_EXPRESSION_CHARS, MAX_LIST_ELEMENTS, MAX_NODES } from './limits.ts';
import { NEIGHBOURHOOD, VARIABLE_NAMES, VARIABLES } from './variables.ts';

/** Symbols of cel-js's token names, where those are not words. */
const TOKENS: Readonly<Record<string, string>> = {
  RPAREN: ')',
  RBRACKET: ']',
  RBRACE: '}',
  COLON: ':',
  IDENTIFIER: 'a name',
};

/** What was expected, by the code of cel-js's error; null: its summary names types alone, and is told as it is. */
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

/** Each bound of `limits` below by the name cel-js gives it in its message. */
const LIMITS = { maxAstNodes: MAX_NODES, maxDepth: MAX_DEPTH, maxListElements: MAX_LIST_ELEMENTS };
const LIMIT_NAMES: Readonly<Record<string, string>> = {
  maxAstNodes: `at most ${MAX_NODES} operators, names and values`,
  maxDepth: `at most ${MAX_DEPTH} levels of nesting`,
  maxListElements: `at most ${MAX_LIST_ELEMENTS} elements of a list`,
};

/** The variables of a rule as cel-js knows them; the differential test evaluates with it. */
export const ENVIRONMENT: Environment = declareVariables(new Environment({ limits: LIMITS }));

/** @throws Refusal unless the text is a condition over the variables */
export function parseCondition(text: string): ASTNode {
  if (text.length > MAX_EXPRESSION_CHARS) {
    throw new Refusal(MAX_EXPRESSION_CHARS, `expected at most ${MAX_EXPRESSION_CHARS} characters`);
  }
  const parsed = refusing(() => ENVIRONMENT.parse(text));
  refuseDeep(parsed.ast);
  const { valid, type, error } = parsed.check();
  if (!valid) throw asRefusal(error);
  if (type !== 'bool') throw new Refusal(0, `expected a condition, which is true or false; found ${type}`);
  return parsed.ast;
}

export function children(node: ASTNode): readonly ASTNode[] {
  return nodesIn(node.args);
}

/** Whether a variable of this name is anywhere in the condition; one of a macro may have the same. */
export function names(node: ASTNode, variable: string): boolean {
  return (node.op === 'id' && node.args === variable) || children(node).some((child) => names(child, variable));
}

function nodesIn(args: unknown): ASTNode[] {
  if (Array.isArray(args)) return args.flatMap(nodesIn);
  return isNode(args) ? [args] : [];
}

function isNode(value: unknown): value is ASTNode {
  return typeof value === 'object' && value !== null && 'op' in value && 'args' in value;
}

/** cel-js bounds the depth of brackets; chains of operators are deep as well. Level by level, so nothing recurses. */
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
  if (code === 'unknown_variable')
    return `expected one of the variables ${VARIABLE_NAMES.join(', ')}; found ${quoted(found)}`;
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
