import { beforeEach, describe, expect, it } from 'vitest';
import { compilePolicy } from '../../../src/policy/cel/compile.ts';
import { AUDIT_PAGE, type AuditEntry, auditFile } from '../../../src/tenants/audit-trail.ts';
import {
  MAX_EARLIER,
  MAX_OVERRIDES,
  overridesFile,
  TENANT_INDEX,
  type TenantRow,
  versionOf,
} from '../../../src/tenants/documents.ts';
import { override, SHOP, Tenants } from './support.ts';

const NUMBER = 12_025_550_123;

let tenants: Tenants;

beforeEach(() => {
  tenants = new Tenants();
});

const source = (when: string) => ({
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
    // Time passes between attempts; documents that are written again are the same all the same.
    tenants.log.beforeCall = async () => {
      tenants.nowMs += 7;
    };
    // Three reads and three writes, and those of a second attempt.
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
      store.putPolicy({ tenant: 'bank', by: 'x' }, compilePolicy(source('true'))),
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
    expect((await store.putPolicy(SHOP, compilePolicy(source('true')))).kind).toBe('unavailable');
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

  it('ends its pages at every fiftieth version, and leads to full pages only', async () => {
    const { store } = tenants.isolate();
    for (let i = 1; i <= 2 * AUDIT_PAGE + 1; i++) {
      await store.record(SHOP, { action: 'key.delete', key: `key-${i}` });
      const row = (await store.index.read()).value.get('shop');
      const page = await store.audit('shop', row?.audit ?? '');
      expect(page?.entries.length).toBe(((i - 1) % AUDIT_PAGE) + 1);
      const before = Math.floor((i - 1) / AUDIT_PAGE) * AUDIT_PAGE;
      expect(page?.older === null ? 0 : versionOf(page?.older ?? '')).toBe(before);
    }
  });

  it('goes on from pages that each had the last fifty changes, none lost and none twice', async () => {
    const { store } = tenants.isolate();
    // As it was before: a page a change, its `older` the change that no longer has room.
    const entries: AuditEntry[] = [];
    let row: TenantRow = { tenant: 'shop', version: 0, policy: null, overrides: null, audit: null };
    for (let version = 1; version <= 137; version++) {
      const ref = `${String(version).padStart(10, '0')}-${'a'.repeat(16)}`;
      entries.unshift({ ref, at: tenants.nowMs, by: 'x', action: 'key.delete', key: `key-${version}` });
      const page = { entries: entries.slice(0, AUDIT_PAGE), older: entries[AUDIT_PAGE]?.ref ?? null };
      await tenants.objects.memory.put(`config/audit/shop/${ref}`, auditFile.encode(page));
      row = { ...row, version, audit: ref };
    }
    await tenants.objects.memory.put('config/tenants', TENANT_INDEX.codec.encode(new Map([['shop', row]])));
    for (let i = 138; i <= 160; i++) await store.record(SHOP, { action: 'key.delete', key: `key-${i}` });
    const { trail } = await tenants.stored('shop');
    expect(trail.map((entry) => ('key' in entry ? entry.key : ''))).toEqual(
      Array.from({ length: 160 }, (_, i) => `key-${160 - i}`),
    );
  });

  it('has a change once that was persisted although it failed, also where a page ended with it', async () => {
    const { store } = tenants.isolate();
    for (let i = 1; i < AUDIT_PAGE; i++) await store.record(SHOP, { action: 'key.delete', key: `key-${i}` });
    tenants.log.clear();
    // The put of the index, of the change that fills the page; before it is tried again another one begins the next
    // page.
    let isFirst = true;
    tenants.log.beforeCall = async (name) => {
      if (name !== 'get config/' || !isFirst || tenants.log.counts()['put config/'] !== 1) return;
      isFirst = false;
      await tenants.isolate().store.record(SHOP, { action: 'key.delete', key: 'another' });
    };
    tenants.log.failAt(3, 'fails but persisted');
    expect((await store.record(SHOP, { action: 'key.delete', key: 'last' })).kind).toBe('done');
    const { trail } = await tenants.stored('shop');
    expect(isFirst).toBe(false);
    expect(trail.slice(0, 2).map((entry) => ('key' in entry ? entry.key : ''))).toEqual(['another', 'last']);
    expect(trail).toHaveLength(AUDIT_PAGE + 1);
  });
});

describe('policies', () => {
  it('keep those before, up to a bound, and each can be read', async () => {
    const { store } = tenants.isolate();
    for (let i = 1; i <= MAX_EARLIER + 2; i++) await store.putPolicy(SHOP, compilePolicy(source(`level > ${i}`)));
    const { policy } = await tenants.stored('shop');
    expect(policy?.version).toBe(MAX_EARLIER + 2);
    expect(policy?.earlier.map(({ version }) => version)).toEqual(
      Array.from({ length: MAX_EARLIER }, (_, i) => MAX_EARLIER + 1 - i),
    );
    const oldest = policy?.earlier.at(-1);
    expect(await store.policy('shop', oldest?.ref ?? '')).toMatchObject({ version: 2, policy: source('level > 2') });
  });
});
