/** Records of every shape, as the merge could hand them to the encoder. */
import fc from 'fast-check';
import { type Attributes, CHANNELS, INDUSTRIES } from '../../../../src/format/attributes.ts';
import type { PlainEntry, PlainRecord, PlainVerdict } from './plain.ts';

const SECOND = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const DAY = fc.integer({ min: 0, max: 49_710 });
const name = fc.oneof(
  fc.constantFrom('alpha', 'naïve café', '短信', '\u{1f4f1}', '\uff5e', 'line\u2028"quoted"\\'),
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }),
);

/** Mostly small, with a long tail. */
const sightings = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: 1, max: 5 }) },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 2 ** 31 }) },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 2 ** 53 - 1 }) },
);

export const verdict: fc.Arbitrary<PlainVerdict> = fc
  .record({
    first: DAY,
    days: fc.oneof({ weight: 5, arbitrary: fc.nat({ max: 40 }) }, { weight: 1, arbitrary: DAY }),
    sightings,
    labels: fc.uniqueArray(fc.constantFrom('modem_pool_card', 'public_sms_receiver', 'reported_abuse', 'étiquette')),
    channels: fc.subarray([...CHANNELS]),
    industries: fc.subarray([...INDUSTRIES]),
  })
  .map(({ first, days, labels, ...rest }) => ({
    firstDay: first,
    lastDay: first + days,
    labels: labels.sort(),
    ...rest,
  }));

const attributes: fc.Arbitrary<Attributes> = fc.record({
  label: fc.constantFrom('modem_pool_card', 'public_sms_receiver'),
  channel: fc.constantFrom(...CHANNELS),
  industry: fc.constantFrom(null, ...INDUSTRIES),
  project: fc.oneof(fc.constant(null), name),
  link: fc.constantFrom(null, { host: 'codes.example', sha256: 'ab'.repeat(32) }),
  source: fc.oneof(fc.constant(null), name),
});

export const entry: fc.Arbitrary<PlainEntry> = fc
  .tuple(attributes, SECOND, SECOND, sightings)
  .map(([c, a, b, count]) => ({ ...c, firstSeenAt: Math.min(a, b), lastSeenAt: Math.max(a, b), sightings: count }));

/** Records of ascending numbers, in up to four blocks of evidence. */
export const records: fc.Arbitrary<PlainRecord[]> = fc
  .array(fc.tuple(fc.integer({ min: 1, max: 2 ** 40 }), verdict, fc.array(entry, { minLength: 1, maxLength: 4 })), {
    minLength: 1,
    maxLength: 200,
    size: 'max',
  })
  .map((list) => {
    let number = 10_000_000;
    return list.map(([gap, verdictOf, evidence], i) => {
      number += i % 3 === 0 ? gap : 1;
      return { number, ...verdictOf, evidence };
    });
  });
