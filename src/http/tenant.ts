/** Whose configuration a request is about. */
import type { Context } from 'hono';
import * as v from 'valibot';
import { allows, type Principal, TENANT_NAME } from '../keys/scope.ts';
import { ALL_TENANTS } from '../tenants/documents.ts';
import type { Author } from '../tenants/tenant-store.ts';
import { Problem } from './problem.ts';
import type { ParameterDoc } from './route.ts';

export const TENANT_PARAMETER: ParameterDoc = {
  in: 'query',
  name: 'tenant',
  description: `Another tenant, or \`${ALL_TENANTS}\` for all of them; with the scope \`admin\` only`,
  schema: v.optional(v.string()),
};

/** @throws Problem `forbidden` for another tenant than the key's, unless it is an admin's; `invalid-request` */
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
