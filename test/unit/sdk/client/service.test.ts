/** The client against the real HTTP layer: what it sends is understood, and what is answered is what it says. */
import { expect, it } from 'vitest';
import { createClient, RingfenceError } from '../../../../src/sdk/client/index.ts';
import { ADMIN_KEY, Harness } from '../../api/harness.ts';

const NUMBER = '+12025550123';

function world(key: string | null = ADMIN_KEY) {
  const harness = new Harness();
  const client = createClient({
    url: 'https://ringfence.example',
    ...(key === null ? {} : { key }),
    retries: 0,
    fetch: async (url, init) => harness.app.request(url, init),
  });
  return { harness, client };
}

it('looks up one number and many', async () => {
  const { client } = world();
  expect(await client.lookup({ number: NUMBER })).toMatchObject({ number: NUMBER, verdict: 'clear', action: 'allow' });
  const { results } = await client.lookupBatch({ numbers: [NUMBER, '12'] });
  expect(results).toEqual([
    expect.objectContaining({ number: NUMBER, verdict: 'clear' }),
    { input: '12', error: { code: 'invalid-number', detail: expect.any(String) } },
  ]);
});

it('uploads a list, CSV, and a stream', async () => {
  const { client, harness } = world();
  const { upload } = client.detections;
  const [line, bad] = [{ number: NUMBER, sightings: 2 }, { number: '12' }];
  expect(await upload([line, bad])).toMatchObject({ accepted: 1, rejected: 1, errors: [{ line: 2 }] });
  const csv = { contentType: 'text/csv', idempotencyKey: 'a list' };
  expect(await upload(`number\n${NUMBER}\n`, csv)).toMatchObject({ accepted: 1 });
  const stream = new Blob([JSON.stringify(line)]).stream().pipeThrough(new CompressionStream('gzip'));
  const receipt = await upload(stream, { contentEncoding: 'gzip', idempotencyKey: 'one upload' });
  expect(receipt).toMatchObject({ accepted: 1, rejected: 0 });
  expect(harness.uploads.map(({ idempotencyKey }) => idempotencyKey)).toEqual([undefined, 'a list', 'one upload']);
});

it('tells health without a key, also when it is bad', async () => {
  const { client, harness } = world(null);
  expect(await client.health()).toMatchObject({ ok: true, generation: 7 });
  harness.health = { ...harness.health, ok: false, generation: null, ageSeconds: null };
  expect(await client.health()).toEqual(harness.health);
});

it('reads the briefing of a period', async () => {
  const { client, harness } = world();
  expect(await client.briefing('2025-05-16', '2025-05-30')).toMatchObject({ captured: 40, trend: [{}, {}] });
  expect(harness.briefings).toHaveLength(1);
  await expect(client.briefing('today', '2025-05-30')).rejects.toMatchObject({ code: 'invalid-request' });
});

it('reads the status, rolls back, makes, lists and deletes keys', async () => {
  const { client, harness } = world();
  const { retained } = await client.status();
  expect(retained).toHaveLength(1);
  expect(await client.rollback({ generation: 6 })).toMatchObject({ generation: 8, restored: 6 });
  expect(harness.rollbacks).toEqual([{ generation: 6, requeue: false }]);
  const { id, key } = await client.keys.create({ name: 'sign-up', scopes: ['lookup'] });
  expect(key).toContain(id);
  expect((await client.keys.list()).keys).toEqual([expect.objectContaining({ id, name: 'sign-up' })]);
  expect(await client.keys.delete(id)).toBeUndefined();
  expect((await client.keys.list()).keys).toEqual([]);
});

it('puts, tries and reads a policy', async () => {
  const { client } = world();
  const rule = { id: 'listed', when: "verdict == 'listed'", action: 'block', mode: 'enforce' } as const;
  const policy = { rules: [rule], default: 'allow' } as const;
  expect(await client.policy.put(policy)).toMatchObject({ version: 1, rules: [rule] });
  expect(await client.policy.get()).toMatchObject({ tenant: 'default', version: 1 });
  expect(await client.policy.put({ ...policy, default: 'flag' })).toMatchObject({ version: 2 });
  const earlier = await client.policy.get({ version: 1, tenant: 'default' });
  expect(earlier).toMatchObject({ version: 1, default: 'allow' });
  expect(await client.policy.test({ policy, numbers: [NUMBER] })).toMatchObject({ total: { tested: 1 } });
  const broken = client.policy.put({ rules: [{ ...rule, when: 'verdict ==' }], default: 'allow' });
  await expect(broken).rejects.toMatchObject({ code: 'invalid-policy', status: 400 });
});

it('puts, finds, lists and deletes overrides, and reads of them in the audit log', async () => {
  const { client } = world();
  const override = { number: NUMBER, list: 'allow', reason: 'a test handset' } as const;
  expect(await client.overrides.put(override, { tenant: '*' })).toMatchObject({ ...override, tenant: '*' });
  expect(await client.overrides.get(NUMBER, { tenant: '*' })).toMatchObject(override);
  expect(await client.overrides.list({ tenant: '*' })).toEqual([expect.objectContaining(override)]);
  expect(await client.overrides.delete(NUMBER, { tenant: '*' })).toBeUndefined();
  await expect(client.overrides.get(NUMBER, { tenant: '*' })).rejects.toMatchObject({ code: 'not-found' });
  const { entries } = await client.audit.list({ tenant: '*' });
  expect(entries.map(({ action }) => action)).toEqual(['override.delete', 'override.put']);
});

it('calls any operation of the document', async () => {
  const { client } = world();
  expect(await client.call('index', {})).toMatchObject({ service: 'ringfence' });
  expect(await client.call('openapi', {})).toMatchObject({ openapi: '3.1.0' });
});

it('rejects with the code, the status and the words of the service', async () => {
  const { client } = world();
  const refused = client.lookup({ number: '202 555' });
  await expect(refused).rejects.toBeInstanceOf(RingfenceError);
  await expect(refused).rejects.toMatchObject({ code: 'invalid-number', status: 400, retryAfterSeconds: null });
  await expect(world('rf_not-a-key').client.status()).rejects.toMatchObject({ code: 'unauthorized', status: 401 });
  await expect(client.keys.delete('../status')).rejects.toMatchObject({ code: 'not-found', status: 404 });
});
