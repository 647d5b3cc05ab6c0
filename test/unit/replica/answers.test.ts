import { beforeAll, describe, expect, test } from 'vitest';
import { Random } from '../../../bench/support/random.ts';
import { CHANNELS, type Detection, INDUSTRIES } from '../../../src/format/attributes.ts';
import { SANDBOX } from '../../../src/lookup/sandbox.ts';
import { compilePolicy } from '../../../src/policy/cel/compile.ts';
import { Overrides } from '../../../src/policy/overrides.ts';
import { createReplica, type Replica } from '../../../src/replica/replica.ts';
import { memoryReplicaStore } from '../../../src/replica/store.ts';
import { ORIGIN_URL, TestOrigin } from './origin.ts';

/** Other levels, steps and horizons than the defaults: they must come from the origin. */
const RINGFENCE_LABELS = JSON.stringify({
  modem_pool_card: { steps: { 50: 7, 300: 3 }, horizonDays: 500 },
  public_sms_receiver: { level: 8, horizonDays: null },
  reported_abuse: 9,
});
const PROBES = 100_000;
const LISTED = 40_000;
/** As many as one batch of the origin takes. */
const BATCH = 1000;

/** The same numbers in every run. */
function randomFrom(seed: number): (below: number) => number {
  const random = new Random(seed);
  return (below) => random.below(below);
}

/** Where generated numbers lie: the first of ten million, in mobile ranges of several plans, and one of no plan. */
const RANGES = [639_170_000_000, 639_270_000_000, 491_511_000_000, 447_400_000_000, 12_020_000_000, 999_120_000_000];

const random = randomFrom(20_870);
const pick = <T>(list: readonly T[]): T => list[random(list.length)] as T;

/** Bought in blocks, as on the real list: hundreds that are full, and single ones. */
function listedNumbers(): number[] {
  const numbers = new Set<number>();
  while (numbers.size < LISTED) {
    const block = pick(RANGES) + random(100_000) * 100;
    const size = random(4) === 0 ? 1 + random(60) : 1;
    for (let i = 0; i < size; i++) numbers.add(block + random(100));
  }
  return [...numbers];
}

function detectionOf(number: number, day: number): Detection {
  const observedAt = day * 86_400 + random(86_400);
  return {
    number,
    observedAt,
    firstSeenAt: observedAt - random(20) * 86_400,
    sightings: 1 + random(5),
    label: pick(['modem_pool_card', 'public_sms_receiver', 'reported_abuse', 'not_configured']),
    channel: pick(CHANNELS),
    industry: pick([null, ...INDUSTRIES]),
    project: null,
    link: null,
    source: null,
  };
}

function probesOf(listed: readonly number[]): string[] {
  return Array.from({ length: PROBES }, (_, i) => {
    const near = pick(listed);
    if (i % 10 < 4) return `+${near}`;
    if (i % 10 < 7) return `+${near - (near % 1000) + random(1000)}`;
    return `+${pick(RANGES) + random(10_000_000)}`;
  });
}

describe('a replica and its origin', () => {
  const origin = new TestOrigin({ inlineRecords: 1 }, { RINGFENCE_LABELS });
  const listed = listedNumbers();
  const today = Math.floor(Date.now() / 86_400_000);
  let replica: Replica;
  let key: string;

  beforeAll(async () => {
    key = await origin.key(['lookup', 'feed']);
    // Three runs that have numbers in common.
    // A third of them lately, so that there are suspects.
    const daysAgo = () => (random(3) === 0 ? random(20) : 40 + random(900));
    await origin.merge(listed.map((number) => detectionOf(number, today - daysAgo())));
    await origin.merge(listed.slice(0, 2000).map((number) => detectionOf(number, today - 20)));
    await origin.merge(listed.slice(1500, 1800).map((number) => detectionOf(number, today - 1)));
    origin.rules.set('default', {
      policy: compilePolicy({
        rules: [
          { id: 'old', when: 'daysSinceSeen > 30', action: 'flag', mode: 'shadow' },
          {
            id: 'abroad',
            when: 'verdict == "listed" && country == "PH" && level >= 7',
            action: 'block',
            mode: 'enforce',
          },
          {
            id: 'near',
            when: 'neighbourhood.score > 0.4 || scenario == "payout"',
            action: 'challenge',
            mode: 'enforce',
          },
        ],
        default: 'allow',
      }),
      overrides: Overrides.of([
        ...listed.slice(0, 500).map((number) => ({ number, list: 'allow', expiresAt: null, scope: 'tenant' }) as const),
        ...listed
          .slice(400, 700)
          .map((number) => ({ number, list: 'block', expiresAt: null, scope: 'global' }) as const),
        { number: 6281212345678, list: 'block', expiresAt: null, scope: 'global' },
        ...listed.slice(700, 900).map((number) => ({ number, list: 'allow', expiresAt: 1, scope: 'tenant' }) as const),
      ]),
    });
    const rules = origin.rules.get('default');
    if (rules === undefined) throw new Error('no rules');
    // The origin's lookups decide with the same rules as its feed says.
    Object.assign(origin.runtime.services.rules, { peek: () => rules, get: async () => rules });
    replica = createReplica({ url: ORIGIN_URL, key, store: memoryReplicaStore(), fetch: origin.fetch });
    await replica.sync();
  });

  test(`answer the same for ${PROBES} numbers, and the replica asks nothing`, async () => {
    const probes = probesOf(listed);
    const verdicts: Record<string, number> = {};
    for (let from = 0; from < PROBES; from += BATCH) {
      const numbers = probes.slice(from, from + BATCH);
      const scenario = from % 2000 === 0 ? 'payout' : 'signup';
      const response = await origin.call('/v1/lookup/batch', key, {
        method: 'POST',
        body: JSON.stringify({ numbers, scenario }),
      });
      const { results } = (await response.json()) as { results: Record<string, unknown>[] };
      const before = origin.requests.length;
      const own = await Promise.all(numbers.map((number) => replica.lookup({ number, scenario })));
      expect(origin.requests.length).toBe(before);
      const comparable = own.map((result, i) =>
        result.ok ? result.answer : { input: numbers[i], error: { code: result.code, detail: result.detail } },
      );
      // Texts first: that is fast, and holds the order of the fields too.
      if (JSON.stringify(comparable) !== JSON.stringify(results)) expect(comparable).toEqual(results);
      for (const result of results) {
        const but = result.expired === true ? ' expired' : '';
        const kind = String(result.verdict ?? 'invalid') + but + (result.override === undefined ? '' : ' overridden');
        verdicts[kind] = (verdicts[kind] ?? 0) + 1;
      }
    }
    // The comparison is worth something only if every kind of answer is there.
    for (const kind of [
      'listed',
      'suspect',
      'clear',
      'clear expired',
      'suspect expired',
      'invalid',
      'listed overridden',
    ]) {
      expect(verdicts[kind], kind).toBeGreaterThan(300);
    }
  }, 60_000);

  test('refuse the same', async () => {
    const cases = [
      { number: 'none' },
      { number: '0917 123 4567' },
      { number: '+1202555010' },
      { number: '0917 123 4567', country: 'PH' },
      { number: '0917 123 4567', country: 'XX' },
      { number: '+12025550100', scenario: 'x'.repeat(65) },
      { number: '+62812123456 ext 78' },
      ...Object.values(SANDBOX).map((number) => ({ number: `+${number}` })),
      // Of Germany, too: both are looked up.
      ...Object.values(SANDBOX).map((number) => ({
        number: ` ${number}`,
        country: 'DE',
        plusMayBeLost: true as const,
      })),
    ];
    expect(await replica.lookup({ number: '+62812123456 ext 78' })).toMatchObject({
      ok: true,
      answer: { number: '+6281212345678', action: 'block' },
    });
    for (const query of cases) {
      const response = await origin.call('/v1/lookup', key, { method: 'POST', body: JSON.stringify(query) });
      const body = (await response.json()) as Record<string, unknown>;
      const own = await replica.lookup(query);
      if (own.ok) expect([200, body]).toEqual([response.status, own.answer]);
      else {
        expect(body).toMatchObject({ status: own.status, detail: own.detail });
        expect(body.type).toBe(`urn:ringfence:problem:${own.code}`);
      }
    }
  });
});

test('a country of its own is used where a lookup names none', async () => {
  const origin = new TestOrigin();
  const key = await origin.key(['feed']);
  const options = { url: ORIGIN_URL, key, store: memoryReplicaStore(), fetch: origin.fetch };
  const replica = createReplica({ ...options, country: 'PH' });
  await replica.sync();
  expect(await replica.lookup({ number: '0917 123 4567' })).toMatchObject({ ok: true, answer: { country: 'PH' } });
  const named = await replica.lookup({ number: '0151 12345678', country: 'DE' });
  expect(named).toMatchObject({ ok: true, answer: { country: 'DE' } });
  // From code without types: an answer of now would be one to another question.
  const earlier: object = { number: '0917 123 4567', asOf: '2025-01-01' };
  expect(await replica.lookup(earlier as { number: string })).toMatchObject({ ok: false });
  const german = createReplica({ ...options, country: 'DE' });
  const lost = await german.lookup({ number: ` ${SANDBOX.listed}`, plusMayBeLost: true });
  expect(lost).toMatchObject({ ok: true, answer: { number: `+${SANDBOX.listed}`, action: 'block' } });
});
