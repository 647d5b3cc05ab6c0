/** An answer is decided as text as it is decided as an object. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { CHANNELS, INDUSTRIES } from '../../../src/format/attributes.ts';
import { LINE_TYPES } from '../../../src/phone/phone-number.ts';
import type { Finding } from '../../../src/policy/answer.ts';
import { compilePolicy } from '../../../src/policy/cel/compile.ts';
import { type DecideContext, decide, decideText } from '../../../src/policy/decide.ts';
import { DEFAULT_POLICY } from '../../../src/policy/default-policy.ts';
import { LabelLevels } from '../../../src/policy/labels.ts';
import { type Override, Overrides } from '../../../src/policy/overrides.ts';

const TODAY = 20_240;
const NOW = TODAY * 86_400_000 + 5000;
const NUMBERS = [639_171_234_567, 442_079_460_001, 12_025_550_123];

const POLICY = compilePolicy({
  rules: [
    { id: 'watch', when: 'level > 6', action: 'flag', mode: 'shadow' },
    { id: 'fails', when: 'daysListed > 100', action: 'flag', mode: 'enforce' },
    { id: 'gaming', when: '"gaming" in industries && sightings > 3', action: 'block', mode: 'enforce' },
    { id: 'projects', when: 'verdict == "listed" && "x" in projects', action: 'flag', mode: 'enforce' },
    {
      id: 'dense',
      when: 'neighbourhood.hundred > 2 || neighbourhood.score > 0.5',
      action: 'challenge',
      mode: 'enforce',
    },
    { id: 'partner', when: 'scenario == "partner" && country == "PH"', action: 'block', mode: 'enforce' },
  ],
  default: 'allow',
});

const record = fc.record({
  labels: fc.array(
    fc.oneof(fc.constantFrom('modem_pool_card', 'reported_abuse', 'Ünüsual "label"'), fc.string({ unit: 'binary' })),
    { maxLength: 3 },
  ),
  channels: fc.subarray([...CHANNELS]),
  industries: fc.subarray([...INDUSTRIES]),
  firstDay: fc.integer({ min: TODAY - 900, max: TODAY }),
  lastDay: fc.integer({ min: TODAY - 900, max: TODAY + 1 }),
  sightings: fc.constantFrom(1, 4, 2 ** 53 - 1),
});
const finding = fc.record(
  {
    generation: fc.nat(9),
    ageSeconds: fc.oneof({ weight: 5, arbitrary: fc.nat(120) }, { weight: 1, arbitrary: fc.nat(1000) }),
    record: fc.option(record),
    hundred: fc.constantFrom(0, 0, 1, 99),
    thousand: fc.constantFrom(0, 0, 1, 999),
    score: fc.oneof(fc.constant(0), fc.double({ min: 0, max: 1, noNaN: true })),
    evidence: fc.constant([]),
  },
  { requiredKeys: ['generation', 'ageSeconds', 'record', 'hundred', 'thousand', 'score'] },
);
const override: fc.Arbitrary<Override> = fc.record({
  number: fc.constantFrom(...NUMBERS),
  list: fc.constantFrom('allow', 'block'),
  expiresAt: fc.constantFrom(null, NOW - 1, NOW + 1),
  scope: fc.constantFrom('tenant', 'global'),
});
const usualContext = fc.record({
  policy: fc.constantFrom(DEFAULT_POLICY, POLICY),
  overrides: fc.constantFrom(Overrides.none),
  levels: fc.constant(new LabelLevels()),
  now: fc.constant(NOW),
  scenario: fc.constantFrom(null, 'partner'),
  evidence: fc.constant(false),
});
const context: fc.Arbitrary<DecideContext> = fc.oneof(
  { weight: 3, arbitrary: usualContext },
  {
    weight: 1,
    arbitrary: fc
      .tuple(usualContext, fc.array(override, { maxLength: 1 }), fc.boolean(), fc.boolean())
      .map(([usual, list, evidence, isPast]) => ({
        ...usual,
        overrides: Overrides.of(list),
        evidence,
        ...(isPast ? { asOf: { at: NOW - 86_400_000, answer: { date: '2025-05-31' } } } : undefined),
      })),
  },
);
const subject = fc.record({
  number: fc.constantFrom(...NUMBERS),
  country: fc.constantFrom('PH', 'GB', null),
  lineType: fc.constantFrom(...Object.values(LINE_TYPES), 'unknown' as const),
});

it('byte for byte, whatever is known and asked', () => {
  let usual = 0;
  fc.assert(
    fc.property(subject, finding, context, (of, known, by) => {
      const answer = decide(of, known as Finding, by);
      expect(decideText(of, known as Finding, by)).toBe(JSON.stringify(answer));
      if (Object.keys(answer).length === 15) usual += 1;
    }),
    { numRuns: 3000 },
  );
  // Enough are without any of the fields that only some answers have.
  expect(usual).toBeGreaterThan(600);
});

/** Nobody's rules but the usual ones, now. */
const PLAIN: DecideContext = {
  policy: DEFAULT_POLICY,
  overrides: Overrides.none,
  levels: new LabelLevels(),
  now: NOW,
  scenario: null,
  evidence: false,
};

it('does not take profiles with the same list of labels for the same', () => {
  const labels = ['modem_pool_card'];
  const of = { number: NUMBERS[0] ?? 0, country: 'PH', lineType: 'mobile' as const };
  const rest = { generation: 1, ageSeconds: 0, hundred: 0, thousand: 0, score: 0 };
  const channels = CHANNELS.slice(1, 2);
  const industries = INDUSTRIES.slice(0, 1);
  for (const profile of [
    { labels, channels: CHANNELS.slice(0, 1), industries },
    { labels, channels, industries },
    { labels, channels, industries: INDUSTRIES.slice(1, 2) },
  ]) {
    const known: Finding = { ...rest, record: { ...profile, firstDay: TODAY, lastDay: TODAY, sightings: 1 } };
    expect(decideText(of, known, PLAIN)).toBe(JSON.stringify(decide(of, known, PLAIN)));
    expect(JSON.parse(decideText(of, known, PLAIN))).toMatchObject(profile);
  }
});

it('leaves an answer as it was when the next one is decided', () => {
  const [of, other] = [NUMBERS[0], NUMBERS[1]].map((number) => ({
    number: number ?? 0,
    country: 'PH',
    lineType: 'mobile' as const,
  }));
  if (of === undefined || other === undefined) throw new Error('two numbers were expected');
  const known: Finding = { generation: 1, ageSeconds: 0, record: null, hundred: 1, thousand: 2, score: 0.9 };
  const answer = decide(of, known, PLAIN);
  const before = structuredClone(answer);
  decide(other, { ...known, hundred: 7, thousand: 8, score: 0 }, PLAIN);
  expect(answer).toEqual(before);
});
