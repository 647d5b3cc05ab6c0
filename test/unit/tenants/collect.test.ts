import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { COLLECTIONS_APART_MS } from '../../../src/lib/time.ts';
import { compilePolicy } from '../../../src/policy/cel/compile.ts';
import { AUDIT_PAGE, auditFile } from '../../../src/tenants/audit-trail.ts';
import { AUDIT_KEPT_MS, collectDocuments, MAX_AUDIT_PAGES } from '../../../src/tenants/collect.ts';
import { MAX_EARLIER } from '../../../src/tenants/documents.ts';
import { override, SHOP, Tenants } from './support.ts';

const NUMBER = 12_025_550_123;
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const POLICY = (level: number) =>
  compilePolicy({
    rules: [{ id: 'a', when: `level > ${level}`, action: 'block' as const, mode: 'enforce' as const }],
    default: 'allow' as const,
  });

let tenants: Tenants;
const context = () => ({ objects: tenants.objects, now: () => tenants.nowMs });
const collect = () => collectDocuments(context());

beforeEach(() => {
  tenants = new Tenants();
});

async function keys(prefix: string): Promise<string[]> {
  const found: string[] = [];
  for (let cursor: string | undefined; ; ) {
    const page = await tenants.objects.memory.list(prefix, cursor === undefined ? {} : { cursor });
    found.push(...page.objects.map(({ key }) => key));
    cursor = page.cursor;
    if (cursor === undefined) return found;
  }
}

describe('collection', () => {
  it('leaves one list of overrides, one policy with its fifty earlier ones, and the full pages of the trail', async () => {
    const { store } = tenants.isolate();
    for (let i = 0; i < MAX_EARLIER + 30; i++) {
      await store.putPolicy(SHOP, POLICY(i));
      await store.putOverride(SHOP, override(NUMBER));
    }
    const before = await tenants.stored('shop');
    for (let hour = 0; hour < 3; hour++) {
      tenants.nowMs += HOUR_MS;
      await collect();
    }
    expect(await keys('config/overrides/')).toHaveLength(1);
    expect(await keys('config/policies/')).toHaveLength(1 + MAX_EARLIER);
    const changes = 2 * (MAX_EARLIER + 30);
    expect(await keys('config/audit/')).toHaveLength(Math.floor(changes / AUDIT_PAGE) + 1);
    expect(await tenants.stored('shop')).toEqual(before);
    for (const { ref } of before.policy?.earlier ?? []) await store.policy('shop', ref);
    expect(tenants.log.violations).toEqual([]);
  });

  it('of an empty store, and of one that nobody changes, deletes nothing', async () => {
    expect(await collect()).toBe(0);
    await tenants.isolate().store.putOverride(SHOP, override(NUMBER));
    for (let turn = 0; turn < 4; turn++) {
      tenants.nowMs += COLLECTIONS_APART_MS;
      expect(await collect()).toBe(0);
    }
  });

  it('forgets the trail beyond its time, and says so by ending there', async () => {
    const { store } = tenants.isolate();
    for (let i = 0; i < 3 * AUDIT_PAGE; i++) {
      if (i === AUDIT_PAGE) tenants.nowMs += AUDIT_KEPT_MS / 2;
      await store.record(SHOP, { action: 'key.delete', key: `key-${i}` });
    }
    tenants.nowMs += HOUR_MS;
    await collect();
    tenants.nowMs += AUDIT_KEPT_MS / 2 - HOUR_MS;
    expect(await collect()).toBe(3 * (AUDIT_PAGE - 1));
    expect((await tenants.stored('shop')).trail).toHaveLength(3 * AUDIT_PAGE);
    tenants.nowMs += HOUR_MS;
    expect(await collect()).toBe(1);
    expect((await tenants.stored('shop')).trail).toHaveLength(2 * AUDIT_PAGE);
  });

  it('bounds the trail of a tenant that changes without end', async () => {
    const { store } = tenants.isolate();
    await store.record(SHOP, { action: 'key.delete', key: 'x' });
    const page = auditFile.encode({ entries: [], older: null });
    for (let i = 1; i <= MAX_AUDIT_PAGES + 7; i++) {
      await tenants.objects.memory.put(
        `config/audit/shop/${String(i * AUDIT_PAGE).padStart(10, '0')}-${'a'.repeat(16)}`,
        page,
      );
    }
    tenants.nowMs += HOUR_MS;
    await collect();
    tenants.nowMs += HOUR_MS;
    expect(await collect()).toBe(7);
    const [first, second] = await keys('config/audit/shop/');
    expect([first?.slice(18, 28), second?.slice(18, 28)]).toEqual(['0000000001', '0000000400']);
  });

  it('comes to every tenant in its turn, a hundred at a time', async () => {
    const { store } = tenants.isolate();
    for (let i = 0; i < 250; i++) {
      const author = { tenant: `t-${i}`, by: 'x' };
      await store.putOverride(author, override(NUMBER));
      await store.deleteOverride(author, NUMBER);
    }
    await collect();
    const deleted: number[] = [];
    for (let turn = 0; turn < 4; turn++) {
      tenants.nowMs += COLLECTIONS_APART_MS;
      tenants.log.clear();
      deleted.push(await collect());
      expect(tenants.log.calls.length).toBeLessThan(500);
    }
    // Of each tenant a list of overrides and a page of the trail.
    expect(deleted.reduce((sum, count) => sum + count, 0)).toBe(500);
    expect(Math.max(...deleted)).toBe(200);
  });

  it('deletes nothing that two collections of the same minute take for old', async () => {
    const { store } = tenants.isolate();
    await store.putOverride(SHOP, override(NUMBER));
    tenants.nowMs += HOUR_MS;
    await store.putOverride(SHOP, override(NUMBER + 1));
    expect(await collect()).toBe(0);
    tenants.nowMs += MINUTE_MS;
    expect(await collect()).toBe(0);
    expect(await keys('config/overrides/')).toHaveLength(2);
  });

  it('begins anew where what was seen is damaged', async () => {
    const { store } = tenants.isolate();
    await store.putOverride(SHOP, override(NUMBER));
    await store.putOverride(SHOP, override(NUMBER + 1));
    await collect();
    await tenants.objects.memory.put('config/tenants-seen', new Uint8Array([1, 2, 3]));
    tenants.nowMs += HOUR_MS;
    expect(await collect()).toBe(0);
    tenants.nowMs += HOUR_MS;
    expect(await collect()).toBe(2);
  });

  it.each(['fails', 'fails but persisted'] as const)('loses nothing, whichever call %s', async (fault) => {
    const { store } = tenants.isolate();
    for (let i = 0; i < MAX_EARLIER + 5; i++) await store.putPolicy(SHOP, POLICY(i));
    await store.putOverride(SHOP, override(NUMBER));
    await collect();
    const before = await tenants.stored('shop');
    for (let call = 0; call < 12; call++) {
      tenants.nowMs += HOUR_MS;
      await store.putPolicy(SHOP, POLICY(call));
      tenants.log.clear();
      tenants.log.failAt(call, fault);
      await collect().catch((error: Error) => expect(error.message).toContain('injected'));
      tenants.log.clear();
      const { overrides, policy, trail } = await tenants.stored('shop');
      expect(overrides).toEqual(before.overrides);
      expect(policy?.earlier).toHaveLength(MAX_EARLIER);
      for (const { ref } of policy?.earlier ?? []) await store.policy('shop', ref);
      expect(trail).toHaveLength(before.trail.length + call + 1);
    }
  });
});

describe('an isolate with an index of its own time', () => {
  /** Changes at any times, collections every hour, and isolates whose index is up to 45 minutes old. */
  it('finds every document that its index names', async () => {
    const step = fc.record({
      minutes: fc.integer({ min: 0, max: 25 }),
      what: fc.constantFrom('policy', 'override', 'key'),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 40 }), async (steps) => {
        tenants = new Tenants();
        const { store } = tenants.isolate();
        const held: { at: number; policy: string | null; overrides: string | null; audit: string | null }[] = [];
        let nextCollection = tenants.nowMs + HOUR_MS;
        for (const [i, { minutes, what }] of steps.entries()) {
          tenants.nowMs += minutes * MINUTE_MS;
          while (nextCollection <= tenants.nowMs) {
            nextCollection += HOUR_MS;
            await collect();
          }
          if (what === 'policy') await store.putPolicy(SHOP, POLICY(i));
          else if (what === 'override') await store.putOverride(SHOP, override(NUMBER + i));
          else await store.record(SHOP, { action: 'key.delete', key: `key-${i}` });
          const row = (await store.index.read()).value.get('shop');
          if (row !== undefined) held.push({ at: tenants.nowMs, ...row });
          for (const { at, policy, overrides, audit } of held) {
            if (tenants.nowMs - at > 45 * MINUTE_MS) continue;
            if (policy !== null) await store.policy('shop', policy);
            if (overrides !== null) await store.overrides('shop', overrides);
            if (audit !== null) expect(await store.audit('shop', audit)).not.toBeNull();
          }
        }
        expect((await tenants.stored('shop')).trail).toHaveLength(steps.length);
      }),
      { numRuns: 60 },
    );
  });
});
