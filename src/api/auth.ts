/** Who sends a request, by its API key, and whether they may: scope and quota. */
import { allows, type Principal, type Scope } from '../keys/key.ts';
import type { KeyRegistry } from '../keys/registry.ts';
import { Problem, storageUnavailable } from './problem.ts';
import type { RequestQuota } from './quota.ts';

const REALM = 'Bearer realm="ringfence"';
const SCHEME = 'bearer ';
/** As nearly everyone writes it. */
const USUAL_SCHEME = 'Bearer ';

/**
 * The sender of a request, if the key is valid, has the scope, and is within its quota.
 * @param header the Authorization header
 * @param asked given if this key was already looked for among the keys known to be valid; `principal` is the result
 * @throws Problem `unauthorized`, `forbidden`, `quota-exceeded`, or `storage-unavailable` if the key cannot be checked
 */
export async function authorize(
  header: string | null,
  scope: Scope,
  keys: KeyRegistry,
  quota: RequestQuota,
  asked: { readonly principal: Principal | null } | null = null,
): Promise<Principal> {
  const token = bearerToken(header);
  if (token === null) throw unauthorized('expected the header Authorization: Bearer <API key>', REALM);
  const recognized = asked === null ? keys.recognize(token) : asked.principal;
  const principal = recognized ?? (await authenticate(token, keys));
  if (!allows(principal, scope)) {
    throw new Problem('forbidden', `expected an API key with the scope ${scope}`, {
      members: { scope },
      headers: { 'www-authenticate': `${REALM}, error="insufficient_scope", scope="${scope}"` },
    });
  }
  if (principal.perMinute !== null) await quota.charge(principal.id, principal.perMinute);
  return principal;
}

async function authenticate(token: string, keys: KeyRegistry): Promise<Principal> {
  const result = await keys.authenticate(token);
  if (result.kind === 'known') return result.principal;
  if (result.kind === 'unavailable') throw storageUnavailable('the API key cannot be checked at the moment');
  throw unauthorized('expected a valid API key', `${REALM}, error="invalid_token"`);
}

/** The key in an Authorization header; null: there is none. */
export function bearerToken(header: string | null): string | null {
  if (header === null) return null;
  if (!header.startsWith(USUAL_SCHEME) && header.slice(0, SCHEME.length).toLowerCase() !== SCHEME) return null;
  return header.slice(SCHEME.length).trim();
}

/** By RFC 6750, section 3, a request without a key is told no error code, and one with an invalid key is told one. */
function unauthorized(detail: string, challenge: string): Problem {
  return new Problem('unauthorized', detail, { headers: { 'www-authenticate': challenge } });
}
