/**
 * What each tenant decides with, as an isolate holds it: policies ready to run, and overrides by number. A change that
 * is made in another isolate is known here after one refresh of the index: ten seconds while requests come in, as for a
 * new generation of the inventory. Policies are stored compiled. For one that is not, or not for this version, the
 * compiler is asked (`compile`), so that who holds rules needs no compiler and never decides by other rules than the
 * tenant's.
 */

import { ByteCache } from '../lib/byte-cache.ts';
import { type Beginning, SwrCache, type SwrCacheDeps, type Version } from '../lib/swr-cache.ts';
import { openPolicy, openPolicyIfKnown } from '../policy/cel/evaluate.ts';
import { STALE_AFTER_SECONDS, type TenantRules } from '../policy/decide.ts';
import { DEFAULT_POLICY } from '../policy/default-policy.ts';
import { byNumber, type OverrideScope, Overrides, type OverridesByNumber } from '../policy/overrides.ts';
import type { Policy, PolicySource } from '../policy/policy.ts';
import { nearbyObject, readObjectIfChanged } from '../storage/cas-object.ts';
import { type ObjectStore, StorageUnavailable } from '../storage/store.ts';
import { ALL_TENANTS, policyInForce, readOverrides, readPolicy, TENANT_INDEX, type TenantIndex } from './documents.ts';

/** If the index is older than this, a caller waits for a look at storage; the same as for the inventory. */
const REFRESH_FIRST_AFTER_MS = 30_000;
/** An older index answers nothing, as with the inventory, unless the operator says otherwise. */
const MAX_AGE_MS = STALE_AFTER_SECONDS * 1000;
/** An index read within this time is as new as it gets. */
const REREAD_MS = 1000;
/** A part of the 128 MB of an isolate, for the tenants used last. Tenants without rules of their own take nothing. */
const RULES_BUDGET = 8 * 2 ** 20;
/** A map's entry with its override: 141 bytes of heap each, of 200,000 in V8 of Node 24. */
const OVERRIDE_BYTES = 141;
/**
 * A rule with its tree and its closures; beside that, each character takes some 40 bytes in short terms, and 8 in long
 * lists.
 */
const RULE_BYTES = 512;
const RULE_CHAR_BYTES = 40;

export interface TenantRulesCacheDeps extends Omit<SwrCacheDeps<TenantIndex>, 'readIfChanged'> {
  readonly objects: ObjectStore;
  readonly log: (event: string, details: Readonly<Record<string, string | number>>) => void;
  /**
   * The tree of a policy (src/policy/cel/tree.ts) that was stored without one, or with one of another version; null:
   * the policy does not compile any more. Rejects if that cannot be found out: it is then as if storage did not answer.
   */
  readonly compile: (source: PolicySource) => Promise<unknown>;
  /** MAX_AGE_MS if not given. */
  readonly maxAgeMs?: number;
}

/** What was made of a tenant's documents, with their refs. */
interface Held {
  /** Whose policy it is: the tenant's own, or that for all tenants. */
  readonly policyOwner: string;
  readonly policy: string | null;
  readonly overrides: string | null;
  readonly global: string | null;
  readonly rules: TenantRules;
  /** When it was first impossible to read the documents that have replaced these; milliseconds since 1970. */
  replacedAt?: number;
}

type Refs = Omit<Held, 'rules' | 'replacedAt'>;

const NO_RULES: TenantRules = { policy: DEFAULT_POLICY, overrides: Overrides.none };

export class TenantRulesCache {
  readonly #deps: TenantRulesCacheDeps;
  readonly #index: SwrCache<TenantIndex>;
  readonly #held = new ByteCache<Held>(RULES_BUDGET);
  /** What was last found: an isolate mostly answers one tenant's lookups after another, all by one index. */
  #lastFound: { readonly index: TenantIndex; readonly tenant: string; readonly rules: TenantRules } | null = null;
  /** The operator's overrides for all tenants, in one copy for all. */
  #global: { readonly ref: string | null; readonly overrides: OverridesByNumber } = { ref: null, overrides: new Map() };

  constructor(deps: TenantRulesCacheDeps) {
    this.#deps = deps;
    const readIfChanged = (etag: string | null) => readObjectIfChanged(deps.objects, TENANT_INDEX, etag);
    this.#index = new SwrCache(
      { ...deps, readIfChanged, compare: compareIndexes, nearby: nearbyObject(deps.objects, TENANT_INDEX) },
      { refreshFirstAfterMs: REFRESH_FIRST_AFTER_MS, maxAgeMs: deps.maxAgeMs ?? MAX_AGE_MS },
    );
  }

  /**
   * The rules, if they are at hand and the index is recent; null says nothing about them.
   * @param now milliseconds since 1970
   */
  peek(tenant: string, now?: number): TenantRules | null {
    const index = this.#index.peek(now);
    if (index === null) return null;
    const last = this.#lastFound;
    if (last !== null && last.index === index && last.tenant === tenant) return last.rules;
    const rules = this.#heldFor(tenant, refsOf(index, tenant));
    if (rules !== null) this.#lastFound = { index, tenant, rules };
    return rules;
  }

  /** Rejects with StorageUnavailable if there are none at hand and storage does not answer. */
  async get(tenant: string): Promise<TenantRules> {
    const index = await this.index();
    try {
      return await this.#rulesOf(tenant, index);
    } catch (error) {
      // For a while the rules before are closer to what the tenant wants than none. The next request tries again.
      const before = this.#replacedOf(tenant);
      this.#deps.log('tenant.rules-unavailable', { tenant, servedBefore: before === null ? 'no' : 'yes' });
      if (before !== null) return before;
      throw unavailable(error);
    }
  }

  /**
   * The rules as storage has them now, for a caller that keeps them as the newest. Rejects with StorageUnavailable if
   * storage does not answer, even where `get` would return earlier ones.
   */
  async latest(tenant: string): Promise<TenantRules> {
    const index = await this.#index.refresh().catch((error) => {
      this.#deps.report(error);
      throw unavailable(error);
    });
    return this.#rulesOf(tenant, index).catch((error) => {
      this.#deps.log('tenant.rules-unavailable', { tenant, servedBefore: 'no' });
      throw unavailable(error);
    });
  }

  /** Which documents are in force. Rejects with StorageUnavailable. */
  async index(): Promise<TenantIndex> {
    const index = await this.#index.get();
    if (index === null) throw unavailable('no tenant index');
    return index;
  }

  /** Whether the index has to be compared with storage before it is used. */
  get isDue(): boolean {
    return this.#index.isDue;
  }

  /** For changes of the index (SwrCache). */
  begin(): Beginning {
    return this.#index.begin();
  }

  accept(version: Version<TenantIndex> | 'unavailable', begun: Beginning): void {
    this.#index.accept(version, begun);
  }

  /** Call this when another isolate has changed the index for this one, or may have. Never rejects. */
  changedElsewhere(): Promise<void> {
    return this.#index.changedElsewhere();
  }

  /** The rules from before those that cannot be read, until these are too old. */
  #replacedOf(tenant: string): TenantRules | null {
    const held = this.#held.get(tenant);
    if (held === undefined) return null;
    held.replacedAt ??= this.#deps.now();
    return this.#deps.now() - held.replacedAt < (this.#deps.maxAgeMs ?? MAX_AGE_MS) ? held.rules : null;
  }

  #heldFor(tenant: string, refs: Refs): TenantRules | null {
    if (refs.policy === null && refs.overrides === null && refs.global === null) return NO_RULES;
    const held = this.#held.get(tenant);
    return held !== undefined && sameRefs(held, refs) ? held.rules : null;
  }

  /** Rejects if a document that is in force cannot be read. */
  async #rulesOf(tenant: string, index: TenantIndex): Promise<TenantRules> {
    const refs = refsOf(index, tenant);
    return (
      this.#heldFor(tenant, refs) ??
      this.#load(tenant, refs).catch(async (error) => {
        // The index may be so old that its documents have been collected. If there is a newer one, it is tried once.
        const newer = refsOf((await this.#index.refreshIfOlder(REREAD_MS)) ?? new Map(), tenant);
        if (sameRefs(newer, refs)) throw error;
        return this.#load(tenant, newer);
      })
    );
  }

  async #load(tenant: string, refs: Refs): Promise<TenantRules> {
    const [policy, own, global] = await Promise.all([
      refs.policy === null ? DEFAULT_POLICY : this.#policy(refs.policyOwner, refs.policy),
      this.#overrides(tenant, refs.overrides, 'tenant'),
      this.#globalOverrides(refs.global),
    ]);
    const rules = { policy, overrides: new Overrides(own, global) };
    const chars = policy.source.rules.reduce((sum, { when }) => sum + when.length, 0);
    const policyBytes = policy.rules.length * RULE_BYTES + chars * RULE_CHAR_BYTES;
    const bytes = 1024 + policyBytes + own.size * OVERRIDE_BYTES;
    this.#held.set(tenant, { ...refs, rules }, bytes);
    return rules;
  }

  async #policy(tenant: string, reference: string): Promise<Policy> {
    const { policy: source, tree } = await readPolicy(this.#deps.objects, tenant, reference);
    const stored = openPolicyIfKnown(source, tree);
    if (stored !== null) return stored;
    const compiled = await this.#deps.compile(source);
    if (compiled !== null) return openPolicy(source, compiled);
    // The policy compiled when it was put, with other software. Nobody gains by lookups without an answer.
    this.#deps.log('tenant.policy-does-not-compile', { tenant });
    return DEFAULT_POLICY;
  }

  async #globalOverrides(reference: string | null): Promise<OverridesByNumber> {
    if (this.#global.ref !== reference) {
      this.#global = { ref: reference, overrides: await this.#overrides(ALL_TENANTS, reference, 'global') };
    }
    return this.#global.overrides;
  }

  async #overrides(tenant: string, reference: string | null, scope: OverrideScope): Promise<OverridesByNumber> {
    if (reference === null) return new Map();
    const stored = await readOverrides(this.#deps.objects, tenant, reference);
    return byNumber(stored.map(({ number, list, expiresAt }) => ({ number, list, expiresAt, scope })));
  }
}

function unavailable(cause: unknown): StorageUnavailable {
  return new StorageUnavailable('the policy cannot be read at the moment', cause);
}

/** Above 0 if `a` is certainly the newer one: the versions of tenants only rise, and the index has all of them. */
function compareIndexes(a: TenantIndex, b: TenantIndex): number {
  let sign = 0;
  for (const tenant of new Set([...a.keys(), ...b.keys()])) {
    const own = Math.sign((a.get(tenant)?.version ?? 0) - (b.get(tenant)?.version ?? 0));
    // The index was put back by hand, from a copy, and changed since: nobody can say which one is newer.
    if (own * sign < 0) return 0;
    sign ||= own;
  }
  return sign;
}

function refsOf(index: TenantIndex, tenant: string): Refs {
  const policy = policyInForce(index, tenant);
  return {
    policyOwner: policy?.owner ?? ALL_TENANTS,
    policy: policy?.ref ?? null,
    overrides: index.get(tenant)?.overrides ?? null,
    global: index.get(ALL_TENANTS)?.overrides ?? null,
  };
}

function sameRefs(a: Refs, b: Refs): boolean {
  return (
    a.policyOwner === b.policyOwner && a.policy === b.policy && a.overrides === b.overrides && a.global === b.global
  );
}
