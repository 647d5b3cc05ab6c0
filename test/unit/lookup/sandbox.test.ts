/** The numbers that answer by themselves; docs/MIDDLEWARE.md and the README name them. */
import { describe, expect, it } from 'vitest';
import { type ReceiptedAnswer, verifyReceipt } from '../../../scripts/verify-receipt.ts';
import { SANDBOX } from '../../../src/lookup/sandbox.ts';
import { parseNumber } from '../../../src/phone/parse.ts';
import { MemoryObjectStore, MemorySliceStore } from '../../../src/storage/memory.ts';
import { Harness } from '../api/harness.ts';

const harness = new Harness();
const lookup = (number: number, more: object = {}) =>
  harness.call('POST', '/v1/lookup', { json: { number: `+${number}`, ...more } });

it('are valid numbers, so that every form accepts them', () => {
  for (const number of Object.values(SANDBOX)) {
    expect(parseNumber(`+${number}`)).toMatchObject({ ok: true, value: { country: 'AU', lineType: 'mobile' } });
  }
});

it('answer listed, suspect, clear, unknown and 429, and the store is never asked', async () => {
  expect((await lookup(SANDBOX.listed, { evidence: true })).json).toMatchObject({
    verdict: 'listed',
    level: 9,
    action: 'block',
    lastSeen: '2025-05-30',
    evidence: [{ project: 'sandbox' }],
  });
  expect((await lookup(SANDBOX.suspect)).json).toMatchObject({ verdict: 'suspect', action: 'challenge' });
  expect((await lookup(SANDBOX.clear)).json).toMatchObject({ verdict: 'clear', action: 'allow' });
  const unknown = await lookup(SANDBOX.unknown);
  expect([unknown.status, unknown.json]).toMatchObject([503, { verdict: 'unknown' }]);
  const spent = await lookup(SANDBOX.quotaExceeded);
  expect([spent.status, spent.code, spent.headers.get('retry-after')]).toEqual([429, 'quota-exceeded', '60']);
  expect(harness.asked).toEqual([]);
});

describe('asOf', () => {
  const on = async (number: number, asOf: string | number, more: object = {}) => {
    const { status, json } = await lookup(number, { asOf, ...more });
    return { status, ...(json as object) };
  };

  it('answers the listed number as it was known then, and the others as today; the store is never asked', async () => {
    const base = { status: 200, asOf: { date: '2025-05-16' } };
    expect(await on(SANDBOX.listed, '2025-05-16')).toMatchObject({ ...base, verdict: 'clear', action: 'allow' });
    expect(await on(SANDBOX.listed, '2025-05-17', { evidence: true })).toMatchObject({
      verdict: 'listed',
      firstSeen: '2025-05-17',
      lastSeen: '2025-05-17',
      sightings: 1,
      evidence: [{ lastSeenAt: '2025-05-17T00:00:00Z', sightings: 1 }],
    });
    expect(await on(SANDBOX.listed, '2025-05-29')).toMatchObject({ lastSeen: '2025-05-17', sightings: 1 });
    expect(await on(SANDBOX.listed, '2025-05-30')).toMatchObject({ lastSeen: '2025-05-30', sightings: 3, level: 9 });
    expect(await on(SANDBOX.suspect, '2025-05-16')).toMatchObject({ ...base, verdict: 'suspect' });
    expect(await on(SANDBOX.clear, '2025-05-16', { evidence: true })).toMatchObject({ verdict: 'clear', evidence: [] });
    expect(await on(SANDBOX.unknown, '2025-05-16')).toMatchObject({ status: 503, verdict: 'unknown' });
    expect(await on(SANDBOX.quotaExceeded, '2025-05-16')).toMatchObject({ status: 429 });
    expect(harness.askedPast).toEqual([]);
  });

  it('answers of any generation', async () => {
    expect(await on(SANDBOX.listed, 1)).toMatchObject({ verdict: 'listed', asOf: { generation: 1 } });
    expect(harness.askedPast).toEqual([]);
  });

  it('refuses what it refuses of any number', async () => {
    expect((await on(SANDBOX.listed, '2025-06-01')).status).toBe(400);
    expect((await on(SANDBOX.listed, '2025-05-30', { receipt: true })).status).toBe(400);
  });

  it('by GET too; numbers beside them are looked for in the store', async () => {
    const { json } = await harness.call('GET', `/v1/lookup?number=%2B${SANDBOX.listed}&asOf=2025-05-16`);
    expect(json).toMatchObject({ verdict: 'clear', asOf: { date: '2025-05-16' } });
    await on(SANDBOX.listed - 1, '2025-05-16');
    expect(harness.askedPast.splice(0)).toHaveLength(1);
  });
});

it('have receipts that verify without a segment', async () => {
  const stores = { objects: new MemoryObjectStore(() => 0), slices: new MemorySliceStore() };
  for (const number of [SANDBOX.listed, SANDBOX.suspect, SANDBOX.clear]) {
    const { json } = await lookup(number, { receipt: true, scenario: 'signup' });
    const answer = json as ReceiptedAnswer;
    expect(answer.receipt).toMatchObject({ commit: 'sandbox', segments: [], scenario: 'signup' });
    expect(await verifyReceipt(stores, answer)).toEqual({ from: 'sandbox', differing: [] });
    const forged = { ...answer, verdict: 'clear' as const, action: 'flag' as const };
    expect((await verifyReceipt(stores, forged)).differing).toContain('action');
  }
  expect((await lookup(SANDBOX.unknown, { receipt: true })).status).toBe(503);
  expect((await lookup(SANDBOX.listed)).json).not.toHaveProperty('receipt');
});

it('stand among others in a batch', async () => {
  const sandbox = [SANDBOX.listed, SANDBOX.unknown, SANDBOX.quotaExceeded].map((number) => `+${number}`);
  const numbers = ['+12025550123', ...sandbox, '+12025550124', `+${SANDBOX.clear}`];
  const { json } = await harness.call('POST', '/v1/lookup/batch', { json: { numbers } });
  const { results } = json as { results: { number: string; verdict: string }[] };
  expect(results.map(({ number, verdict }) => [number, verdict])).toEqual([
    ['+12025550123', 'clear'],
    [`+${SANDBOX.listed}`, 'listed'],
    [`+${SANDBOX.unknown}`, 'unknown'],
    // Anyone can type it into a form: it must not take the others with it.
    [`+${SANDBOX.quotaExceeded}`, 'unknown'],
    ['+12025550124', 'clear'],
    [`+${SANDBOX.clear}`, 'clear'],
  ]);
  expect(harness.asked.at(-1)?.numbers).toEqual([12_025_550_123, 12_025_550_124]);
});

it('numbers beside them are looked up', async () => {
  for (const number of [
    SANDBOX.listed - 1,
    SANDBOX.unknown + 1,
    SANDBOX.quotaExceeded + 1,
    SANDBOX.quotaExceeded - 1,
  ]) {
    harness.asked.length = 0;
    await lookup(number);
    expect(harness.asked).toHaveLength(1);
  }
});
