/** Where things are in the object store. Keys never contain a phone number. */
export const MANIFEST_KEY = 'manifest';
/** A copy of each generation's manifest, written before it is published: what a rollback returns to. */
export const RETAINED_PREFIX = 'manifests/';
/** Which batches each generation merged, kept for ever. */
export const HISTORY_PREFIX = 'history/';
export const SEGMENT_PREFIX = 'segments/';
/** Activity: which numbers were detected on which day (src/format/activity-object.ts). */
export const ACTIVITY_PREFIX = 'facts/';
/** Accepted uploads not yet known to be merged. */
export const WAITING_PREFIX = 'batches/waiting/';
/** Ids of uploads with an Idempotency-Key begin with this; only these can be uploaded twice (src/ingest/accept.ts). */
export const KEYED_BATCH = 'k-';
/**
 * When a batch came in, milliseconds since 1970, as ids of uploads without an Idempotency-Key begin; null: it does not
 * say.
 */
export function timeOfBatch(id: string): number | null {
  const digits = /^(\d{13})-/.exec(id)?.[1];
  return digits === undefined ? null : Number(digits);
}
/** Uploads that a published generation has consumed; kept, since the whole store can be rebuilt from them. */
export const MERGED_PREFIX = 'batches/merged/';
/** One small object for each withdrawn upload, kept for ever (src/merge/withdraw.ts). */
export const WITHDRAWN_PREFIX = 'batches/withdrawn/';
/** Recent withdrawals, and how far taking them out of the runs has come (src/merge/withdraw.ts). */
export const WITHDRAWALS_PREFIX = 'withdrawals/';
/** What a compaction under way has written so far (src/merge/compaction-output.ts). */
export const COMPACTION_PREFIX = 'compactions/';
/** What is known of sources, and what is kept out of the inventory (src/quality/ledger.ts). */
export const LEDGER_PREFIX = 'ledgers/';
/** Batches kept out of the inventory as a whole, and why (src/merge/failing-batches.ts). */
export const SET_ASIDE_PREFIX = 'set-aside/';
/** What a tick was about to take, while ticks do not come to an end (src/merge/failing-batches.ts); may be lost. */
export const ATTEMPT_KEY = 'attempt';
/** Exists while a tick that lost its race runs again (src/merge/decisions.ts); may be lost. */
export const TICK_LEASE_KEY = 'lease';
/** Pages of lists that a ledger has no room for, kept for ever (src/quality/batch-set.ts). */
export const QUARANTINE_PAGE_PREFIX = 'quarantine/';
/** API keys of all tenants, hashed; one small object, read together with the manifest. */
export const API_KEYS_KEY = 'config/keys';
/** Which documents each tenant decides with; one small object, read together with the manifest. */
export const TENANTS_KEY = 'config/tenants';
/** Which of these documents were named when the last collection looked (src/tenants/collect.ts). */
export const TENANTS_SEEN_KEY = 'config/tenants-seen';
/** Numbers that no honest source can have seen; one small object, read by ticks that merge. */
export const CANARIES_KEY = 'config/canaries';
/** Policies, override lists and audit pages; each change writes new ones and none is altered. */
export const POLICY_PREFIX = 'config/policies/';
export const OVERRIDES_PREFIX = 'config/overrides/';
export const AUDIT_PREFIX = 'config/audit/';
/** One for each period that was asked for (src/briefing/briefings.ts); each can be computed again. */
export const BRIEFINGS_PREFIX = 'briefings/';
/** How many numbers are active, and until when (src/briefing/census.ts); it can be taken again. */
export const CENSUS_KEY = 'census';

/** A generation's object under one of the prefixes above; keys sort by generation. */
export function generationKey(prefix: string, generation: number, commit: string): string {
  return `${prefix}${String(generation).padStart(10, '0')}-${commit}`;
}

/**
 * Where a slice is in the slice store: by the hash of its bytes and nothing else, so that equal slices are one, and
 * none is ever changed.
 */
export function sliceKey({ sha256 }: { readonly sha256: string }): string {
  return sha256;
}

/** What a replica answers from now (src/replica/store.ts); the only object of its store that changes. */
export const REPLICA_POINTER_KEY = 'current';
export const REPLICA_SLICE_PREFIX = 'slices/';

/** Where a replica keeps the slice of this hash. */
export function replicaSliceKey(sha256: string): string {
  return REPLICA_SLICE_PREFIX + sha256;
}

/** The owner of a waiting batch, as the store keeps it beside the object. Names of tenants have no slash. */
export function batchOwner(tenant: string, key: string): string {
  return `${tenant}/${key}`;
}

/** Empty if the owner is not known: uploads from before owners were stored count as one tenant's. */
export function tenantOf(owner: string): string {
  return owner.slice(0, owner.indexOf('/') + 1);
}
