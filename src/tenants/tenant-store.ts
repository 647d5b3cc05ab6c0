/**
 * Changes what tenants decide with, and reads it for those who change it. A change writes its documents and then swaps
 * the index. Before the swap nothing has changed, whatever was written; after it everything has, and the audit page
 * that says so is part of it.
 */

import { toHex } from '../lib/bytes.ts';
import { type FramedJson, isWholeFrame } from '../lib/frame.ts';
import type { Beginning, Version } from '../lib/swr-cache.ts';
import { isInForce } from '../policy/overrides.ts';
import type { Policy } from '../policy/policy.ts';
import { CasObject, type CasObjectDeps } from '../storage/cas-object.ts';
import { AUDIT_PREFIX, OVERRIDES_PREFIX, POLICY_PREFIX } from '../storage/keys.ts';
import { AUDIT_PAGE, type AuditEvent, type AuditPage, auditFile, type LostDocument, pageWith } from './audit-trail.ts';
import {
  documentKey,
  MAX_EARLIER,
  MAX_OVERRIDES,
  MAX_OVERRIDES_BYTES,
  MAX_TENANTS,
  nextRef,
  overridesFile,
  type PolicyDocument,
  policyFile,
  readOverrides,
  readPolicy,
  type StoredOverride,
  TENANT_INDEX,
  type TenantIndex,
  type TenantRow,
} from './documents.ts';

const ID_BYTES = 8;

export interface TenantStoreDeps extends CasObjectDeps {
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Told when a change of the index begins, and how it ended; null: nobody is told. */
  readonly holder: IndexHolder | null;
}

/** The holder of a copy of the index in this isolate (SwrCache). */
export interface IndexHolder {
  begin(): Beginning;
  accept(version: Version<TenantIndex> | 'unavailable', begun: Beginning): void;
}

/** Who changes what: the tenant whose configuration it is, and the id of the key. */
export interface Author {
  readonly tenant: string;
  readonly by: string;
}

export type ChangeResult<T> =
  | { readonly kind: 'done'; readonly value: T }
  | { readonly kind: 'not-found' }
  /** `limit` says what there can be at most. */
  | { readonly kind: 'full'; readonly limit: string }
  /** The list of overrides that the change is about is missing or damaged. */
  | { readonly kind: 'lost' }
  /** The change may or may not have been made. */
  | { readonly kind: 'unavailable' };

/** What a change makes of a tenant's row, or why it is not made. */
type Edit<T> =
  | {
      readonly refs: Partial<Pick<TenantRow, 'policy' | 'overrides'>>;
      readonly event: AuditEvent;
      readonly value: T;
      /** A document that the change replaces unread. */
      readonly lost?: LostDocument;
    }
  | Exclude<ChangeResult<T>, { readonly kind: 'done' }>;

interface Draft {
  readonly row: TenantRow;
  /** The ref of all documents of this change. */
  readonly ref: string;
  readonly at: number;
}

export class TenantStore {
  readonly #deps: TenantStoreDeps;
  readonly index: CasObject<TenantIndex>;

  constructor(deps: TenantStoreDeps) {
    this.#deps = deps;
    this.index = new CasObject(deps, TENANT_INDEX);
  }

  /**
   * Stores the source and what it was compiled to. A lost policy can be replaced, and the trail says so, since the new
   * policy does not depend on the one before.
   */
  async putPolicy(author: Author, { source, tree }: Policy): Promise<ChangeResult<PolicyDocument>> {
    const { tenant, by } = author;
    return this.#change(author, async ({ row, ref, at }) => {
      const found = row.policy === null ? null : await this.#readOrLost(POLICY_PREFIX, tenant, row.policy, policyFile);
      const isLost = found === 'lost';
      const before = isLost ? null : found;
      // There have been no more policies than changes, so this is above every version that was lost.
      const version = (isLost ? row.version : (before?.version ?? 0)) + 1;
      const earlier =
        before === null || row.policy === null
          ? []
          : [{ version: before.version, at: before.at, by: before.by, ref: row.policy }, ...before.earlier];
      const rules = source.rules.map((rule) => ({ ...rule }));
      const value = { version, at, by, policy: { ...source, rules }, tree, earlier: earlier.slice(0, MAX_EARLIER) };
      await this.#write(POLICY_PREFIX, tenant, ref, policyFile.encode(value));
      const event = { action: 'policy.put', version } as const;
      return { refs: { policy: ref }, event, value, ...(isLost && { lost: 'policy' as const }) };
    });
  }

  /**
   * Sets or replaces the override of a number, and removes expired ones of other numbers. A lost list is not replaced
   * by one with this override alone: all others would silently be out of force.
   */
  async putOverride(author: Author, override: Omit<StoredOverride, 'author' | 'createdAt'>) {
    return this.#change<StoredOverride>(author, async ({ row, ref, at }) => {
      const all = await this.#overridesOrLost(author.tenant, row);
      if (all === 'lost') return { kind: 'lost' };
      const kept = all.filter((one) => one.number !== override.number && isInForce(one, at));
      if (kept.length >= MAX_OVERRIDES) return { kind: 'full', limit: `${MAX_OVERRIDES} overrides` };
      const value = { ...override, author: author.by, createdAt: at };
      const bytes = overridesFile.encode({ overrides: [...kept, value] });
      if (bytes.length > MAX_OVERRIDES_BYTES) {
        return {
          kind: 'full',
          limit: `${MAX_OVERRIDES_BYTES} bytes of overrides: shorter reasons leave room for more`,
        };
      }
      await this.#write(OVERRIDES_PREFIX, author.tenant, ref, bytes);
      const replaced = all.find(({ number }) => number === override.number);
      const event = {
        action: 'override.put',
        override: shown(value),
        replaced: replaced ? shown(replaced) : null,
      } as const;
      return { refs: { overrides: ref }, event, value };
    });
  }

  /** Begins an empty list in the place of one that is lost. A list that can be read is not reset. */
  async resetOverrides(author: Author): Promise<ChangeResult<null>> {
    return this.#change<null>(author, async ({ row }) => {
      if ((await this.#overridesOrLost(author.tenant, row)) !== 'lost') return { kind: 'not-found' };
      return { refs: { overrides: null }, event: { action: 'overrides.reset' }, value: null, lost: 'overrides' };
    });
  }

  async deleteOverride(author: Author, number: number): Promise<ChangeResult<null>> {
    return this.#change<null>(author, async ({ row, ref, at }) => {
      const all = await this.#overridesOrLost(author.tenant, row);
      if (all === 'lost') return { kind: 'lost' };
      const found = all.find((override) => override.number === number && isInForce(override, at));
      if (found === undefined) return { kind: 'not-found' };
      const kept = all.filter((override) => override !== found);
      await this.#write(OVERRIDES_PREFIX, author.tenant, ref, overridesFile.encode({ overrides: kept }));
      return { refs: { overrides: ref }, event: { action: 'override.delete', override: shown(found) }, value: null };
    });
  }

  async #overridesOrLost(tenant: string, { overrides }: TenantRow): Promise<readonly StoredOverride[] | 'lost'> {
    if (overrides === null) return [];
    const list = await this.#readOrLost(OVERRIDES_PREFIX, tenant, overrides, overridesFile);
    return list === 'lost' ? list : list.overrides;
  }

  /** Puts into the audit trail what was changed elsewhere. */
  async record(author: Author, event: AuditEvent): Promise<ChangeResult<null>> {
    return this.#change(author, async () => ({ refs: {}, event, value: null }));
  }

  /** Rejects when the document is missing or damaged, or storage does not answer; so does `overrides`. */
  policy(tenant: string, ref: string): Promise<PolicyDocument> {
    return readPolicy(this.#deps.objects, tenant, ref);
  }

  overrides(tenant: string, ref: string): Promise<readonly StoredOverride[]> {
    return readOverrides(this.#deps.objects, tenant, ref);
  }

  /** null: there is no such page. Pages that were collected (collect.ts) are not told apart from that. */
  async audit(tenant: string, ref: string): Promise<AuditPage | null> {
    const object = await this.#deps.objects.get(documentKey(AUDIT_PREFIX, tenant, ref));
    const page = object === null ? null : auditFile.decode(object.bytes);
    if (page === null || page.older === null) return page;
    const isThere = (await this.#deps.objects.head(documentKey(AUDIT_PREFIX, tenant, page.older))) !== null;
    return isThere ? page : { ...page, older: null };
  }

  async #change<T>({ tenant, by }: Author, edit: (draft: Draft) => Promise<Edit<T>>): Promise<ChangeResult<T>> {
    const id = toHex(this.#deps.randomBytes(ID_BYTES));
    // The time is the same in every attempt, so that a repeated attempt writes the same documents again.
    const at = this.#deps.now();
    let result: ChangeResult<T> = { kind: 'unavailable' };
    let isAgain = false;
    const { holder } = this.#deps;
    const begun = holder?.begin();
    const version = await this.index.change(async (rows) => {
      const row = rows.get(tenant) ?? { tenant, version: 0, policy: null, overrides: null, audit: null };
      const found = row.audit === null ? null : await this.#readOrLost(AUDIT_PREFIX, tenant, row.audit, auditFile);
      // A lost page of the trail must not stop all further changes.
      const page = found === 'lost' ? null : found;
      // An earlier attempt may have failed and been persisted all the same. Then the change is done.
      if (isAgain && page !== null && (await this.#isIn(page, tenant, id))) return null;
      isAgain = true;
      const draft = { row, ref: nextRef(row.version + 1, id), at };
      const edited = await edit(draft);
      if ('kind' in edited) {
        result = edited;
        return null;
      }
      if (!rows.has(tenant) && rows.size >= MAX_TENANTS) {
        result = { kind: 'full', limit: `${MAX_TENANTS} tenants` };
        return null;
      }
      result = { kind: 'done', value: edited.value };
      const lost = [...(edited.lost ? [edited.lost] : []), ...(found === 'lost' ? (['audit'] as const) : [])];
      const entry = { ref: draft.ref, at, by, ...(lost.length > 0 && { lost }), ...edited.event };
      const older = found === 'lost' ? await this.#lastFullPage(row) : row.audit;
      await this.#write(AUDIT_PREFIX, tenant, draft.ref, auditFile.encode(pageWith(page, row, entry, older)));
      const next = { ...row, ...edited.refs, version: row.version + 1, audit: draft.ref };
      return new Map([...rows, [tenant, next]]);
    });
    if (begun !== undefined) holder?.accept(version, begun);
    return version === 'unavailable' ? { kind: 'unavailable' } : result;
  }

  /** Whether the change is among the last fifty: others may have begun a new page since. */
  async #isIn(page: AuditPage, tenant: string, id: string): Promise<boolean> {
    if (page.entries.some(({ ref }) => ref.endsWith(id))) return true;
    if (page.older === null) return false;
    const older = await this.#readOrLost(AUDIT_PREFIX, tenant, page.older, auditFile);
    return older !== 'lost' && older.entries.some(({ ref }) => ref.endsWith(id));
  }

  /**
   * The full page before a page that is lost; null: there is none, or two changes wrote one and one of these never came
   * into force.
   */
  async #lastFullPage({ tenant, version }: TenantRow): Promise<string | null> {
    const last = Math.floor((version - 1) / AUDIT_PAGE) * AUDIT_PAGE;
    const prefix = documentKey(AUDIT_PREFIX, tenant, nextRef(last, ''));
    const [only, other] = (await this.#deps.objects.list(prefix, { limit: 2 })).objects;
    return only === undefined || other !== undefined
      ? null
      : only.key.slice(documentKey(AUDIT_PREFIX, tenant, '').length);
  }

  async #write(prefix: string, tenant: string, ref: string, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    await this.#deps.objects.put(documentKey(prefix, tenant, ref), bytes);
  }

  /**
   * 'lost': the document is missing, or its bytes are damaged. Rejects where storage does not answer, and where other
   * software wrote the document: that is not lost.
   */
  async #readOrLost<T>(prefix: string, tenant: string, ref: string, file: FramedJson<T>): Promise<T | 'lost'> {
    const object = await this.#deps.objects.get(documentKey(prefix, tenant, ref));
    return object === null || !isWholeFrame(object.bytes) ? 'lost' : file.decode(object.bytes);
  }
}

function shown({ number, list, reason, expiresAt }: StoredOverride) {
  return { number, list, reason, expiresAt };
}
