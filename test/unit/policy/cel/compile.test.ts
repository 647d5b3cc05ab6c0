import { describe, expect, it } from 'vitest';
import { compilePolicy } from '../../../../src/policy/cel/compile.ts';
import { PolicyError } from '../../../../src/policy/cel/error.ts';
import { expressionOf, openPolicy } from '../../../../src/policy/cel/evaluate.ts';
import { MAX_RULES } from '../../../../src/policy/cel/limits.ts';
import { parseCondition } from '../../../../src/policy/cel/parse.ts';
import type { RuleSource } from '../../../../src/policy/policy.ts';

function rule(changes: Partial<RuleSource> = {}): RuleSource {
  return { id: 'r', when: 'true', action: 'block', mode: 'enforce', ...changes };
}

function refusal(...rules: readonly RuleSource[]): PolicyError {
  try {
    compilePolicy({ rules, default: 'allow' });
  } catch (error) {
    if (error instanceof PolicyError) return error;
    throw error;
  }
  throw new Error('expected the policy to be refused');
}

describe('an expression that does not compile', () => {
  it.each([
    // Offset, and what the detail says.
    ['', 0, 'expected a value'],
    ['level >', 7, 'expected a value'],
    ['(level == 1', 11, 'expected )'],
    ['level = 3', 6, 'expected an operator, a value, or the end'],
    ['level == 1 && "abc', 14, 'expected a closing quote'],
    ['level == 1 && levl > 2', 14, 'expected one of the variables verdict, level,'],
    ['level == 1 && levl > 2', 14, 'neighbourhood; found levl'],
    ['true && level == "x"', 8, 'int == string'],
    ['true && level == 1.0', 8, 'int == double'],
    ['level', 0, 'expected a condition, which is true or false; found int'],
    ['neighbourhood.ten > 1', 14, 'expected neighbourhood.hundred'],
    ['daysSinceSeen == null', 0, 'verdict == "listed"'],
    ['true && scenario.matches("(a+)+b")', 8, 'a regular expression can run for ever'],
    ['scenario.shout() == "A"', 0, 'found string.shout()'],
    ['true && labels[0] == "x"', 8, 'no [index]'],
    ['{"a": 1} == {"a": 1}', 0, 'no maps'],
    ['labels == channels', 0, 'lists have size()'],
    ['has(neighbourhood.score)', 0, 'size() and double(); found has()'],
    ['dyn(level) == 1', 0, 'found dyn()'],
    ['labels.map(l, l).exists(l, true)', 0, 'found map()'],
    ['labels.filter(l, true).exists(l, true)', 0, 'found filter()'],
    ['labels.exists("l", true)', 14, 'expected a plain name'],
    ['[[1]].exists(x, true)', 0, 'expected a list of single values'],
    ['[1, "a"].exists(x, true)', 4, "expected type 'int' but found 'string'"],
    ['scenario + "x" == "x"', 0, 'expected int or double; found string'],
    ['country < "M"', 0, 'expected int or double; found string'],
    ['level == 9007199254740992', 9, 'expected an integer below 2^53'],
    ['true && sightings * sightings > 1', 8, 'expected integers that stay below 2^53'],
    ['sightings + 9007199254740991 > 1', 0, 'expected integers that stay below 2^53'],
  ])('%s', (when, offset, detail) => {
    const error = refusal(rule({ when }));
    expect(error.detail).toContain(detail);
    expect(error.detail).toMatch(/^expected /);
    expect(error).toMatchObject({ rule: 'r', position: { offset, line: 1, column: offset + 1 } });
  });

  it('is pointed at by line and column', () => {
    const error = refusal(rule({ id: 'two-lines', when: 'level == 1 &&\n  levl > 2' }));
    expect(error.position).toEqual({ offset: 16, line: 2, column: 3 });
    expect(error.message).toMatch(/^two-lines, line 2, column 3: expected one of the variables/);
  });

  it('is not repeated: literals never, an identifier up to 64 characters', () => {
    const secret = '12025550123';
    for (const when of [`level == "${secret}"`, `"${secret}`, `level ${secret}`, `scenario.matches("${secret}")`]) {
      expect(refusal(rule({ when })).message).not.toContain(secret);
    }
    expect(refusal(rule({ when: `${'x'.repeat(500)} == 1` })).message).not.toContain('x'.repeat(65));
    expect(refusal(rule({ when: `${'x'.repeat(500)}()` })).message).not.toContain('x'.repeat(65));
  });
});

describe('bounds of an expression', () => {
  const pad = (chars: number) => `true${' '.repeat(chars - 'true'.length)}`;
  const nest = (depth: number) => `${'('.repeat(depth)}true${')'.repeat(depth)}`;
  const chain = (terms: number) => Array(terms).fill('true').join('||');
  const list = (elements: number) => `1 in[${Array(elements).fill(1).join(',')}]`;
  const not = (times: number) => `${'!'.repeat(times)}true`;

  it.each([
    ['characters', pad(2_000), pad(2_001), 2_000, 'expected at most 2000 characters'],
    ['brackets', nest(99), nest(100), 100, 'expected at most 100 levels of nesting'],
    ['operators in a chain', chain(100), chain(101), 0, 'expected at most 100 levels of nesting'],
    ['unary operators', not(99), not(100), 100, 'expected at most 100 levels of nesting'],
    ['elements of a list', list(500), list(501), 1_005, 'expected at most 500 elements of a list'],
    ['nodes', `${list(499)}||${list(294)}`, `${list(499)}||${list(295)}`, 0, 'expected at most 800 operators'],
    ['unary operators, and nodes', not(99), not(1_990), 1_190, 'expected at most 800 operators'],
    ['integers', 'level < 9007199254740991', 'level < 9007199254740992', 8, 'expected an integer below 2^53'],
    ['sums', 'level + 9007199254740982 > 0', 'level + 9007199254740983 > 0', 0, 'stay below 2^53'],
    ['products', '8191 * sightings > 0', '8192 * sightings > 0', 0, 'stay below 2^53'],
    [
      'steps',
      `labels.all(a, channels.all(b, ${chain(20)}))`,
      `labels.all(a, channels.all(b, ${chain(21)}))`,
      0,
      'expected the expression to take at most 4000 steps',
    ],
  ])('%s', (_, within, beyond, offset, detail) => {
    expect(() => compilePolicy({ rules: [rule({ when: within })], default: 'allow' })).not.toThrow();
    const error = refusal(rule({ when: beyond }));
    expect(error.detail).toContain(detail);
    expect(error.position?.offset).toBe(offset);
  });

  it('count the steps of a text by its length, and of a search by that of both', () => {
    const literal = (chars: number) => `"${'a'.repeat(chars)}"`;
    const refused = [`${literal(1_400)}.contains("b")`, 'labels.exists(l, l.contains("a") || l.contains("b"))'];
    for (const when of refused) expect(refusal(rule({ when })).detail).toContain('at most 4000 steps');
    const usual = 'labels.exists(l, l.contains("modem") || l.startsWith("public_") || l in ["a", "b", "c"])';
    expect(() => compilePolicy({ rules: [rule({ when: usual })], default: 'allow' })).not.toThrow();
  });

  it('let a rule that reads projects take twice the steps, and a policy with one', () => {
    const search = (list: string, times: number) => {
      return `${list}.exists(p, ${Array(times).fill('p.contains("a")').join(' || ')})`;
    };
    // As long as the names of projects counted with 64 characters, this was within the bounds. It is stored as such.
    const costly = (id: string) => rule({ id, when: search('projects', 1) });
    const rules = ['a', 'b', 'c', 'd', 'e', 'f'].map(costly);
    const { tree, source } = compilePolicy({ rules, default: 'allow' });
    expect(openPolicy(source, tree).rules).toHaveLength(6);
    expect(refusal(...rules, costly('g'))).toMatchObject({ rule: 'g', position: null });
    expect(refusal(rule({ when: search('projects', 2) })).detail).toContain('at most 8000 steps');
    expect(refusal(rule({ when: search('labels', 2) })).detail).toContain('at most 4000 steps');
  });
});

const stepsOf = (when: string) => expressionOf(parseCondition(when).tree).steps;

describe('the steps of an expression', () => {
  it.each([
    ['true', 1],
    ['level > 3', 3],
    ['!(level > 3) && level != 5', 8],
    ['level + 1 > 3', 5],
    ['1 in [level, 2]', 6],
    ['"a" in labels', 1 + 1 + 16],
    ['scenario in labels', 1 + 1 + 16 * (1 + 4)],
    ['scenario == country', 1 + 1 + 1 + 4],
    ['labels.exists(l, l == "x")', 1 + 1 + 16 * (1 + 3)],
    ['labels.all(a, channels.exists_one(b, a == b))', 1 + 1 + 16 * (1 + 1 + 1 + 6 * (1 + 7))],
    ['scenario.startsWith("ab")', 1 + 1 + 1 + 1],
    ['scenario.contains("ab")', 1 + 1 + 1 + 1 + 64 * 3],
    ['size(scenario) > 0', 1 + 1 + (1 + 1 + 64)],
    ['projects.exists(p, p.contains("ab"))', 1 + 1 + 16 * (1 + 1 + 1 + 1 + 1 + 128 * 3)],
    ['projects.exists(p, size(p) > 100)', 1 + 1 + 16 * (1 + 1 + 1 + (1 + 1 + 128))],
    ['projects.exists(p, p in projects)', 1 + 1 + 16 * (1 + 1 + 1 + 16 * (1 + 8))],
    ['scenario in projects', 1 + 1 + 16 * (1 + 4)],
    ['level > 3 ? true : labels.exists(l, true)', 1 + 3 + (1 + 1 + 16 * 2)],
  ])('%s', (when, steps) => {
    expect(stepsOf(when)).toBe(steps);
  });
});

describe('a list of constants', () => {
  it('is a set: its length costs nothing', () => {
    const list = (elements: number) => `country in [${Array(elements).fill('"PH"').join(',')}]`;
    expect(stepsOf(list(200))).toBe(stepsOf(list(1)));
    expect(stepsOf('-1 in [-1, -2, -3]')).toBe(stepsOf('-1 in [-1]'));
    expect(stepsOf('level in [level, 1, 2]')).toBeGreaterThan(stepsOf('level in [level, 1]'));
  });
});

describe('bounds of a policy', () => {
  it('are a number of rules', () => {
    const rules = Array.from({ length: MAX_RULES + 1 }, (_, index) => rule({ id: `r${index}` }));
    expect(compilePolicy({ rules: rules.slice(1), default: 'allow' }).rules).toHaveLength(MAX_RULES);
    expect(refusal(...rules)).toMatchObject({ rule: 'rules', position: null, detail: 'expected at most 100 rules' });
  });

  it('are the steps of all rules together; the rule that is too much is named', () => {
    const costly = (id: string) =>
      rule({ id, when: `labels.all(a, channels.all(b, ${Array(20).fill('true').join('||')}))` });
    const ids = ['a', 'b', 'c', 'd', 'e', 'f'];
    expect(refusal(...ids.map(costly))).toMatchObject({ rule: 'f', position: null });
    expect(() => compilePolicy({ rules: ids.slice(1).map(costly), default: 'allow' })).not.toThrow();
  });
});

describe('the id of a rule', () => {
  it.each(['', 'A', '-a', 'a b', 'é', 'a'.repeat(65)])('is refused and not repeated: %j', (id) => {
    const error = refusal(rule({ id: 'fine' }), rule({ id }));
    expect(error).toMatchObject({ rule: 'rules[1]', position: null });
    expect(error.detail).toMatch(/^expected an id of a-z/);
  });

  it.each(['default', 'override', 'override-block'])('is reserved: %s', (id) => {
    expect(refusal(rule({ id }))).toMatchObject({ rule: id, position: null });
  });

  it('is taken once', () => {
    const error = refusal(rule({ id: 'twice' }), rule({ id: 'other' }), rule({ id: 'twice' }));
    expect(error).toMatchObject({ rule: 'twice', position: null, message: expect.stringMatching(/^twice: expected/) });
  });

  it.each(['a', '0', 'a_b.c-d', 'defaults', 'a'.repeat(64)])('may be %s', (id) => {
    expect(compilePolicy({ rules: [rule({ id })], default: 'allow' }).rules[0]?.id).toBe(id);
  });
});
