import fc from 'fast-check';
import { expect, it } from 'vitest';
import { CHANNELS, INDUSTRIES } from '../../../src/format/attributes.ts';
import { LINE_TYPES } from '../../../src/phone/phone-number.ts';
import { answerText, type LookupAnswer } from '../../../src/policy/answer.ts';
import { unknownAnswer } from '../../../src/policy/decide.ts';
import { ACTIONS, VERDICTS } from '../../../src/policy/policy.ts';

const count = fc.nat();
const day = fc.constantFrom('2025-05-17', '1999-12-31');
const ruleId = fc.stringMatching(/^[a-z0-9][a-z0-9_.-]{0,20}$/);

const usual = fc.record({
  number: fc.integer({ min: 1_000_000, max: 999_999_999_999_999 }).map((number) => `+${number}`),
  country: fc.constantFrom('US', 'PH', null),
  lineType: fc.constantFrom(...LINE_TYPES),
  verdict: fc.constantFrom(...VERDICTS),
  level: fc.option(fc.nat(9)),
  labels: fc.array(fc.oneof(fc.constant('modem_pool_card'), fc.string({ unit: 'binary' }))),
  channels: fc.subarray([...CHANNELS]),
  industries: fc.subarray([...INDUSTRIES]),
  firstSeen: fc.option(day),
  lastSeen: fc.option(day),
  sightings: fc.option(count),
  neighbourhood: fc.option(
    fc.record({ hundred: fc.nat(99), thousand: fc.nat(999), score: fc.double({ min: 0, max: 1, noNaN: true }) }),
  ),
  action: fc.option(fc.constantFrom(...ACTIONS)),
  rule: fc.option(ruleId),
  generation: fc.option(count),
});
const more = fc.record(
  {
    expired: fc.constant(true as const),
    override: fc.record({
      list: fc.constantFrom('allow', 'block'),
      scope: fc.constantFrom('tenant', 'global'),
      expiresAt: fc.option(fc.constant('2027-01-01T00:00:00.000Z')),
    }),
    shadow: fc.array(ruleId, { minLength: 1 }),
    failed: fc.array(ruleId, { minLength: 1 }),
    evidence: fc.constantFrom(null, []),
    stale: fc.constant(true as const),
    ageSeconds: count,
  },
  { requiredKeys: [] },
);

it('is what JSON.stringify gives, whichever fields an answer has', () => {
  fc.assert(
    fc.property(usual, fc.option(more), (answer, extra) => {
      const all = { ...answer, ...extra } as LookupAnswer;
      expect(answerText(all)).toBe(JSON.stringify(all));
    }),
    { numRuns: 2000 },
  );
});

it('of a number that storage could not answer for', () => {
  const unknown = unknownAnswer({ number: 12_025_550_123, country: 'US', lineType: 'mobile' });
  expect(answerText(unknown)).toBe(JSON.stringify(unknown));
});

/** An answer that has all of the further fields, or nearly all, would hide one that is forgotten. */
it.each([
  { expired: true },
  { asOf: { date: '2025-05-20' } },
  {
    receipt: {
      ...{ version: 1, decidedAt: '2025-05-20T10:00:00.000Z', scenario: null, commit: 'c0ffee', segments: [] },
      ...{
        policy: { rules: [], default: 'allow' },
        levels: {},
        unknownLabel: { level: 5, steps: {}, horizonDays: null },
      },
    },
  },
  { override: { list: 'block', scope: 'global', expiresAt: null } },
  { shadow: ['watch'] },
  { failed: ['old'] },
  { evidence: null },
  { evidence: [] },
  { stale: true },
  { ageSeconds: 300 },
] satisfies Partial<LookupAnswer>[])('with %j alone', (further) => {
  const all = { ...unknownAnswer({ number: 12_025_550_123, country: 'US', lineType: 'mobile' }), ...further };
  expect(answerText(all)).toBe(JSON.stringify(all));
});
