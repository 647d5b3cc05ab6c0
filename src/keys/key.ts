/** An API key: its text, its digest, and what it may do. */
import { toHex } from '../lib/bytes.ts';

/** Scopes of a key. `admin` includes all others. */
export const SCOPES = ['lookup', 'ingest', 'policy', 'feed', 'admin'] as const;
export type Scope = (typeof SCOPES)[number];

/** The tenant of a key that was made without one, and of the admin key. */
export const DEFAULT_TENANT = 'default';

/** The names that tenants can have. */
export const TENANT_NAME = /^[a-z0-9][a-z0-9_-]{0,63}$/;

/** Who a request comes from, once its key has been checked. */
export interface Principal {
  /** Id of the key; `admin` for the admin key. */
  readonly id: string;
  readonly tenant: string;
  readonly scopes: readonly Scope[];
  /** Requests a minute; null: no quota. */
  readonly perMinute: number | null;
}

export function allows(principal: Principal, scope: Scope): boolean {
  return principal.scopes.includes(scope) || principal.scopes.includes('admin');
}

// A key as a client holds it: `rf_<id>_<secret>`, an id of 12 and a secret of 40 hex digits. The id tells which entry
// to compare with and is not secret. The secret has 160 random bits, so one plain SHA-256 is enough to store it by. The
// digest covers the whole key, so that an admin key of any form is compared in the same way.

const ID_BYTES = 6;
const SECRET_BYTES = 20;
const TOKEN = /^rf_([0-9a-f]{12})_[0-9a-f]{40}$/;

/**
 * Longer texts are refused before anything is computed. Made keys have 56 characters, an admin key at most this many.
 */
export const MAX_TOKEN_CHARS = 256;

export type Digest = Uint8Array<ArrayBuffer>;

/** @param randomBytes cryptographically random */
export function mintToken(randomBytes: (length: number) => Uint8Array): {
  readonly id: string;
  readonly token: string;
} {
  const id = toHex(randomBytes(ID_BYTES));
  return { id, token: `rf_${id}_${toHex(randomBytes(SECRET_BYTES))}` };
}

/** The id in a key of this form; null for any other text. */
export function idOf(token: string): string | null {
  return TOKEN.exec(token)?.[1] ?? null;
}

export async function digestOf(token: string): Promise<Digest> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(token)));
}

/** Takes the same time wherever two digests differ, so that time does not tell how much of a guess was right. */
export function sameDigest(a: Digest, b: Digest): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let i = 0; i < a.length; i++) difference |= (a[i] ?? 0) ^ (b[i] ?? 0);
  return difference === 0;
}
