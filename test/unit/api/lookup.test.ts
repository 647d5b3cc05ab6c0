import { beforeEach, describe, expect, it } from 'vitest';
import type { Finding } from '../../../src/policy/answer.ts';
import { SUSPECT_SCORE } from '../../../src/policy/score.ts';
import { StorageUnavailable } from '../../../src/storage/store.ts';
import { Harness } from './harness.ts';

const LISTED: Finding = {
  generation: 1234,
  ageSeconds: 2,
  record: {
    labels: ['modem_pool_card'],
    channels: ['otp_marketplace'],
    industries: ['social_media'],
    firstDay: 20225,
    lastDay: 20237,
    sightings: 12,
  },
  hundred: 37,
  thousand: 120,
  score: 0.9312,
};

let harness: Harness;

beforeEach(() => {
  harness = new Harness();
  harness.findings.set(639171234567, LISTED);
});

const post = (json: unknown) => harness.call('POST', '/v1/lookup', { json });
const get = (query: string) => harness.call('GET', `/v1/lookup?${query}`);

describe('a lookup', () => {
  it('answers with the documented fields in the documented order, to the byte', async () => {
    const { status, text } = await post({ number: '+639171234567' });
    expect(status).toBe(200);
    expect(text).toBe(
      '{"number":"+639171234567","country":"PH","lineType":"mobile",' +
        '"verdict":"listed","level":9,"labels":["modem_pool_card"],"channels":["otp_marketplace"],"industries":["social_media"],' +
        '"firstSeen":"2025-05-17","lastSeen":"2025-05-29","sightings":12,' +
        '"neighbourhood":{"hundred":37,"thousand":120,"score":0.93},' +
        '"action":"block","rule":"modem-pool","generation":1234}',
    );
  });

  it.each([
    { number: '+639171234567' },
    { number: '639171234567' },
    { number: 'tel:+63-917-123-4567' },
    { number: '0917 123 4567', country: 'PH' },
    { number: '0917 123 4567', country: 'ph' },
    { number: '+63 (917) 123-4567', country: '', scenario: null, evidence: null },
    { number: '+639171234567', country: null, scenario: 'signup', evidence: false, more: 'is ignored' },
  ])('takes %j', async (json) => {
    const { status, json: answer } = await post(json);
    expect(status).toBe(200);
    expect(answer).toMatchObject({ number: '+639171234567', verdict: 'listed' });
  });

  it.each([
    'number=%2B639171234567',
    'number=+639171234567',
    'number=+639171234567&country=DE',
    'number=09171234567&country=PH&scenario=signup&evidence=false',
    'number=639171234567&country=&scenario=',
  ])('takes the query %s', async (query) => {
    const { status, json } = await get(query);
    expect(status).toBe(200);
    expect(json).toMatchObject({ number: '+639171234567', verdict: 'listed' });
  });

  it('is clear without neighbours and suspect with three', async () => {
    expect((await post({ number: '+12025550123' })).json).toMatchObject({
      verdict: 'clear',
      action: 'allow',
      level: null,
    });
    harness.findings.set(12025550123, { ...LISTED, record: null, hundred: 3, thousand: 3, score: SUSPECT_SCORE });
    expect((await post({ number: '+12025550123' })).json).toMatchObject({
      verdict: 'suspect',
      level: null,
      sightings: null,
      action: 'challenge',
      rule: 'suspect-neighbourhood',
    });
  });

  it('asks for evidence only if the caller does', async () => {
    await post({ number: '+639171234567' });
    await get('number=%2B639171234567');
    const line = {
      label: 'modem_pool_card',
      channel: 'api_receiver',
      industry: null,
      project: 'example',
      link: { host: 'otp.example', sha256: '0'.repeat(64) },
      source: null,
      firstSeenAt: 1747440000,
      lastSeenAt: 1748506320,
      sightings: 12,
    } as const;
    harness.findings.set(639171234567, { ...LISTED, evidence: [line] });
    const { json } = await post({ number: '+639171234567', evidence: true });
    expect(json).toMatchObject({
      evidence: [{ ...line, firstSeenAt: '2025-05-17T00:00:00Z', lastSeenAt: '2025-05-29T08:12:00Z' }],
    });
    await get('number=%2B639171234567&evidence=true');
    expect(harness.asked.map(({ evidence }) => evidence)).toEqual([false, false, true, true]);
  });

  it('is as of a number that is not listed beyond the horizon, and says that it was', async () => {
    harness.nowMs = (20237 + 730) * 86_400_000 - 1;
    expect((await post({ number: '+639171234567' })).json).toMatchObject({ verdict: 'listed', level: 4 });
    harness.nowMs++;
    const expired = (await post({ number: '+639171234567' })).json;
    expect(expired).toEqual((await get('number=%2B639171234567')).json);
    harness.findings.set(639171234567, { ...LISTED, record: null });
    expect(expired).toEqual({ ...Object((await post({ number: '+639171234567' })).json), expired: true });
  });

  it('says so if the data is old', async () => {
    harness.findings.set(639171234567, { ...LISTED, ageSeconds: 300 });
    expect((await post({ number: '+639171234567' })).json).toMatchObject({ stale: true, ageSeconds: 300 });
  });
});

describe('a lookup is refused', () => {
  it.each([
    [{ number: '12' }, 'invalid-number'],
    [{ number: '' }, 'invalid-number'],
    [{ number: '0917 123 4567' }, 'invalid-number'],
    [{ number: '+63'.padEnd(200, '9') }, 'invalid-number'],
    [{}, 'number: expected to be given'],
    [[], 'number: expected to be given'],
    ['+639171234567', 'body: expected an object'],
    [null, 'body: expected an object'],
    [{ number: 639171234567 }, 'number: expected text'],
    [{ number: '+639171234567', country: 'PHL' }, 'country: expected an ISO 3166-1 alpha-2 code'],
    [{ number: '+639171234567', country: 'ZZ' }, 'country: expected an ISO 3166-1 alpha-2 code'],
    [{ number: '+639171234567', country: 63 }, 'country: expected text'],
    [{ number: '+639171234567', scenario: 'x'.repeat(65) }, 'scenario: expected at most 64 characters'],
    [{ number: '+639171234567', evidence: 'yes' }, 'evidence: expected true or false'],
    [{ number: '+639171234567', asof: '2025-05-29' }, 'asof: expected asOf'],
    [{ number: '+639171234567', Country: 'PH' }, 'Country: expected country'],
  ])('for %j', async (json, expected) => {
    const { status, code, json: body, text } = await post(json);
    expect(status).toBe(400);
    if (expected === 'invalid-number') expect(code).toBe('invalid-number');
    else {
      expect(code).toBe('invalid-request');
      expect(body).toMatchObject({ detail: expect.stringContaining(expected), field: expected.split(':')[0] });
    }
    expect(text).not.toContain('9171234567');
    expect(harness.asked).toEqual([]);
  });

  it.each([
    ['', 'invalid-request'],
    ['country=PH', 'invalid-request'],
    ['number=%2B639171234567&country=XYZ', 'invalid-request'],
    ['number=%2B639171234567&evidence=1', 'invalid-request'],
    ['number=%2B639171234567&asof=2025-05-29', 'invalid-request'],
    ['number=%2B639171234567&Number=%2B12025550123', 'invalid-request'],
    ['number=12', 'invalid-number'],
    ['number=', 'invalid-number'],
    ['number=%', 'invalid-number'],
  ])('for the query %j', async (query, expected) => {
    const { status, code } = await get(query);
    expect([status, code]).toEqual([400, expected]);
  });

  it('for a generation before the first, by its field', async () => {
    const { status, json } = await get('number=%2B639171234567&asOf=0');
    expect(status).toBe(400);
    expect(json).toMatchObject({ field: 'asOf' });
  });

  it.each(['', '{', '{"number":"+639171234567"', 'number=+639171234567', '\u0000'])('for the body %j', async (body) => {
    const { status, code, json, text } = await harness.call('POST', '/v1/lookup', { body });
    expect([status, code]).toEqual([400, 'invalid-request']);
    expect(json).toMatchObject({ detail: 'body: expected JSON', field: 'body' });
    expect(text).not.toContain('9171234567');
  });

  it('for a body that breaks off', async () => {
    const body = new ReadableStream({ start: (controller) => controller.error(new Error('gone')) });
    const { status, code } = await harness.call('POST', '/v1/lookup', { body });
    expect([status, code]).toEqual([400, 'invalid-request']);
  });

  it('for a large body, whether it says so or not', async () => {
    const small = JSON.stringify({ number: '+639171234567' });
    for (const headers of [{}, { 'content-length': '16385' }]) {
      const body = small.padEnd(16_385);
      const { status, code } = await harness.call('POST', '/v1/lookup', { body, headers });
      expect([status, code]).toEqual([413, 'payload-too-large']);
    }
    for (const headers of [{}, { 'content-length': '16384' }]) {
      expect((await harness.call('POST', '/v1/lookup', { body: small.padEnd(16_384), headers })).status).toBe(200);
    }
  });

  it('without reading an endless body to its end', async () => {
    let pulled = 0;
    const body = new ReadableStream({
      pull: (controller) => {
        pulled += 1;
        controller.enqueue(new Uint8Array(4096));
      },
    });
    expect((await harness.call('POST', '/v1/lookup', { body })).status).toBe(413);
    expect(pulled).toBeLessThan(10);
  });
});

describe('when storage cannot answer', () => {
  it('a lookup is unknown and 503, never clear', async () => {
    harness.findings.set(12025550123, null);
    for (const answer of [await post({ number: '+12025550123' }), await get('number=%2B12025550123')]) {
      expect([answer.status, answer.code]).toEqual([503, 'storage-unavailable']);
      expect(answer.json).toMatchObject({ verdict: 'unknown' });
      expect(answer.headers.get('retry-after')).toBe('5');
      expect(answer.text).not.toContain('12025550123');
    }
  });

  it('so it is if there is no snapshot at all', async () => {
    harness.failure = new StorageUnavailable('no snapshot');
    const { status, code, json } = await post({ number: '+12025550123' });
    expect([status, code]).toEqual([503, 'storage-unavailable']);
    expect(json).toMatchObject({ verdict: 'unknown' });
  });
});
