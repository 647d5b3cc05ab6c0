import { gzipSync } from 'node:zlib';
import { beforeEach, describe, expect, it } from 'vitest';
import { tick } from '../../../src/merge/tick.ts';
import { Harness } from './harness.ts';

const NDJSON = { 'content-type': 'application/x-ndjson' };
const LINE = '{"number":"+12025550123","observedAt":"2025-05-29"}\n';

let harness: Harness;

beforeEach(() => {
  harness = new Harness();
});

const upload = (body: BodyInit | undefined, headers: Record<string, string> = NDJSON, key?: string) =>
  harness.call('POST', '/v1/detections', {
    headers,
    ...(body === undefined ? {} : { body }),
    ...(key === undefined ? {} : { key }),
  });

describe('an upload', () => {
  it.each([
    ['NDJSON', LINE, NDJSON],
    ['NDJSON with a charset', LINE, { 'content-type': 'application/x-ndjson; charset=utf-8' }],
    ['JSON', `[${LINE}]`, { 'content-type': 'application/json' }],
    ['CSV', 'number,observedAt\n+12025550123,2025-05-29\n', { 'content-type': 'text/csv' }],
    ['gzip', gzipSync(LINE), { ...NDJSON, 'content-encoding': 'gzip' }],
  ])('is taken as %s and answered with exactly the receipt', async (_, body, headers) => {
    const { status, text } = await upload(body, headers);
    expect(status).toBe(202);
    const notes = '"defaulted":{"label":1,"channel":1,"observedAt":0},"ignoredFields":[]';
    expect(text.replace(/^\{"batch":"[^"]+"/, '')).toBe(`,"accepted":1,"rejected":0,"errors":[],${notes}}`);
    expect((await harness.objects.list('batches/waiting/')).objects).toHaveLength(1);
  });

  it('names rejected lines', async () => {
    const { status, json } = await upload(`${LINE}nonsense\n{"number":"12"}\n`);
    expect(status).toBe(202);
    expect(json).toMatchObject({
      accepted: 1,
      rejected: 2,
      errors: [
        { line: 2, code: 'malformed-line' },
        { line: 3, code: 'invalid-number' },
      ],
    });
  });

  it.each([
    [undefined, NDJSON],
    ['\n\n', NDJSON],
    ['[]', { 'content-type': 'application/json' }],
    ['number,label\n', { 'content-type': 'text/csv' }],
    ['number,observedAt\n+12025550123,2025-05-29\n', NDJSON],
    ['["+12025550123"]', { 'content-type': 'application/json' }],
    ['nonsense\n', { ...NDJSON, 'idempotency-key': 'nonsense' }],
  ])('is refused if there is nothing in it that can be read: %j with %j', async (body, headers) => {
    const { status, code } = await upload(body, headers);
    expect([status, code]).toEqual([400, 'invalid-body']);
    expect((await harness.objects.list('batches/waiting/')).objects).toEqual([]);
  });

  it('tells what was left out and what was passed over, and again on a replay, after the merge too', async () => {
    const body =
      'number,label,channel,observedAt,risk_label,comment,+447700900123\n' +
      '+12025550123,,,,9,x,\n+12025550124,public_sms_receiver,api_receiver,2025-05-29,9,x,\n1,,,,9,x,\n';
    const headers = { 'content-type': 'text/csv', 'idempotency-key': 'notes' };
    const first = await upload(body, headers);
    expect(first.json).toMatchObject({
      accepted: 2,
      rejected: 1,
      defaulted: { label: 1, channel: 1, observedAt: 1 },
      ignoredFields: ['risk_label', 'comment', '+############'],
    });
    const again = await upload(body, headers);
    expect(again.json).toEqual({ ...(first.json as object), state: 'waiting' });
    expect(again.headers.get('idempotent-replayed')).toBe('true');
    await tick(harness.mergeContext);
    expect((await upload(body, headers)).json).toEqual({ ...(first.json as object), state: 'merged' });
  });

  it.each([
    [LINE, { 'content-type': 'application/pdf' }, 415, 'unsupported-media-type'],
    [LINE, { 'content-type': '' }, 415, 'unsupported-media-type'],
    [LINE, { ...NDJSON, 'content-encoding': 'br' }, 415, 'unsupported-media-type'],
    [LINE, { ...NDJSON, 'content-encoding': 'gzip' }, 400, 'invalid-body'],
    ['{}', { 'content-type': 'application/json' }, 400, 'invalid-body'],
    ['\n'.repeat(33 * 1024 * 1024), NDJSON, 413, 'payload-too-large'],
  ])('is refused: %.10j with %j is %i', async (body, headers, status, code) => {
    const answer = await upload(body, headers);
    expect([answer.status, answer.code]).toEqual([status, code]);
  });

  it('is 503 if it cannot be stored', async () => {
    harness.objects.failure = 'all';
    const { status, code, headers, json } = await upload(LINE, { ...NDJSON, 'idempotency-key': 'a' });
    expect([status, code, headers.get('retry-after')]).toEqual([503, 'storage-unavailable', '5']);
    expect(json).toMatchObject({ detail: expect.stringContaining('Idempotency-Key') });
    expect(harness.logged).toMatchObject([{ event: 'storage-unavailable', fields: { message: 'get failed' } }]);
  });
});

describe('an Idempotency-Key', () => {
  const keyed = (body: string, key: string, apiKey?: string) =>
    upload(body, { ...NDJSON, 'idempotency-key': key }, apiKey);

  it('makes a retry the same upload', async () => {
    const first = await keyed(LINE, 'retry 1');
    const second = await keyed(LINE, 'retry 1');
    // The same receipt, and what has become of it since.
    expect(second.json).toEqual({ ...(first.json as object), state: 'waiting' });
    expect((await harness.objects.list('batches/waiting/')).objects).toHaveLength(1);
  });

  it('is 409 with another body', async () => {
    await keyed(LINE, 'a');
    const { status, code } = await keyed(LINE.repeat(2), 'a');
    expect([status, code]).toEqual([409, 'idempotency-conflict']);
  });

  it('belongs to the tenant', async () => {
    await keyed(LINE, 'a');
    const other = await harness.keyWith(['ingest'], { tenant: 'bank' });
    expect((await keyed(LINE.repeat(2), 'a', other)).status).toBe(202);
    expect(harness.uploads.map(({ tenant }) => tenant)).toEqual(['default', 'bank']);
  });

  it.each(['', 'x'.repeat(256), 'é'])('is refused as %j', async (key) => {
    const { status, code, json } = await keyed(LINE, key);
    expect([status, code]).toEqual([400, 'invalid-request']);
    expect(json).toMatchObject({ field: 'Idempotency-Key' });
    expect(harness.uploads).toEqual([]);
  });

  it('may have 255 characters', async () => {
    expect((await keyed(LINE, 'x'.repeat(255))).status).toBe(202);
  });
});
