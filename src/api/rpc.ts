/**
 * Lookups for other Workers of the same account, by a service binding to the entry point `Lookup`:
 *
 *   services = [{ binding = "RINGFENCE", service = "ringfence", entrypoint = "Lookup", props = { tenant = "shop" } }]
 *
 * No key and no quota: who may bind is decided by who may deploy to the account. `props.tenant` says whose policy and
 * overrides apply; without it those of the tenant `default`. A caller cannot change it: it is of the binding.
 */
import * as v from 'valibot';
import { problemOf } from '../http/failure.ts';
import { type LookupInput, lookupOne } from '../http/lookup-one.ts';
import { lookupRequest } from '../http/lookup-schema.ts';
import { Problem } from '../http/problem.ts';
import type { EdgeServices } from '../http/services.ts';
import { parse } from '../http/validate.ts';
import { DEFAULT_TENANT, TENANT_NAME } from '../keys/scope.ts';
import type { LookupResult } from '../middleware/types.ts';

/** As `props` of a service binding has it. */
const lookupProps = v.strictObject({ tenant: v.optional(v.pipe(v.string(), v.regex(TENANT_NAME)), DEFAULT_TENANT) });

/** Never rejects for what a caller can expect to happen: RPC would strip the error of its code. */
export async function lookupByRpc(services: EdgeServices, props: unknown, input: LookupInput): Promise<LookupResult> {
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
    return { ok: true, answer: await lookupOne(services, bound.output.tenant, parse(lookupRequest, input)) };
  } catch (error) {
    return refused(problemOf(error, 'RPC lookup', services));
  }
}

function refused({ status, code, detail }: Problem): LookupResult {
  return { ok: false, status, code, detail };
}
