/** Broken API keys, and broken rules of tenants. */
import { compilePolicy } from '../../../../../src/policy/cel/compile.ts';
import { DEFAULT_POLICY } from '../../../../../src/policy/default-policy.ts';
import { CanaryStore } from '../../../../../src/quality/canaries.ts';
import { policyFile } from '../../../../../src/tenants/documents.ts';
import { TenantStore } from '../../../../../src/tenants/tenant-store.ts';
import type { World } from '../../../../support/world.ts';
import { flip, fourMinutes, keyLike } from '../support.ts';
import { type Damages, deleted, error } from './damage.ts';

const CHECK = 'rules of tenants';
const SHOP = { tenant: 'shop', by: 'admin' };
const RULES = [{ id: 'a', when: 'level > 8', action: 'block' as const, mode: 'enforce' as const }];

/** One tenant with a policy and an override. */
async function withTenant(): Promise<World> {
  const world = await fourMinutes();
  const store = new TenantStore({
    objects: world.objects.memory,
    now: () => world.clock,
    randomBytes: (length) => crypto.getRandomValues(new Uint8Array(length)),
    sleep: async () => undefined,
    report: (problem) => expectNone(problem),
    holder: null,
  });
  await store.putPolicy(SHOP, compilePolicy({ rules: RULES, default: 'allow' }));
  await store.putOverride(SHOP, { number: 12_025_550_123, list: 'allow', reason: 'a test', expiresAt: null });
  return world;
}

export async function withCanary(): Promise<World> {
  const world = await fourMinutes();
  const canaries = new CanaryStore({
    objects: world.objects.memory,
    randomBytes: (length) => new Uint8Array(length),
    sleep: async () => {},
    report: expectNone,
  });
  await canaries.put({ number: 12_025_550_199, note: null, by: 'admin', createdAt: world.clock });
  return world;
}

function expectNone(problem: unknown): never {
  throw problem;
}

export const CONFIGURATION: Damages = {
  'damaged API keys': {
    breaks: async (world) => {
      await world.objects.memory.put('config/keys', new Uint8Array(20));
      return [error('API keys', 'config/keys')];
    },
    says: /^expected magic RFKY.*Only the admin key works/,
  },
  'damaged canaries': {
    store: withCanary,
    breaks: async (world) => {
      await flip(world, 'config/canaries', 40);
      return [error('canaries', 'config/canaries')];
    },
    says: /^config\/canaries: RFCN: expected checksum.*\. No tick merges anything, of anybody\. Put the object back/,
  },
  'no index of tenants any more is no error': {
    store: withTenant,
    breaks: async (world) => [`warning: ${CHECK}: ${await deleted(world, 'config/tenants')}`],
    says: /^is missing, but there is config\/policies\/shop\/.*\. All tenants decide as built in\. Unless/,
  },
  'a damaged index of tenants': {
    store: withTenant,
    breaks: async (world) => {
      await world.objects.memory.put('config/tenants', new Uint8Array(20));
      return [error(CHECK, 'config/tenants')];
    },
    says: /^expected magic RFTI.*No tenant gets answers/,
  },
  'a missing list of overrides': {
    store: withTenant,
    breaks: async (world) => [error(CHECK, await deleted(world, await keyLike(world, 'config/overrides/shop/')))],
    says: /^is missing\. Put the object back/,
  },
  'a policy that decides by another tree than that of its rules': {
    store: withTenant,
    breaks: async (world) => {
      const key = await keyLike(world, 'config/policies/shop/');
      const policy = { rules: RULES, default: 'allow' as const };
      const { version, conditions } = DEFAULT_POLICY.tree;
      const tree = { version, conditions: conditions.slice(1, 2) };
      const document = { version: 1, at: 0, by: 'admin', policy, tree, earlier: [] };
      await world.objects.memory.put(key, policyFile.encode(document));
      return [error(CHECK, key)];
    },
    says: /lookups decide by another tree than the one that its rules compile to.*put the policy anew/,
  },
  'a policy that does not compile any more': {
    store: withTenant,
    breaks: async (world) => {
      const key = await keyLike(world, 'config/policies/shop/');
      const rules = RULES.map((rule) => ({ ...rule, when: 'gone > 8' }));
      const policy = { version: 1, at: 0, by: 'admin', policy: { rules, default: 'allow' as const }, earlier: [] };
      await world.objects.memory.put(key, policyFile.encode(policy));
      return [error(CHECK, key)];
    },
    says: /gone/,
  },
};
