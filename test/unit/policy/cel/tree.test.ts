/** Checked trees as they are stored: read back they decide as the source does, and what is damaged is refused. */
import { EvaluationError } from '@marcbachmann/cel-js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compilePolicy } from '../../../../src/policy/cel/compile.ts';
import { PolicyError } from '../../../../src/policy/cel/error.ts';
import { openPolicy } from '../../../../src/policy/cel/evaluate.ts';
import { MAX_DEPTH, MAX_EXPRESSION_CHARS, MAX_LIST_ELEMENTS, MAX_NODES } from '../../../../src/policy/cel/limits.ts';
import { ENVIRONMENT } from '../../../../src/policy/cel/parse.ts';
import { children, type Tree, TreeError } from '../../../../src/policy/cel/tree.ts';
import { DEFAULT_POLICY, DEFAULT_POLICY_SOURCE } from '../../../../src/policy/default-policy.ts';
import { type Policy, type PolicyFacts, type PolicySource, RuleFailure } from '../../../../src/policy/policy.ts';
import { celFacts, condition, facts } from './generate.ts';

const SEED = 20_261_127;
/** Bounds are the only reason to refuse what the generator makes, or what is printed of a tree that is accepted. */
const BOUND = /2\^53|steps|levels of nesting|characters|operators, names and values/;

type Outcome = boolean | 'fails';

function policyOf(when: string): PolicySource {
  return { rules: [{ id: 'r', when, action: 'flag', mode: 'enforce' }], default: 'allow' };
}

/** null: it is beyond a bound. */
function compiled(when: string): Policy | null {
  try {
    return compilePolicy(policyOf(when));
  } catch (error) {
    if (error instanceof PolicyError && BOUND.test(error.detail)) return null;
    throw error;
  }
}

function outcomeOf({ rules: [rule] }: Policy, given: PolicyFacts): Outcome {
  try {
    return rule?.matches(given) ?? 'fails';
  } catch (error) {
    if (error instanceof RuleFailure) return 'fails';
    throw error;
  }
}

function referenceOf(when: string, given: PolicyFacts): Outcome {
  try {
    return ENVIRONMENT.parse(when)(celFacts(given));
  } catch (error) {
    if (error instanceof EvaluationError) return 'fails';
    throw error;
  }
}

const cases = fc.array(facts, { minLength: 3, maxLength: 3 });

describe('a tree', () => {
  it('that was stored decides as cel-js evaluates its source, for generated conditions', () => {
    let opened = 0;
    const property = fc.property(condition, cases, (when, given) => {
      const policy = compiled(when);
      if (policy === null) return;
      opened++;
      const stored: unknown = JSON.parse(JSON.stringify(policy.tree));
      expect(stored).toEqual(policy.tree);
      const again = openPolicy(policy.source, stored);
      expect(again.tree).toEqual(policy.tree);
      expect(again.readsProjects).toBe(policy.readsProjects);
      for (const one of given) {
        const outcome = outcomeOf(again, one);
        expect(outcome).toBe(referenceOf(when, one));
        expect(outcome).toBe(outcomeOf(policy, one));
      }
    });
    fc.assert(property, { seed: SEED, numRuns: 2_000 });
    expect(opened).toBeGreaterThan(1_900);
  });

  it('has the form that documents and replicas of version 1 rely on', () => {
    const when =
      '!(level + 1 >= 5) && neighbourhood.score > 0.5 || -daysListed % 2 != -1 && country in ["PH", scenario] ? ' +
      'labels.exists(l, l.startsWith("sim") || size(l) == 3) : [].size() < 1 && double(level) / 2.0 <= 1.0';
    expect(compilePolicy(policyOf(when)).tree).toEqual({
      version: 1,
      conditions: [
        [
          '?:',
          [
            '||',
            ['&&', ['!', ['>=', ['+', ['var', 'level'], 1], 5]], ['>', ['var', 'neighbourhood.score'], ['real', 0.5]]],
            [
              '&&',
              ['!=', ['%', ['neg', ['var', 'daysListed']], 2], ['neg', 1]],
              ['in', ['var', 'country'], ['list', 'PH', ['var', 'scenario']]],
            ],
          ],
          [
            'exists',
            ['var', 'labels'],
            'l',
            ['||', ['startsWith', ['var', 'l'], 'sim'], ['==', ['size', ['var', 'l']], 3]],
          ],
          ['&&', ['<', ['size', ['list']], 1], ['<=', ['/', ['double', ['var', 'level']], ['real', 2]], ['real', 1]]],
        ],
      ],
    });
  });

  it('of the built-in policy is what its source compiles to', () => {
    expect(DEFAULT_POLICY.tree).toEqual(compilePolicy(DEFAULT_POLICY_SOURCE).tree);
    expect(DEFAULT_POLICY.source).toBe(DEFAULT_POLICY_SOURCE);
  });
});

describe('a tree is refused', () => {
  const nested = (depth: number): unknown => (depth === 1 ? true : ['!', nested(depth - 1)]);
  const chain = (terms: number): unknown => (terms === 1 ? true : ['||', chain(terms - 1), true]);
  const isIn = (elements: number) => ['in', 1, ['list', ...Array(elements).fill(1)]];
  const open = (...conditions: unknown[]) => openPolicy(policyOf('true'), { version: 1, conditions });

  it.each([
    ['nothing', undefined],
    ['null', null],
    ['text', 'true'],
    ['a list', [1, [true]]],
    ['no version', { conditions: [true] }],
    ['a version before', { version: 0, conditions: [true] }],
    ['a later version', { version: 2, conditions: [true] }],
    ['a version that is text', { version: '1', conditions: [true] }],
    ['no conditions', { version: 1 }],
    ['too few conditions', { version: 1, conditions: [] }],
    ['too many conditions', { version: 1, conditions: [true, true] }],
    ['a member that nobody knows', { version: 1, conditions: [true], unless: [true] }],
  ])('as a whole: %s', (_, tree) => {
    expect(() => openPolicy(policyOf('true'), tree)).toThrow(TreeError);
  });

  it.each([
    ['no condition', 5],
    ['no condition', 'text'],
    ['no condition', ['var', 'level']],
    ['null', null],
    ['an object', { op: 'true' }],
    ['an empty list', []],
    ['an unknown operator', ['xor', true, true]],
    ['an operator that is no text', [1, true, true]],
    ['too few operands', ['&&', true]],
    ['too many operands', ['!', true, true]],
    ['a negative integer', ['==', -1, 1]],
    ['minus 0', ['==', -0, 0]],
    ['a fraction as an integer', ['==', 1.5, 1]],
    ['an integer of 2^53', ['==', 2 ** 53, 1]],
    ['a double that is text', ['==', ['real', '1'], ['real', 1]]],
    ['a negative double', ['==', ['real', -1], ['real', 1]]],
    ['an unknown variable', ['==', ['var', 'levl'], 1]],
    ['a variable of objects', ['==', ['var', 'toString'], 1]],
    ['a variable without a name', ['var', true]],
    ['a variable that is no variable', ['==', ['var', 'neighbourhood'], 1]],
    ['the variable of a macro outside it', ['&&', ['exists', ['list', true], 'x', ['var', 'x']], ['var', 'x']]],
    ['a macro with a variable that has a dot', ['exists', ['list', true], 'neighbourhood.score', true]],
    ['a macro with a variable that is a node', ['exists', ['list', true], ['var', 'x'], true]],
    ['a macro over text', ['exists', 'text', 'x', true]],
    ['a macro over the empty list', ['exists', ['list'], 'x', true]],
    ['a macro whose condition is none', ['exists', ['list', 1], 'x', ['var', 'x']]],
    ['bool and int', ['&&', true, 1]],
    ['int and double', ['==', 1, ['real', 1]]],
    ['int and text', ['<', 1, '2']],
    ['lists that are compared', ['==', ['var', 'labels'], ['var', 'labels']]],
    ['a list of lists', ['exists', ['list', ['list', 1]], 'x', true]],
    ['a list of two types', ['in', 1, ['list', 1, 'a']]],
    ['text in a list of int', ['in', 'a', ['list', 1]]],
    ['two types of an answer', ['?:', true, true, 1]],
    ['the size of a number', ['==', ['size', 1], 1]],
    ['integers that can leave 2^53', ['>', ['*', ['var', 'sightings'], ['var', 'sightings']], 1]],
    ['too deep', nested(MAX_DEPTH + 1)],
    ['far too deep', nested(1_000)],
    ['too many terms', chain(MAX_DEPTH + 1)],
    ['too long a list', isIn(MAX_LIST_ELEMENTS + 1)],
    ['too many nodes', ['||', isIn(MAX_LIST_ELEMENTS), isIn(MAX_NODES - MAX_LIST_ELEMENTS - 6)]],
    ['too much text', ['==', 'a'.repeat(MAX_EXPRESSION_CHARS), 'b']],
    ['too many steps', ['all', ['var', 'labels'], 'a', ['all', ['var', 'channels'], 'b', chain(21)]]],
  ])('%s', (_, tree) => {
    expect(() => open(tree)).toThrow(TreeError);
  });

  it('but not at its bounds', () => {
    const all = (body: unknown) => ['all', ['var', 'labels'], 'a', ['all', ['var', 'channels'], 'b', body]];
    for (const tree of [
      nested(MAX_DEPTH),
      chain(MAX_DEPTH),
      isIn(MAX_LIST_ELEMENTS),
      ['||', isIn(MAX_LIST_ELEMENTS), isIn(MAX_NODES - MAX_LIST_ELEMENTS - 7)],
      ['==', 'a'.repeat(MAX_EXPRESSION_CHARS - 1), 'b'],
      all(chain(20)),
    ]) {
      expect(() => open(tree)).not.toThrow();
    }
    const rules = ['a', 'b', 'c', 'd', 'e', 'f'].map((id) => ({ ...rule(), id }));
    const conditions = rules.map(() => all(chain(20)));
    const of = (count: number) =>
      openPolicy(
        { rules: rules.slice(0, count), default: 'allow' },
        { version: 1, conditions: conditions.slice(0, count) },
      );
    expect(() => of(5)).not.toThrow();
    expect(() => of(6)).toThrow(/^policy tree, rule f: expected all rules up to it to take at most/);
  });

  function rule() {
    return { when: 'true', action: 'flag', mode: 'enforce' } as const;
  }

  it('and none of it is repeated in the error', () => {
    for (const tree of [['12025550123', true], ['==', '12025550123', 1], { '12025550123': 1 }]) {
      expect(() => open(tree)).not.toThrow(/12025550123/);
      expect(() => open(tree)).toThrow(TreeError);
    }
  });
});

/** A place in a tree, by indexes from its root. */
type Path = readonly number[];

function pathsOf(json: unknown, path: Path = []): readonly Path[] {
  return [path, ...(Array.isArray(json) ? json.flatMap((part, index) => pathsOf(part, [...path, index])) : [])];
}

function at(json: unknown, path: Path): unknown {
  return path.reduce((part, index) => (part as readonly unknown[])[index], json);
}

/** A copy with what is there replaced by `parts`: none, one, or several. */
function spliced(json: unknown, [first, ...rest]: Path, parts: readonly unknown[]): unknown {
  if (first === undefined) return parts[0];
  const list = [...(json as readonly unknown[])];
  if (rest.length > 0) list[first] = spliced(list[first], rest, parts);
  else list.splice(first, 1, ...parts);
  return list;
}

const OPERATORS = ['&&', '||', '!', 'neg', '==', '<', '+', '/', '%', 'in', '?:', 'list', 'size', 'double', 'contains'];
const FRAGMENTS: readonly unknown[] = [
  ...OPERATORS,
  ...['var', 'real', 'exists', 'all', 'level', 'labels', 'x', 'neighbourhood.score', '', 'in'],
  ...[null, {}, [], true, false, 0, 1, -1, 0.5, 2 ** 53, [['var', 'level']], ['var', 'level'], ['real', 0.5]],
];

/** Each of a group can stand where another does, mostly. */
const ALIKE: readonly (readonly unknown[])[] = [
  ['&&', '||', '==', '!='],
  ['<', '<=', '>', '>=', '==', '!='],
  ['+', '-', '*', '/', '%'],
  ['startsWith', 'endsWith', 'contains', '=='],
  ['exists', 'all', 'exists_one'],
  ['level', 'sightings', 'daysSinceSeen', 'daysListed', 'neighbourhood.hundred'],
  ['labels', 'channels', 'industries', 'projects'],
  ['country', 'scenario', 'verdict', 'lineType', 'PH', 'login', ''],
  [0, 1, 2, 37, 100],
  [true, false],
];

/** Another of its group, or itself. */
function alike(part: unknown, other: number): unknown {
  const group = ALIKE.find((all) => all.includes(part)) ?? [part];
  return group[other % group.length];
}

/** What becomes of a tree in several hands: parts lost, doubled, exchanged, and replaced by others. */
function damage(tree: unknown, picks: readonly number[]): unknown {
  const [kind = 0, from = 0, to = 0, other = 0] = picks;
  const paths = pathsOf(tree);
  const [path = [], second = []] = [paths[from % paths.length], paths[to % paths.length]];
  const part = at(tree, path);
  switch (kind % 10) {
    case 0:
      return spliced(tree, path, [FRAGMENTS[other % FRAGMENTS.length]]);
    case 1:
      return spliced(tree, path, [at(tree, second)]);
    case 2:
      return spliced(tree, path, []);
    case 3:
      return spliced(tree, path, [part, part]);
    case 4:
      return spliced(tree, path, Array.isArray(part) ? part : [[part]]);
    default:
      return Array.isArray(part) ? tree : spliced(tree, path, [alike(part, other)]);
  }
}

/** The source of a tree. */
function printed(tree: Tree): string {
  if (typeof tree !== 'object') return typeof tree === 'string' ? JSON.stringify(tree) : String(tree);
  switch (tree[0]) {
    case 'real':
      return Number.isInteger(tree[1]) ? `${tree[1]}.0` : String(tree[1]);
    case 'var':
      return tree[1];
    case 'list':
      return `[${tree.slice(1).map(printed).join(', ')}]`;
    case '!':
      return `!(${printed(tree[1])})`;
    case 'neg':
      return `-(${printed(tree[1])})`;
    case 'size':
    case 'double':
      return `${tree[0]}(${printed(tree[1])})`;
    case '?:':
      return `(${printed(tree[1])} ? ${printed(tree[2])} : ${printed(tree[3])})`;
    case 'startsWith':
    case 'endsWith':
    case 'contains':
      return `(${printed(tree[1])}).${tree[0]}(${printed(tree[2])})`;
    case 'exists':
    case 'all':
    case 'exists_one':
      return `(${printed(tree[1])}).${tree[0]}(${tree[2]}, ${printed(tree[3])})`;
    default:
      return `(${printed(tree[1])} ${tree[0]} ${printed(tree[2])})`;
  }
}

/** In a tree the variable of a macro is a name like any other; in a source these two are words of the language. */
function hasReservedName(tree: Tree): boolean {
  const [first, , third] = typeof tree === 'object' ? tree : [];
  const isMacro = first === 'exists' || first === 'all' || first === 'exists_one';
  return (isMacro && (third === 'in' || third === 'var')) || children(tree).some(hasReservedName);
}

describe('a damaged tree', () => {
  it('is refused, or is one that a source compiles to, and decides as that source does', () => {
    let refused = 0;
    let accepted = 0;
    const picks = fc.array(fc.nat(), { minLength: 4, maxLength: 4 });
    const property = fc.property(
      condition,
      fc.array(picks, { minLength: 1, maxLength: 3 }),
      cases,
      (when, all, given) => {
        const policy = compiled(when);
        if (policy === null) return;
        const [whole] = policy.tree.conditions;
        const damaged = all.reduce<unknown>(damage, whole);
        let opened: Policy;
        try {
          opened = openPolicy(policy.source, { version: 1, conditions: [damaged] });
        } catch (error) {
          if (!(error instanceof TreeError)) throw error;
          refused++;
          return;
        }
        // Nothing of it was passed over.
        expect(opened.tree.conditions).toEqual([damaged]);
        const [tree = false] = opened.tree.conditions;
        const source = printed(tree);
        const meant = hasReservedName(tree) ? null : compiled(source);
        if (meant === null) return;
        accepted++;
        expect(meant.tree).toEqual(opened.tree);
        for (const one of given) expect(outcomeOf(opened, one)).toBe(referenceOf(source, one));
      },
    );
    fc.assert(property, { seed: SEED, numRuns: 6_000 });
    expect(refused).toBeGreaterThan(1_000);
    expect(accepted).toBeGreaterThan(1_000);
  });
});
