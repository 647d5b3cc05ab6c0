/** The quick way answers what the usual way does, byte for byte, or leaves it to the usual way. */
import { beforeEach, expect, it } from 'vitest';
import { type QuickMiss, quickLookup } from '../../../src/api/quick-lookup.ts';
import { type Limiter, RequestQuota } from '../../../src/api/quota.ts';
import { wholeFetch } from '../../support/whole.ts';
import { Harness } from './harness.ts';

const LISTED = 12_025_550_123;
const EXPIRED = 12_025_550_125;
const PATH = '/v1/lookup?number=%2B';

let harness: Harness;
let key: string;
let quota: RequestQuota;

beforeEach(async () => {
  harness = new Harness();
  quota = new RequestQuota(harness.services);
  harness.findings.set(LISTED, {
    generation: 7,
    ageSeconds: 2,
    record: {
      labels: ['modem_pool_card', 'Ünüsual "label"'],
      channels: ['otp_marketplace'],
      industries: ['gaming'],
      firstDay: 20_000,
      lastDay: 20_200,
      sightings: 12,
    },
    hundred: 3,
    thousand: 4,
    score: 0.52,
  });
  harness.findings.set(EXPIRED, {
    generation: 7,
    ageSeconds: 2,
    record: { labels: [], channels: ['other'], industries: [], firstDay: 17_000, lastDay: 17_000, sightings: 1 },
    hundred: 0,
    thousand: 4,
    score: 0.1,
  });
  harness.inMemory = true;
  key = await harness.keyWith(['lookup'], { tenant: 'shop' });
  const rules = [
    { id: 'watch', when: 'level > 0', action: 'block', mode: 'shadow' },
    { id: 'fails', when: 'daysListed > 1', action: 'flag', mode: 'enforce' },
  ];
  await harness.call('PUT', '/v1/policy?tenant=shop', { json: { rules } });
  await harness.call('PUT', '/v1/overrides?tenant=shop', {
    json: { number: '+12025550199', list: 'block', reason: 'a test' },
  });
  // Key and rules are then at hand.
  await harness.call('GET', `${PATH}${LISTED}`, { key });
});

function request(path: string, { method = 'GET', token = key as string | null } = {}): Request {
  const headers = token === null ? {} : { authorization: `Bearer ${token}` };
  return new Request(`https://ringfence.example${path}`, { method, headers });
}

/** null: it is left to the usual way. */
function quickly(asked: Request): Response | null {
  const answer: Response | QuickMiss | null = quickLookup(harness.services, quota, asked);
  return answer instanceof Response ? answer : null;
}

it.each([LISTED, EXPIRED, 12_025_550_124, 12_025_550_199, 442_079_460_001])(
  'answers as the usual way does: %i',
  async (number) => {
    const quick = quickly(request(PATH + number));
    const usual = await harness.app.fetch(request(PATH + number));
    expect(await quick?.text()).toBe(await usual.text());
    expect(Object.fromEntries(quick?.headers ?? [])).toEqual(Object.fromEntries(usual.headers));
    expect(quick?.status).toBe(200);
  },
);

it.each([
  ['a national number', `/v1/lookup?number=2025550123&country=US`],
  ['a scenario', `${PATH}${LISTED}&scenario=signup`],
  ['evidence', `${PATH}${LISTED}&evidence=true`],
  ['punctuation', `${PATH}1%20202%20555%200123`],
  ['no number', PATH],
  ['a number that is none', `${PATH}12`],
  ['the sandbox', `${PATH}61491570159`],
  ['another path', `/v1/lookups?number=%2B${LISTED}`],
  ['a path that ends so', `/x/v1/lookup?number=%2B${LISTED}`],
])('leaves %s to the usual way', (_, path) => {
  expect(quickly(request(path))).toBeNull();
});

it('leaves other methods and every key that must be looked at to the usual way', async () => {
  const path = PATH + LISTED;
  expect(quickly(request(path, { method: 'HEAD' }))).toBeNull();
  expect(quickly(request(path, { token: null }))).toBeNull();
  expect(quickly(request(path, { token: `${key.slice(0, -1)}x` }))).toBeNull();
  const made = await harness.keyWith(['feed']);
  await harness.call('GET', path, { key: made });
  expect(quickly(request(path, { token: made }))).toBeNull();
});

it('counts a key with a quota, and leaves what is beyond it to the usual way', async () => {
  const answer = wholeFetch(harness.services, quota);
  const token = await harness.keyWith(['lookup'], { quota: { perMinute: 5 } });
  const status = async () => (await answer(request(PATH + LISTED, { token }))).status;
  // Takes the key to memory, and counts.
  expect(await status()).toBe(200);
  for (let i = 0; i < 2; i++) expect(quickly(request(PATH + LISTED, { token }))).not.toBeNull();
  expect([await status(), await status(), await status(), await status()]).toEqual([200, 200, 429, 429]);
  expect(quickly(request(PATH + LISTED, { token }))).toBeNull();
  harness.nowMs += 60_000;
  expect([await status(), await status()]).toEqual([200, 200]);
});

it('is as often asked of a limiter as the usual way is, whichever way a request goes', async () => {
  let next = 0;
  const draws = [0.9, 0.05, 0.9, 0.9, 0.05, 0.9, 0.9, 0.9, 0.9, 0.9];
  let asked = 0;
  const limiter: Limiter = { perMinute: 10, limit: async () => ({ success: ++asked > 0 }) };
  const services = { ...harness.services, limiters: [limiter], random: () => draws[next++ % draws.length] ?? 0 };
  const answer = wholeFetch(services);
  const token = await harness.keyWith(['lookup'], { quota: { perMinute: 100 } });
  for (let i = 0; i < 50; i++) expect((await answer(request(PATH + LISTED, { token }))).status).toBe(200);
  // One draw a request, two of ten of them below a tenth.
  expect([next, asked]).toEqual([50, 10]);
});

it('leaves it to the usual way when something has to be read: columns, rules, a key that may be revoked', () => {
  harness.inMemory = false;
  expect(quickly(request(PATH + LISTED))).toBeNull();
  harness.inMemory = true;
  expect(quickly(request(PATH + LISTED))).not.toBeNull();
  harness.nowMs += 10_000;
  expect(quickly(request(PATH + LISTED))).toBeNull();
});

it('what goes wrong in it is answered, and logged, by the usual way', async () => {
  harness.services.finder.probe = () => {
    throw new RangeError('broken');
  };
  const answer = wholeFetch(harness.services);
  expect(await (await answer(request(PATH + LISTED))).json()).toMatchObject({ status: 500 });
  expect(harness.logged.map(({ event }) => event)).toEqual(['internal-error']);
});
