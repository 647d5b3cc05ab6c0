import { describe, expect, it } from 'vitest';
import type { Attributes } from '../../../src/format/attributes.ts';
import type { PhoneNumber } from '../../../src/phone/phone-number.ts';
import type { EvidenceLine, Finding } from '../../../src/policy/answer.ts';
import { compilePolicy } from '../../../src/policy/cel/compile.ts';
import { decide } from '../../../src/policy/decide.ts';
import { LabelLevels } from '../../../src/policy/labels.ts';
import { Overrides } from '../../../src/policy/overrides.ts';

const SUBJECT: PhoneNumber = { number: 12_025_550_123, country: 'US', lineType: 'mobile' };
const NOW = Date.UTC(2025, 5, 1);
const DAY = NOW / 86_400_000;

const policy = compilePolicy({
  rules: [
    { id: 'burned-here', when: '"acme" in projects', action: 'block', mode: 'enforce' },
    { id: 'burned-elsewhere', when: 'size(projects) > 0', action: 'flag', mode: 'enforce' },
    { id: 'known', when: 'level >= 5', action: 'challenge', mode: 'enforce' },
  ],
  default: 'allow',
});

function line(project: string | null): EvidenceLine {
  const attributes: Attributes = {
    label: 'modem_pool_card',
    channel: 'api_receiver',
    industry: null,
    project,
    link: null,
    source: null,
  };
  return { ...attributes, firstSeenAt: NOW / 1000, lastSeenAt: NOW / 1000, sightings: 1 };
}

function decided(projects: readonly (string | null)[] | 'unread' | 'unlisted') {
  const finding: Finding = {
    generation: 1,
    ageSeconds: 0,
    record:
      projects === 'unlisted'
        ? null
        : {
            labels: ['modem_pool_card'],
            channels: ['api_receiver'],
            industries: [],
            firstDay: DAY,
            lastDay: DAY,
            sightings: 1,
          },
    hundred: 0,
    thousand: 0,
    score: 0,
    ...(typeof projects === 'string' ? {} : { evidence: projects.map(line) }),
  };
  const context = { policy, overrides: Overrides.none, levels: new LabelLevels(), now: NOW, scenario: null };
  const { action, rule, failed, evidence } = decide(SUBJECT, finding, { ...context, evidence: false });
  return { action, rule, failed, evidence };
}

describe('a rule that names projects', () => {
  it('tells a number that served this project from one that served others', () => {
    expect(decided(['acme', 'bolt'])).toMatchObject({ action: 'block', rule: 'burned-here' });
    expect(decided(['bolt', 'bolt', null])).toMatchObject({ action: 'flag', rule: 'burned-elsewhere' });
    expect(decided([null])).toMatchObject({ action: 'challenge', rule: 'known' });
  });

  it('finds none at a number that is not listed', () => {
    expect(decided('unlisted')).toEqual({ action: 'allow', rule: 'default', failed: undefined, evidence: undefined });
  });

  it('is skipped, and reported, where the evidence could not be read', () => {
    expect(decided('unread')).toEqual({
      action: 'challenge',
      rule: 'known',
      failed: ['burned-here', 'burned-elsewhere'],
      evidence: undefined,
    });
  });
});

describe('a compiled policy', () => {
  it.each([
    ['level >= 5', false],
    ['"projects" == scenario', false],
    ['labels.exists(l, l in projects)', true],
    ['level >= 5 && !("acme" in projects)', true],
  ])('knows whether it takes evidence: %s', (when, expected) => {
    const rules = [
      { id: 'a', when: 'true', action: 'flag' as const, mode: 'shadow' as const },
      { id: 'b', when, action: 'flag' as const, mode: 'shadow' as const },
    ];
    expect(compilePolicy({ rules, default: 'allow' }).readsProjects).toBe(expected);
  });
});
