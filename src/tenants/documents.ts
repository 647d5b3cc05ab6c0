/**
 * What is stored of tenants. The index names, of each tenant, the documents in force; documents are immutable, written
 * before the index that names them, so that the conditional put of the index is the only commit. All are frames around
 * JSON (src/format/framed-json.ts):
 *
 *   RFTI index      {"tenants": [{"tenant", "version", "policy", "overrides", "audit"}]}; refs or null
 *   RFPO policy     {"version", "at", "by", "policy", "earlier": [{"version", "at", "by", "ref"}]}
 *   RFOV overrides  {"overrides": [{"number", "list", "reason", "expiresAt", "author", "createdAt"}]}
 *   RFAU audit page {"entries": [{"ref", "at", "by", "lost"?, "action", ...}], "older"}, newest first
 *   RFTS seen       {"at", "tenants"}: the rows of the index as the last collection found them (collect.ts)
 *
 * A ref is `<version, 10 digits>-<id of the change>`: of one tenant they sort by time. Each change writes its audit page
 * anew until that is full, which it is at every fiftieth version; `older` is the full page before it.
 */
import * as v from 'valibot';
import { framedJson } from '../format/framed-json.ts';
import { OVERRIDE_LISTS } from '../policy/overrides.ts';
import { ACTIONS, RULE_MODES } from '../policy/policy.ts';
import { sourceIdMembers } from '../quality/source-id.ts';
import type { ObjectKind } from '../store/changed-object.ts';
import { TENANTS_KEY, TENANTS_SEEN_KEY } from '../store/keys.ts';

/** The row of the index for what holds for every tenant: the operator's overrides, and the policy of who has none. */
export const ALL_TENANTS = '*';

/** As many as there can be keys; keeps the index at a few hundred KiB, since every isolate reads it whole. */
export const MAX_TENANTS = 1000;
/** A fraud team's exceptions, not its list: that goes to POST /v1/detections. About 1.5 MiB with a usual reason. */
export const MAX_OVERRIDES = 10_000;
/** Read by every isolate that serves the tenant whenever it changes, and decoded beside the lookups of others. */
export const MAX_OVERRIDES_BYTES = 3 * 2 ** 20;
/** Earlier policies that can be looked at. */
export const MAX_EARLIER = 50;
/** Each change writes its page anew, so it stays at some 15 KiB, 100 with the longest reasons. */
export const AUDIT_PAGE = 50;

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const VERSION_DIGITS = 10;
/** The form of a ref. */
export const REF = /^[0-9]{10}-[0-9a-f]{16}$/;
const ref = v.pipe(v.string(), v.regex(REF));

const tenantRow = v.object({
  tenant: v.string(),
  /** Counts the changes of this tenant. */
  version: count,
  policy: v.nullable(ref),
  overrides: v.nullable(ref),
  audit: v.nullable(ref),
});
export type TenantRow = v.InferOutput<typeof tenantRow>;

const tenantRows = v.pipe(v.array(tenantRow), v.maxLength(MAX_TENANTS));
const indexFile = framedJson('RFTI', 1, v.object({ tenants: tenantRows }));
const seenFile = framedJson('RFTS', 1, v.object({ at: count, tenants: tenantRows }));

/** Rows by tenant. */
export type TenantIndex = ReadonlyMap<string, TenantRow>;

export const TENANT_INDEX: ObjectKind<TenantIndex> = {
  key: TENANTS_KEY,
  codec: {
    encode: (rows) => indexFile.encode({ tenants: [...rows.values()] }),
    decode: (bytes) => new Map(indexFile.decode(bytes).tenants.map((row) => [row.tenant, row])),
  },
  empty: new Map(),
};

/** Which documents were named at a moment, in milliseconds since 1970. */
export interface TenantsSeen {
  readonly at: number;
  readonly index: TenantIndex;
}

export const TENANTS_SEEN: ObjectKind<TenantsSeen | null> = {
  key: TENANTS_SEEN_KEY,
  codec: {
    encode: (seen) => seenFile.encode({ at: seen?.at ?? 0, tenants: [...(seen?.index.values() ?? [])] }),
    decode: (bytes) => {
      const { at, tenants } = seenFile.decode(bytes);
      return { at, index: new Map(tenants.map((row) => [row.tenant, row])) };
    },
  },
  empty: null,
};

const change = { at: count, by: v.string() };
const policySource = v.object({
  rules: v.array(
    v.object({ id: v.string(), when: v.string(), action: v.picklist(ACTIONS), mode: v.picklist(RULE_MODES) }),
  ),
  default: v.picklist(ACTIONS),
});
export const policyFile = framedJson(
  'RFPO',
  1,
  v.object({
    /** Of the policies of this tenant, from 1; after one that was lost, above every one before. */
    version: count,
    ...change,
    policy: policySource,
    earlier: v.pipe(v.array(v.object({ version: count, ...change, ref })), v.maxLength(MAX_EARLIER)),
  }),
);
export type PolicyDocument = ReturnType<typeof policyFile.decode>;

const storedOverride = v.object({
  number: count,
  list: v.picklist(OVERRIDE_LISTS),
  reason: v.string(),
  /** Milliseconds since 1970, as all times here; null: until it is deleted. */
  expiresAt: v.nullable(count),
  /** Id of the key that set it. */
  author: v.string(),
  createdAt: count,
});
export type StoredOverride = v.InferOutput<typeof storedOverride>;
export const overridesFile = framedJson(
  'RFOV',
  1,
  v.object({ overrides: v.pipe(v.array(storedOverride), v.maxLength(MAX_OVERRIDES)) }),
);

const shownOverride = v.pick(storedOverride, ['number', 'list', 'reason', 'expiresAt']);
const auditEvent = v.variant('action', [
  v.object({ action: v.literal('policy.put'), version: count }),
  v.object({ action: v.literal('override.put'), override: shownOverride, replaced: v.nullable(shownOverride) }),
  v.object({ action: v.literal('override.delete'), override: shownOverride }),
  v.object({ action: v.literal('overrides.reset') }),
  v.object({ action: v.literal('key.create'), key: v.string(), name: v.string(), scopes: v.array(v.string()) }),
  v.object({ action: v.literal('key.delete'), key: v.string() }),
  v.object({ action: v.literal('batch.withdraw'), batch: v.string() }),
  v.object({ action: v.literal('batch.release'), batch: v.string() }),
  v.object({ action: v.literal('canary.put'), number: count, note: v.nullable(v.string()) }),
  v.object({ action: v.literal('canary.delete'), number: count }),
  v.object({ action: v.literal('source.release'), source: v.object(sourceIdMembers), generation: count }),
  v.object({ action: v.literal('source.drop'), source: v.object(sourceIdMembers), generation: count }),
  v.object({ action: v.literal('rollback'), generation: count, restored: count, requeue: v.boolean() }),
]);
/** What was changed. */
export type AuditEvent = v.InferOutput<typeof auditEvent>;
/** Documents of a tenant that a change can find lost: missing, or damaged. */
export const TENANT_DOCUMENTS = ['policy', 'overrides', 'audit'] as const;
export type LostDocument = (typeof TENANT_DOCUMENTS)[number];
const auditEntry = v.intersect([
  v.object({
    ref,
    ...change,
    /** What the change replaced without having been able to read it. */
    lost: v.exactOptional(v.array(v.picklist(TENANT_DOCUMENTS))),
  }),
  auditEvent,
]);
/** Who changed it, and when. */
export type AuditEntry = v.InferOutput<typeof auditEntry>;
export const auditFile = framedJson(
  'RFAU',
  1,
  v.object({ entries: v.pipe(v.array(auditEntry), v.maxLength(AUDIT_PAGE)), older: v.nullable(ref) }),
);
export type AuditPage = ReturnType<typeof auditFile.decode>;

export function nextRef(version: number, id: string): string {
  return `${String(version).padStart(VERSION_DIGITS, '0')}-${id}`;
}

/** Of a tenant's change: from 1. */
export function versionOf(reference: string): number {
  return Number(reference.slice(0, VERSION_DIGITS));
}

/** Whether the audit page of this version is full, and stays: the next one begins after it. */
export function isFullPage(version: number): boolean {
  return version % AUDIT_PAGE === 0;
}

/** Where a document of a tenant is, under one of the prefixes of src/store/keys.ts. */
export function documentKey(prefix: string, tenant: string, reference: string): string {
  return `${prefix}${tenant}/${reference}`;
}
