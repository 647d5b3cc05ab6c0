import { beforeEach, describe, expect, it } from 'vitest';
import { PAGE_BATCHES } from '../../../src/merge/batches.ts';
import { loadManifest } from '../../../src/merge/publish-manifest.ts';
import { rollback } from '../../../src/merge/rollback.ts';
import { tick } from '../../../src/merge/tick.ts';
import { formatE164 } from '../../../src/phone/parse.ts';
import { fictionNumber } from '../../support/detections.ts';
import { Harness } from './harness.ts';

const MINUTE = 60_000;

let harness: Harness;

beforeEach(() => {
  harness = new Harness();
});

interface Row {
  readonly batch: string;
  readonly state: string;
}

/**
 * Fictitious numbers (area codes from 201 on), and as many lines as `bad` says whose number is in no assigned range.
 */
function body(first: number, count: number, source: string | null = null, bad = 0): string {
  const line = (number: string) => JSON.stringify({ number, observedAt: '2025-05-29T08:00:00Z', source });
  const good = Array.from({ length: count }, (_, i) => line(formatE164(fictionNumber(100 + first + i))));
  return [...good, ...Array.from({ length: bad }, (_, i) => line(`+1999555${String(i).padStart(4, '0')}`))].join('\n');
}

async function upload(text: string, idempotencyKey?: string, key?: string) {
  const headers = {
    'content-type': 'application/x-ndjson',
    ...(idempotencyKey !== undefined && { 'idempotency-key': idempotencyKey }),
  };
  const {
    status,
    json,
    headers: answered,
  } = await harness.call('POST', '/v1/detections', {
    ...{ body: text, headers },
    ...(key !== undefined && { key }),
  });
  expect(status).toBe(202);
  return {
    ...(json as { batch: string; state?: string; detail?: string }),
    isReplay: answered.has('idempotent-replayed'),
  };
}

async function ticks(count = 1): Promise<void> {
  for (let i = 0; i < count; i++) {
    harness.nowMs += MINUTE;
    await tick(harness.mergeContext);
  }
}

async function listed(query = ''): Promise<{ readonly batches: readonly Row[]; readonly next: string | null }> {
  const { status, json } = await harness.call('GET', `/v1/batches${query}`);
  expect(status).toBe(200);
  return json as { batches: Row[]; next: string | null };
}

const states = async (query?: string) =>
  Object.fromEntries((await listed(query)).batches.map(({ batch, state }) => [batch, state]));
const post = (batch: string, what: string) => harness.call('POST', `/v1/batches/${batch}/${what}`);
const generation = async () => (await loadManifest(harness.objects)).manifest.generation;
const back = (to: number) => rollback(harness.mergeContext, to, { requeue: false });

describe('batches', () => {
  it('are none at first', async () => {
    expect(await listed()).toEqual({ batches: [], next: null });
  });

  it('are listed with what has become of them', async () => {
    const merged = await upload(body(0, 3, 'feed'), 'first');
    await ticks();
    const restored = await generation();
    const held = await upload(body(10, 200, 'poison', 200));
    await ticks();
    const aside = await upload(body(20, 4));
    await ticks();
    const waiting = await upload(body(30, 2));
    const all = (await listed()).batches;
    expect(all.map(({ batch }) => batch)).toEqual([waiting, aside, held, merged].map(({ batch }) => batch));
    expect(all).toMatchObject([
      {
        state: 'waiting',
        accepted: 2,
        rejected: 0,
        takenUpAt: null,
        generation: null,
        receivedAt: '2025-05-31T12:03:00.000Z',
      },
      { state: 'merged', accepted: 4, takenUpAt: '2025-05-31T12:03:00.000Z', receivedAt: '2025-05-31T12:02:00.000Z' },
      { state: 'held', accepted: 200, tenant: 'default', rejected: 200, held: 200, sources: ['poison'] },
      { state: 'merged', accepted: 3, sources: ['feed'], receivedAt: null, generation: restored },
    ]);
    await back(restored);
    expect(await states()).toEqual({
      ...{ [waiting.batch]: 'waiting', [aside.batch]: 'set-aside', [held.batch]: 'set-aside' },
      [merged.batch]: 'merged',
    });
    expect((await listed()).batches[1]).toMatchObject({ setAside: { reason: 'rollback' } });
  });

  it('can be asked for since a time, and by source', async () => {
    const first = await upload(body(0, 3, 'feed'));
    await ticks();
    const second = await upload(body(0, 3));
    await ticks();
    expect(Object.keys(await states('?since=2025-05-31T12:02:00Z'))).toEqual([second.batch]);
    expect(Object.keys(await states('?since=2025-05-31T12:01:00Z'))).toEqual([second.batch, first.batch]);
    expect(Object.keys(await states('?since=2025-06-01'))).toEqual([]);
    expect(Object.keys(await states('?source=feed'))).toEqual([first.batch]);
    expect(Object.keys(await states('?source='))).toEqual([second.batch]);
    expect(Object.keys(await states('?source=nobody'))).toEqual([]);
  });

  it('come by pages, in which each is once', async () => {
    const sent: string[] = [];
    for (let i = 0; i < PAGE_BATCHES * 2 + 30; i++) {
      harness.nowMs += 1;
      sent.push((await upload(body(i, 1))).batch);
      if (i === 40) await ticks();
      if (i === PAGE_BATCHES) await ticks();
    }
    const seen: string[] = [];
    let next: string | null = '';
    let pages = 0;
    for (; next !== null; pages++) {
      const page = await listed(next === '' ? '' : `?after=${encodeURIComponent(next)}`);
      seen.push(...page.batches.map(({ batch }) => batch));
      next = page.next;
    }
    expect(seen.toSorted()).toEqual(sent.toSorted());
    expect(pages).toBeGreaterThan(2);
  });

  it.each([
    '?since=yesterday',
    '?after=1',
    '?after=waiting:../x',
    '?after=0:x:0',
    '?after=7:not-a-commit:0',
    `?source=${'x'.repeat(300)}`,
  ])('are not listed by %s', async (query) => {
    const { status, code } = await harness.call('GET', `/v1/batches${query}`);
    expect([status, code]).toEqual([400, 'invalid-request']);
  });

  it('are told of though one cannot be read', async () => {
    const { batch } = await upload(body(0, 3));
    const key = `batches/waiting/${batch}`;
    const object = await harness.objects.get(key);
    await harness.objects.put(key, object?.bytes.fill(7, 30) ?? new Uint8Array());
    expect((await listed()).batches).toMatchObject([{ batch, state: 'waiting', accepted: null, rejected: null }]);
    expect((await listed('?source=feed')).batches).toEqual([]);
    expect((await post(batch, 'withdraw')).json).toMatchObject({ state: 'withdrawn' });
  });

  it('are neither listed, withdrawn nor released while storage fails', async () => {
    const { batch } = await upload(body(0, 3));
    await ticks();
    // Its key is known by now, so that it is the route that meets the failure.
    await listed();
    harness.objects.failure = 'reads';
    expect((await harness.call('GET', '/v1/batches')).code).toBe('storage-unavailable');
    expect((await post(batch, 'withdraw')).code).toBe('storage-unavailable');
    expect((await post(batch, 'release')).code).toBe('storage-unavailable');
  });
});

describe('a withdrawal', () => {
  it('takes back what is in the inventory by the next ticks, and tells how far it is', async () => {
    const good = await upload(body(0, 5));
    const bad = await upload(body(3, 5), 'a bad one');
    await ticks();
    const { status, json } = await post(bad.batch, 'withdraw');
    expect(status).toBe(200);
    const withdrawn = { at: '2025-05-31T12:01:01.000Z', by: 'admin' };
    expect(json).toMatchObject({ batch: bad.batch, state: 'withdrawing', by: 'admin' });
    expect(await states()).toMatchObject({ [bad.batch]: 'withdrawing', [good.batch]: 'merged' });
    expect((await listed('?source=')).batches).toContainEqual(
      expect.objectContaining({ batch: bad.batch, withdrawn: expect.objectContaining({ step: 'queued' }) }),
    );
    await ticks();
    expect(await states()).toMatchObject({ [bad.batch]: 'withdrawn', [good.batch]: 'merged' });
    const row = (await listed()).batches.find(({ batch }) => batch === bad.batch);
    expect(row).toMatchObject({ withdrawn: { by: withdrawn.by, step: null } });
    const again = await post(bad.batch, 'withdraw');
    expect(again.json).toMatchObject({ state: 'withdrawn', at: (json as { at: string }).at });
    expect((await post(bad.batch, 'release')).code).toBe('not-set-aside');
  });

  it('of what nobody sent is not found, whatever it is called', async () => {
    for (const id of ['k-none', 'a.b', 'x'.repeat(200), '%2e%2e']) {
      expect((await post(id, 'withdraw')).status).toBe(404);
      expect((await post(id, 'release')).status).toBe(404);
    }
  });

  it('of what cannot be read any more is refused', async () => {
    const { batch } = await upload(body(0, 3));
    await ticks();
    const key = `batches/merged/${batch}`;
    const object = await harness.objects.get(key);
    await harness.objects.put(key, object?.bytes.fill(7, 30) ?? new Uint8Array());
    const { status, code } = await post(batch, 'withdraw');
    expect([status, code]).toEqual([409, 'batch-unreadable']);
  });
});

describe('an upload that is sent again', () => {
  const again = (key?: string) => upload(body(0, 3), 'the same', key);

  it('is told that it waits, and that it is merged', async () => {
    expect(await again()).not.toHaveProperty('state');
    expect(await again()).toMatchObject({ state: 'waiting', isReplay: true });
    await ticks();
    expect(await again()).toMatchObject({ state: 'merged' });
  });

  it('is told that a rollback set it aside, and how to bring it back', async () => {
    await upload(body(50, 3));
    await ticks();
    const restored = await generation();
    const { batch } = await again();
    await ticks();
    await back(restored);
    const told = await again(await harness.keyWith(['ingest']));
    expect(told).toMatchObject({ state: 'set-aside', detail: expect.stringContaining(`/v1/batches/${batch}/release`) });
    expect((await post(batch, 'release')).json).toEqual({ batch, state: 'waiting' });
    expect(await again()).toMatchObject({ state: 'waiting' });
    expect((await post(batch, 'release')).json).toEqual({ batch, state: 'waiting' });
    await ticks();
    expect(await again()).toMatchObject({ state: 'merged' });
    expect((await post(batch, 'release')).code).toBe('not-set-aside');
  });

  it('is told that it was withdrawn, for good', async () => {
    const { batch } = await again();
    await ticks();
    await post(batch, 'withdraw');
    expect(await again()).toMatchObject({ state: 'withdrawn', detail: expect.stringContaining('Idempotency-Key') });
    await ticks(2);
    expect(await again()).toMatchObject({ state: 'withdrawn' });
  });

  it('is told that it is held only with an admin key: who feeds invented numbers learns nothing', async () => {
    const text = body(0, 200, 'poison', 200);
    await upload(text, 'poison');
    await ticks();
    expect(await upload(text, 'poison')).toMatchObject({ state: 'held' });
    expect(await upload(text, 'poison', await harness.keyWith(['ingest']))).toMatchObject({ state: 'merged' });
  });

  it('takes a bounded number of reads more, and none when it is new', async () => {
    await upload(body(0, 3));
    await ticks();
    const reads = async (work: () => Promise<unknown>) => {
      const before = harness.objects.reads;
      await work();
      return harness.objects.reads - before;
    };
    const key = await harness.keyWith(['ingest']);
    await again(key);
    const replayed = await reads(() => again(key));
    expect(replayed).toBeLessThanOrEqual(9);
  });
});

describe('the audit trail', () => {
  it('has each rollback, withdrawal and release once, under all tenants', async () => {
    await upload(body(0, 3));
    await ticks();
    const { batch } = await upload(body(0, 3));
    await ticks();
    await harness.call('POST', '/v1/rollback', { json: { generation: 1, requeue: true } });
    await back(1);
    await post(batch, 'release');
    await post(batch, 'release');
    await post(batch, 'withdraw');
    await post(batch, 'withdraw');
    const { json } = await harness.call('GET', '/v1/audit?tenant=*');
    expect(json).toMatchObject({
      entries: [
        { action: 'batch.withdraw', batch, by: 'admin' },
        { action: 'batch.release', batch, by: 'admin' },
        { action: 'rollback', generation: 8, restored: 6, requeue: true, by: 'admin' },
      ],
    });
  });
});
