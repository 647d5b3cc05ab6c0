import { describe, expect, it } from 'vitest';
import type { PhoneNumber } from '../../../src/phone/phone-number.ts';
import type { EvidenceLine, Finding, RecordFacts } from '../../../src/policy/answer.ts';
import { type DecideContext, decide, factsOf, STALE_AFTER_SECONDS, unknownAnswer } from '../../../src/policy/decide.ts';
import { DEFAULT_POLICY } from '../../../src/policy/default-policy.ts';
import { LabelLevels, parseLabelLevels } from '../../../src/policy/labels.ts';
import { Overrides } from '../../../src/policy/overrides.ts';
import type { Policy, PolicyFacts } from '../../../src/policy/policy.ts';
import { SUSPECT_SCORE } from '../../../src/policy/score.ts';

const TODAY = 20240;
const DAY_MS = 86_400_000;
const SUBJECT: PhoneNumber = { number: 12025550123, country: 'US', lineType: 'mobile' };
const RECORD: RecordFacts = {
  labels: ['modem_pool_card'],
  channels: ['otp_marketplace'],
  industries: ['social_media'],
  firstDay: 20225,
  lastDay: 20237,
  sightings: 12,
};
const CONTEXT: DecideContext = {
  levels: new LabelLevels(),
  policy: DEFAULT_POLICY,
  overrides: Overrides.none,
  now: TODAY * DAY_MS + 3_600_000,
  scenario: null,
  evidence: false,
};

function finding(changes: Partial<Finding> = {}): Finding {
  return { generation: 1234, ageSeconds: 3, record: null, hundred: 0, thousand: 0, score: 0, ...changes };
}

function withLabels(...labels: string[]): Finding {
  return finding({ record: { ...RECORD, labels } });
}

describe('decide', () => {
  it('answers a listed number with the documented fields, in the documented order', () => {
    const answer = decide(SUBJECT, finding({ record: RECORD, hundred: 37, thousand: 120, score: 0.9312 }), CONTEXT);
    expect(JSON.stringify(answer)).toBe(
      JSON.stringify({
        number: '+12025550123',
        country: 'US',
        lineType: 'mobile',
        verdict: 'listed',
        level: 9,
        labels: ['modem_pool_card'],
        channels: ['otp_marketplace'],
        industries: ['social_media'],
        firstSeen: '2025-05-17',
        lastSeen: '2025-05-29',
        sightings: 12,
        neighbourhood: { hundred: 37, thousand: 120, score: 0.93 },
        action: 'block',
        rule: 'modem-pool',
        generation: 1234,
      }),
    );
  });

  it.each([
    [SUSPECT_SCORE - 1e-9, 'clear', 'allow', 'default'],
    [SUSPECT_SCORE, 'suspect', 'challenge', 'suspect-neighbourhood'],
  ])(
    'calls an unlisted number with a neighbourhood of %d %s, without record fields',
    (score, verdict, action, rule) => {
      expect(decide(SUBJECT, finding({ hundred: 2, thousand: 10, score }), CONTEXT)).toMatchObject({
        verdict,
        level: null,
        labels: [],
        channels: [],
        industries: [],
        firstSeen: null,
        lastSeen: null,
        sightings: null,
        neighbourhood: { hundred: 2, thousand: 10, score: Math.round(SUSPECT_SCORE * 100) / 100 },
        action,
        rule,
      });
    },
  );

  it.each([
    ['modem_pool_card', 9, 'block', 'modem-pool'],
    ['eight', 8, 'block', 'modem-pool'],
    ['public_sms_receiver', 7, 'challenge', 'known-receiver'],
    ['reported_abuse', 5, 'challenge', 'known-receiver'],
    ['not_configured', 5, 'challenge', 'known-receiver'],
    ['four', 4, 'allow', 'default'],
    ['zero', 0, 'allow', 'default'],
  ])('acts on %s (level %i) by %s', (label, level, action, rule) => {
    const levels = parseLabelLevels('{"eight": 8, "four": 4, "zero": 0}');
    const answer = decide(SUBJECT, withLabels(label), { ...CONTEXT, levels });
    expect(answer).toMatchObject({ verdict: 'listed', level, action, rule });
  });

  it.each([
    ['modem_pool_card', 44, 9, 'block'],
    ['modem_pool_card', 45, 8, 'block'],
    ['modem_pool_card', 89, 8, 'block'],
    ['modem_pool_card', 90, 7, 'challenge'],
    ['modem_pool_card', 729, 4, 'allow'],
    ['public_sms_receiver', 1094, 5, 'challenge'],
    ['public_sms_receiver', 1459, 4, 'allow'],
    ['reported_abuse', 89, 5, 'challenge'],
    ['reported_abuse', 90, 4, 'allow'],
    ['not_configured', 539, 5, 'challenge'],
  ])('a %s last seen %i days ago is of level %i: %s', (label, days, level, action) => {
    const record = { ...RECORD, labels: [label], firstDay: TODAY - days, lastDay: TODAY - days };
    expect(decide(SUBJECT, finding({ record }), CONTEXT)).toMatchObject({ verdict: 'listed', level, action });
  });

  describe('beyond the horizon', () => {
    const old = (days: number) => finding({ record: { ...RECORD, lastDay: TODAY - days } });

    it.each([
      [0, 'clear'],
      [SUSPECT_SCORE, 'suspect'],
    ])('in a neighbourhood of %d answers as for an unlisted number, and that it is expired', (score, verdict) => {
      const answer = decide(SUBJECT, { ...old(730), score }, CONTEXT);
      expect(answer).toEqual({ ...decide(SUBJECT, finding({ score }), CONTEXT), expired: true });
      expect(answer.verdict).toBe(verdict);
      expect(decide(SUBJECT, { ...old(729), score }, CONTEXT)).not.toHaveProperty('expired');
    });

    it('hands the rules what they see of an unlisted number', () => {
      expect(factsOf(SUBJECT, old(730), CONTEXT)).toEqual(factsOf(SUBJECT, finding(), CONTEXT));
      expect(factsOf(SUBJECT, old(729), CONTEXT)).toMatchObject({ verdict: 'listed', level: 4, daysSinceSeen: 729 });
    });

    it('is not while one label is within its own', () => {
      const record = { ...RECORD, labels: ['modem_pool_card', 'public_sms_receiver'], lastDay: TODAY - 730 };
      const answer = decide(SUBJECT, finding({ record }), CONTEXT);
      expect(answer).toMatchObject({ verdict: 'listed', level: 5, labels: record.labels });
      expect(answer).not.toHaveProperty('expired');
    });

    it('still has its evidence, and is overridden as any number', () => {
      const where = { label: 'modem_pool_card', channel: 'other', industry: null, project: null } as const;
      const when = { firstSeenAt: 1_600_000_000, lastSeenAt: 1_600_000_000, sightings: 1 };
      const line: EvidenceLine = { ...where, link: null, source: null, ...when };
      const overrides = Overrides.of([{ number: SUBJECT.number, list: 'block', expiresAt: null, scope: 'tenant' }]);
      const context = { ...CONTEXT, evidence: true, overrides };
      expect(decide(SUBJECT, { ...old(4000), evidence: [line] }, context)).toMatchObject({
        verdict: 'clear',
        action: 'block',
        expired: true,
        override: { list: 'block' },
        evidence: [{ label: 'modem_pool_card', sightings: 1 }],
      });
      expect(decide(SUBJECT, old(4000), context).evidence).toBeNull();
    });
  });

  it('stays listed, not suspect, whatever the neighbours', () => {
    expect(decide(SUBJECT, { ...withLabels('reported_abuse'), hundred: 50, score: 1 }, CONTEXT).verdict).toBe('listed');
  });

  it('says so if the data is older than the bound', () => {
    const fresh = decide(SUBJECT, finding({ ageSeconds: STALE_AFTER_SECONDS }), CONTEXT);
    expect(fresh).not.toHaveProperty('stale');
    expect(fresh).not.toHaveProperty('ageSeconds');
    const stale = decide(SUBJECT, finding({ ageSeconds: STALE_AFTER_SECONDS + 0.6 }), CONTEXT);
    expect(stale).toMatchObject({ stale: true, ageSeconds: 121 });
  });

  it('lists evidence only if asked, and tells none from not readable', () => {
    const context = { ...CONTEXT, evidence: true };
    const line = {
      label: 'modem_pool_card',
      channel: 'otp_marketplace',
      industry: null,
      project: 'example',
      link: { host: 'otp.example', sha256: 'a'.repeat(64) },
      source: null,
      firstSeenAt: 1747440000,
      lastSeenAt: 1748506320,
      sightings: 12,
    } as const;
    expect(decide(SUBJECT, finding({ record: RECORD, evidence: [line] }), CONTEXT)).not.toHaveProperty('evidence');
    expect(decide(SUBJECT, finding({ record: RECORD, evidence: [line] }), context).evidence).toEqual([
      { ...line, firstSeenAt: '2025-05-17T00:00:00Z', lastSeenAt: '2025-05-29T08:12:00Z' },
    ]);
    expect(decide(SUBJECT, finding({ record: RECORD }), context).evidence).toBeNull();
    expect(decide(SUBJECT, finding(), context).evidence).toEqual([]);
  });

  it('hands the rules every documented variable', () => {
    const seen: PolicyFacts[] = [];
    const policy: Policy = {
      source: { rules: [], default: 'allow' },
      tree: { version: 1, conditions: [] },
      rules: [{ id: 'spy', action: 'flag', mode: 'enforce', matches: (facts) => seen.push(facts) > 0 }],
      readsProjects: false,
      default: 'allow',
    };
    const context = { ...CONTEXT, policy, scenario: 'signup' };
    expect(decide(SUBJECT, finding({ record: RECORD, hundred: 1, thousand: 2, score: 0.2567 }), context)).toMatchObject(
      {
        action: 'flag',
        rule: 'spy',
      },
    );
    decide(SUBJECT, finding({ record: { ...RECORD, lastDay: TODAY + 1 } }), context);
    decide(SUBJECT, finding(), context);
    expect(seen[0]).toEqual({
      verdict: 'listed',
      level: 9,
      labels: RECORD.labels,
      channels: RECORD.channels,
      industries: RECORD.industries,
      projects: null,
      daysSinceSeen: 3,
      daysListed: 15,
      sightings: 12,
      neighbourhood: { hundred: 1, thousand: 2, score: 0.26 },
      country: 'US',
      lineType: 'mobile',
      scenario: 'signup',
    });
    expect(seen[1]).toMatchObject({ daysSinceSeen: 0 });
    expect(seen[2]).toMatchObject({ verdict: 'clear', level: 0, sightings: 0, daysSinceSeen: null, daysListed: null });
  });
});

describe('unknownAnswer', () => {
  it('has the same fields as any answer, and recommends nothing', () => {
    const answer = unknownAnswer(SUBJECT);
    expect(Object.keys(answer)).toEqual(Object.keys(decide(SUBJECT, finding(), CONTEXT)));
    expect(answer).toMatchObject({ verdict: 'unknown', level: null, neighbourhood: null, action: null, rule: null });
  });
});
