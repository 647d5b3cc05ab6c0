/**
 * Reading and changing what tenants decide with. A change writes its documents, then swaps the index: before the swap
 * nothing has changed, whatever was written; after it, everything has, and the audit page that says so is part of it.
 */

import type { FramedJson } from '../format/framed-json.ts';
import { toHex } from '../format/hash.ts';
import type { PolicySource } from '../policy/policy.ts';
import { ChangedObject, type ChangedObjectDeps } from '../store/changed-object.ts';
import type { Beginning, Version } from '../store/held-copy.ts';
import { AUDIT_PREFIX, OVERRIDES_PREFIX, POLICY_PREFIX } from '../store/keys.ts';
import {
  type AuditEntry,
  type AuditEvent,
  type AuditPage,
  auditFile,
  documentKey,
  isFullPage,
  MAX_EARLIER,
  MAX_OVERRIDES,
  MAX_OVERRIDES_BYTES,
  MAX_TENANTS,
  nextRef,
  overridesFile,
  type PolicyDocument,
  policyFile,
  type StoredOverride,
  TENANT_INDEX,
  type TenantIndex,
  type TenantRow,
  versionOf,
} from './documents.ts';

const ID_BYTES = 8;

export interface TenantStoreDeps extends ChangedObjectDeps {
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Who is told when a change of the index begins, and what became of it; null: nobody. */
  readonly held: () => IndexHolder | null;
}

/** Who holds a copy of the index in this isolate (HeldCopy). */
export interface IndexHolder {
  begin(): Beginning;
  accept(version: Version<TenantIndex> | 'unavailable', begun: Beginning): void;
}

/** Whose change it is: a tenant's configuration, and the id of the key that asks. */
export interface Author {
  readonly tenant: string;
  readonly by: string;
}

export type ChangeResult<T> =
  | { readonly kind: 'done'; readonly value: T }
  | { readonly kind: 'not-found' }
  /** `limit` says what there can be at most. */
  | { readonly kind: 'full'; readonly limit: string }
  /** The change may or may not have been made. */
  | { readonly kind: 'unavailable' };

/** What a change makes of a tenant's row, or why it is not made. */
type Edit<T> =
  | { readonly refs: Partial<Pick<TenantRow, 'policy' | 'overrides'>>; readonly event: AuditEvent; readonly value: T }
  | Exclude<ChangeResult<T>, { readonly kind: 'done' }>;

interface Draft {
  readonly row: TenantRow;
  /** That of all documents of this change. */
  readonly ref: string;
  readonly at: number;
}

export class TenantStore {
  readonly #deps: TenantStoreDeps;
  readonly index: ChangedObject<TenantIndex>;

  constructor(deps: TenantStoreDeps) {
    this.#deps = deps;
    this.index = new ChangedObject(deps, TENANT_INDEX);
  }

  async putPolicy(author: Author, policy: PolicySource): Promise<ChangeResult<PolicyDocument>> {
    const { tenant, by } = author;
    return this.#change(author, async ({ row, ref, at }) => {
      const before = row.policy === null ? null : await this.policy(tenant, row.policy);
      const version = (before?.version ?? 0) + 1;
      const earlier =
        before === null || row.policy === null
          ? []
          : [{ version: before.version, at: before.at, by: before.by, ref: row.policy }, ...before.earlier];
      const rules = policy.rules.map((rule) => ({ ...rule }));
      const value = { version, at, by, policy: { ...policy, rules }, earlier: earlier.slice(0, MAX_EARLIER) };
      await this.#write(POLICY_PREFIX, tenant, ref, policyFile.encode(value));
      return { refs: { policy: ref }, event: { action: 'policy.put', version }, value };
    });
  }

  /** Sets or replaces the override of a number. Expired ones of other numbers go at this occasion. */
  async putOverride(author: Author, override: Omit<StoredOverride, 'author' | 'createdAt'>) {
    return this.#change<StoredOverride>(author, async ({ row, ref, at }) => {
      const all = row.overrides === null ? [] : await this.overrides(author.tenant, row.overrides);
      const kept = all.filter(({ number, expiresAt }) => number !== override.number && isValid(expiresAt, at));
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

  async deleteOverride(author: Author, number: number): Promise<ChangeResult<null>> {
    return this.#change<null>(author, async ({ row, ref, at }) => {
      const all = row.overrides === null ? [] : await this.overrides(author.tenant, row.overrides);
      const found = all.find((override) => override.number === number && isValid(override.expiresAt, at));
      if (found === undefined) return { kind: 'not-found' };
      const kept = all.filter((override) => override !== found);
      await this.#write(OVERRIDES_PREFIX, author.tenant, ref, overridesFile.encode({ overrides: kept }));
      return { refs: { overrides: ref }, event: { action: 'override.delete', override: shown(found) }, value: null };
    });
  }

  /** Puts into the audit trail what was changed elsewhere. */
  async record(author: Author, event: AuditEvent): Promise<ChangeResult<null>> {
    return this.#change(author, async () => ({ refs: {}, event, value: null }));
  }

  /** Reads a document by its ref. Rejects when it is not there, damaged, or storage does not answer. */
  policy(tenant: string, ref: string): Promise<PolicyDocument> {
    return this.#read(POLICY_PREFIX, tenant, ref, policyFile);
  }

  async overrides(tenant: string, ref: string): Promise<readonly StoredOverride[]> {
    return (await this.#read(OVERRIDES_PREFIX, tenant, ref, overridesFile)).overrides;
  }

  /** null: there is no such page. Pages that were collected (collect.ts) are not told of. */
  async audit(tenant: string, ref: string): Promise<AuditPage | null> {
    const page = await this.#readIfThere(AUDIT_PREFIX, tenant, ref, auditFile);
    if (page === null || page.older === null) return page;
    const isThere = (await this.#deps.objects.head(documentKey(AUDIT_PREFIX, tenant, page.older))) !== null;
    return isThere ? page : { ...page, older: null };
  }

  async #change<T>({ tenant, by }: Author, edit: (draft: Draft) => Promise<Edit<T>>): Promise<ChangeResult<T>> {
    const id = toHex(this.#deps.randomBytes(ID_BYTES));
    // The same in every attempt: one that is made again writes the same documents again.
    const at = this.#deps.now();
    let result: ChangeResult<T> = { kind: 'unavailable' };
    let isAgain = false;
    const holder = this.#deps.held();
    const begun = holder?.begin();
    const version = await this.index.change(async (rows) => {
      const row = rows.get(tenant) ?? { tenant, version: 0, policy: null, overrides: null, audit: null };
      const page = row.audit === null ? null : await this.#read(AUDIT_PREFIX, tenant, row.audit, auditFile);
      // An earlier attempt may have failed and been persisted all the same. Then this is no second change.
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
      await this.#write(AUDIT_PREFIX, tenant, draft.ref, auditFile.encode(pageWith(page, draft, by, edited.event)));
      const next = { ...row, ...edited.refs, version: row.version + 1, audit: draft.ref };
      return new Map([...rows, [tenant, next]]);
    });
    if (begun !== undefined) holder?.accept(version, begun);
    return version === 'unavailable' ? { kind: 'unavailable' } : result;
  }

  /** Whether the change is one of the last fifty: others may have begun a new page since. */
  async #isIn(page: AuditPage, tenant: string, id: string): Promise<boolean> {
    if (page.entries.some(({ ref }) => ref.endsWith(id))) return true;
    if (page.older === null) return false;
    const older = await this.#read(AUDIT_PREFIX, tenant, page.older, auditFile);
    return older.entries.some(({ ref }) => ref.endsWith(id));
  }

  async #write(prefix: string, tenant: string, ref: string, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    await this.#deps.objects.put(documentKey(prefix, tenant, ref), bytes);
  }

  async #read<T>(prefix: string, tenant: string, ref: string, file: FramedJson<T>): Promise<T> {
    const document = await this.#readIfThere(prefix, tenant, ref, file);
    if (document === null) throw new RangeError(`${documentKey(prefix, tenant, ref)} is missing`);
    return document;
  }

  async #readIfThere<T>(prefix: string, tenant: string, ref: string, file: FramedJson<T>): Promise<T | null> {
    const object = await this.#deps.objects.get(documentKey(prefix, tenant, ref));
    return object === null ? null : file.decode(object.bytes);
  }
}

function isValid(expiresAt: number | null, now: number): boolean {
  return expiresAt === null || now < expiresAt;
}

function shown({ number, list, reason, expiresAt }: StoredOverride) {
  return { number, list, reason, expiresAt };
}

/** The page of a change: itself and those before it, back to the full page that it leads to. */
function pageWith(before: AuditPage | null, { row, ref, at }: Draft, by: string, event: AuditEvent): AuditPage {
  const entry: AuditEntry = { ref, at, by, ...event };
  if (before === null || isFullPage(row.version)) return { entries: [entry], older: row.audit };
  // Before pages ended at fixed versions, each had the last fifty changes: those up to a full page are cut off.
  const firstOlder = before.entries.find((each) => isFullPage(versionOf(each.ref)));
  const kept = firstOlder === undefined ? before.entries : before.entries.slice(0, before.entries.indexOf(firstOlder));
  return { entries: [entry, ...kept], older: firstOlder?.ref ?? before.older };
}
