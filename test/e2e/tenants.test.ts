/**
 * Two enterprises and their operator on one server, over real HTTP: what each may do, what becomes of it over a merge
 * and a restart, and what of it stands in the logs.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { forged, idOf, plainPaths, protectedRoutes, query, Session } from './attack-support.ts';
import { ADMIN_KEY } from './call.ts';

const LISTED = '+12025550147';
const BLOCKED = '+12025550148';
const DELISTED = '+12025550149';
const EXPIRING = '+12025550150';
/** In no block of the others. */
const CLEAR = '+12125550151';
const NUMBERS = [LISTED, BLOCKED, DELISTED, EXPIRING, CLEAR];
const REASON = 'complaint-4711-of-a-customer';
const POLICY = {
  rules: [
    { id: 'watch', when: 'lineType != "mobile"', action: 'block', mode: 'shadow' },
    { id: 'reported', when: 'verdict == "listed" && daysSinceSeen < 30', action: 'flag', mode: 'enforce' },
  ],
  default: 'challenge',
};
const QUOTA = 10;
const EXPIRES_AFTER_MS = 2500;

const keys = { shop: '', bank: '', metered: '', lookupOnly: '', policyOnly: '', revoked: '' };
const session = new Session();

const override = (number: string, list: string, more: object = {}) => ({ number, list, reason: REASON, ...more });

beforeAll(async () => {
  await session.start();
  const scopes = ['lookup', 'ingest', 'policy', 'feed'];
  keys.shop = await session.makeKey('shop', scopes);
  keys.bank = await session.makeKey('bank', scopes);
  keys.metered = await session.makeKey('shop', ['lookup'], { quota: { perMinute: QUOTA } });
  keys.lookupOnly = await session.makeKey('shop', ['lookup']);
  keys.policyOnly = await session.makeKey('shop', ['policy']);
  const detections = NUMBERS.slice(0, 4).map((number) => ({
    number,
    label: 'modem_pool_card',
    channel: 'otp_marketplace',
  }));
  expect((await session.call(keys.shop, 'POST', '/v1/detections', detections)).status).toBe(202);
  await session.server.tick();
}, 30_000);

afterAll(() => session.end(), 30_000);

describe('keys', () => {
  it('open the routes of their scopes and no others', async () => {
    const routes = protectedRoutes(CLEAR, POLICY, keys.bank);
    for (const { method, path, body, scope } of routes) {
      const others = [keys.shop, keys.lookupOnly, keys.policyOnly];
      const [all, lookupOnly, policyOnly] = await Promise.all(
        others.map((key) => session.call(key, method, path, body)),
      );
      expect([scope, all?.status === 403]).toEqual([scope, scope === 'admin']);
      expect([scope, lookupOnly?.status === 403]).toEqual([scope, scope !== 'lookup']);
      expect([scope, policyOnly?.status === 403]).toEqual([scope, scope !== 'policy']);
      expect((await session.call(null, method, path, body)).status).toBe(401);
      expect((await session.call(forged(keys.shop), method, path, body)).status).toBe(401);
    }
  });

  it('are listed without their secrets, and refused in the same isolate as soon as they are deleted', async () => {
    const key = await session.makeKey('bank', ['lookup']);
    expect((await session.call(key, 'GET', `/v1/lookup?${query(CLEAR)}`)).status).toBe(200);
    const listed = await session.call(ADMIN_KEY, 'GET', '/v1/keys');
    expect(listed.text).toContain(idOf(key));
    expect(listed.text).not.toContain(key.split('_')[2]);
    expect((await session.call(ADMIN_KEY, 'DELETE', `/v1/keys/${idOf(key)}`)).status).toBe(204);
    expect((await session.call(key, 'GET', `/v1/lookup?${query(CLEAR)}`)).status).toBe(401);
    expect((await session.call(key, 'POST', '/v1/lookup', { number: CLEAR })).status).toBe(401);
    expect((await session.call(ADMIN_KEY, 'DELETE', `/v1/keys/${idOf(key)}`)).status).toBe(404);
    keys.revoked = key;
  });

  it('with a quota are answered 429 once it is used up, and no other key with them', async () => {
    let answer = await session.call(keys.metered, 'GET', `/v1/lookup?${query(CLEAR)}`);
    let answered = 0;
    // The windows are of the clock: one may end meanwhile.
    while (answer.status === 200 && answered <= 2 * QUOTA) {
      answered += 1;
      answer = await session.call(keys.metered, 'POST', '/v1/lookup', { number: CLEAR });
    }
    expect(answered).toBeGreaterThanOrEqual(QUOTA);
    expect([answer.status, answer.json.type]).toEqual([429, 'urn:ringfence:problem:quota-exceeded']);
    const retryAfter = Number(answer.headers.get('retry-after'));
    expect(retryAfter).toBeGreaterThanOrEqual(1);
    expect(retryAfter).toBeLessThanOrEqual(60);
    expect((await session.call(keys.shop, 'GET', `/v1/lookup?${query(CLEAR)}`)).status).toBe(200);
  });
});

describe('policies', () => {
  it('are tried, put, in force at once, and of one tenant', async () => {
    const numbers = [LISTED, CLEAR, 'nonsense'];
    const dryRun = await session.call(keys.shop, 'POST', '/v1/policy/test', { policy: POLICY, numbers });
    expect(dryRun.json).toMatchObject({
      total: { tested: 2, present: { block: 1, allow: 1 }, policy: { flag: 1, challenge: 1 }, changed: 2 },
      results: [{ number: LISTED }, { number: CLEAR }, { error: { code: 'invalid-number' } }],
    });
    expect((await session.call(keys.shop, 'PUT', '/v1/policy', POLICY)).json).toMatchObject({
      tenant: 'shop',
      version: 1,
    });
    expect((await session.call(keys.shop, 'GET', '/v1/policy')).json).toMatchObject({ ...POLICY, by: idOf(keys.shop) });
    await expectShopPolicy();
    expect(await session.lookup(keys.bank, LISTED)).toMatchObject({ action: 'block', rule: 'modem-pool' });
    expect((await session.call(keys.bank, 'GET', '/v1/policy')).json).toMatchObject({ tenant: 'bank', version: 0 });
  });

  it('that do not compile are refused with their position', async () => {
    const rules = [{ id: 'broken', when: 'level >=\n nonsense', action: 'block', mode: 'enforce' }];
    const { status, json } = await session.call(keys.shop, 'PUT', '/v1/policy', { rules, default: 'allow' });
    expect([status, json]).toMatchObject([400, { rule: 'broken', position: { offset: 10, line: 2, column: 2 } }]);
    await expectShopPolicy();
  });
});

describe('overrides', () => {
  it('win over data and policy for one tenant, until they expire or are deleted', async () => {
    const put = await session.call(keys.shop, 'PUT', '/v1/overrides', override(BLOCKED, 'block'));
    expect(put.json).toMatchObject({ tenant: 'shop', number: BLOCKED, reason: REASON, author: idOf(keys.shop) });
    const expiresAt = new Date(Date.now() + EXPIRES_AFTER_MS).toISOString();
    const expiring = await session.call(keys.shop, 'PUT', '/v1/overrides', override(EXPIRING, 'allow', { expiresAt }));
    expect(expiring.status).toBe(200);
    expect(await session.lookup(keys.shop, EXPIRING)).toMatchObject({ action: 'allow', rule: 'override' });
    expect(await session.lookup(keys.bank, BLOCKED)).toMatchObject({ action: 'block', rule: 'modem-pool' });
    for (const key of [keys.bank, keys.policyOnly]) {
      const isOwn = key === keys.policyOnly;
      expect((await session.call(key, 'GET', `/v1/overrides?${query(BLOCKED)}`)).status).toBe(isOwn ? 200 : 404);
    }
    expect((await session.call(keys.bank, 'DELETE', `/v1/overrides?${query(BLOCKED)}`)).status).toBe(404);
    await new Promise((resolve) => setTimeout(resolve, EXPIRES_AFTER_MS));
    expect(await session.lookup(keys.shop, EXPIRING)).toMatchObject({ action: 'flag', rule: 'reported' });
    expect((await session.call(keys.shop, 'GET', `/v1/overrides?${query(EXPIRING)}`)).status).toBe(404);
    expect((await session.call(keys.shop, 'PUT', '/v1/overrides', override(CLEAR, 'block'))).status).toBe(200);
    expect((await session.call(keys.shop, 'DELETE', `/v1/overrides?${query(CLEAR)}`)).status).toBe(204);
    expect(await session.lookup(keys.shop, CLEAR)).toMatchObject({ action: 'challenge', rule: 'default' });
  });

  it("of all tenants are the operator's alone", async () => {
    for (const tenant of ['*', 'bank', '%2A']) {
      const path = `/v1/overrides?tenant=${tenant}`;
      expect((await session.call(keys.shop, 'PUT', path, override(DELISTED, 'allow'))).status).toBe(403);
      expect((await session.call(keys.shop, 'GET', path)).status).toBe(403);
      expect((await session.call(keys.shop, 'DELETE', `${path}&${query(DELISTED)}`)).status).toBe(403);
      expect((await session.call(keys.shop, 'GET', `/v1/audit?tenant=${tenant}`)).status).toBe(403);
      expect((await session.call(keys.shop, 'PUT', `/v1/policy?tenant=${tenant}`, POLICY)).status).toBe(403);
    }
    const path = '/v1/overrides?tenant=*';
    const put = await session.call(ADMIN_KEY, 'PUT', path, override(DELISTED, 'allow'));
    expect(put.json).toMatchObject({ tenant: '*', author: 'admin' });
    await expectDelisted();
    expect((await session.call(keys.shop, 'GET', `/v1/overrides?${query(DELISTED)}`)).status).toBe(404);
  });
});

it('the audit trail of each tenant has its own changes, newest first', async () => {
  const entries = async (key: string, path = '/v1/audit') =>
    (await session.call(key, 'GET', path)).json.entries as { by: string; action: string; key?: string }[];
  const shop = await entries(keys.shop);
  expect(shop.map(({ by, action }) => [by, action])).toEqual([
    [idOf(keys.shop), 'override.delete'],
    [idOf(keys.shop), 'override.put'],
    [idOf(keys.shop), 'override.put'],
    [idOf(keys.shop), 'override.put'],
    [idOf(keys.shop), 'policy.put'],
    ...Array.from({ length: 4 }, () => ['admin', 'key.create']),
  ]);
  const bank = await entries(keys.bank);
  expect(bank.map(({ action, key }) => [action, key])).toEqual([
    ['key.delete', idOf(keys.revoked)],
    ['key.create', idOf(keys.revoked)],
    ['key.create', idOf(keys.bank)],
  ]);
  expect(JSON.stringify(bank)).not.toContain(REASON);
  expect(await entries(ADMIN_KEY, '/v1/audit?tenant=*')).toMatchObject([{ action: 'override.put', by: 'admin' }]);
});

it('the feed gives each tenant its own configuration and not that of another', async () => {
  const configOf = async (key: string) =>
    ((await session.call(key, 'GET', '/v1/feed/manifest')).json as { config: { sha256: string } }).config.sha256;
  const [shop, bank] = [await configOf(keys.shop), await configOf(keys.bank)];
  expect((await session.call(keys.shop, 'GET', `/v1/feed/slices/${shop}`)).text).toContain(BLOCKED.slice(1));
  expect((await session.call(keys.bank, 'GET', `/v1/feed/slices/${bank}`)).text).not.toContain(BLOCKED.slice(1));
  expect((await session.call(keys.bank, 'GET', `/v1/feed/slices/${shop}`)).status).toBe(404);
});

it('the sandbox answers every branch', async () => {
  const sandbox = (end: number) => session.call(keys.bank, 'POST', '/v1/lookup', { number: `+61491570${end}` });
  expect((await sandbox(156)).json).toMatchObject({ verdict: 'listed', action: 'block' });
  expect((await sandbox(157)).json).toMatchObject({ verdict: 'suspect', action: 'challenge' });
  expect((await sandbox(158)).json).toMatchObject({ verdict: 'clear', action: 'allow' });
  expect(await sandbox(159)).toMatchObject({ status: 503, json: { verdict: 'unknown' } });
  const spent = await sandbox(110);
  expect([spent.status, spent.headers.get('retry-after')]).toEqual([429, '60']);
});

it('a merge changes the inventory and nothing that the tenants have decided', async () => {
  const before = await session.lookup(keys.shop, LISTED);
  expect(
    (
      await session.call(
        keys.bank,
        'POST',
        '/v1/detections',
        NUMBERS.map((number) => ({ number })),
      )
    ).status,
  ).toBe(202);
  await session.server.tick();
  expect(await session.lookup(keys.shop, LISTED)).toMatchObject({
    generation: Number(before.generation) + 1,
    sightings: 2,
  });
  await expectAllKept();
});

it('a restart on the same state changes nothing either; a deleted key stays deleted', async () => {
  await session.start();
  await expectAllKept();
  expect((await session.call(keys.revoked, 'GET', '/v1/status')).status).toBe(401);
}, 30_000);

it('no log line has a number, a secret or a reason', async () => {
  const digits = NUMBERS.map((number) => number.slice(1));
  // What may go wrong, while a number is at hand: bad paths, bad bodies, bad fields.
  await session.call(keys.shop, 'GET', `/v1/lookup/nothing?${query(LISTED)}`);
  await session.call(keys.shop, 'POST', '/v1/lookup', { number: `${LISTED}x`, country: LISTED });
  await session.call(keys.shop, 'PUT', '/v1/overrides', { [LISTED]: REASON, reason: REASON });
  await session.call(keys.shop, 'POST', '/v1/lookup/batch', { numbers: `${LISTED}`, scenario: REASON });
  await session.call(keys.shop, 'GET', `/v1/audit?before=${LISTED}&tenant=${LISTED}`);
  const log = await session.wholeLog();
  // It does log: the requests that wrangler saw, and the ticks.
  expect(log).toContain('"event":"tick"');
  expect(log).toContain('/v1/lookup');
  const secrets = [...Object.values(keys).map((key) => key.split('_')[2] ?? ''), ADMIN_KEY];
  const everything = `${log}\n${session.printed.join('\n').replaceAll(ADMIN_KEY, '')}`;
  for (const spelling of [...digits, ...digits.map((number) => number.slice(1)), REASON]) {
    expect(everything).not.toContain(spelling);
  }
  for (const secret of secrets) {
    expect(secret.length).toBeGreaterThan(30);
    expect(log).not.toContain(secret);
    expect(everything).not.toContain(secret);
  }
  // Not even one that nobody used.
  expect(plainPaths(log).length).toBeGreaterThan(50);
  expect(plainPaths(log).filter((path) => /\d{7}|%2B|\?/i.test(path))).toEqual([]);
});

async function expectShopPolicy(): Promise<void> {
  expect(await session.lookup(keys.shop, LISTED)).toMatchObject({
    action: 'flag',
    rule: 'reported',
    shadow: ['watch'],
  });
  expect(await session.lookup(keys.shop, '+12125550152')).toMatchObject({ action: 'challenge', rule: 'default' });
}

async function expectDelisted(): Promise<void> {
  for (const key of [keys.shop, keys.bank]) {
    expect(await session.lookup(key, DELISTED)).toMatchObject({
      verdict: 'listed',
      action: 'allow',
      override: { list: 'allow', scope: 'global', expiresAt: null },
    });
  }
}

async function expectAllKept(): Promise<void> {
  await expectShopPolicy();
  await expectDelisted();
  expect(await session.lookup(keys.shop, BLOCKED)).toMatchObject({
    action: 'block',
    override: { list: 'block', scope: 'tenant', expiresAt: null },
  });
  expect(await session.lookup(keys.bank, BLOCKED)).not.toHaveProperty('override');
  expect((await session.call(keys.shop, 'GET', '/v1/overrides')).json).toMatchObject({
    overrides: [{ number: BLOCKED }],
  });
}
