import { beforeEach, describe, expect, it } from 'vitest';
import { DEFAULT_POLICY } from '../../../src/policy/default-policy.ts';
import { StorageUnavailable } from '../../../src/store/errors.ts';
import { policyFile } from '../../../src/tenants/documents.ts';
import { override, SHOP, Tenants } from './support.ts';

const NUMBER = 12_025_550_123;
const REFRESH_MS = 10_000;
const BANK = { tenant: 'bank', by: 'x' };
const POLICY = {
  rules: [{ id: 'a', when: 'true', action: 'block' as const, mode: 'enforce' as const }],
  default: 'allow' as const,
};

let tenants: Tenants;

beforeEach(() => {
  tenants = new Tenants();
});

async function refreshed(isolate: ReturnType<Tenants['isolate']>) {
  tenants.nowMs += REFRESH_MS;
  await isolate.rules.get('shop');
  await tenants.settle();
  return isolate.rules.get('shop');
}

describe('rules', () => {
  it('are the built-in policy and no overrides, with one read, for every tenant without its own', async () => {
    const { rules } = tenants.isolate();
    const found = await rules.get('shop');
    expect(found.policy).toBe(DEFAULT_POLICY);
    expect(found.overrides.find(NUMBER, tenants.nowMs)).toBeNull();
    expect(rules.peek('bank')).toBe(found);
    expect(tenants.log.counts()).toEqual({ 'get config/': 1 });
  });

  it('a change in another isolate is known after one refresh, and read once', async () => {
    const [here, there] = [tenants.isolate(), tenants.isolate()];
    await here.rules.get('shop');
    await there.store.putOverride(SHOP, override(NUMBER));
    await there.store.putPolicy(SHOP, POLICY);
    expect((await there.rules.get('shop')).policy.rules).toHaveLength(1);
    expect((await here.rules.get('shop')).policy).toBe(DEFAULT_POLICY);
    const found = await refreshed(here);
    expect(found.policy.source).toEqual(POLICY);
    expect(found.overrides.find(NUMBER, tenants.nowMs)).toMatchObject({ list: 'allow', scope: 'tenant' });
    tenants.log.clear();
    expect(here.rules.peek('shop')).toBe(found);
    expect(await here.rules.get('shop')).toBe(found);
    expect(tenants.log.calls).toEqual([]);
  });

  it('an isolate that was idle for half a minute asks before it answers', async () => {
    const [here, there] = [tenants.isolate(), tenants.isolate()];
    await here.rules.get('shop');
    await there.store.putPolicy(SHOP, POLICY);
    tenants.nowMs += 30_000;
    expect(here.rules.peek('shop')).toBeNull();
    expect((await here.rules.get('shop')).policy.source).toEqual(POLICY);
  });

  it('of one tenant stay as they are when another changes its own', async () => {
    const { store, rules } = tenants.isolate();
    await store.putPolicy(SHOP, POLICY);
    const before = await rules.get('shop');
    await store.putPolicy(BANK, { ...POLICY, default: 'flag' });
    tenants.log.clear();
    expect(rules.peek('shop')).toBe(before);
    expect(tenants.log.calls).toEqual([]);
  });

  it('for all tenants reach who has others of its own, and are held once', async () => {
    const { store, rules } = tenants.isolate();
    await store.putOverride({ tenant: '*', by: 'admin' }, override(NUMBER));
    await store.putOverride(SHOP, override(NUMBER + 1, { list: 'block' }));
    const shop = await rules.get('shop');
    const bank = await rules.get('bank');
    expect(shop.overrides.find(NUMBER, tenants.nowMs)).toMatchObject({ scope: 'global' });
    expect(shop.overrides.find(NUMBER + 1, tenants.nowMs)).toMatchObject({ list: 'block', scope: 'tenant' });
    expect(bank.overrides.find(NUMBER + 1, tenants.nowMs)).toBeNull();
    expect(tenants.log.counts()).toMatchObject({ 'get config/overrides/*/': 1 });
  });

  it('with storage that fails: the last good ones, and none if there were none', async () => {
    const { store, rules } = tenants.isolate();
    await store.putPolicy(SHOP, POLICY);
    const before = await rules.get('shop');
    await store.putPolicy(SHOP, { ...POLICY, default: 'flag' });
    tenants.log.beforeCall = () => Promise.reject(new Error('down'));
    expect(await rules.get('shop')).toBe(before);
    expect(tenants.events).toEqual(['tenant.rules-unavailable']);
    await expect(rules.get('bank')).resolves.toMatchObject({ policy: DEFAULT_POLICY });
    await expect(tenants.isolate().rules.get('shop')).rejects.toThrow('the policy cannot be read');
    tenants.nowMs += 119_999;
    expect(await rules.get('shop')).toBe(before);
    tenants.nowMs += 1;
    await expect(rules.get('shop')).rejects.toThrow(StorageUnavailable);
  });

  it('that this isolate has just changed are known here, whatever was read meanwhile and whatever fails since', async () => {
    const { store, rules } = tenants.isolate();
    await tenants.isolate().store.putPolicy(BANK, POLICY);
    let isFirst = true;
    tenants.log.beforeCall = async (name) => {
      if (name !== 'put config/' || !isFirst) return;
      isFirst = false;
      // The first copy: read after the change began, and before it took place.
      await rules.get('shop');
    };
    await store.putPolicy(SHOP, POLICY);
    expect(isFirst).toBe(false);
    tenants.log.beforeCall = async (name) => {
      if (name.endsWith(' config/')) throw new Error('down');
    };
    expect((await rules.get('shop')).policy.source).toEqual(POLICY);
  });

  it('whose documents cannot be read give way to those from before, for two minutes', async () => {
    const [here, there] = [tenants.isolate(), tenants.isolate()];
    await here.store.putPolicy(SHOP, POLICY);
    const before = await here.rules.get('shop');
    await there.store.putPolicy(SHOP, { ...POLICY, default: 'flag' });
    tenants.log.beforeCall = async (name) => {
      if (name === 'get config/policies/shop/') throw new Error('down');
    };
    tenants.nowMs += 30_000;
    expect(await here.rules.get('shop')).toBe(before);
    tenants.nowMs += 119_999;
    expect(await here.rules.get('shop')).toBe(before);
    tenants.nowMs += 1;
    await expect(here.rules.get('shop')).rejects.toThrow(StorageUnavailable);
    tenants.log.beforeCall = async () => {};
    expect((await here.rules.get('shop')).policy.source.default).toBe('flag');
  });

  it('of any age, with storage that fails, where the operator wants old answers rather than none', async () => {
    const { store, rules } = tenants.isolate({ maxAgeMs: Number.POSITIVE_INFINITY });
    await store.putPolicy(SHOP, POLICY);
    const before = await rules.get('shop');
    tenants.log.beforeCall = () => Promise.reject(new Error('down'));
    tenants.nowMs += 24 * 3_600_000;
    expect(await rules.get('shop')).toBe(before);
  });

  it('that are asked for as the latest are those of storage, with one read as long as they stay', async () => {
    const [here, there] = [tenants.isolate(), tenants.isolate()];
    await there.store.putPolicy(SHOP, POLICY);
    const before = await here.rules.latest('shop');
    expect(before.policy.source).toEqual(POLICY);
    tenants.log.clear();
    expect(await here.rules.latest('shop')).toBe(before);
    expect(tenants.log.counts()).toEqual({ 'getIfChanged config/': 1 });
    await there.store.putPolicy(SHOP, { ...POLICY, default: 'flag' });
    expect(await here.rules.get('shop')).toBe(before);
    expect((await here.rules.latest('shop')).policy.source.default).toBe('flag');
    expect((await here.rules.get('shop')).policy.source.default).toBe('flag');
  });

  it('that are asked for as the latest are never those from before, when storage fails', async () => {
    const [here, there] = [tenants.isolate(), tenants.isolate()];
    await there.store.putPolicy(SHOP, POLICY);
    const before = await here.rules.latest('shop');
    await there.store.putPolicy(SHOP, { ...POLICY, default: 'flag' });
    for (const failing of ['config/', 'config/policies/']) {
      tenants.log.beforeCall = (name) =>
        name.endsWith(` ${failing}`) || name.endsWith(` ${failing}shop/`)
          ? Promise.reject(new Error('down'))
          : Promise.resolve();
      await expect(here.rules.latest('shop')).rejects.toThrow(StorageUnavailable);
      expect(await here.rules.get('shop')).toBe(before);
    }
    tenants.log.beforeCall = () => Promise.resolve();
    expect((await here.rules.latest('shop')).policy.source.default).toBe('flag');
    await expect(tenants.isolate().rules.latest('bank')).resolves.toMatchObject({ policy: DEFAULT_POLICY });
  });

  it('whose document was collected are found by a newer index', async () => {
    const [here, there] = [tenants.isolate(), tenants.isolate()];
    await there.store.putOverride(SHOP, override(NUMBER));
    await here.rules.index();
    const { objects } = await tenants.objects.memory.list('config/overrides/shop/');
    await there.store.putOverride(SHOP, override(NUMBER + 1));
    await tenants.objects.memory.delete(objects.map(({ key }) => key));
    tenants.nowMs += 1000;
    const { overrides } = await here.rules.get('shop');
    expect(overrides.find(NUMBER + 1, tenants.nowMs)).not.toBeNull();
  });

  it('a stored policy that does not compile any more gives way to the built-in one, and is logged', async () => {
    const { store, rules } = tenants.isolate();
    const put = await store.putPolicy(SHOP, POLICY);
    if (put.kind !== 'done') throw new Error('expected the policy to be put');
    const row = (await store.index.read()).value.get('shop');
    const policy = { ...POLICY, rules: POLICY.rules.map((rule) => ({ ...rule, when: 'gone()' })) };
    await tenants.objects.memory.put(
      `config/policies/shop/${row?.policy}`,
      policyFile.encode({ ...put.value, policy }),
    );
    expect((await rules.get('shop')).policy).toBe(DEFAULT_POLICY);
    expect(tenants.events).toEqual(['tenant.policy-does-not-compile']);
  });
});
