/** Functions, methods and macros. What is not here is refused: each more is one more to keep in bounds. */
import type { PolicyFacts } from '../policy.ts';
import { asBool, asList, asNumber, asText, type Expression, type Run, refuse, type Scalar } from './expression.ts';
import { CHARS_PER_STEP, MAX_LIST_ELEMENTS, STEPS_PER_PLACE } from './limits.ts';
import type { BinaryTree, MacroTree, Tree } from './tree.ts';

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
 * The variable of a macro. One slot per macro of the compiled rule is enough: evaluation does not wait in between, and
 * a macro is never inside itself.
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

/** Whether any element (`exists`), or no element but such (`all`), decides. Failures do not matter if one does. */
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

/** Here every failure matters, as CEL has it for `exists_one`. */
function count(items: readonly Scalar[], slot: Slot, body: Run<boolean>, facts: PolicyFacts): number {
  let found = 0;
  for (const item of items) {
    slot.value = item;
    if (body(facts)) found++;
  }
  return found;
}
