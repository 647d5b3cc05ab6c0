import { beforeEach, describe, expect, it } from 'vitest';
import { tick } from '../../../src/merge/tick.ts';
import { formatE164 } from '../../../src/phone/parse.ts';
import { fictionNumber } from '../../support/detections.ts';
import { Harness } from './harness.ts';

const CANARY = formatE164(fictionNumber(142));

let harness: Harness;

beforeEach(() => {
  harness = new Harness();
});

/** Fictitious numbers (area codes 201 to 203) of one source as NDJSON, the last of them in no assigned range. */
function body(source: string | null, count: number, unassigned = 0): string {
  const line = (number: string) => JSON.stringify({ number, observedAt: '2025-05-29T08:00:00Z', source });
  const good = Array.from({ length: count }, (_, i) => line(formatE164(fictionNumber(100 + i))));
  const bad = Array.from({ length: unassigned }, (_, i) => line(`+1999555${String(i).padStart(4, '0')}`));
  return [...good, ...bad].join('\n');
}

async function upload(text: string, key?: string): Promise<unknown> {
  const headers = { 'content-type': 'application/x-ndjson', 'idempotency-key': `${text.length}` };
  const options = { body: text, headers, ...(key === undefined ? {} : { key }) };
  const { status, json } = await harness.call('POST', '/v1/detections', options);
  expect(status).toBe(202);
  harness.nowMs += 60_000;
  await tick(harness.mergeContext);
  return json;
}

const sources = async () => (await harness.call('GET', '/v1/sources')).json;
const post = (path: string, json: unknown) => harness.call('POST', `/v1/sources/${path}`, { json });

describe('sources', () => {
  it('are none at first, and the bounds are told', async () => {
    expect(await sources()).toEqual({
      sources: [],
      setAside: [],
      bounds: expect.objectContaining({ invalidShare: 0.2 }),
    });
  });

  it('have their lines counted from the upload on, which is answered as ever', async () => {
    const answer = await upload(body(null, 20, 10));
    const notes = { defaulted: { label: 20, channel: 20, observedAt: 0 }, ignoredFields: [] };
    expect(answer).toEqual({
      batch: expect.any(String),
      accepted: 20,
      rejected: 10,
      errors: expect.any(Array),
      ...notes,
    });
    const figures = { lines: 30, accepted: 20, invalid: 0, unassigned: 10, fixedLine: 0, numbers: 20, known: 0 };
    expect(await sources()).toMatchObject({
      sources: [
        {
          source: null,
          state: 'accepted',
          since: null,
          totals: figures,
          shares: { invalid: 1 / 3, unassigned: 1 / 3, fixedLine: 0, known: 0 },
          days: [{ day: '2025-05-31', ...figures }],
        },
      ],
    });
  });

  it('beyond their bounds are held, released with what was held, and trusted', async () => {
    await upload(body('poison', 200, 100));
    expect(await sources()).toMatchObject({
      sources: [
        { source: 'poison', state: 'quarantined', reasons: ['invalid-numbers', 'unassigned-ranges'], held: 200 },
      ],
    });
    const { status, json } = await post('release', { source: 'poison' });
    expect(status).toBe(200);
    expect(json).toMatchObject({ generation: 2, source: { state: 'trusted', held: 0, due: 200, by: 'admin' } });
    expect(await tick(harness.mergeContext)).toMatchObject({ detections: 200 });
    expect(await sources()).toMatchObject({ sources: [{ state: 'trusted', due: 0 }] });
    expect((await post('release', { source: 'poison' })).code).toBe('not-quarantined');
  });

  it('are dropped and stay in quarantine', async () => {
    await upload(body(null, 200, 100));
    const { json } = await post('drop', { source: null });
    expect(json).toMatchObject({ source: { source: null, state: 'quarantined', held: 0, dropped: 200 } });
    expect(await tick(harness.mergeContext)).toMatchObject({ detections: 0 });
  });

  it('of one name and several tenants are told apart, and none is decided of by mistake', async () => {
    const acme = await harness.keyWith(['ingest'], { tenant: 'acme' });
    const evil = await harness.keyWith(['ingest'], { tenant: 'evil' });
    await upload(body('feed', 200, 100), acme);
    await upload(body('feed', 201, 100), evil);
    expect(await sources()).toMatchObject({
      sources: [
        { source: 'feed', tenant: 'acme', held: 200 },
        { source: 'feed', tenant: 'evil', held: 201 },
      ],
    });
    const { status, code, json } = await post('drop', { source: 'feed' });
    expect([status, code]).toEqual([409, 'ambiguous-source']);
    expect(json).toMatchObject({
      candidates: [
        { source: 'feed', tenant: 'acme' },
        { source: 'feed', tenant: 'evil' },
      ],
    });
    expect((await post('release', { source: 'feed', tenant: 'nobody' })).code).toBe('not-quarantined');
    const released = await post('release', { source: 'feed', tenant: 'acme' });
    expect(released.json).toMatchObject({ source: { source: 'feed', tenant: 'acme', state: 'trusted', due: 200 } });
    // Only one is left in quarantine, and so it is meant.
    expect((await post('drop', { source: 'feed' })).json).toMatchObject({ source: { tenant: 'evil', dropped: 201 } });
  });

  it('without a name are one of each key', async () => {
    const keys = [await harness.keyWith(['ingest']), await harness.keyWith(['ingest'])];
    await upload(body(null, 200, 100), keys[0]);
    await upload(body(null, 20), keys[1]);
    const { sources: told } = (await sources()) as { sources: { key?: string; state: string }[] };
    expect(told.map(({ state }) => state)).toEqual(['quarantined', 'accepted']);
    expect(new Set(told.map(({ key }) => key)).size).toBe(2);
    expect((await post('release', { source: null, key: told[1]?.key })).code).toBe('not-quarantined');
    expect((await post('release', { source: null, key: told[0]?.key })).status).toBe(200);
  });

  it('must be named, null included, and none is quoted', async () => {
    for (const json of [{}, { source: 7 }, { source: 'x'.repeat(129) }, { source: null, requeue: true }]) {
      const { status, code, text } = await post('release', json);
      expect([status, code]).toEqual([400, 'invalid-request']);
      expect(text).not.toContain('xxx');
    }
    const { status, code, text } = await post('drop', { source: '+12025550123' });
    expect([status, code]).toEqual([404, 'not-quarantined']);
    expect(text).not.toContain('2025550123');
  });

  it('cannot be told while storage fails', async () => {
    harness.objects.failure = 'reads';
    expect((await harness.call('GET', '/v1/sources')).status).toBe(503);
    expect((await post('release', { source: null })).status).toBe(503);
  });
});

describe('the audit trail of all tenants', () => {
  const trail = async () => ((await harness.call('GET', '/v1/audit?tenant=*')).json as { entries: unknown[] }).entries;

  it('has each canary and each decision on a source, and none that was refused', async () => {
    const at = new Date(harness.nowMs).toISOString();
    await harness.call('PUT', '/v1/canaries', { json: { number: CANARY, note: 'test shop' } });
    await harness.call('PUT', '/v1/canaries', { json: { number: 'x' } });
    for (const _ of [1, 2]) await harness.call('DELETE', `/v1/canaries?number=${encodeURIComponent(CANARY)}`);
    const common = { at, by: 'admin' };
    expect(await trail()).toEqual([
      { ...common, action: 'canary.delete', number: CANARY },
      { ...common, action: 'canary.put', number: CANARY, note: 'test shop' },
    ]);
    const key = await harness.keyWith(['ingest'], { tenant: 'acme' });
    await upload(body('feed', 200, 100), key);
    await upload(body(null, 201, 100), key);
    await post('drop', { source: 'other' });
    await post('release', { source: 'feed' });
    await post('release', { source: 'feed' });
    await post('drop', { source: null });
    expect(await trail()).toMatchObject([
      { action: 'source.drop', source: { source: null, tenant: 'acme', key: expect.any(String) }, by: 'admin' },
      { action: 'source.release', source: { source: 'feed', tenant: 'acme' }, generation: 3, by: 'admin' },
      { action: 'canary.delete' },
      { action: 'canary.put' },
    ]);
  });

  it('that cannot be written holds up nothing; the log has it then, without number, note and name', async () => {
    await upload(body(CANARY, 200, 100));
    harness.services.tenants.record = async () => ({ kind: 'unavailable' });
    const json = { number: CANARY, note: CANARY };
    expect((await harness.call('PUT', '/v1/canaries', { json })).status).toBe(200);
    expect((await post('drop', { source: CANARY })).status).toBe(200);
    const failed = harness.logged.filter(({ event }) => event === 'audit.failed');
    expect(failed.map(({ fields }) => fields)).toEqual([
      { tenant: '*', by: 'admin', action: 'canary.put', details: '{}' },
      { tenant: '*', by: 'admin', action: 'source.drop', details: '{"generation":2}' },
    ]);
  });
});

describe('canaries', () => {
  const put = (json: unknown) => harness.call('PUT', '/v1/canaries', { json });
  const list = async () => (await harness.call('GET', '/v1/canaries')).json;

  it('are planted, listed in order, changed and deleted', async () => {
    const { status, json } = await put({ number: CANARY, note: 'test shop' });
    expect(status).toBe(200);
    const canary = {
      number: CANARY,
      note: 'test shop',
      author: 'admin',
      createdAt: new Date(harness.nowMs).toISOString(),
      hits: { detections: 0, lastAt: null, sources: [] },
    };
    expect(json).toEqual(canary);
    harness.nowMs += 1;
    await put({ number: '+1 202-555-0199' });
    await put({ number: CANARY });
    expect(await list()).toMatchObject({ canaries: [{ ...canary, note: null }, { number: '+12025550199' }] });
    const path = `/v1/canaries?number=${encodeURIComponent(CANARY)}`;
    expect((await harness.call('DELETE', path)).status).toBe(204);
    expect((await harness.call('DELETE', path)).code).toBe('not-found');
    expect(await list()).toMatchObject({ canaries: [{ number: '+12025550199' }] });
  });

  it('hold a source at the first hit, whatever the size, and are never listed', async () => {
    await put({ number: CANARY });
    await upload(body('thief', 50));
    expect(await sources()).toMatchObject({
      sources: [{ source: 'thief', state: 'quarantined', reasons: ['canary'], held: 50 }],
    });
    expect(await list()).toMatchObject({ canaries: [{ hits: { detections: 1, sources: ['thief'] } }] });
    await post('release', { source: 'thief' });
    expect(await tick(harness.mergeContext)).toMatchObject({ detections: 49 });
    await upload(body('thief', 51));
    expect(await sources()).toMatchObject({ sources: [{ state: 'trusted', held: 0 }] });
    expect(await list()).toMatchObject({ canaries: [{ hits: { detections: 2 } }] });
  });

  it('are refused if they are no number, and none is quoted', async () => {
    for (const [json, code] of [
      [{ number: '+1 202 555' }, 'invalid-number'],
      [{ number: CANARY, note: 'x\ny' }, 'invalid-request'],
      [{}, 'invalid-request'],
    ] as const) {
      const answer = await put(json);
      expect([answer.status, answer.code]).toEqual([400, code]);
      expect(answer.text).not.toContain('202');
    }
    expect((await harness.call('DELETE', '/v1/canaries')).code).toBe('invalid-request');
  });

  it('may or may not have changed when storage fails', async () => {
    harness.objects.failure = 'writes';
    expect((await put({ number: CANARY })).status).toBe(503);
  });
});
