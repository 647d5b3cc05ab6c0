import { beforeEach, describe, expect, it } from 'vitest';
import { compilePolicy } from '../../../src/policy/cel/compile.ts';
import { DEFAULT_POLICY } from '../../../src/policy/default-policy.ts';
import type { PolicySource } from '../../../src/policy/policy.ts';
import { StorageUnavailable } from '../../../src/storage/store.ts';
import { type PolicyDocument, policyFile } from '../../../src/tenants/documents.ts';
import type { TenantStore } from '../../../src/tenants/tenant-store.ts';
import { override, SHOP, Tenants } from './support.ts';

const NUMBER = 12_025_550_123;
const REFRESH_MS = 10_000;
const BANK = { tenant: 'bank', by: 'x' };
const POLICY = {
  rules: [{ id: 'a', when: 'true', action: 'block' as const, mode: 'enforce' as const }],
  default: 'allow' as const,
};

const COMPILED = compilePolicy(POLICY);
const FLAGS = compilePolicy({ ...POLICY, default: 'flag' });

let tenants: Tenants;

beforeEach(() => {
  tenants = new Tenants();
});

/** Puts the policy of the shop, and then replaces its document. */
async function stored(store: TenantStore, edit: (document: PolicyDocument) => PolicyDocument): Promise<void> {
  const put = await store.putPolicy(SHOP, COMPILED);
  if (put.kind !== 'done') throw new Error('expected the policy to be put');
  const row = (await store.index.read()).value.get('shop');
  await tenants.objects.memory.put(`config/policies/shop/${row?.policy}`, policyFile.encode(edit(put.value)));
}

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
    await there.store.putPolicy(SHOP, COMPILED);
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
    await there.store.putPolicy(SHOP, COMPILED);
    tenants.nowMs += 30_000;
    expect(here.rules.peek('shop')).toBeNull();
    expect((await here.rules.get('shop')).policy.source).toEqual(POLICY);
  });

  it('of one tenant stay as they are when another changes its own', async () => {
    const { store, rules } = tenants.isolate();
    await store.putPolicy(SHOP, COMPILED);
    const before = await rules.get('shop');
    await store.putPolicy(BANK, FLAGS);
    tenants.log.clear();
    expect(rules.peek('shop')).toBe(before);
    expect(tenants.log.calls).toEqual([]);
  });

  it('of one tenant are never those of another that asks after it', async () => {
    const { store, rules } = tenants.isolate();
    await store.putPolicy(SHOP, COMPILED);
    await store.putPolicy(BANK, FLAGS);
    const [shop, bank] = [await rules.get('shop'), await rules.get('bank')];
    for (let turn = 0; turn < 2; turn++) {
      for (let again = 0; again < 2; again++) expect(rules.peek('shop')).toBe(shop);
      for (let again = 0; again < 2; again++) expect(rules.peek('bank')).toBe(bank);
      for (let again = 0; again < 2; again++) expect(rules.peek('nobody')?.policy).toBe(DEFAULT_POLICY);
    }
    expect([shop.policy.source, bank.policy.source]).toEqual([COMPILED.source, FLAGS.source]);
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
    await store.putPolicy(SHOP, COMPILED);
    const before = await rules.get('shop');
    await store.putPolicy(SHOP, FLAGS);
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
    await tenants.isolate().store.putPolicy(BANK, COMPILED);
    let isFirst = true;
    tenants.log.beforeCall = async (name) => {
      if (name !== 'put config/' || !isFirst) return;
      isFirst = false;
      // The first copy: read after the change began, and before it took place.
      await rules.get('shop');
    };
    await store.putPolicy(SHOP, COMPILED);
    expect(isFirst).toBe(false);
    tenants.log.beforeCall = async (name) => {
      if (name.endsWith(' config/')) throw new Error('down');
    };
    expect((await rules.get('shop')).policy.source).toEqual(POLICY);
  });

  it('whose documents cannot be read give way to those from before, for two minutes', async () => {
    const [here, there] = [tenants.isolate(), tenants.isolate()];
    await here.store.putPolicy(SHOP, COMPILED);
    const before = await here.rules.get('shop');
    await there.store.putPolicy(SHOP, FLAGS);
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
    await store.putPolicy(SHOP, COMPILED);
    const before = await rules.get('shop');
    tenants.log.beforeCall = () => Promise.reject(new Error('down'));
    tenants.nowMs += 24 * 3_600_000;
    expect(await rules.get('shop')).toBe(before);
  });

  it('that are asked for as the latest are those of storage, with one read as long as they stay', async () => {
    const [here, there] = [tenants.isolate(), tenants.isolate()];
    await there.store.putPolicy(SHOP, COMPILED);
    const before = await here.rules.latest('shop');
    expect(before.policy.source).toEqual(POLICY);
    tenants.log.clear();
    expect(await here.rules.latest('shop')).toBe(before);
    expect(tenants.log.counts()).toEqual({ 'getIfChanged config/': 1 });
    await there.store.putPolicy(SHOP, FLAGS);
    expect(await here.rules.get('shop')).toBe(before);
    expect((await here.rules.latest('shop')).policy.source.default).toBe('flag');
    expect((await here.rules.get('shop')).policy.source.default).toBe('flag');
  });

  it('that are asked for as the latest are never those from before, when storage fails', async () => {
    const [here, there] = [tenants.isolate(), tenants.isolate()];
    await there.store.putPolicy(SHOP, COMPILED);
    const before = await here.rules.latest('shop');
    await there.store.putPolicy(SHOP, FLAGS);
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
    const policy = { ...POLICY, rules: POLICY.rules.map((rule) => ({ ...rule, when: 'gone()' })) };
    await stored(store, ({ tree: _, ...document }) => ({ ...document, policy }));
    expect((await rules.get('shop')).policy).toBe(DEFAULT_POLICY);
    expect(tenants.events).toEqual(['tenant.policy-does-not-compile']);
  });
});

describe('a stored policy', () => {
  const { tree } = COMPILED;
  let asked: PolicySource[];
  let answer: () => Promise<unknown>;

  beforeEach(() => {
    asked = [];
    answer = async () => tree;
    tenants.compile = (source) => {
      asked.push(source);
      return answer();
    };
  });

  it('is opened from its tree, and is compiled by nobody, even where its source says something else', async () => {
    const { store, rules } = tenants.isolate();
    const source = { ...POLICY, rules: POLICY.rules.map((rule) => ({ ...rule, when: 'gone()' })) };
    await stored(store, (document) => ({ ...document, policy: source }));
    const { policy } = await rules.get('shop');
    expect(policy).toMatchObject({ source, tree });
    expect(asked).toEqual([]);
  });

  it.each([
    ['without a tree, as the version before has written it', undefined],
    ['with a tree of another version', { version: 2, conditions: [['never', 'heard', 'of']] }],
    ['with a tree of other rules', { version: 1, conditions: [true, true] }],
    ['with an operator that is not known', { version: 1, conditions: [['xor', true, true]] }],
    ['with a tree that is no condition', { version: 1, conditions: [5] }],
  ])('%s is compiled once, and held as long as the rules are', async (_, foreign) => {
    const { store, rules } = tenants.isolate();
    await stored(store, ({ tree: known, ...document }) => {
      return foreign === undefined ? document : { ...document, tree: foreign };
    });
    const found = await rules.get('shop');
    expect(found.policy).toMatchObject({ source: POLICY, tree });
    expect(asked).toEqual([POLICY]);
    tenants.nowMs += 60_000;
    expect(await rules.get('shop')).toBe(found);
    expect(await rules.latest('shop')).toBe(found);
    expect(asked).toHaveLength(1);
    expect(tenants.events).toEqual([]);
  });

  it.each([
    ['it cannot be asked', () => Promise.reject(new Error('no such binding'))],
    ['it answers with a tree of another version', async () => ({ version: 2, conditions: [true] })],
    ['it answers with nothing that is a tree', async () => 'no'],
  ])('that is to be compiled where %s is as if storage did not answer, and nothing else decides', async (_, fails) => {
    const [here, fresh] = [tenants.isolate(), tenants.isolate()];
    await here.store.putPolicy(SHOP, FLAGS);
    const before = await here.rules.get('shop');
    await stored(tenants.isolate().store, ({ tree: _known, ...document }) => document);
    answer = fails;
    tenants.nowMs += 30_000;
    // Those from before, for two minutes; no answer after that, and in an isolate that has none.
    expect(await here.rules.get('shop')).toBe(before);
    await expect(fresh.rules.get('shop')).rejects.toThrow(StorageUnavailable);
    await expect(here.rules.latest('shop')).rejects.toThrow(StorageUnavailable);
    tenants.nowMs += 120_000;
    await expect(here.rules.get('shop')).rejects.toThrow(StorageUnavailable);
    expect(new Set(tenants.events)).toEqual(new Set(['tenant.rules-unavailable']));
    answer = async () => tree;
    expect((await here.rules.get('shop')).policy).toMatchObject({ source: POLICY, tree });
  });
});
