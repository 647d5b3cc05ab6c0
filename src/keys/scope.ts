/** What a key may do. `admin` includes all others. */
export const SCOPES = ['lookup', 'ingest', 'policy', 'feed', 'admin'] as const;
export type Scope = (typeof SCOPES)[number];

/** The tenant of a key for which none was named, and of the admin key. */
export const DEFAULT_TENANT = 'default';

/** The names that tenants can have. */
export const TENANT_NAME = /^[a-z0-9][a-z0-9_-]{0,63}$/;

/** Who a request comes from, once its key has been checked. */
export interface Principal {
  /** Id of the key, `admin` for the admin key. */
  readonly id: string;
  readonly tenant: string;
  readonly scopes: readonly Scope[];
  /** Requests a minute; null: no quota. */
  readonly perMinute: number | null;
}

export function allows(principal: Principal, scope: Scope): boolean {
  return principal.scopes.includes(scope) || principal.scopes.includes('admin');
}
