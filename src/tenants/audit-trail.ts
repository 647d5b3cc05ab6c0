/**
 * The audit trail of a tenant: pages of fifty changes, newest first. Each change writes its page anew until the page is
 * full, which it is at every fiftieth version; `older` leads to the full page before it.
 */
import * as v from 'valibot';
import { sourceIdMembers } from '../format/source.ts';
import { framedJson } from '../lib/frame.ts';
import { count } from '../lib/schema.ts';
import { change, ref, storedOverride, type TenantRow, versionOf } from './documents.ts';

/** Each change writes its page anew, so a page stays at some 15 KiB, or 100 KiB with the longest reasons. */
export const AUDIT_PAGE = 50;

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
export const AUDIT_ACTIONS = auditEvent.options.map(({ entries }) => entries.action.literal);
/** What was changed. */
export type AuditEvent = v.InferOutput<typeof auditEvent>;
/** The documents of a tenant that a change can find lost, which means missing or damaged. */
export const TENANT_DOCUMENTS = ['policy', 'overrides', 'audit'] as const;
export type LostDocument = (typeof TENANT_DOCUMENTS)[number];
const auditEntry = v.intersect([
  v.object({
    ref,
    ...change,
    /** Documents that the change replaced without having been able to read them. */
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

/** Whether the audit page of this version is full, and stays: the next one begins after it. */
export function isFullPage(version: number): boolean {
  return version % AUDIT_PAGE === 0;
}

/**
 * The page that a change writes: the change and those before it, back to the full page that `older` leads to.
 * @param older where the page leads to if the change is the first on it
 */
export function pageWith(before: AuditPage | null, row: TenantRow, entry: AuditEntry, older: string | null): AuditPage {
  if (before === null || isFullPage(row.version)) return { entries: [entry], older };
  // Earlier versions kept the last fifty changes on each page: entries that are on a full page already are cut off.
  const firstOlder = before.entries.find((each) => isFullPage(versionOf(each.ref)));
  const kept = firstOlder === undefined ? before.entries : before.entries.slice(0, before.entries.indexOf(firstOlder));
  return { entries: [entry, ...kept], older: firstOlder?.ref ?? before.older };
}
