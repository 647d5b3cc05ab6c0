import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { openBatch } from '../../../src/format/batch.ts';
import { acceptDetections } from '../../../src/ingest/accept.ts';
import { MAX_REPORTED_ERRORS } from '../../../src/ingest/body.ts';
import { MERGED_PREFIX, WAITING_PREFIX } from '../../../src/storage/keys.ts';
import { MemoryObjectStore } from '../../../src/storage/memory.ts';
import { wrapStore } from './stores.ts';
import { dramaNumber, NOW_MS, streamOf } from './support.ts';
import { type Merged, tick } from './tick.ts';
import { BODY_1, BODY_2, depsOn, sha256, upload } from './uploads.ts';

const KEYED_ID = `k-${sha256('default\nkey-1')}`;

/** A store that notes its calls as `put batches/waiting/...`. */
function counted() {
  const calls: string[] = [];
  const memory = new MemoryObjectStore();
  const objects = wrapStore(memory, (name, key, run) => {
    calls.push(`${name} ${key}`);
    return run();
  });
  return { memory, objects, calls };
}

test('without a key: one write, under an id that sorts by time', async () => {
  const { memory, objects, calls } = counted();
  const body = `${BODY_2}{"number":"1"}\n`;
  const result = await upload(depsOn(objects), body);
  const id = `${NOW_MS}-random-1`;
  expect(result).toEqual({
    kind: 'accepted',
    batch: id,
    receipt: {
      bodySha256: sha256(body),
      accepted: 2,
      rejected: 1,
      errors: [{ line: 3, code: 'invalid-number', detail: expect.any(String) }],
      defaulted: { label: 2, channel: 2, observedAt: 2 },
      ignoredFields: [],
      sources: [{ source: null, lines: 3, accepted: 2, unassigned: 0, invalid: 1, fixedLine: 2 }],
    },
    replayed: false,
  });
  expect(calls).toEqual([`put ${WAITING_PREFIX}${id}`]);
  const stored = openBatch((await memory.get(WAITING_PREFIX + id))?.bytes ?? new Uint8Array());
  expect([...stored.numbers]).toEqual([Number(dramaNumber(2)), Number(dramaNumber(3))]);
  expect(stored.receipt).toEqual(result.kind === 'accepted' && result.receipt);
});

test('without a key, the same body twice is two batches', async () => {
  const { memory, objects } = counted();
  const deps = depsOn(objects);
  await upload(deps, BODY_1);
  await upload(deps, BODY_1);
  expect((await memory.list(WAITING_PREFIX)).objects).toHaveLength(2);
});

test('with a key: one write and one look whether the id was consumed', async () => {
  const { objects, calls } = counted();
  const deps = depsOn(objects);
  const first = await upload(deps, BODY_1, 'key-1');
  expect(calls).toEqual([`put ${WAITING_PREFIX}${KEYED_ID}`, `head ${MERGED_PREFIX}${KEYED_ID}`]);
  calls.length = 0;
  expect(await upload(deps, BODY_1, 'key-1')).toEqual({ ...first, replayed: true });
  expect(calls).toEqual([
    `put ${WAITING_PREFIX}${KEYED_ID}`,
    `get ${WAITING_PREFIX}${KEYED_ID}`,
    `get ${MERGED_PREFIX}${KEYED_ID}`,
  ]);
});

test('a key answers the same receipt before and after the merge, and is counted once', async () => {
  const memory = new MemoryObjectStore();
  const merged: Merged = [];
  const deps = depsOn(memory);
  const first = await upload(deps, BODY_1, 'key-1');
  await tick(memory, merged);
  // Long after, with another clock: the detections without a date would be other ones.
  const later = { ...deps, now: () => NOW_MS + 90 * 86_400_000 };
  expect(await upload(later, BODY_1, 'key-1')).toEqual({ ...first, replayed: true });
  await tick(memory, merged);
  expect(await upload(later, BODY_1, 'key-1')).toEqual({ ...first, replayed: true });
  expect(merged).toEqual([{ id: KEYED_ID, bodySha256: sha256(BODY_1), rows: 1 }]);
});

test('a key with another body is a conflict, before and after the merge, and costs the first upload nothing', async () => {
  const memory = new MemoryObjectStore();
  const merged: Merged = [];
  const deps = depsOn(memory);
  const first = await upload(deps, BODY_1, 'key-1');
  expect(await upload(deps, BODY_2, 'key-1')).toEqual({ kind: 'conflict' });
  await tick(memory, merged);
  expect(await upload(deps, BODY_2, 'key-1')).toEqual({ kind: 'conflict' });
  // Now the second body waits under the key of the first, until the next tick drops it.
  expect(await upload(deps, BODY_2, 'key-1')).toEqual({ kind: 'conflict' });
  expect(await upload(deps, BODY_1, 'key-1')).toEqual({ ...first, replayed: true });
  await tick(memory, merged);
  expect(await upload(deps, BODY_1, 'key-1')).toEqual({ ...first, replayed: true });
  expect(merged).toEqual([{ id: KEYED_ID, bodySha256: sha256(BODY_1), rows: 1 }]);
});

test('tenants do not share keys', async () => {
  const memory = new MemoryObjectStore();
  const deps = depsOn(memory);
  const results = [await upload(deps, BODY_1, 'k', 'a'), await upload(deps, BODY_2, 'k', 'b')];
  expect(results.map((result) => result.kind)).toEqual(['accepted', 'accepted']);
});

test('the same body is the same however it was compressed', async () => {
  const memory = new MemoryObjectStore();
  const results = [];
  for (const level of [0, 9, null]) {
    const body = level === null ? BODY_1 : gzipSync(BODY_1, { level });
    results.push(
      await acceptDetections(
        {
          body: streamOf(body),
          contentType: 'application/x-ndjson',
          contentEncoding: level === null ? null : 'gzip',
          idempotencyKey: 'key-1',
          tenant: 'default',
        },
        depsOn(memory),
      ),
    );
  }
  expect(results[1]).toEqual({ ...results[0], replayed: true });
  expect(results[2]).toEqual({ ...results[0], replayed: true });
});

describe('nothing accepted', () => {
  test('without a key nothing is stored', async () => {
    const { objects, calls } = counted();
    expect(await upload(depsOn(objects), '{}\n')).toMatchObject({
      kind: 'accepted',
      receipt: { accepted: 0, rejected: 1 },
    });
    expect(calls).toEqual([]);
  });

  test('with a key the receipt is kept', async () => {
    const deps = depsOn(new MemoryObjectStore());
    expect(await upload(deps, '{}\n', 'key-1')).toMatchObject({ kind: 'accepted', receipt: { rejected: 1 } });
    expect(await upload(deps, BODY_1, 'key-1')).toEqual({ kind: 'conflict' });
  });
});

test('a body that cannot be taken stores nothing', async () => {
  const { objects, calls } = counted();
  const body = new Uint8Array([...new TextEncoder().encode(BODY_1), 0xff]);
  const sent = { body: streamOf(body), contentType: 'application/x-ndjson', idempotencyKey: 'k', tenant: 'default' };
  await expect(acceptDetections(sent, depsOn(objects))).rejects.toThrow(
    expect.objectContaining({ code: 'invalid-body' }),
  );
  expect(calls).toEqual([]);
});

test('the first errors are reported, all are counted', async () => {
  const result = await upload(depsOn(new MemoryObjectStore()), '{}\n'.repeat(MAX_REPORTED_ERRORS + 1) + BODY_1);
  expect(result).toMatchObject({ receipt: { accepted: 1, rejected: MAX_REPORTED_ERRORS + 1 } });
  if (result.kind !== 'accepted') throw new Error('not accepted');
  expect(result.receipt.errors.map((error) => error.line)).toEqual(
    Array.from({ length: MAX_REPORTED_ERRORS }, (_, i) => i + 1),
  );
});
