import { beforeAll, describe, expect, test } from 'vitest';
import { verifyReceipt } from '../../../../scripts/verify-receipt.ts';
import { lookupAnswer } from '../../../../src/api/lookup-docs.ts';
import type { Detection } from '../../../../src/format/attributes.ts';
import { lookupOne } from '../../../../src/lookup/lookup.ts';
import { tick } from '../../../../src/merge/tick.ts';
import { SEGMENT_PREFIX } from '../../../../src/storage/keys.ts';
import type { MemoryObjectStore, MemorySliceStore } from '../../../../src/storage/memory.ts';
import { someDetections } from '../../../support/detections.ts';
import { createWhole, type Whole } from '../../../support/whole.ts';
import { newWorld, upload } from '../../../support/world.ts';
import { expectExactly } from '../../api/harness.ts';

const ADMIN_KEY = 'admin-key-of-the-receipt-tests-01234';
const NOW_SECONDS = Math.floor(Date.now() / 1000);

function recent(detections: readonly Detection[]): Detection[] {
  return detections.map((one, i) => {
    const observedAt = NOW_SECONDS - (i % 20) * 86_400;
    return {
      ...one,
      number: 12_025_550_000 + (one.number % 4_000) * 2,
      observedAt,
      firstSeenAt: observedAt - (i % 3) * 86_400,
    };
  });
}

const detections = recent(someDetections(200, 3));
const [LISTED = 0, OTHER = 0] = detections.map(({ number }) => number);
const UNLISTED = LISTED + 1;

/** Two generations in two runs, and a policy that takes evidence. */
async function prepared(): Promise<{
  stores: { objects: MemoryObjectStore; slices: MemorySliceStore };
  runtime: Whole;
}> {
  const world = newWorld({ inlineRecords: 1 });
  world.clock = Date.now();
  await upload(world, 'a', detections.slice(0, 150));
  await tick(world);
  await upload(world, 'b', detections.slice(100));
  await tick(world);
  const stores = { objects: world.objects.memory, slices: world.slices.memory };
  const runtime = createWhole(stores, { RINGFENCE_ADMIN_KEY: ADMIN_KEY }, () => {});
  return { stores, runtime };
}

let stores: Awaited<ReturnType<typeof prepared>>['stores'];
let runtime: Whole;

beforeAll(async () => {
  ({ stores, runtime } = await prepared());
});

async function receipted(number: number, more: object = {}) {
  const answer = await lookupOne(runtime.services, 'default', { number: `+${number}`, receipt: true, ...more });
  const { receipt } = answer;
  if (receipt === undefined) throw new Error('no receipt');
  return { ...answer, receipt };
}

describe('a receipt', () => {
  test('names the generation, the segments and the rules, and is of the documented shape', async () => {
    const { receipt, ...answer } = await receipted(LISTED, { scenario: 'signup', evidence: true });
    expectExactly(lookupAnswer, JSON.parse(JSON.stringify({ ...answer, receipt })));
    expect(receipt.segments.length).toBeGreaterThan(0);
    expect(receipt.segments[0]?.numbers).toMatch(/^[0-9a-f]{64}$/);
    expect(receipt).toMatchObject({ version: 1, scenario: 'signup' });
    expect(receipt.policy.rules.map(({ id }) => id)).toContain(answer.rule);
  });

  test.each([
    ['a listed number', LISTED],
    ['another', OTHER],
    ['a number that is not listed', UNLISTED],
  ])('confirms the answer for %s', async (_name, number) => {
    expect(await verifyReceipt(stores, await receipted(number))).toEqual({ from: 'segments', differing: [] });
  });

  test('shows what of an answer was changed', async () => {
    const answer = await receipted(LISTED);
    const verify = (change: object) => verifyReceipt(stores, { ...answer, ...change });
    expect((await verify({ action: 'allow' })).differing).toEqual(['action']);
    expect((await verify({ sightings: 99, firstSeen: '2020-01-01' })).differing).toEqual(['firstSeen', 'sightings']);
    expect((await verify({ neighbourhood: { hundred: 0, thousand: 0, score: 0.5 } })).differing).toEqual([
      'neighbourhood',
    ]);
    const lenient = { ...answer.receipt, policy: { rules: [], default: 'allow' as const } };
    expect((await verify({ receipt: lenient })).differing).toEqual(['action', 'rule']);
    const later = { ...answer.receipt, decidedAt: new Date(Date.now() + 900 * 86_400_000).toISOString() };
    expect((await verify({ receipt: later })).differing).toContain('level');
  });

  test('of an answer that an override decided confirms it', async () => {
    const answer = await receipted(LISTED);
    const override = { list: 'allow' as const, scope: 'tenant' as const, expiresAt: null };
    const overridden = { ...answer, action: 'allow' as const, rule: 'override', override };
    expect(await verifyReceipt(stores, overridden)).toEqual({ from: 'segments', differing: [] });
    expect((await verifyReceipt(stores, { ...overridden, action: 'block' })).differing).toEqual(['action']);
  });

  test('whose segments are gone is held against what is known of that day', async () => {
    const { stores: later, runtime: other } = await prepared();
    const answer = await lookupOne(other.services, 'default', { number: `+${LISTED}`, receipt: true });
    if (answer.receipt === undefined) throw new Error('no receipt');
    const gone = answer.receipt.segments.map((segment) => ({ ...segment, key: `${SEGMENT_PREFIX}collected` }));
    const old = { ...answer, receipt: { ...answer.receipt, segments: gone } };
    expect(await verifyReceipt(later, old)).toEqual({ from: 'day', differing: [] });
    expect((await verifyReceipt(later, { ...old, firstSeen: '2020-01-01' })).differing).toEqual(['firstSeen']);
  });

  test('that names other bytes under a key is refused', async () => {
    const answer = await receipted(LISTED);
    const segments = answer.receipt.segments.map((segment) => ({ ...segment, numbers: 'a'.repeat(64) }));
    await expect(verifyReceipt(stores, { ...answer, receipt: { ...answer.receipt, segments } })).rejects.toThrow(
      'is another segment than the receipt names',
    );
  });
});
