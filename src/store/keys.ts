/** Where things are in the object store. Keys never contain a phone number. */
export const MANIFEST_KEY = 'manifest';
export const RETAINED_PREFIX = 'manifests/';
export const SEGMENT_PREFIX = 'segments/';
/** Accepted uploads not yet known to be merged. */
export const WAITING_PREFIX = 'batches/waiting/';
/** Uploads that a published generation has consumed; kept, since the whole store can be rebuilt from them. */
export const MERGED_PREFIX = 'batches/merged/';
/** API keys of all tenants, hashed; one small object, read together with the manifest. */
export const API_KEYS_KEY = 'config/keys';
