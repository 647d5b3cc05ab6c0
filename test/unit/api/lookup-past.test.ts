import { beforeEach, describe, expect, it } from 'vitest';
import type { Finding } from '../../../src/policy/answer.ts';
import { Harness } from './harness.ts';

const NUMBER = 12_025_550_124;
const FOUND: Finding = {
  generation: 7,
  ageSeconds: 400,
  record: {
    labels: ['modem_pool_card'],
    channels: ['api_receiver'],
    industries: [],
    firstDay: 20_225,
    lastDay: 20_230,
    sightings: 3,
  },
  hundred: 0,
  thousand: 0,
  score: 0,
  evidence: [
    {
      ...{
        label: 'modem_pool_card',
        channel: 'api_receiver',
        industry: null,
        project: 'acme',
        link: null,
        source: null,
      },
      ...{ firstSeenAt: 20_225 * 86_400, lastSeenAt: 20_230 * 86_400, sightings: 3 },
    },
  ],
};

let harness: Harness;

beforeEach(() => {
  harness = new Harness();
  harness.findings.set(NUMBER, FOUND);
  harness.findings.set(NUMBER + 1, FOUND);
});

const post = (more: object, number = NUMBER) =>
  harness.call('POST', '/v1/lookup', { json: { number: `+${number}`, ...more } });
const get = (query: string) => harness.call('GET', `/v1/lookup?number=%2B${NUMBER}&${query}`);

describe('a lookup of an earlier date', () => {
  it('answers what was known by the end of it, and says so', async () => {
    const { json } = await post({ asOf: '2025-05-23' });
    expect(harness.askedPast).toEqual([{ number: NUMBER, asOf: { day: 20_231 }, evidence: false }]);
    // The horizon, and the level, are counted from then.
    expect(json).toMatchObject({ verdict: 'listed', level: 9, action: 'block', asOf: { date: '2025-05-23' } });
    expect(json).not.toHaveProperty('evidence');
  });

  it('says where evidence that is not kept could say more', async () => {
    expect((await post({ asOf: '2025-05-23' }, NUMBER + 1)).json).toMatchObject({
      asOf: { date: '2025-05-23', complete: false },
    });
  });

  it('can be asked for in a query, with evidence', async () => {
    const { json } = await get('asOf=2025-05-23&evidence=true');
    expect(json).toMatchObject({ asOf: { date: '2025-05-23' }, evidence: [{ project: 'acme' }] });
  });

  it('reads the evidence for rules that name projects, and keeps it to itself', async () => {
    const rules = [{ id: 'mine', when: '"acme" in projects', action: 'flag', mode: 'enforce' }];
    await harness.call('PUT', '/v1/policy', { json: { rules } });
    const { json } = await post({ asOf: '2025-05-23' });
    expect(json).toMatchObject({ action: 'flag', rule: 'mine' });
    expect(json).not.toHaveProperty('evidence');
  });

  it.each([
    [{ asOf: '2025-06-01' }, 'not to come'],
    [{ asOf: '1999-12-31' }, 'asOf'],
    [{ asOf: 'yesterday' }, 'asOf'],
    [{ asOf: '2025-02-30' }, 'asOf'],
    [{ asOf: 0 }, 'asOf'],
    [{ asOf: 1.5 }, 'asOf'],
    [{ asOf: '2025-05-23', receipt: true }, 'receipt'],
  ])('%j is refused', async (more, detail) => {
    const answer = await post(more);
    expect(answer).toMatchObject({ status: 400, code: 'invalid-request' });
    expect(answer.text).toContain(detail);
    expect(harness.askedPast).toEqual([]);
  });

  it('today is not to come', async () => {
    expect((await post({ asOf: '2025-05-31' })).status).toBe(200);
  });
});

describe('a lookup of a generation', () => {
  it('answers with the days of when it was published', async () => {
    const { json } = await get('asOf=5');
    expect(harness.askedPast).toEqual([{ number: NUMBER, asOf: { generation: 5 }, evidence: false }]);
    expect(json).toMatchObject({ asOf: { generation: 5, publishedAt: '2025-05-31T11:59:00.000Z' } });
  });

  it('that is not retained is answered with those that are', async () => {
    harness.notRetained = [6, 7];
    expect((await post({ asOf: 5 })).json).toMatchObject({ status: 404, field: 'asOf', retained: [6, 7] });
  });

  it('is unknown when storage does not answer', async () => {
    harness.findings.set(NUMBER, null);
    expect(await post({ asOf: 5 })).toMatchObject({ status: 503, code: 'storage-unavailable' });
  });
});

describe('a policy that names projects', () => {
  const put = () =>
    harness.call('PUT', '/v1/policy', {
      json: { rules: [{ id: 'mine', when: '"acme" in projects', action: 'flag', mode: 'enforce' }] },
    });

  it('takes the evidence of a listed number, and no look at storage for another', async () => {
    harness.inMemory = true;
    await put();
    // The rules are read with the first one.
    await post({}, NUMBER + 50);
    harness.asked.length = 0;
    expect((await post({})).json).toMatchObject({ rule: 'mine' });
    expect(harness.asked).toEqual([{ numbers: [NUMBER], evidence: true }]);
    expect((await post({}, NUMBER + 50)).json).toMatchObject({ rule: 'default' });
    expect(harness.asked).toHaveLength(1);
  });

  it('takes the evidence of a batch', async () => {
    await put();
    const { json } = await harness.call('POST', '/v1/lookup/batch', { json: { numbers: [`+${NUMBER}`] } });
    expect(json).toMatchObject({ results: [{ rule: 'mine', action: 'flag' }] });
  });

  it('is asked about evidence when it is tried', async () => {
    const policy = { rules: [{ id: 'mine', when: '"acme" in projects', action: 'flag', mode: 'enforce' }] };
    const { json } = await harness.call('POST', '/v1/policy/test', { json: { policy, numbers: [`+${NUMBER}`] } });
    expect(json).toMatchObject({ results: [{ policy: { rule: 'mine' } }] });
  });
});
