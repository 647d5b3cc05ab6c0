import { beforeEach, describe, expect, it } from 'vitest';
import type { Finding } from '../../../src/policy/answer.ts';
import { SUSPECT_SCORE } from '../../../src/policy/score.ts';
import { policyFile } from '../../../src/tenants/documents.ts';
import { Harness } from './harness.ts';

const LISTED = 12_025_550_123;
const RECEIVER = 442_079_460_001;
const SUSPECT = 12_025_550_124;

const finding = (changes: Partial<Finding>): Finding => ({
  generation: 7,
  ageSeconds: 2,
  record: null,
  hundred: 0,
  thousand: 0,
  score: 0,
  ...changes,
});
const record = (label: string, lastDay: number) => ({
  labels: [label],
  channels: ['otp_marketplace'] as const,
  industries: [],
  firstDay: lastDay,
  lastDay,
  sightings: 1,
});
/** Of the harness's clock, 2025-05-31. */
const TODAY = 20_239;

let harness: Harness;

beforeEach(() => {
  harness = new Harness();
  harness.findings.set(LISTED, finding({ record: record('modem_pool_card', TODAY - 3) }));
  harness.findings.set(RECEIVER, finding({ record: record('public_sms_receiver', TODAY - 40) }));
  harness.findings.set(SUSPECT, finding({ hundred: 5, score: SUSPECT_SCORE }));
});

const rule = (id: string, when: string, action = 'block', mode = 'enforce') => ({ id, when, action, mode });
const put = (json: unknown) => harness.call('PUT', '/v1/policy', { json });
const lookup = async (number: number, more: object = {}) =>
  (await harness.call('POST', '/v1/lookup', { json: { number: `+${number}`, ...more } })).json;

describe('PUT and GET /v1/policy', () => {
  it('is built in until one is put', async () => {
    const { json } = await harness.call('GET', '/v1/policy');
    expect(json).toMatchObject({ tenant: 'default', version: 0, default: 'allow', at: null, by: null, warnings: [] });
    expect((json as { rules: { id: string }[] }).rules.map(({ id }) => id)).toEqual([
      'modem-pool',
      'suspect-neighbourhood',
      'known-receiver',
    ]);
  });

  it('decides by the first enforced match, and reports shadow matches and failures', async () => {
    await put({
      rules: [
        rule('watched', "country == 'US'", 'block', 'shadow'),
        rule('fails', 'daysSinceSeen < 90', 'block'),
        rule('signup', "scenario == 'signup' && verdict == 'listed'", 'challenge'),
        rule('late', 'level >= 9', 'block'),
      ],
      default: 'flag',
    });
    expect(await lookup(LISTED)).toMatchObject({ action: 'block', rule: 'fails', shadow: ['watched'] });
    expect(await lookup(SUSPECT)).toMatchObject({ action: 'flag', rule: 'default', failed: ['fails'] });
    expect(await lookup(RECEIVER)).toMatchObject({ action: 'block' });
    const clear = await lookup(442_079_460_002, { scenario: 'signup' });
    expect(clear).toMatchObject({ action: 'flag', failed: ['fails'] });
    expect(clear).not.toHaveProperty('shadow');
  });

  it('keeps every version, and says who put it', async () => {
    const first = await put({ rules: [rule('a', 'level > 1')] });
    await put({ rules: [rule('b', 'level > 2')], default: 'challenge' });
    expect(first.json).toMatchObject({
      version: 1,
      by: 'admin',
      rules: [{ id: 'a', mode: 'enforce' }],
      default: 'allow',
    });
    const { json } = await harness.call('GET', '/v1/policy');
    expect(json).toMatchObject({ version: 2, rules: [{ id: 'b' }], earlier: [{ version: 1, by: 'admin' }] });
    const { json: earlier } = await harness.call('GET', '/v1/policy?version=1');
    expect(earlier).toMatchObject({ version: 1, rules: [{ id: 'a' }] });
    for (const version of ['0', '3', 'x']) {
      expect((await harness.call('GET', `/v1/policy?version=${version}`)).code).toBe('not-found');
    }
  });

  it('refuses a rule that does not compile, with its position, and keeps the policy before', async () => {
    await put({ rules: [rule('a', 'level > 1')] });
    const refused = await put({ rules: [rule('ok', 'true'), rule('bad', "level >= 8 &&\n  verdictt == 'listed'")] });
    expect([refused.status, refused.code]).toEqual([400, 'invalid-policy']);
    expect(refused.json).toMatchObject({ rule: 'bad', position: { offset: 16, line: 2, column: 3 } });
    expect((await harness.call('GET', '/v1/policy')).json).toMatchObject({ version: 1 });
  });

  it.each([
    [{ rules: 'x' }, 'rules'],
    [{ rules: [{ id: 'a', when: 'true', action: 'explode' }] }, 'rules.0.action'],
    [{ rules: [{ id: 'A!', when: 'true', action: 'block' }] }, 'rules.0.id'],
    [{ rules: [{ id: 'a', when: 'true', action: 'block', mode: 'shadwo' }] }, 'rules.0.mode'],
    [{ rules: [], defualt: 'allow' }, 'defualt'],
  ])('refuses %j naming the field', async (json, field) => {
    const answer = await put(json);
    expect(answer.code).toBe('invalid-request');
    expect(answer.json).toMatchObject({ field });
  });

  it('shows a stored policy that does not compile any more, and says so', async () => {
    await put({ rules: [rule('a', 'level > 1')], default: 'block' });
    const { objects } = await harness.objects.list('config/policies/default/');
    const [{ key } = { key: '' }] = objects;
    // As the version before has written it.
    const { tree: _, ...document } = policyFile.decode((await harness.objects.get(key))?.bytes ?? new Uint8Array());
    for (const one of document.policy.rules) one.when = 'gone > 1';
    await harness.objects.put(key, policyFile.encode(document));
    const { status, json } = await harness.call('GET', '/v1/policy');
    expect(status).toBe(200);
    expect(json).toMatchObject({ rules: [{ when: 'gone > 1' }], default: 'block' });
    expect(JSON.stringify(json)).toContain('not in force');
  });

  it('says of a stored policy that is in force as it was compiled, whatever became of the language since', async () => {
    await put({ rules: [rule('a', 'level > 10')], default: 'block' });
    const { objects } = await harness.objects.list('config/policies/default/');
    const [{ key } = { key: '' }] = objects;
    const document = policyFile.decode((await harness.objects.get(key))?.bytes ?? new Uint8Array());
    for (const one of document.policy.rules) one.when = 'gone > 10';
    await harness.objects.put(key, policyFile.encode(document));
    const { json } = await harness.call('GET', '/v1/policy');
    expect(json).toMatchObject({ warnings: [{ rule: 'a', detail: expect.stringMatching(/^matches no number/) }] });
  });

  it('an unknown field with digits for a name is not repeated', async () => {
    const { text } = await put({ rules: [{ ...rule('a', 'true'), '12025550123': 1 }] });
    expect(text).not.toContain('12025550123');
    expect(text).toContain('a field: expected no such field');
  });

  it('warns of a rule that fails on numbers that are not listed', async () => {
    const { json } = await put({ rules: [rule('recent', 'daysSinceSeen < 90')] });
    expect(json).toMatchObject({ warnings: [{ rule: 'recent' }] });
  });

  it('with storage that does not answer: 503, and what was in force stays', async () => {
    await put({ rules: [rule('a', 'true')] });
    await lookup(LISTED);
    harness.objects.failure = 'writes';
    expect((await put({ rules: [] })).code).toBe('storage-unavailable');
    harness.objects.failure = 'all';
    expect((await harness.call('GET', '/v1/policy')).code).toBe('storage-unavailable');
    expect(await lookup(LISTED)).toMatchObject({ rule: 'a' });
    harness.objects.failure = 'none';
    expect((await harness.call('GET', '/v1/policy')).json).toMatchObject({ version: 1 });
  });
});

describe('POST /v1/policy/test', () => {
  const test = (json: unknown) => harness.call('POST', '/v1/policy/test', { json });
  const policy = {
    rules: [
      rule('old', "verdict == 'listed' && daysSinceSeen > 30", 'flag'),
      rule('listed', "verdict == 'listed'", 'block'),
      rule('watch', "country == 'US'", 'challenge', 'shadow'),
      rule('fails', 'daysListed > 1', 'block'),
    ],
  };

  it.each([
    ['the policy that is tested', [rule('old', 'size(projects) > 0', 'flag')], 'default', 'old'],
    ['the policy in force', [rule('plain', 'level > 0', 'flag')], 'burned', 'plain'],
  ])('reads the evidence that %s asks for', async (_, rules, present, tested) => {
    const line = {
      label: 'modem_pool_card',
      channel: 'api_receiver',
      industry: null,
      link: null,
      source: null,
    } as const;
    const seen = { firstSeenAt: 1_748_000_000, lastSeenAt: 1_748_000_000, sightings: 1 };
    const evidence = [{ ...line, ...seen, project: 'acme' }];
    harness.findings.set(LISTED, finding({ record: record('modem_pool_card', TODAY - 3), evidence }));
    const inForce = present === 'burned' ? '"acme" in projects' : 'false';
    await put({ rules: [rule('burned', inForce, 'block')], default: 'allow' });
    const { json } = await test({ policy: { rules }, numbers: [`+${LISTED}`] });
    expect(json).toMatchObject({
      total: { tested: 1, changed: 1 },
      results: [{ present: { rule: present }, policy: { rule: tested } }],
    });
    expect(JSON.stringify(json)).not.toContain('"failed":["');
    expect(harness.asked.at(-1)).toEqual({ numbers: [LISTED], evidence: true });
  });

  it('tells of each number what both policies do, and of each rule what it would do', async () => {
    const { json } = await test({ policy, numbers: [`+${LISTED}`, `+${RECEIVER}`, 'x', `+${SUSPECT}`] });
    expect(json).toMatchObject({
      total: {
        tested: 3,
        present: { allow: 0, flag: 0, challenge: 2, block: 1 },
        policy: { allow: 1, flag: 1, challenge: 0, block: 1 },
        changed: 2,
      },
      bySample: [{ sample: 'numbers', tested: 3 }],
      byCountry: [
        { country: 'US', tested: 2, changed: 1 },
        { country: 'GB', tested: 1, changed: 1 },
      ],
      rules: [
        { id: 'old', matched: 1, decided: 1, failed: 0, when: "verdict == 'listed' && daysSinceSeen > 30" },
        { id: 'listed', matched: 2, decided: 1, failed: 0 },
        { id: 'watch', mode: 'shadow', matched: 2, decided: 0, failed: 0 },
        { id: 'fails', matched: 2, decided: 0, failed: 1 },
      ],
      results: [
        { verdict: 'listed', present: { rule: 'modem-pool' }, policy: { action: 'block', shadow: ['watch'] } },
        { present: { action: 'challenge' }, policy: { action: 'flag', rule: 'old' } },
        { input: 'x', error: { code: 'invalid-number' } },
        { verdict: 'suspect', policy: { action: 'allow', failed: ['fails'] } },
      ],
    });
    const { byLabel } = json as { byLabel: { label: string | null; tested: number }[] };
    expect(byLabel.map(({ label, tested }) => [label, tested])).toEqual([
      ['modem_pool_card', 1],
      ['public_sms_receiver', 1],
      [null, 1],
    ]);
  });

  it('draws samples of the inventory and of clear numbers, and stores nothing', async () => {
    const { json } = await test({ policy, samples: { inventory: 2, clear: 100 } });
    expect(json).toMatchObject({
      total: { tested: 102 },
      bySample: [
        { sample: 'clear', tested: 100, policy: { allow: 100 } },
        { sample: 'inventory', tested: 2, changed: 1 },
      ],
      results: [],
    });
    expect((await test({ policy, samples: 2 })).json).toMatchObject({ total: { tested: 4 } });
    expect((await harness.call('GET', '/v1/policy')).json).toMatchObject({ version: 0 });
  });

  it('counts what storage cannot answer for, and decides nothing of it', async () => {
    harness.findings.set(SUSPECT, null);
    const { json } = await test({ policy, numbers: [`+${SUSPECT}`] });
    expect(json).toMatchObject({
      total: { tested: 0 },
      unanswered: 1,
      results: [{ error: { code: 'storage-unavailable' } }],
    });
  });

  it.each([
    [{}, 'policy'],
    [{ policy }, 'numbers'],
    [{ policy, samples: 1001 }, 'samples'],
    [{ policy, numbers: [1] }, 'numbers.0'],
  ])('refuses %j', async (json, field) => {
    expect((await test(json)).json).toMatchObject({ field });
  });

  it('refuses a rule that does not compile', async () => {
    expect((await test({ policy: { rules: [rule('a', '1 +')] }, samples: 1 })).code).toBe('invalid-policy');
  });
});
