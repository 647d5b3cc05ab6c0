import { policyTreeOf } from '../../../src/policy/cel/compile.ts';
import { TenantRulesCache, type TenantRulesCacheDeps } from '../../../src/tenants/tenant-rules.ts';
import { TenantStore } from '../../../src/tenants/tenant-store.ts';
import { StoreLog, StrictObjectStore } from '../../support/strict-stores.ts';

/** Isolates on one store, at a time that tests set. */
export class Tenants {
  nowMs = Date.UTC(2026, 10, 20);
  readonly log = new StoreLog();
  readonly objects = new StrictObjectStore(this.log, () => this.nowMs);
  readonly background: Promise<unknown>[] = [];
  readonly events: string[] = [];

  /** Of a policy that is stored without a tree, or with one of another version. */
  compile: TenantRulesCacheDeps['compile'] = async (source) => policyTreeOf(source);

  isolate({ maxAgeMs }: Pick<TenantRulesCacheDeps, 'maxAgeMs'> = {}) {
    const shared = {
      objects: this.objects,
      now: () => this.nowMs,
      randomBytes: (length: number) => crypto.getRandomValues(new Uint8Array(length)),
      sleep: () => new Promise<void>((resolve) => setTimeout(resolve, 0)),
      waitUntil: (promise: Promise<unknown>) => void this.background.push(promise),
      report: () => undefined,
    };
    const rules = new TenantRulesCache({
      ...shared,
      compile: (source) => this.compile(source),
      ...(maxAgeMs === undefined ? undefined : { maxAgeMs }),
      log: (event) => void this.events.push(event),
    });
    const store = new TenantStore({ ...shared, holder: rules });
    return { store, rules };
  }

  /** The tenant's overrides and audit trail, as stored. */
  async stored(tenant: string) {
    const { store } = this.isolate();
    const row = (await store.index.read()).value.get(tenant);
    const overrides = row?.overrides ? await store.overrides(tenant, row.overrides) : [];
    const policy = row?.policy ? await store.policy(tenant, row.policy) : null;
    const trail = [];
    for (let ref = row?.audit ?? null; ref !== null; ) {
      const page = await store.audit(tenant, ref);
      if (page === null) throw new Error(`audit page ${ref} is missing`);
      trail.push(...page.entries);
      ref = page.older;
    }
    return { overrides, policy, trail, version: row?.version ?? 0 };
  }

  async settle(): Promise<void> {
    await Promise.all(this.background.splice(0));
  }
}

export const SHOP = { tenant: 'shop', by: '0a1b2c3d4e5f' };

export function override(number: number, more: { list?: 'allow' | 'block'; expiresAt?: number | null } = {}) {
  return { number, list: 'allow' as const, reason: 'a test', expiresAt: null, ...more };
}
