/** Where things are in the object store. Keys never contain a phone number. */
export const MANIFEST_KEY = 'manifest';
/** A copy of each generation's manifest, written before it is published: what a rollback returns to. */
export const RETAINED_PREFIX = 'manifests/';
/** Which batches each generation merged, kept for ever. */
export const HISTORY_PREFIX = 'history/';
export const SEGMENT_PREFIX = 'segments/';
/** Accepted uploads not yet known to be merged. */
export const WAITING_PREFIX = 'batches/waiting/';
/** Ids of uploads with an Idempotency-Key begin so; only these can be uploaded twice (src/ingest/accept.ts). */
export const KEYED_BATCH = 'k-';
/** Uploads that a published generation has consumed; kept, since the whole store can be rebuilt from them. */
export const MERGED_PREFIX = 'batches/merged/';
/** API keys of all tenants, hashed; one small object, read together with the manifest. */
export const API_KEYS_KEY = 'config/keys';
/** Which documents each tenant decides with; one small object, read together with the manifest. */
export const TENANTS_KEY = 'config/tenants';
/** Policies, override lists and audit pages; each change writes new ones and none is altered. */
export const POLICY_PREFIX = 'config/policies/';
export const OVERRIDES_PREFIX = 'config/overrides/';
export const AUDIT_PREFIX = 'config/audit/';

/** A generation's object under one of the prefixes above; keys sort by generation. */
export function generationKey(prefix: string, generation: number, commit: string): string {
  return `${prefix}${String(generation).padStart(10, '0')}-${commit}`;
}
