/**
 * A number that is possible but not assigned: whatever asks about numbers answers, whatever takes numbers in refuses
 * it.
 */
import { beforeEach, describe, expect, it } from 'vitest';
import { lookupByRpc } from '../../../src/api/rpc.ts';
import { Harness, LISTED } from './harness.ts';

/** Reserved for drama by Ofcom, in a range that is not assigned. */
const NUMBER = '+447700900123';
const DIGITS = 447_700_900_123;
const QUERY = NUMBER.replace('+', '%2B');
const UNASSIGNED = { number: NUMBER, country: null, lineType: 'unassigned' };

let harness: Harness;
beforeEach(() => {
  harness = new Harness();
});

const post = async (json: object) => (await harness.call('POST', '/v1/lookup', { json })).json;
const get = async (query: string) => (await harness.call('GET', `/v1/lookup?${query}`)).json;

describe('a lookup of an unassigned number', () => {
  it('is answered in every way of asking', async () => {
    const clear = { ...UNASSIGNED, verdict: 'clear', action: 'allow', rule: 'default' };
    for (const inMemory of [false, true]) {
      harness.inMemory = inMemory;
      expect(await get(`number=${QUERY}`)).toMatchObject(clear);
      expect(await get('number=07700900123&country=GB')).toMatchObject(clear);
      expect(await post({ number: NUMBER })).toMatchObject(clear);
      expect(await post({ number: '+44 (0)7700 900123', evidence: true })).toMatchObject(clear);
      expect(await post({ number: NUMBER, asOf: '2025-05-30' })).toMatchObject(clear);
      expect(await post({ number: NUMBER, plusMayBeLost: true, country: 'US' })).toMatchObject(clear);
    }
    const input = { number: NUMBER };
    expect(await lookupByRpc(harness.services, { tenant: 'default' }, input)).toMatchObject({
      ok: true,
      answer: clear,
    });
  });

  it('finds one that is listed: its range was withdrawn since', async () => {
    harness.findings.set(DIGITS, LISTED);
    const listed = { ...UNASSIGNED, verdict: 'listed', action: 'block' };
    expect(await get(`number=${QUERY}`)).toMatchObject(listed);
    expect(await post({ number: '07700 900123', country: 'GB' })).toMatchObject(listed);
  });

  it('stands in a batch in its place', async () => {
    const json = { numbers: ['+12025550123', NUMBER, '+1202'] };
    expect((await harness.call('POST', '/v1/lookup/batch', { json })).json).toMatchObject({
      results: [{ lineType: 'fixed_line_or_mobile' }, UNASSIGNED, { error: { code: 'invalid-number' } }],
    });
  });
});

describe('rules', () => {
  const rule = { id: 'unassigned', when: 'lineType == "unassigned"', action: 'challenge', mode: 'enforce' };
  const policy = { rules: [rule], default: 'allow' };

  it('can ask for it, and are tried on it', async () => {
    const json = { policy, numbers: [NUMBER, '+12025550123'] };
    const tried = await harness.call('POST', '/v1/policy/test', { json });
    expect(tried.json).toMatchObject({
      results: [
        { number: NUMBER, policy: { action: 'challenge', rule: 'unassigned' } },
        { number: '+12025550123', policy: { action: 'allow' } },
      ],
      warnings: [],
    });
    const set = await harness.call('PUT', '/v1/policy', { json: policy });
    expect(set).toMatchObject({ status: 200, json: { warnings: [] } });
    expect(await post({ number: NUMBER })).toMatchObject({ ...UNASSIGNED, action: 'challenge', rule: 'unassigned' });
  });

  it('do not meet it in a text that can be read as an assigned number', async () => {
    await harness.call('PUT', '/v1/policy', { json: policy });
    // Ten digits of the United States; after a lost plus, of no range in Egypt.
    const asked = { number: ' 2025550123', country: 'US', plusMayBeLost: true };
    expect(await post(asked)).toMatchObject({ number: '+12025550123', action: 'allow' });
    // An extension does not hide it, whatever the digits are together.
    expect(await post({ number: '+62 8121234 ext 5678' })).toMatchObject({ number: '+628121234', action: 'challenge' });
  });
});

describe('what is kept of an unassigned number', () => {
  it('is an override, which can be deleted', async () => {
    const json = { number: NUMBER, list: 'block', reason: 'seen in a script' };
    expect((await harness.call('PUT', '/v1/overrides', { json })).json).toMatchObject({ number: NUMBER });
    expect(await post({ number: NUMBER })).toMatchObject({ ...UNASSIGNED, action: 'block', rule: 'override' });
    expect((await harness.call('GET', `/v1/overrides?number=${QUERY}`)).json).toMatchObject({ list: 'block' });
    expect((await harness.call('DELETE', `/v1/overrides?number=${QUERY}`)).status).toBe(204);
  });

  it('is no canary: no line with it would be accepted', async () => {
    const refused = await harness.call('PUT', '/v1/canaries', { json: { number: NUMBER } });
    expect(refused).toMatchObject({ status: 400, code: 'invalid-number', json: { field: 'number' } });
    expect(refused.text).toContain('unassigned');
    // One whose range was withdrawn since can be.
    expect((await harness.call('DELETE', `/v1/canaries?number=${QUERY}`)).code).toBe('not-found');
  });

  it('is no detection: its line is rejected', async () => {
    const body = `${JSON.stringify({ number: NUMBER })}\n${JSON.stringify({ number: '+12025550123' })}\n`;
    const headers = { 'content-type': 'application/x-ndjson' };
    expect((await harness.call('POST', '/v1/detections', { body, headers })).json).toMatchObject({
      accepted: 1,
      rejected: 1,
      errors: [{ line: 1, code: 'invalid-number' }],
    });
  });
});
