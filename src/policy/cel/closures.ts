/**
 * From cel-js's syntax tree to closures over the facts: ten usual rules take a seventh of what cel-js takes to evaluate
 * them, lists and failures far less (docs/decisions/0013-cel.md), and closures need no eval, which Workers forbid. The
 * language is what is compiled here; all else is refused at its place.
 */
import type { ASTNode } from '@marcbachmann/cel-js';
import { callFunction, callMethod } from './calls.ts';
import { quoted } from './error.ts';
import { constant, type Expression, refuse, type Scope } from './expression.ts';
import { MAX_INTEGER } from './limits.ts';
import { arithmetic, equality, list, logical, membership, negate, not, order, ternary } from './operators.ts';
import { NEIGHBOURHOOD, VARIABLE_NAMES, VARIABLES } from './variables.ts';

export function compileExpression(node: ASTNode, scope: Scope = new Map()): Expression {
  const compile = (operand: ASTNode) => compileExpression(operand, scope);
  switch (node.op) {
    case 'value':
      return literal(node, node.args);
    case 'id':
      return scope.get(node.args) ?? variable(node, node.args);
    case '.':
      return field(node, ...node.args, scope);
    case '&&':
      return logical(node, false, compile(node.args[0]), compile(node.args[1]));
    case '||':
      return logical(node, true, compile(node.args[0]), compile(node.args[1]));
    case '!_':
      return not(node, compile(node.args));
    case '-_':
      return negate(node, compile(node.args));
    case '?:':
      return ternary(node, compile(node.args[0]), compile(node.args[1]), compile(node.args[2]));
    case '==':
    case '!=':
      return equality(node, node.op === '==', compile(node.args[0]), compile(node.args[1]));
    case '<':
    case '<=':
    case '>':
    case '>=':
      return order(node, compile(node.args[0]), compile(node.args[1]));
    case '+':
    case '-':
    case '*':
    case '/':
    case '%':
      return arithmetic(node, compile(node.args[0]), compile(node.args[1]));
    case 'in':
      return membership(node, compile(node.args[0]), compile(node.args[1]));
    case 'list':
      return list(node, node.args.map(compile));
    case 'call':
      return callFunction(node, node.args[0], node.args[1].map(compile));
    case 'rcall':
      return callMethod(node, ...node.args, scope, compileExpression);
    default:
      return refuse(node, 'expected no maps and no [index]; lists have size(), in, exists() and all()');
  }
}

function literal(node: ASTNode, value: unknown): Expression {
  switch (typeof value) {
    case 'bigint':
      if (value > MAX_INTEGER) refuse(node, 'expected an integer below 2^53');
      return constant('int', Number(value));
    case 'number':
      return constant('double', value);
    case 'string':
      return constant('string', value);
    case 'boolean':
      return constant('bool', value);
    default:
      return refuse(node, 'expected a number, text, true or false');
  }
}

function variable(node: ASTNode, name: string): Expression {
  if (isKey(VARIABLES, name)) return VARIABLES[name];
  return refuse(node, `expected one of the variables ${VARIABLE_NAMES.join(', ')}; found ${quoted(name)}`);
}

function field(node: ASTNode, of: ASTNode, name: string, scope: Scope): Expression {
  const isNeighbourhood = of.op === 'id' && of.args === 'neighbourhood' && !scope.has(of.args);
  if (isNeighbourhood && isKey(NEIGHBOURHOOD, name)) return NEIGHBOURHOOD[name];
  return refuse(node, 'expected neighbourhood.hundred, neighbourhood.thousand or neighbourhood.score');
}

function isKey<T extends object>(object: T, key: string): key is keyof T & string {
  return Object.hasOwn(object, key);
}
