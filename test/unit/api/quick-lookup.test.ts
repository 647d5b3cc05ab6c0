/** The quick way answers what the usual way does, byte for byte, or leaves it to the usual way. */
import { beforeEach, expect, it } from 'vitest';
import { QuickMiss, quickLookup } from '../../../src/api/quick-lookup.ts';
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
  const answer = quickLookup(harness.services, quota, asked);
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

// POST: with a small body of a usual form. What is not answered at once goes on with the body that was read.

function post(body: string | ReadableStream<Uint8Array>, { token = key, length = true } = {}): Request {
  const sizeBytes = typeof body === 'string' ? new TextEncoder().encode(body).length : 40;
  const headers = { authorization: `Bearer ${token}`, ...(length ? { 'content-length': String(sizeBytes) } : {}) };
  // Node asks for `duplex` with a stream, and the types of Workers do not have it.
  const init = { method: 'POST', headers, body, duplex: 'half' };
  return new Request('https://ringfence.example/v1/lookup', init);
}

const USUAL_BODIES: readonly string[] = [
  `{"number":"+${LISTED}"}`,
  `{"number": "+${LISTED}"}`,
  `{"number":"+${EXPIRED}"}`,
  '{"number":"+12025550199"}',
  '{"number":"+442079460001","scenario":"signup"}',
  `{"number":"+${LISTED}","country":"US"}`,
  `{"number":"+${LISTED}","country":"gb"}`,
  `{"number": "+${LISTED}", "country": "PH", "scenario": "password_reset-2"}`,
];

const OTHER_BODIES: readonly string[] = [
  '',
  '{}',
  'null',
  '[]',
  '{"number":"+"}',
  '{"number":"+12"}',
  '{"number":"+1202555012345678901"}',
  `{"number":"+999${LISTED}"}`,
  `{"number":${LISTED}}`,
  `{"number":"${LISTED}"}`,
  `{"number":"+1 202 555 0123"}`,
  `{"number":"+${LISTED}","number":"+12025550124"}`,
  `{"number":"+12025550124","num\\u0062er":"+${LISTED}"}`,
  `{"number":"+${LISTED}","country":"US","country":"PH"}`,
  `{"number":"+${LISTED}","country":"ZZ"}`,
  `{"number":"+${LISTED}","country":"SS"}`,
  `{"number":"+${LISTED}","country":""}`,
  `{"number":"+${LISTED}","country":null,"scenario":null}`,
  `{"number":"+${LISTED}","country":1}`,
  `{"number":"+${LISTED}","scenario":"sign up"}`,
  `{"number":"+${LISTED}","scenario":"a\\nb"}`,
  `{"number":"+${LISTED}","scenario":"${'x'.repeat(64)}"}`,
  `{"number":"+${LISTED}","scenario":"${'x'.repeat(65)}"}`,
  `{"scenario":"signup","number":"+${LISTED}"}`,
  `{"number":"+${LISTED}","evidence":true}`,
  `{"number":"+${LISTED}","receipt":true}`,
  `{"number":"+${LISTED}","asOf":"2025-05-01"}`,
  `{"number":"+${LISTED}","plusMayBeLost":true,"country":"US"}`,
  `{"number":"+${LISTED}","further":"\\u00e9"}`,
  `{"number":"+${LISTED}"`,
  `{"number":"+${LISTED}"}}`,
  `{"number":"+${LISTED}"} `,
  `\n{"number":"+${LISTED}"}`,
  `\ufeff{"number":"+${LISTED}"}`,
  `{"number":"+${LISTED}",}`,
  `{'number':'+${LISTED}'}`,
  `{"number":"+${LISTED}\\"}`,
  `{"number":"+１２０２５５５０１２３"}`,
  '{"number":"2025550123","country":"US"}',
  '{"number":"+61491570156"}',
  '{"number":"+61491570159"}',
  '{"number":"+61491570110"}',
  `{"number":"+${LISTED}","further":"${'x'.repeat(600)}"}`,
  `{"number":"+${LISTED}","further":"${'x'.repeat(20_000)}"}`,
];

interface Plain {
  readonly status: number;
  readonly headers: unknown;
  readonly text: string;
}

async function plain(answer: Response | Promise<Response>): Promise<Plain> {
  const { status, headers } = await answer;
  // Read again, since the answer is consumed by its text.
  return { status, headers: Object.fromEntries(headers), text: await (await answer).text() };
}

it.each(USUAL_BODIES)('answers a POST at once, as the usual way does: %s', async (body) => {
  const quick = await quickLookup(harness.services, quota, post(body));
  if (!(quick instanceof Response)) throw new Error('left to the usual way');
  expect(await plain(quick)).toEqual(await plain(harness.app.fetch(post(body))));
  expect(quick.status).toBe(200);
});

it.each([true, false])('answers any POST as the usual way does, whether its length is declared: %s', async (length) => {
  const answer = wholeFetch(harness.services, quota);
  for (const inMemory of [true, false]) {
    harness.inMemory = inMemory;
    for (const body of [...USUAL_BODIES, ...OTHER_BODIES]) {
      const usual = await plain(harness.app.fetch(post(body, { length })));
      expect({ body, ...(await plain(answer(post(body, { length })))) }).toEqual({ body, ...usual });
    }
  }
});

it('leaves a POST to the usual way unread, unless its key is known and its length is small', async () => {
  const miss = async (asked: Request) => {
    const quick = await quickLookup(harness.services, quota, asked);
    if (!(quick instanceof QuickMiss)) throw new Error('not left to the usual way');
    expect([quick.body, asked.bodyUsed]).toEqual([null, false]);
  };
  const body = `{"number":"+${LISTED}"}`;
  await miss(post(body, { length: false }));
  await miss(post(body, { token: `${key.slice(0, -1)}x` }));
  await miss(post(`{"number":"+${LISTED}","further":"${'x'.repeat(600)}"}`));
  const feed = await harness.keyWith(['feed']);
  await harness.call('GET', PATH + LISTED, { key: feed });
  await miss(post(body, { token: feed }));
});

it('says of a POST that breaks off what the usual way says', async () => {
  const broken = () => post(new ReadableStream({ pull: () => Promise.reject(new TypeError('gone')) }));
  const answer = await plain(wholeFetch(harness.services, quota)(broken()));
  expect(answer).toEqual(await plain(harness.app.fetch(broken())));
  expect(answer.status).toBe(400);
});

it('counts a POST of a key with a quota once, whichever way it goes', async () => {
  const answer = wholeFetch(harness.services, quota);
  const token = await harness.keyWith(['lookup'], { quota: { perMinute: 6 } });
  const status = async (body: string) => (await answer(post(body, { token }))).status;
  const usual = `{"number":"+${LISTED}"}`;
  expect([await status(usual), await status(usual), await status('{}'), await status('{"number":"+12"}')]).toEqual([
    200, 200, 400, 400,
  ]);
  harness.inMemory = false;
  expect([await status(usual), await status(usual), await status(usual), await status('{}')]).toEqual([
    200, 200, 429, 429,
  ]);
});

it('what goes wrong in it is answered, and logged, by the usual way', async () => {
  harness.services.finder.probe = () => {
    throw new RangeError('broken');
  };
  const answer = wholeFetch(harness.services);
  for (const asked of [request(PATH + LISTED), post(`{"number":"+${LISTED}"}`)]) {
    expect(await (await answer(asked)).json()).toMatchObject({ status: 500 });
  }
  expect(harness.logged.map(({ event }) => event)).toEqual(['internal-error', 'internal-error']);
});
