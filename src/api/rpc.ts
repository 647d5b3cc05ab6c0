/**
 * Lookups by RPC, for other Workers of the same account. They bind the entry point `Lookup`:
 *
 *   services = [{ binding = "RINGFENCE", service = "ringfence", entrypoint = "Lookup", props = { tenant = "shop" } }]
 *
 * There is no key and no quota: whoever may deploy to the account may bind. `props.tenant` says whose policy and
 * overrides apply; the default is the tenant `default`. A caller cannot change it, since it belongs to the binding.
 */
import * as v from 'valibot';
import { DEFAULT_TENANT, TENANT_NAME } from '../keys/key.ts';
import { lookupOne } from '../lookup/lookup.ts';
import { type LookupRequest, readRequest } from '../lookup/request.ts';
import type { LookupResult } from '../sdk/middleware/types.ts';
import { Problem, problemOf } from './problem.ts';
import type { EdgeServices } from './services.ts';

/** The `props` of a service binding. */
const lookupProps = v.strictObject({ tenant: v.optional(v.pipe(v.string(), v.regex(TENANT_NAME)), DEFAULT_TENANT) });

/** Does not reject for expected failures, since RPC would strip the error of its code. */
export async function lookupByRpc(services: EdgeServices, props: unknown, input: LookupRequest): Promise<LookupResult> {
  const bound = v.safeParse(lookupProps, props ?? {});
  if (!bound.success) {
    return refused(
      new Problem(
        'invalid-request',
        'props of the service binding: expected none, or the name of a tenant as `tenant`',
      ),
    );
  }
  try {
    return { ok: true, answer: await lookupOne(services, bound.output.tenant, readRequest(input)) };
  } catch (error) {
    return refused(problemOf(error, 'RPC lookup', services));
  }
}

function refused({ status, code, detail }: Problem): LookupResult {
  return { ok: false, status, code, detail };
}
