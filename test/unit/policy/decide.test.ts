import { describe, expect, it } from 'vitest';
import type { PhoneNumber } from '../../../src/number/phone-number.ts';
import { type DecideContext, decide, STALE_AFTER_SECONDS, unknownAnswer } from '../../../src/policy/decide.ts';
import { DEFAULT_POLICY } from '../../../src/policy/default-policy.ts';
import type { Finding, RecordFacts } from '../../../src/policy/finding.ts';
import { LabelLevels, parseLabelLevels } from '../../../src/policy/labels.ts';
import { Overrides } from '../../../src/policy/overrides.ts';
import type { Policy, PolicyFacts } from '../../../src/policy/policy.ts';

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
  return { generation: 1234, ageSeconds: 3, record: null, hundred: 0, thousand: 0, ...changes };
}

function withLabels(...labels: string[]): Finding {
  return finding({ record: { ...RECORD, labels } });
}

describe('decide', () => {
  it('answers a listed number exactly as API.md shows, field by field in that order', () => {
    const answer = decide(SUBJECT, finding({ record: RECORD, hundred: 37, thousand: 120 }), CONTEXT);
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
    [2, 'clear', 'allow', 'default'],
    [3, 'suspect', 'challenge', 'suspect-neighbourhood'],
  ])(
    'calls an unlisted number with %i listed neighbours %s, without record fields',
    (hundred, verdict, action, rule) => {
      expect(decide(SUBJECT, finding({ hundred, thousand: 10 }), CONTEXT)).toMatchObject({
        verdict,
        level: null,
        labels: [],
        channels: [],
        industries: [],
        firstSeen: null,
        lastSeen: null,
        sightings: null,
        neighbourhood: { hundred, thousand: 10 },
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

  it('stays listed, not suspect, whatever the neighbours', () => {
    expect(decide(SUBJECT, { ...withLabels('reported_abuse'), hundred: 50 }, CONTEXT).verdict).toBe('listed');
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

  it('hands the rules every variable of API.md', () => {
    const seen: PolicyFacts[] = [];
    const policy: Policy = {
      source: { rules: [], default: 'allow' },
      rules: [{ id: 'spy', action: 'flag', mode: 'enforce', matches: (facts) => seen.push(facts) > 0 }],
      default: 'allow',
    };
    const context = { ...CONTEXT, policy, scenario: 'signup' };
    expect(decide(SUBJECT, finding({ record: RECORD, hundred: 1, thousand: 2 }), context)).toMatchObject({
      action: 'flag',
      rule: 'spy',
    });
    decide(SUBJECT, finding({ record: { ...RECORD, lastDay: TODAY + 1 } }), context);
    decide(SUBJECT, finding(), context);
    expect(seen[0]).toEqual({
      verdict: 'listed',
      level: 9,
      labels: RECORD.labels,
      channels: RECORD.channels,
      industries: RECORD.industries,
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
