import { beforeEach, describe, expect, it } from 'vitest';
import { AUDIT_PAGE, MAX_EARLIER, MAX_OVERRIDES, overridesFile } from '../../../src/tenants/documents.ts';
import { override, SHOP, Tenants } from './support.ts';

const NUMBER = 12_025_550_123;
const HOUR_MS = 3_600_000;

let tenants: Tenants;

beforeEach(() => {
  tenants = new Tenants();
});

const rules = (when: string) => ({
  rules: [{ id: 'a', when, action: 'block' as const, mode: 'enforce' as const }],
  default: 'allow' as const,
});

describe('a change', () => {
  it('takes an index, an audit page, and its document: three reads and three writes at most', async () => {
    const { store } = tenants.isolate();
    await store.putOverride(SHOP, override(NUMBER));
    await tenants.settle();
    tenants.log.clear();
    await store.putOverride(SHOP, override(NUMBER + 1));
    expect(tenants.log.counts()).toMatchObject({
      'get config/': 1,
      'get config/audit/shop/': 1,
      'get config/overrides/shop/': 1,
      'put config/overrides/shop/': 1,
      'put config/audit/shop/': 1,
      'put config/': 1,
    });
  });

  it.each(['fails', 'fails but persisted'] as const)('is made once, whichever of its calls %s', async (fault) => {
    const { store } = tenants.isolate();
    await store.putOverride(SHOP, override(NUMBER));
    await tenants.settle();
    // Three reads, three writes, and the list of what nobody names any more.
    for (let call = 0; call < 8; call++) {
      const before = (await tenants.stored('shop')).overrides.length;
      tenants.log.clear();
      tenants.log.failAt(call, fault);
      const result = await store.putOverride(SHOP, override(NUMBER + 1 + call));
      await tenants.settle();
      tenants.log.clear();
      expect(result.kind).toBe('done');
      const { overrides, trail, version } = await tenants.stored('shop');
      expect(overrides).toHaveLength(before + 1);
      expect(trail).toHaveLength(before + 1);
      expect(version).toBe(before + 1);
      expect(new Set(trail.map(({ ref }) => ref)).size).toBe(before + 1);
    }
    expect(tenants.log.violations).toEqual([]);
  });

  it('of many isolates at once: none is lost, none is twice in the trail', async () => {
    const isolates = Array.from({ length: 4 }, () => tenants.isolate().store);
    const results = await Promise.all(isolates.map((store, i) => store.putOverride(SHOP, override(NUMBER + i))));
    const done = results.filter(({ kind }) => kind === 'done').length;
    expect(done).toBe(4);
    const { overrides, trail } = await tenants.stored('shop');
    expect(overrides.map(({ number }) => number).sort()).toEqual([NUMBER, NUMBER + 1, NUMBER + 2, NUMBER + 3]);
    expect(trail).toHaveLength(4);
    expect(tenants.log.violations).toEqual([]);
  });

  it('of other tenants at the same time does not undo it', async () => {
    const { store } = tenants.isolate();
    await Promise.all([
      store.putOverride(SHOP, override(NUMBER)),
      store.putPolicy({ tenant: 'bank', by: 'x' }, rules('true')),
    ]);
    expect((await tenants.stored('shop')).overrides).toHaveLength(1);
    expect((await tenants.stored('bank')).policy).toMatchObject({ version: 1 });
  });

  it('with storage that fails for good: unavailable, and nothing has changed', async () => {
    const { store } = tenants.isolate();
    await store.putOverride(SHOP, override(NUMBER));
    tenants.log.beforeCall = async (name) => {
      if (name === 'put config/') throw new Error('no');
    };
    expect((await store.deleteOverride(SHOP, NUMBER)).kind).toBe('unavailable');
    expect((await store.putPolicy(SHOP, rules('true'))).kind).toBe('unavailable');
    expect(await tenants.stored('shop')).toMatchObject({ overrides: [{ number: NUMBER }], policy: null, version: 1 });
  });
});

describe('overrides', () => {
  it('go when they have expired, at the next change', async () => {
    const { store } = tenants.isolate();
    await store.putOverride(SHOP, override(NUMBER, { expiresAt: tenants.nowMs + 1000 }));
    tenants.nowMs += 1000;
    expect((await store.deleteOverride(SHOP, NUMBER)).kind).toBe('not-found');
    await store.putOverride(SHOP, override(NUMBER + 1));
    expect((await tenants.stored('shop')).overrides.map(({ number }) => number)).toEqual([NUMBER + 1]);
  });

  it('are bounded, and replacing one is always possible', async () => {
    const { store } = tenants.isolate();
    await store.putOverride(SHOP, override(NUMBER));
    const row = (await store.index.read()).value.get('shop');
    const full = Array.from({ length: MAX_OVERRIDES }, (_, i) => ({
      ...override(NUMBER + i),
      author: 'x',
      createdAt: 0,
    }));
    await tenants.objects.memory.put(
      `config/overrides/shop/${row?.overrides}`,
      overridesFile.encode({ overrides: full }),
    );
    expect(await store.putOverride(SHOP, override(NUMBER - 1))).toEqual({ kind: 'full', limit: '10000 overrides' });
    expect((await store.putOverride(SHOP, override(NUMBER, { list: 'block' }))).kind).toBe('done');
  });

  it('take no more than their bytes, whatever their reasons', async () => {
    const { store } = tenants.isolate();
    await store.putOverride(SHOP, override(NUMBER));
    const row = (await store.index.read()).value.get('shop');
    const reason = '😀'.repeat(250);
    const many = Array.from({ length: 2900 }, (_, i) => ({
      ...override(NUMBER + i),
      reason,
      author: 'x',
      createdAt: 0,
    }));
    await tenants.objects.memory.put(
      `config/overrides/shop/${row?.overrides}`,
      overridesFile.encode({ overrides: many }),
    );
    expect(await store.putOverride(SHOP, { ...override(NUMBER - 1), reason })).toMatchObject({ kind: 'full' });
    expect((await store.deleteOverride(SHOP, NUMBER)).kind).toBe('done');
  });

  it('lists that nobody names any more are deleted after an hour; the two newest never', async () => {
    const { store } = tenants.isolate();
    for (let i = 0; i < 3; i++) {
      await store.putOverride(SHOP, override(NUMBER + i));
      await tenants.settle();
    }
    const count = async () => (await tenants.objects.memory.list('config/overrides/shop/')).objects.length;
    expect(await count()).toBe(3);
    tenants.nowMs += 2 * HOUR_MS;
    await store.putOverride(SHOP, override(NUMBER + 3));
    await tenants.settle();
    expect(await count()).toBe(2);
    expect((await tenants.stored('shop')).overrides).toHaveLength(4);
  });
});

describe('the audit trail', () => {
  it('has every change, over as many pages as it takes', async () => {
    const { store } = tenants.isolate();
    const changes = 2 * AUDIT_PAGE + 1;
    for (let i = 0; i < changes; i++) await store.record(SHOP, { action: 'key.delete', key: `key-${i}` });
    const { trail } = await tenants.stored('shop');
    expect(trail.map((entry) => ('key' in entry ? entry.key : ''))).toEqual(
      Array.from({ length: changes }, (_, i) => `key-${changes - 1 - i}`),
    );
  });
});

describe('policies', () => {
  it('keep those before, up to a bound, and each can be read', async () => {
    const { store } = tenants.isolate();
    for (let i = 1; i <= MAX_EARLIER + 2; i++) await store.putPolicy(SHOP, rules(`level > ${i}`));
    const { policy } = await tenants.stored('shop');
    expect(policy?.version).toBe(MAX_EARLIER + 2);
    expect(policy?.earlier.map(({ version }) => version)).toEqual(
      Array.from({ length: MAX_EARLIER }, (_, i) => MAX_EARLIER + 1 - i),
    );
    const oldest = policy?.earlier.at(-1);
    expect(await store.policy('shop', oldest?.ref ?? '')).toMatchObject({ version: 2, policy: rules('level > 2') });
  });
});
