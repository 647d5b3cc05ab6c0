import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { interpret } from '../../../../src/policy/cel/abstract-value.ts';
import { compilePolicy } from '../../../../src/policy/cel/compile.ts';
import { PolicyError } from '../../../../src/policy/cel/error.ts';
import { parseCondition } from '../../../../src/policy/cel/parse.ts';
import { environmentOf, policyWarnings } from '../../../../src/policy/cel/warnings.ts';
import { type PolicyFacts, type PolicySource, RuleFailure, type RuleSource } from '../../../../src/policy/policy.ts';
import { condition, facts } from './generate.ts';

const FAILS = 'fails for numbers that are not listed';
const NEVER = 'matches no number';
const ALWAYS = 'matches every number';

function rule(changes: Partial<RuleSource>): RuleSource {
  return { id: 'r', when: 'level > 3', action: 'flag', mode: 'enforce', ...changes };
}

function warnings(...rules: readonly RuleSource[]): readonly string[] {
  const source: PolicySource = { rules, default: 'allow' };
  return policyWarnings(compilePolicy(source)).map((warning) => `${warning.rule}: ${warning.detail.split(':')[0]}`);
}

describe('policyWarnings', () => {
  it.each([
    'daysSinceSeen < 30',
    'daysListed < 30 && scenario == "login"',
    'scenario == "login" && daysSinceSeen < 31',
    'verdict == "clear" || daysListed < 3',
    'country in ["PH"] ? daysSinceSeen < 3 : false',
    '["a"].exists(x, daysListed < 3)',
    'daysSinceSeen in [1, 2]',
  ])('tells that it fails for a number that is not listed: %s', (when) => {
    expect(warnings(rule({ when }))).toEqual([`r: ${FAILS}`]);
  });

  it.each([
    'verdict == "listed" && daysSinceSeen < 30',
    'daysSinceSeen < 30 && verdict == "listed"',
    'verdict != "listed" || daysSinceSeen < 30',
    'level >= 5 && daysSinceSeen < 30',
    'sightings > 0 && daysListed < 30',
    '"modem_pool_card" in labels && daysListed < 30',
    'labels.exists(l, l != "x" && daysListed < 30)',
    'size(labels) > 0 && daysListed < 30',
    'verdict == "suspect" ? true : (verdict == "clear" ? false : daysListed < 3)',
    'level > -1 && verdict != "clear"',
    'neighbourhood.hundred > 0 && 10 / neighbourhood.hundred > 2',
    '"any_label_of_the_operator" in labels',
    'scenario == "any-scenario-of-the-caller"',
    'country in ["ID", "uk"]',
    'channels.all(c, c == "no such channel")',
    'level * 2 > 30',
    '[1].exists(hundred, neighbourhood.hundred > 50)',
  ])('says nothing of %s', (when) => {
    expect(warnings(rule({ when }))).toEqual([]);
  });

  it.each([
    'false',
    'level > 9',
    '10 <= level',
    'verdict == "unknown"',
    'verdict == "suspect" && level > 3',
    'country == "ph"',
    'country in ["uk", "usa"]',
    'lineType == "VOIP"',
    '"otp" in channels',
    'industries.exists(i, i == "bank")',
    'neighbourhood.score > 1.0',
    'neighbourhood.hundred == 100',
    '!(level <= 9)',
    '-level > 0',
  ])('tells that it matches no number: %s', (when) => {
    expect(warnings(rule({ when }))).toEqual([`r: ${NEVER}`]);
  });

  it('tells of a rule that leaves nothing to the enforced rules after it', () => {
    const last = rule({ id: 'last' });
    const shadow = rule({ id: 's', mode: 'shadow', when: 'level >= 0' });
    for (const when of ['true', 'level >= 0', 'verdict in ["listed"] || verdict != "listed"']) {
      expect(warnings(rule({ when }))).toEqual([]);
      expect(warnings(rule({ when }), shadow)).toEqual([]);
    }
    expect(warnings(shadow, last)).toEqual([]);
    expect(warnings(rule({ when: 'level >= 0' }), shadow, last)).toEqual([`r: ${ALWAYS}`]);
    expect(warnings(last, rule({ when: 'daysListed < 3 || level > 9' }))).toEqual([`r: ${FAILS}`]);
  });
});

describe('an abstract value', () => {
  it('holds every outcome there is, of generated conditions', () => {
    let told = 0;
    const property = fc.property(condition, fc.array(facts, { minLength: 5, maxLength: 5 }), (when, cases) => {
      const outcome = outcomesOf(when);
      for (const given of cases) {
        const { yes, no, fails } = interpret(parseCondition(when).tree, environmentOf(given.verdict));
        if (!(yes && no)) told++;
        const found = outcome(given);
        if (found === true) expect(yes).toBe(true);
        if (found === false) expect(no).toBe(true);
        if (found === 'days') expect(fails).toBe(true);
      }
    });
    fc.assert(property, { seed: 20_261_122, numRuns: 3_000 });
    expect(told).toBeGreaterThan(1_000);
  });
});

/** undefined: it is not compiled, or divides by zero. */
function outcomesOf(when: string): (given: PolicyFacts) => boolean | 'days' | undefined {
  try {
    const [rule] = compilePolicy({
      rules: [{ id: 'r', when, action: 'flag', mode: 'enforce' }],
      default: 'allow',
    }).rules;
    return (given) => {
      try {
        return rule?.matches(given);
      } catch (error) {
        return error instanceof RuleFailure && error.message.startsWith('days') ? 'days' : undefined;
      }
    };
  } catch (error) {
    if (error instanceof PolicyError) return () => undefined;
    throw error;
  }
}
