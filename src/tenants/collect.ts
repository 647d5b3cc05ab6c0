/**
 * Collection of tenants' documents: it deletes those that no index names any more and no isolate with an older index
 * can ask for. An isolate may hold an index for a while, so it is not enough that the present one does not name a
 * document. The object "seen" keeps the index as the collection before found it. A document is deleted if it
 *
 * - is named neither by the present index nor by the one seen,
 * - and was written a good while before that one was seen: what was named since then was written since then, or just before.
 *
 * So nothing is deleted that any index of the last hour named, however often a tenant changes its mind. Earlier
 * policies stay as long as the policy lists them (MAX_EARLIER), and full pages of the audit trail for AUDIT_KEPT_MS.
 */
import * as v from 'valibot';
import { FormatError } from '../lib/bytes.ts';
import { framedJson } from '../lib/frame.ts';
import { count } from '../lib/schema.ts';
import type { Version } from '../lib/swr-cache.ts';
import { COLLECTIONS_APART_MS } from '../lib/time.ts';
import type { CasObjectKind } from '../storage/cas-object.ts';
import { AUDIT_PREFIX, OVERRIDES_PREFIX, POLICY_PREFIX, TENANTS_SEEN_KEY } from '../storage/keys.ts';
import { deleteObjects, listObjects, type ObjectHead, type ObjectStore } from '../storage/store.ts';
import { isFullPage } from './audit-trail.ts';
import {
  documentKey,
  MAX_EARLIER,
  policyFile,
  TENANT_INDEX,
  type TenantIndex,
  type TenantRow,
  tenantRows,
  versionOf,
} from './documents.ts';

/** Thirteen months: a yearly review sees the year before. */
export const AUDIT_KEPT_MS = 400 * 86_400_000;
/**
 * 50,000 changes, 15 MB: the newest pages of 50 are kept. A tenant with a change a second for half a day loses what was
 * before.
 */
export const MAX_AUDIT_PAGES = 1000;
/** Collections are an hour apart; two ticks of the same minute must not take one another's index for an old one. */
const SEEN_FOR_MS = 50 * 60_000;
/**
 * From the writing of a document to its index: five attempts take seconds, and a put that lands late takes some
 * minutes.
 */
const CHANGE_MS = 15 * 60_000;
/**
 * Where there are more tenants, they take turns: each takes three lists, of the thousand calls that a collection may
 * make.
 */
const TENANTS_AT_ONCE = 100;
/** Pages of 1,000 keys for one tenant and kind: more changes than can be made between two of its turns. */
const PAGE_LIMIT = 100;

const seenFile = framedJson('RFTS', 1, v.object({ at: count, tenants: tenantRows }));

/** Which documents were named at some time, in milliseconds since 1970. */
interface TenantsSeen {
  readonly at: number;
  readonly index: TenantIndex;
}

const TENANTS_SEEN: CasObjectKind<TenantsSeen | null> = {
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

export interface CollectContext {
  readonly objects: ObjectStore;
  /** Milliseconds since 1970. */
  now(): number;
}

/** What tells the live documents of one tenant from the others. */
interface Marks {
  readonly tenant: string;
  /** The row of the index as it is now, and as it was seen. */
  readonly rows: readonly TenantRow[];
  /** Milliseconds since 1970: nothing that was written later is garbage. */
  readonly before: number;
  readonly now: number;
}

/**
 * Returns how many documents were deleted. Rejects when storage does not answer: what was deleted by then was garbage,
 * and the next collection finds the rest.
 */
export async function collectDocuments({ objects, now }: CollectContext): Promise<number> {
  const startedAt = now();
  const [seen, index] = await Promise.all([readSeen(objects), objects.get(TENANT_INDEX.key)]);
  const rows = index === null ? TENANT_INDEX.empty : TENANT_INDEX.codec.decode(index.bytes);
  if (seen.value !== null && startedAt - seen.value.at < SEEN_FOR_MS) return 0;
  let deleted = 0;
  for (const row of turnOf([...rows.values()], startedAt)) {
    if (seen.value === null) break;
    deleted += await collectTenant(objects, marksOf(row, seen.value, startedAt));
  }
  // If another collection was first, what it has seen will do.
  const condition = seen.etag === null ? ({ absent: true } as const) : { etag: seen.etag };
  await objects.put(TENANTS_SEEN.key, TENANTS_SEEN.codec.encode({ at: startedAt, index: rows }), condition);
  return deleted;
}

/** If the object is damaged, nothing counts as seen: the next collection goes by what this one sees. */
async function readSeen(objects: ObjectStore): Promise<Version<TenantsSeen | null>> {
  const object = await objects.get(TENANTS_SEEN.key);
  if (object === null) return { value: null, etag: null };
  try {
    return { value: TENANTS_SEEN.codec.decode(object.bytes), etag: object.etag };
  } catch (error) {
    if (error instanceof FormatError) return { value: null, etag: object.etag };
    throw error;
  }
}

function marksOf(row: TenantRow, seen: TenantsSeen, now: number): Marks {
  const { tenant } = row;
  const then = seen.index.get(tenant);
  return { tenant, rows: then === undefined ? [row] : [row, then], before: seen.at - CHANGE_MS, now };
}

/** A hundred tenants; at each collection it is the turn of others. */
function turnOf(rows: readonly TenantRow[], now: number): TenantRow[] {
  const first = (Math.floor(now / COLLECTIONS_APART_MS) * TENANTS_AT_ONCE) % Math.max(rows.length, 1);
  return [...rows.slice(first), ...rows.slice(0, first)].slice(0, TENANTS_AT_ONCE);
}

async function collectTenant(objects: ObjectStore, marks: Marks): Promise<number> {
  const garbage = [
    ...(await unnamed(objects, OVERRIDES_PREFIX, marks, ({ overrides }) => overrides)),
    ...(await policyGarbage(objects, marks)),
    ...auditGarbage(await unnamed(objects, AUDIT_PREFIX, marks, ({ audit }) => audit), marks),
  ].map(({ key }) => key);
  await deleteObjects(objects, garbage);
  return garbage.length;
}

/** Documents that neither index names and that are old enough, in the order of their versions. */
async function unnamed(
  objects: ObjectStore,
  prefix: string,
  { tenant, rows, before }: Marks,
  refOf: (row: TenantRow) => string | null,
): Promise<ObjectHead[]> {
  const named = rows.map(refOf).flatMap((ref) => (ref === null ? [] : [documentKey(prefix, tenant, ref)]));
  const found: ObjectHead[] = [];
  for await (const head of listObjects(objects, documentKey(prefix, tenant, ''), PAGE_LIMIT)) {
    if (head.uploadedAt < before && !named.includes(head.key)) found.push(head);
  }
  return found;
}

/**
 * Garbage are policies beyond those that the policy in force lists as earlier ones. As many as it can list are not
 * looked into.
 */
async function policyGarbage(objects: ObjectStore, marks: Marks): Promise<ObjectHead[]> {
  const { tenant, rows } = marks;
  const candidates = await unnamed(objects, POLICY_PREFIX, marks, ({ policy }) => policy);
  if (candidates.length <= MAX_EARLIER) return [];
  const ref = rows[0]?.policy ?? null;
  const object = ref === null ? null : await objects.get(documentKey(POLICY_PREFIX, tenant, ref));
  if (object === null) return [];
  const earlier = policyFile.decode(object.bytes).earlier.map((each) => documentKey(POLICY_PREFIX, tenant, each.ref));
  return candidates.filter(({ key }) => !earlier.includes(key));
}

/** Full pages make up the trail: those that are too old, or too many, are garbage. Of the other pages, all are. */
function auditGarbage(candidates: readonly ObjectHead[], { now }: Marks): ObjectHead[] {
  const isFull = ({ key }: ObjectHead) => isFullPage(versionOf(key.slice(key.lastIndexOf('/') + 1)));
  const full = candidates.filter(isFull);
  const beyond = new Set(full.slice(0, Math.max(0, full.length - MAX_AUDIT_PAGES)));
  return candidates.filter((head) => !isFull(head) || beyond.has(head) || now - head.uploadedAt > AUDIT_KEPT_MS);
}
