/**
 * What is stored of tenants, and reading it. The index names, for each tenant, the documents in force. Documents are
 * immutable and written before the index that names them, so the conditional put of the index is the only commit. All
 * are frames around JSON (src/lib/frame.ts):
 *
 *   RFTI index      {"tenants": [{"tenant", "version", "policy", "overrides", "audit"}]}; refs or null
 *   RFPO policy     {"version", "at", "by", "policy", "tree"?, "earlier": [{"version", "at", "by", "ref"}]}
 *   RFOV overrides  {"overrides": [{"number", "list", "reason", "expiresAt", "author", "createdAt"}]}
 *   RFAU audit page {"entries": [{"ref", "at", "by", "lost"?, "action", ...}], "older"}, newest first (audit-trail.ts)
 *   RFTS seen       {"at", "tenants"}: the rows of the index as the last collection found them (collect.ts)
 *
 * A ref is `<version, 10 digits>-<id of the change>`; the refs of one tenant sort by time.
 */
import * as v from 'valibot';
import { type FramedJson, framedJson } from '../lib/frame.ts';
import { count } from '../lib/schema.ts';
import { OVERRIDE_LISTS } from '../policy/overrides.ts';
import { policySource } from '../policy/schema.ts';
import type { CasObjectKind } from '../storage/cas-object.ts';
import { OVERRIDES_PREFIX, POLICY_PREFIX, TENANTS_KEY } from '../storage/keys.ts';
import { type ObjectStore, readImmutable } from '../storage/store.ts';

/**
 * The row of the index for what holds for every tenant: the operator's overrides, and the policy of tenants without
 * one.
 */
export const ALL_TENANTS = '*';

/** As many as there can be keys. This keeps the index at a few hundred KiB, since every isolate reads it whole. */
export const MAX_TENANTS = 1000;
/**
 * Overrides are a fraud team's exceptions; its own list goes to POST /v1/detections. About 1.5 MiB with usual reasons.
 */
export const MAX_OVERRIDES = 10_000;
/** Every isolate that serves the tenant reads it at each change, and decodes it beside the lookups of others. */
export const MAX_OVERRIDES_BYTES = 3 * 2 ** 20;
/** How many earlier policies can be looked at. */
export const MAX_EARLIER = 50;
const VERSION_DIGITS = 10;
/** The form of a ref. */
export const REF = /^[0-9]{10}-[0-9a-f]{16}$/;
export const ref = v.pipe(v.string(), v.regex(REF));

const tenantRow = v.object({
  tenant: v.string(),
  /** Counts the changes of this tenant. */
  version: count,
  policy: v.nullable(ref),
  overrides: v.nullable(ref),
  audit: v.nullable(ref),
});
export type TenantRow = v.InferOutput<typeof tenantRow>;

export const tenantRows = v.pipe(v.array(tenantRow), v.maxLength(MAX_TENANTS));
const indexFile = framedJson('RFTI', 1, v.object({ tenants: tenantRows }));

/** Rows by tenant. */
export type TenantIndex = ReadonlyMap<string, TenantRow>;

/** The policy in force for a tenant, and whose it is: its own, else that for all tenants; null: neither has put one. */
export function policyInForce(index: TenantIndex, tenant: string): { owner: string; ref: string } | null {
  for (const owner of [tenant, ALL_TENANTS]) {
    const ref = index.get(owner)?.policy ?? null;
    if (ref !== null) return { owner, ref };
  }
  return null;
}

export const TENANT_INDEX: CasObjectKind<TenantIndex> = {
  key: TENANTS_KEY,
  codec: {
    encode: (rows) => indexFile.encode({ tenants: [...rows.values()] }),
    decode: (bytes) => new Map(indexFile.decode(bytes).tenants.map((row) => [row.tenant, row])),
  },
  empty: new Map(),
};

/** When the change was made, in milliseconds since 1970, and the id of the key that made it. */
export const change = { at: count, by: v.string() };
export const policyFile = framedJson(
  'RFPO',
  1,
  v.object({
    /** Counts the policies of this tenant from 1; after one that was lost, it is above every version before. */
    version: count,
    ...change,
    policy: policySource,
    /**
     * What the policy was compiled to (src/policy/cel/tree.ts), opened where it is used. Earlier versions stored none.
     */
    tree: v.exactOptional(v.unknown()),
    earlier: v.pipe(v.array(v.object({ version: count, ...change, ref })), v.maxLength(MAX_EARLIER)),
  }),
);
export type PolicyDocument = ReturnType<typeof policyFile.decode>;

export const storedOverride = v.object({
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

export function nextRef(version: number, id: string): string {
  return `${String(version).padStart(VERSION_DIGITS, '0')}-${id}`;
}

/** The version of the change that wrote a document, from 1. */
export function versionOf(reference: string): number {
  return Number(reference.slice(0, VERSION_DIGITS));
}

/** Where a document of a tenant is, under one of the prefixes of src/storage/keys.ts. */
export function documentKey(prefix: string, tenant: string, reference: string): string {
  return `${prefix}${tenant}/${reference}`;
}

/** Rejects when the document is missing or damaged, or storage does not answer; so does `readOverrides`. */
export function readPolicy(objects: ObjectStore, tenant: string, reference: string): Promise<PolicyDocument> {
  return readDocument(objects, documentKey(POLICY_PREFIX, tenant, reference), policyFile);
}

export async function readOverrides(
  objects: ObjectStore,
  tenant: string,
  reference: string,
): Promise<readonly StoredOverride[]> {
  return (await readDocument(objects, documentKey(OVERRIDES_PREFIX, tenant, reference), overridesFile)).overrides;
}

async function readDocument<T>(objects: ObjectStore, key: string, file: FramedJson<T>): Promise<T> {
  const document = await readImmutable(objects, key, null, (bytes) => file.decode(bytes));
  if (document === null) throw new RangeError(`${key} is missing`);
  return document;
}
