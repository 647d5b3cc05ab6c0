/** The ready policies of docs/POLICY.md: each block compiles, warns of nothing, and decides as its prose says. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { compilePolicy } from '../../../../src/policy/cel/compile.ts';
import { VARIABLE_NAMES } from '../../../../src/policy/cel/expression.ts';
import {
  MAX_DEPTH,
  MAX_EXPRESSION_CHARS,
  MAX_LIST_ELEMENTS,
  MAX_NODES,
  MAX_POLICY_STEPS,
  MAX_RULE_STEPS,
  MAX_RULES,
} from '../../../../src/policy/cel/limits.ts';
import { policyWarnings } from '../../../../src/policy/cel/warnings.ts';
import { DEFAULT_POLICY_SOURCE } from '../../../../src/policy/default-policy.ts';
import { type Action, applyPolicy, type PolicyFacts, type PolicySource } from '../../../../src/policy/policy.ts';
import { CLEAR } from '../facts.ts';

const DOC = readFileSync(resolve(import.meta.dirname, '../../../../docs/POLICY.md'), 'utf8');
/** A heading, and the block that follows it. */
const BLOCK = /^#+ ([^\n]+)\n\n```json\n(.*?)```$/gms;

const blocks = new Map([...DOC.matchAll(BLOCK)].map(([, heading = '', json = '']) => [heading, source(json)]));

function source(json: string): PolicySource {
  return JSON.parse(json);
}

const POOL: PolicyFacts = {
  ...CLEAR,
  verdict: 'listed',
  level: 9,
  labels: ['modem_pool_card'],
  channels: ['otp_marketplace'],
  industries: ['social_media'],
  daysSinceSeen: 3,
  daysListed: 40,
  sightings: 12,
};
const RECEIVER: PolicyFacts = { ...POOL, level: 7, labels: ['public_sms_receiver'], daysSinceSeen: 20 };
const SUSPECT: PolicyFacts = { ...CLEAR, verdict: 'suspect', neighbourhood: { hundred: 4, thousand: 20, score: 0.61 } };
const FACTS = {
  pool: POOL,
  oldPool: { ...POOL, daysSinceSeen: 300, daysListed: 500 },
  ancientPool: { ...POOL, daysSinceSeen: 700, daysListed: 900 },
  receiver: RECEIVER,
  shopReceiver: { ...RECEIVER, industries: ['ecommerce', 'finance'], daysSinceSeen: 500, daysListed: 600 },
  oldAbuse: { ...POOL, level: 5, labels: ['reported_abuse'], daysSinceSeen: 400, daysListed: 400 },
  dense: { ...SUSPECT, neighbourhood: { hundred: 30, thousand: 60, score: 0.91 } },
  suspect: SUSPECT,
  voip: { ...CLEAR, lineType: 'voip' },
  clear: CLEAR,
} as const satisfies Readonly<Record<string, PolicyFacts>>;

type Expected = Readonly<Record<keyof typeof FACTS, Action>>;

const [A, F, C, B] = ['allow', 'flag', 'challenge', 'block'] as const;
/** Actions in the order of FACTS. */
const EXPECTED: Readonly<Record<string, Expected>> = {
  'registration / strict': row(B, B, C, B, C, C, C, C, C, A),
  'registration / balanced': row(B, C, A, C, A, A, C, F, F, A),
  'login / strict': row(B, A, A, C, A, A, C, F, A, A),
  'login / balanced': row(C, A, A, F, A, A, F, A, A, A),
  'coupon / strict': row(B, B, C, B, C, C, C, C, C, A),
  'coupon / balanced': row(B, C, A, C, C, A, C, F, F, A),
  'withdrawal / strict': row(B, B, B, B, C, C, C, C, C, A),
  'withdrawal / balanced': row(B, B, C, C, C, A, C, F, F, A),
};

function row(...actions: readonly Action[]): Expected {
  const names = Object.keys(FACTS);
  return Object.fromEntries(names.map((name, index) => [name, actions[index]])) as Expected;
}

function decisionsOf(policy: PolicySource): Record<string, Action> {
  const compiled = compilePolicy(policy);
  return Object.fromEntries(Object.entries(FACTS).map(([name, facts]) => [name, applyPolicy(compiled, facts).action]));
}

describe('docs/POLICY.md', () => {
  it('has the default and, for four scenarios, strict, balanced and observe', () => {
    const names = ['registration', 'login', 'coupon', 'withdrawal'];
    const library = names.flatMap((name) => ['strict', 'balanced', 'observe'].map((kind) => `${name} / ${kind}`));
    expect([...blocks.keys()]).toEqual(['The default', ...library]);
    expect(blocks.get('The default')).toEqual(DEFAULT_POLICY_SOURCE);
    expect(DOC.split('```json')).toHaveLength(blocks.size + 1);
  });

  it('makes the file that its first commands send', () => {
    const [, json = ''] = /cat > policy\.json <<'END'\n(.*?)\nEND\n/s.exec(DOC) ?? [];
    expect(policyWarnings(compilePolicy(source(json)))).toEqual([]);
    expect(DOC.indexOf('cat > policy.json')).toBeLessThan(DOC.indexOf('-d @policy.json'));
  });

  it.each([...blocks])('compiles, warns of nothing and fails on no number: %s', (_, policy) => {
    const compiled = compilePolicy(policy);
    expect(policyWarnings(compiled)).toEqual([]);
    for (const facts of Object.values(FACTS)) expect(applyPolicy(compiled, facts)).not.toHaveProperty('failed');
  });

  it.each(Object.entries(EXPECTED))('decides: %s', (name, expected) => {
    const policy = blocks.get(name);
    expect(policy && decisionsOf(policy)).toEqual(expected);
  });

  it.each(['registration', 'login', 'coupon', 'withdrawal'])('observes without deciding: %s', (name) => {
    const [balanced, observe] = [blocks.get(`${name} / balanced`), blocks.get(`${name} / observe`)];
    if (balanced === undefined || observe === undefined) throw new Error('expected both blocks');
    expect(observe).toEqual({ ...balanced, rules: balanced.rules.map((rule) => ({ ...rule, mode: 'shadow' })) });
    const [enforced, shadowed] = [compilePolicy(balanced), compilePolicy(observe)];
    for (const facts of Object.values(FACTS)) {
      const [would, does] = [applyPolicy(enforced, facts), applyPolicy(shadowed, facts)];
      expect(does).toMatchObject({ action: 'allow', rule: 'default' });
      expect(does.shadow?.[0] ?? 'default').toBe(would.rule);
    }
  });

  it('names every variable and every bound', () => {
    for (const name of VARIABLE_NAMES) expect(DOC).toMatch(new RegExp(`^\\| \`${name}(\\.\\w+)?\` \\|`, 'm'));
    const bounds = { MAX_RULES, MAX_EXPRESSION_CHARS, MAX_NODES, MAX_DEPTH, MAX_LIST_ELEMENTS };
    for (const bound of Object.values(bounds)) expect(DOC).toContain(`| ${bound.toLocaleString('en')} |`);
    const steps = [MAX_RULE_STEPS, MAX_POLICY_STEPS].map((bound) => bound.toLocaleString('en'));
    expect(DOC).toContain(`| ${steps.join(' and ')} |`);
  });
});
