/**
 * Reading and changing what tenants decide with. A change writes its documents, then swaps the index: before the swap
 * nothing has changed, whatever was written; after it, everything has, and the audit page that says so is part of it.
 */

import type { FramedJson } from '../format/framed-json.ts';
import { toHex } from '../format/hash.ts';
import type { PolicySource } from '../policy/policy.ts';
import { ChangedObject, type ChangedObjectDeps } from '../store/changed-object.ts';
import type { Version } from '../store/held-copy.ts';
import { AUDIT_PREFIX, OVERRIDES_PREFIX, POLICY_PREFIX } from '../store/keys.ts';
import type { ObjectHead } from '../store/store.ts';
import {
  AUDIT_PAGE,
  type AuditEvent,
  type AuditPage,
  auditFile,
  documentKey,
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
} from './documents.ts';

const ID_BYTES = 8;
/** Longer than any change takes: younger lists may be those of changes under way. */
const OVERRIDES_KEPT_MS = 3_600_000;

export interface TenantStoreDeps extends ChangedObjectDeps {
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly waitUntil: (promise: Promise<unknown>) => void;
  /** Told of every index that this isolate has written. */
  readonly accept: (version: Version<TenantIndex>) => void;
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
      await this.#writeOverrides(author.tenant, row, ref, bytes);
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
      await this.#writeOverrides(author.tenant, row, ref, overridesFile.encode({ overrides: kept }));
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

  /** null: there is no such page. */
  audit(tenant: string, ref: string): Promise<AuditPage | null> {
    return this.#readIfThere(AUDIT_PREFIX, tenant, ref, auditFile);
  }

  async #change<T>({ tenant, by }: Author, edit: (draft: Draft) => Promise<Edit<T>>): Promise<ChangeResult<T>> {
    const id = toHex(this.#deps.randomBytes(ID_BYTES));
    let result: ChangeResult<T> = { kind: 'unavailable' };
    const version = await this.index.change(async (rows) => {
      const row = rows.get(tenant) ?? { tenant, version: 0, policy: null, overrides: null, audit: null };
      // An earlier attempt may have failed and been persisted all the same. Then this is no second change.
      const page = row.audit === null ? null : await this.#read(AUDIT_PREFIX, tenant, row.audit, auditFile);
      if (page?.entries.some(({ ref }) => ref.endsWith(id))) return null;
      const draft = { row, ref: nextRef(row.version + 1, id), at: this.#deps.now() };
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
    if (version === 'unavailable') return { kind: 'unavailable' };
    this.#deps.accept(version);
    return result;
  }

  async #writeOverrides(tenant: string, row: TenantRow, ref: string, bytes: Uint8Array<ArrayBuffer>) {
    await this.#write(OVERRIDES_PREFIX, tenant, ref, bytes);
    this.#deps.waitUntil(this.#collectOverrides(tenant, [row.overrides, ref]));
  }

  /**
   * Deletes lists that no index names any more. The one in force stays, though this change supersedes it: who holds
   * an older index reads it for up to a minute. A failure leaves them to the next change.
   */
  async #collectOverrides(tenant: string, kept: readonly (string | null)[]): Promise<void> {
    try {
      const { objects, now } = this.#deps;
      const { objects: found } = await objects.list(documentKey(OVERRIDES_PREFIX, tenant, ''));
      const keptKeys = kept.map((ref) => ref && documentKey(OVERRIDES_PREFIX, tenant, ref));
      const isOld = ({ uploadedAt }: ObjectHead) => now() - uploadedAt > OVERRIDES_KEPT_MS;
      const garbage = found.filter((head) => isOld(head) && !keptKeys.includes(head.key)).map(({ key }) => key);
      if (garbage.length > 0) await objects.delete(garbage);
    } catch (error) {
      this.#deps.report(error);
    }
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

/** The page of a change: itself, then those before it, as many as there is room for. */
function pageWith(before: AuditPage | null, { ref, at }: Draft, by: string, event: AuditEvent): AuditPage {
  const entries = [{ ref, at, by, ...event }, ...(before?.entries ?? [])];
  const older = entries.length > AUDIT_PAGE ? (entries[AUDIT_PAGE]?.ref ?? null) : (before?.older ?? null);
  return { entries: entries.slice(0, AUDIT_PAGE), older };
}
