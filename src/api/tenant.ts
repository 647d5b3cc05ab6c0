/** Whose configuration a request is about, and how failed reads and changes of it are answered. */

import type { Context } from 'hono';
import * as v from 'valibot';
import { allows, type Principal, TENANT_NAME } from '../keys/key.ts';
import { orUnavailable } from '../storage/store.ts';
import { ALL_TENANTS } from '../tenants/documents.ts';
import type { Author, ChangeResult } from '../tenants/tenant-store.ts';
import { Problem, storageUnavailable } from './problem.ts';
import type { ParameterDoc } from './route.ts';

export const TENANT_PARAMETER: ParameterDoc = {
  in: 'query',
  name: 'tenant',
  description: `Another tenant, or \`${ALL_TENANTS}\` for all of them; with the scope \`admin\` only`,
  schema: v.optional(v.string()),
};

/**
 * @throws Problem `forbidden` for another tenant than that of the key, unless the key is an admin's; `invalid-request`
 */
export function authorOf({ req }: Context, principal: Principal): Author {
  const by = principal.id;
  const named = req.query('tenant');
  if (named === undefined || named === principal.tenant) return { tenant: principal.tenant, by };
  if (!allows(principal, 'admin')) {
    throw new Problem('forbidden', 'expected no other tenant than that of the API key', {
      members: { scope: 'admin' },
    });
  }
  if (named !== ALL_TENANTS && !TENANT_NAME.test(named)) {
    throw new Problem('invalid-request', `tenant: expected the name of a tenant, or ${ALL_TENANTS}`, {
      members: { field: 'tenant' },
    });
  }
  return { tenant: named, by };
}

/** Reads what a tenant has configured. The reader may throw a Problem of its own. */
export function readOrUnavailable<T>(work: Promise<T>): Promise<T> {
  return orUnavailable(work, (error) => error instanceof Problem);
}

/** The problem for a change that was not made. */
export function failedChange(result: Exclude<ChangeResult<unknown>, { readonly kind: 'done' }>): Problem {
  if (result.kind === 'full') return new Problem('limit-reached', `expected at most ${result.limit}`);
  if (result.kind === 'lost') {
    return new Problem(
      'overrides-lost',
      'expected a list of overrides that can be read: the operator puts it back from a copy, or DELETE /v1/overrides/lost begins an empty one',
    );
  }
  if (result.kind === 'not-found') return new Problem('not-found', 'expected a number with an override');
  return storageUnavailable('the change may or may not have been made; send it again');
}
