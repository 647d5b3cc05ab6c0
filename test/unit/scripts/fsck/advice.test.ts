/**
 * What fsck advises for what is set by hand, followed to its end: the store is sound again, and nothing is lost in
 * silence.
 */
import { beforeEach, describe, expect, test } from 'vitest';
import { checkCanaries, checkTenants } from '../../../../scripts/fsck/check-store.ts';
import { Findings, type FsckContext } from '../../../../scripts/fsck/findings.ts';
import { frame } from '../../../../src/lib/frame.ts';
import { tick } from '../../../../src/merge/tick.ts';
import { compilePolicy } from '../../../../src/policy/cel/compile.ts';
import { AUDIT_PAGE } from '../../../../src/tenants/audit-trail.ts';
import { ALL_TENANTS, policyFile } from '../../../../src/tenants/documents.ts';
import { someDetections } from '../../../support/detections.ts';
import { upload } from '../../../support/world.ts';
import { override, SHOP, Tenants } from '../../tenants/support.ts';
import { withCanary } from './damage/configuration.ts';
import { checked, flip, lookAt } from './support.ts';

const NUMBER = 12_025_550_123;
const POLICY = compilePolicy({ rules: [], default: 'allow' });
const FLAGS = compilePolicy({ rules: [], default: 'flag' });

let tenants: Tenants;

beforeEach(() => {
  tenants = new Tenants();
});

async function problems(): Promise<readonly string[]> {
  const findings = new Findings();
  const context = { objects: tenants.objects.memory, findings } as unknown as FsckContext;
  await checkTenants(context);
  return findings.checks.flatMap((check) => check.problems.map(({ key, remedy }) => `${key}: ${remedy}`));
}

/** A policy and an override of the shop. */
async function shop() {
  const { store, rules } = tenants.isolate();
  await store.putPolicy(SHOP, POLICY);
  await store.putOverride(SHOP, override(NUMBER));
  await tenants.settle();
  return { store, rules };
}

const WAYS = {
  missing: async (key: string) => tenants.objects.memory.delete([key]),
  damaged: async (key: string) => {
    const object = await tenants.objects.memory.get(key);
    const bytes = object?.bytes.slice() ?? new Uint8Array();
    bytes[30] = (bytes[30] ?? 0) ^ 1;
    await tenants.objects.memory.put(key, bytes);
  },
};

async function lose(prefix: string, way: keyof typeof WAYS): Promise<string> {
  const [head] = (await tenants.objects.memory.list(prefix)).objects.toReversed();
  await WAYS[way](head?.key ?? '');
  return head?.key ?? '';
}

test.each([
  ['without a tree, as the version before has written it', undefined],
  ['with a tree of another version', { version: 2, conditions: [] }],
])('a policy %s is sound: its source is compiled where it is used', async (_, tree) => {
  const { store } = await shop();
  const ref = (await store.index.read()).value.get('shop')?.policy ?? '';
  const { tree: _known, ...document } = await store.policy('shop', ref);
  const stored = tree === undefined ? document : { ...document, tree };
  await tenants.objects.memory.put(`config/policies/shop/${ref}`, policyFile.encode(stored));
  expect(await problems()).toEqual([]);
});

describe.each(['missing', 'damaged'] as const)('%s', (way) => {
  test('policy: put anew, it is in force, and the trail says that the one before was lost', async () => {
    const { store, rules } = await shop();
    const key = await lose('config/policies/shop/', way);
    expect(await problems()).toEqual([expect.stringMatching(`^${key}: .*put the policy anew \\(PUT /v1/policy\\)`)]);
    const put = await store.putPolicy(SHOP, FLAGS);
    // Above every version that there has been.
    expect(put).toMatchObject({ kind: 'done', value: { version: 3, earlier: [] } });
    expect(await problems()).toEqual([]);
    expect((await rules.latest('shop')).policy.source.default).toBe('flag');
    const { trail } = await tenants.stored('shop');
    expect(trail[0]).toMatchObject({ action: 'policy.put', version: 3, lost: ['policy'] });
    expect(trail.slice(1).every((entry) => entry.lost === undefined)).toBe(true);
    expect(await store.putPolicy(SHOP, POLICY)).toMatchObject({ value: { version: 4 } });
  });

  test('list of overrides: is not begun anew by a put, but given up, and put anew', async () => {
    const { store, rules } = await shop();
    expect(await store.resetOverrides(SHOP), 'while it can be read').toEqual({ kind: 'not-found' });
    const key = await lose('config/overrides/shop/', way);
    expect(await problems()).toEqual([expect.stringMatching(`^${key}: .*DELETE /v1/overrides/lost`)]);
    const { version } = (await store.index.read()).value.get('shop') ?? {};
    expect(await store.putOverride(SHOP, override(NUMBER + 1))).toEqual({ kind: 'lost' });
    expect(await store.deleteOverride(SHOP, NUMBER)).toEqual({ kind: 'lost' });
    expect((await store.index.read()).value.get('shop')?.version).toBe(version);
    await expect(rules.latest('shop')).rejects.toThrow('cannot be read');
    expect(await store.resetOverrides(SHOP)).toEqual({ kind: 'done', value: null });
    expect(await problems()).toEqual([]);
    expect((await rules.latest('shop')).overrides.find(NUMBER, tenants.nowMs)).toBeNull();
    const { trail } = await tenants.stored('shop');
    expect(trail[0]).toMatchObject({ action: 'overrides.reset', lost: ['overrides'] });
    // As the trail names it.
    const lost = trail.flatMap((entry) => (entry.action === 'override.put' ? [entry.override] : []));
    for (const one of lost) expect((await store.putOverride(SHOP, one)).kind).toBe('done');
    expect((await tenants.stored('shop')).overrides).toMatchObject([{ number: NUMBER }]);
  });

  test('page of the audit trail: the next change begins another, after the last full one', async () => {
    const { store } = await shop();
    for (let i = 2; i < AUDIT_PAGE + 7; i++) await store.record(SHOP, { action: 'key.delete', key: `key-${i}` });
    const key = await lose('config/audit/shop/', way);
    expect(await problems()).toEqual([
      expect.stringMatching(`^${key}: .*the next change of the tenant begins another`),
    ]);
    expect((await store.putOverride(SHOP, override(NUMBER + 1))).kind).toBe('done');
    await store.record(SHOP, { action: 'key.delete', key: 'last' });
    expect(await problems()).toEqual([]);
    const { trail, overrides } = await tenants.stored('shop');
    expect(overrides).toHaveLength(2);
    expect(trail.slice(0, 2)).toMatchObject([{ key: 'last' }, { action: 'override.put', lost: ['audit'] }]);
    expect(trail).toHaveLength(2 + AUDIT_PAGE);
    expect(trail.at(-1)).toMatchObject({ action: 'policy.put', version: 1 });
  });
});

test('a page and a list are lost together: each change says what it replaced', async () => {
  const { store } = await shop();
  await lose('config/audit/shop/', 'missing');
  await lose('config/policies/shop/', 'missing');
  expect((await store.putPolicy(SHOP, POLICY)).kind).toBe('done');
  expect((await tenants.stored('shop')).trail).toMatchObject([{ action: 'policy.put', lost: ['policy', 'audit'] }]);
});

test('what is for all tenants is given up and put anew as well', async () => {
  const { store, rules } = tenants.isolate();
  const all = { ...SHOP, tenant: ALL_TENANTS };
  await store.putOverride(all, override(NUMBER));
  await tenants.settle();
  await lose('config/overrides/*/', 'missing');
  await expect(rules.latest('shop')).rejects.toThrow('cannot be read');
  expect(await store.resetOverrides(all)).toEqual({ kind: 'done', value: null });
  await rules.latest('shop');
});

test('a document of other software is not lost: the change is refused, and all stays as it is', async () => {
  const { store } = await shop();
  const [head] = (await tenants.objects.memory.list('config/overrides/shop/')).objects.toReversed();

  await tenants.objects.memory.put(head?.key ?? '', frame('RFOV', 2, new TextEncoder().encode('{}')));
  expect(await store.resetOverrides(SHOP)).toEqual({ kind: 'unavailable' });
  expect(await store.putOverride(SHOP, override(NUMBER + 1))).toEqual({ kind: 'unavailable' });
});

test('damaged canaries: no tick merges until they are deleted and planted anew', async () => {
  const world = await withCanary();
  await flip(world, 'config/canaries', 40);
  await upload(world, 'b9', someDetections(20, 9, 200));
  world.clock += 60_000;
  await expect(tick(world)).rejects.toThrow(/^config\/canaries: RFCN/);
  const context = lookAt(world);
  await checkCanaries(context);
  expect(context.findings.checks[0]?.problems[0]?.remedy).toContain('delete it and plant the canaries anew');
  await world.objects.memory.delete(['config/canaries']);
  expect(await tick(world)).toMatchObject({ batches: 1 });
  expect((await checked(world)).problems).toEqual([]);
});
