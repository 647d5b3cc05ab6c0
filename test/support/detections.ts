import fc from 'fast-check';
import { Random } from '../../bench/support/random.ts';
import { CHANNELS, type Detection, INDUSTRIES } from '../../src/format/attributes.ts';

const TIMES = { min: 1_700_000_000, max: 1_760_000_000 };

/** Reserved for fiction in the North American plan: 555-0100 to 555-0199 of any area code. */
export function fictionNumber(i: number): number {
  return 12_005_550_100 + (i % 100) + Math.floor(i / 100) * 10_000_000;
}

/** A detection of one of a few hundred fictitious numbers, so that numbers repeat. */
export const detection: fc.Arbitrary<Detection> = fc
  .record({
    i: fc.nat({ max: 700 }),
    observedAt: fc.integer(TIMES),
    earlier: fc.oneof(fc.constant(0), fc.nat({ max: 10_000_000 })),
    sightings: fc.oneof({ weight: 5, arbitrary: fc.constant(1) }, { weight: 1, arbitrary: fc.nat({ max: 1_000_000 }) }),
    label: fc.constantFrom('modem_pool_card', 'public_sms_receiver', 'reported_abuse'),
    channel: fc.constantFrom(...CHANNELS),
    industry: fc.constantFrom(null, ...INDUSTRIES),
    project: fc.constantFrom(null, 'alpha', 'beta', 'é\u2003"quoted"'),
    link: fc.constantFrom(null, { host: 'codes.example', sha256: 'a'.repeat(64) }),
    source: fc.constantFrom(null, 'feed-1', 'feed-2'),
  })
  .map(({ i, earlier, sightings, ...rest }) => ({
    ...rest,
    number: fictionNumber(i),
    firstSeenAt: rest.observedAt - earlier,
    sightings: sightings || 1,
  }));

/** A fixed pseudo-random list, for tests that count. */
export function someDetections(count: number, seed: number, numbers = 700): Detection[] {
  const random = new Random(seed);
  const pick = <T>(list: readonly T[]): T => random.pick(list);
  return Array.from({ length: count }, () => {
    const observedAt = TIMES.min + random.below(TIMES.max - TIMES.min);
    return {
      number: fictionNumber(random.below(numbers)),
      observedAt,
      firstSeenAt: observedAt,
      sightings: 1,
      label: pick(['modem_pool_card', 'public_sms_receiver']),
      channel: pick(CHANNELS),
      industry: pick([null, ...INDUSTRIES]),
      project: pick([null, 'alpha', 'beta']),
      link: null,
      source: pick([null, 'feed-1']),
    };
  });
}
