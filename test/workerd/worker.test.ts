import { createScheduledController, reset } from 'cloudflare:test';
import { env, exports } from 'cloudflare:workers';
import { afterEach, describe, expect, test } from 'vitest';
import control from '../../src/control.ts';
import { tick } from '../../src/merge/tick.ts';
import { limitersOf, storesOf } from '../../src/wiring/isolate.ts';
import { createWhole, wholeApp } from '../support/whole.ts';

/** A fresh isolate's worth of state on the same storage. */
function isolate() {
  const extras = { limiters: limitersOf(env), assets: null };
  const whole = createWhole(storesOf(env), env, (work) => void work, extras);
  const app = wholeApp(whole.services);
  const call = async (path: string, init: RequestInit = {}) => {
    const headers = new Headers(init.headers);
    headers.set('authorization', `Bearer ${env.RINGFENCE_ADMIN_KEY}`);
    const response = await app.fetch(new Request(`https://ringfence.example${path}`, { ...init, headers }));
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };
  const lookup = (number: string, more: object = {}) =>
    call('/v1/lookup', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ number, ...more }),
    });
  const upload = (body: BodyInit, headers: Record<string, string>) =>
    call('/v1/detections', { method: 'POST', headers, body });
  return { ...whole, call, lookup, upload };
}

async function gzip(text: string): Promise<ArrayBuffer> {
  const stream = new Blob([text]).stream().pipeThrough(new CompressionStream('gzip'));
  return new Response(stream).arrayBuffer();
}

afterEach(reset);

describe('in workerd, on R2 and KV', () => {
  test('CSV, NDJSON and JSON, plain and gzip, come in, are merged, and are found by a new isolate', async () => {
    const { merge, upload } = isolate();
    // Days of late: levels fall with time.
    const [month = '', four = '', three = '', two = ''] = [30, 4, 3, 2].map((days) =>
      new Date(Date.now() - days * 86_400_000).toISOString().slice(0, 10),
    );
    const csv = `number,observedAt,label\n"+1 202-555-0101",${four},public_sms_receiver\n`;
    const ndjson = `{"number":"+12025550102","observedAt":"${three}T23:30:00-02:00","label":"modem_pool_card","link":"https://codes.example/x?token=1"}\n`;
    const json = `[{"number":"(202) 555-0103","country":"US","firstSeen":"${month}","observedAt":"${two}","sightings":7}]`;
    const uploads = [
      await upload(csv, { 'content-type': 'text/csv' }),
      await upload(await gzip(ndjson), { 'content-type': 'application/x-ndjson', 'content-encoding': 'gzip' }),
      await upload(json, { 'content-type': 'application/json' }),
    ];
    for (const { status, body } of uploads) {
      expect(status).toBe(202);
      expect(body).toMatchObject({ accepted: 1, rejected: 0, errors: [] });
    }
    await tick(merge);
    const { lookup } = isolate();
    expect((await lookup('+12025550101')).body).toMatchObject({
      verdict: 'listed',
      level: 7,
      labels: ['public_sms_receiver'],
      firstSeen: four,
      lastSeen: four,
      sightings: 1,
      neighbourhood: { hundred: 2, thousand: 2 },
      action: 'challenge',
      generation: 1,
    });
    expect((await lookup('+12025550102', { evidence: true })).body).toMatchObject({
      verdict: 'listed',
      level: 9,
      lastSeen: two,
      action: 'block',
      evidence: [{ link: { host: 'codes.example', sha256: expect.stringMatching(/^[0-9a-f]{64}$/) } }],
    });
    expect((await lookup('+12025550103')).body).toMatchObject({
      firstSeen: month,
      lastSeen: two,
      sightings: 7,
    });
    expect((await lookup('+12025550104')).body).toMatchObject({ verdict: 'suspect', neighbourhood: { hundred: 3 } });
    expect((await lookup('+442079460000')).body).toMatchObject({ verdict: 'clear', action: 'allow' });
  });

  test('the same upload from many clients at once counts once', async () => {
    const { merge, upload, lookup } = isolate();
    const headers = { 'content-type': 'application/x-ndjson', 'idempotency-key': 'retry-me' };
    const answers = await Promise.all(Array.from({ length: 12 }, () => upload('{"number":"+12025550111"}', headers)));
    expect(new Set(answers.map(({ status, body }) => `${status} ${body.batch} ${body.accepted}`)).size).toBe(1);
    await Promise.all([tick(merge), tick(merge), tick(merge)]);
    await tick(merge);
    expect((await upload('{"number":"+12025550111"}', headers)).body).toMatchObject({ batch: answers[0]?.body.batch });
    await tick(merge);
    expect((await lookup('+12025550111')).body).toMatchObject({ sightings: 1 });
    const other = await upload('{"number":"+12025550112"}', headers);
    expect(other.status).toBe(409);
    expect(other.body.type).toMatch(/idempotency-conflict$/);
  });

  test('damaged KV is bypassed; damaged R2 gives 503 unknown, never clear', async () => {
    const { merge, upload } = isolate();
    await upload('{"number":"+12025550121"}', { 'content-type': 'application/x-ndjson' });
    await tick(merge);
    const { keys } = await env.SLICES.list();
    for (const { name } of keys) await env.SLICES.put(name, 'rubbish');
    expect((await isolate().lookup('+12025550121')).body).toMatchObject({ verdict: 'listed' });
    // What the tick has written is part of them.
    const { objects } = await env.STORE.list({ prefix: 'manifests/' });
    expect(objects).not.toEqual([]);
    for (const { key, size } of objects) await env.STORE.put(key, new Uint8Array(size));
    const { status, body } = await isolate().lookup('+12025550121');
    expect(status).toBe(503);
    expect(body).toMatchObject({ verdict: 'unknown' });
    expect(body).not.toHaveProperty('action');
  });

  test('the Worker itself: no key, cron, lookup, rollback', async () => {
    const worker = exports.default;
    expect((await worker.fetch('https://ringfence.example/v1/status')).status).toBe(401);
    const admin = { authorization: `Bearer ${env.RINGFENCE_ADMIN_KEY}` };
    const post = (path: string, type: string, body: string) =>
      worker.fetch(`https://ringfence.example${path}`, {
        method: 'POST',
        headers: { ...admin, 'content-type': type },
        body,
      });
    for (const number of ['+12025550131', '+12025550132']) {
      await post('/v1/detections', 'application/x-ndjson', JSON.stringify({ number }));
      await control.scheduled(createScheduledController({ cron: '* * * * *' }), env);
    }
    await worker.fetch('https://ringfence.example/v1/status', { headers: admin });
    const found = await post('/v1/lookup', 'application/json', '{"number":"+12025550132"}');
    expect(await found.json()).toMatchObject({ verdict: 'listed', generation: 2 });
    const back = await post('/v1/rollback', 'application/json', '{"generation":1}');
    expect(await back.json()).toMatchObject({ generation: 3, restored: 1, batches: [expect.any(String)] });
    const health = await worker.fetch('https://ringfence.example/healthz');
    expect(await health.json()).toMatchObject({ ok: true });
    const status = await worker.fetch('https://ringfence.example/v1/status', { headers: admin });
    expect(await status.json()).toMatchObject({ generation: 3, inventory: { numbers: 1 }, setAside: { batches: 1 } });
  });
});
