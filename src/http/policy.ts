/** The policy of a tenant: reading and replacing it. */
import * as v from 'valibot';
import type { ControlServices } from '../api/control-services.ts';
import { compilePolicy, PolicyError } from '../policy/cel/compile.ts';
import { openPolicyIfKnown } from '../policy/cel/evaluate.ts';
import { policyWarnings } from '../policy/cel/warnings.ts';
import { DEFAULT_POLICY, DEFAULT_POLICY_SOURCE } from '../policy/default-policy.ts';
import type { Policy, PolicySource } from '../policy/policy.ts';
import { ALL_TENANTS, type PolicyDocument } from '../tenants/documents.ts';
import { MAX_POLICY_BODY_BYTES, readJson } from './body.ts';
import { failedChange, readOrUnavailable } from './change.ts';
import { policyAnswer, policyRequest } from './policy-schema.ts';
import { Problem } from './problem.ts';
import { json } from './respond.ts';
import type { ParameterDoc, Route } from './route.ts';
import { authorOf, TENANT_PARAMETER } from './tenant.ts';
import { parse } from './validate.ts';

export const POLICY_EXAMPLE = {
  rules: [
    { id: 'modem-pool', when: 'level >= 8', action: 'block', mode: 'enforce' },
    { id: 'busy-block', when: 'neighbourhood.hundred >= 10', action: 'challenge', mode: 'shadow' },
  ],
  default: 'allow',
} as const satisfies PolicySource;

const ANSWER = {
  tenant: 'default',
  version: 2,
  ...POLICY_EXAMPLE,
  at: '2025-05-29T08:12:00.000Z',
  by: '0a1b2c3d4e5f',
  earlier: [{ version: 1, at: '2025-05-28T09:00:00.000Z', by: '0a1b2c3d4e5f' }],
  warnings: [],
};

const VERSION_PARAMETER: ParameterDoc = {
  in: 'query',
  name: 'version',
  description: 'The version of an earlier policy, listed in `earlier`, instead of the one in force',
  schema: v.optional(v.string()),
};

export function policyRoutes(services: ControlServices): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/v1/policy',
      operationId: 'getPolicy',
      tag: 'Policy',
      summary: 'The policy in force, or an earlier one',
      scope: 'policy',
      parameters: [VERSION_PARAMETER, TENANT_PARAMETER],
      answers: [{ status: 200, description: 'The policy', json: { schema: policyAnswer, example: ANSWER } }],
      problems: ['invalid-request', 'not-found', 'storage-unavailable'],
      handle: async (context, principal) => {
        const { tenant } = authorOf(context, principal);
        return json(await readOrUnavailable(readPolicy(services, tenant, context.req.query('version'))));
      },
    },
    {
      method: 'PUT',
      path: '/v1/policy',
      operationId: 'putPolicy',
      tag: 'Policy',
      summary: 'Replace the policy',
      description:
        'It is in force within ten seconds in isolates with traffic, in all within half a minute. The policy of `*` holds for ' +
        'tenants that have put none.',
      scope: 'policy',
      parameters: [TENANT_PARAMETER],
      body: { 'application/json': { schema: policyRequest, example: POLICY_EXAMPLE } },
      answers: [{ status: 200, description: 'Stored', json: { schema: policyAnswer, example: ANSWER } }],
      problems: ['invalid-request', 'invalid-policy', 'payload-too-large', 'limit-reached', 'storage-unavailable'],
      handle: async (context, principal) => {
        const author = authorOf(context, principal);
        const policy = compiled(parse(policyRequest, await readJson(context.req.raw, MAX_POLICY_BODY_BYTES)));
        const result = await services.tenants.putPolicy(author, policy);
        if (result.kind !== 'done') throw failedChange(result);
        return json(answerOf(author.tenant, result.value));
      },
    },
  ];
}

/** @throws Problem `invalid-policy` naming the rule, and where in its expression */
export function compiled(source: PolicySource): Policy {
  try {
    return compilePolicy(source);
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error;
    const { rule, position, detail } = error;
    const where = position === null ? '' : `, line ${position.line}, column ${position.column}`;
    throw new Problem('invalid-policy', `${rule}${where}: ${detail}`, { members: { rule, position } });
  }
}

async function readPolicy({ tenants }: ControlServices, tenant: string, version: string | undefined) {
  const rows = (await tenants.index.read()).value;
  const own = rows.get(tenant)?.policy ?? null;
  const owner = own === null ? ALL_TENANTS : tenant;
  const ref = own ?? rows.get(ALL_TENANTS)?.policy ?? null;
  if (ref === null) {
    if (version !== undefined && version !== '0') throw noSuchVersion();
    return { ...BUILT_IN, tenant, warnings: policyWarnings(DEFAULT_POLICY) };
  }
  const stored = await tenants.policy(owner, ref);
  // Of the operator's policy a tenant sees what holds for it, not what came before.
  const document = owner === tenant ? stored : { ...stored, earlier: [] };
  if (version === undefined || version === String(document.version)) return answerOf(owner, document);
  const earlier = document.earlier.find((entry) => String(entry.version) === version);
  if (earlier === undefined) throw noSuchVersion();
  return answerOf(owner, await tenants.policy(owner, earlier.ref));
}

const BUILT_IN = {
  version: 0,
  ...DEFAULT_POLICY_SOURCE,
  at: null,
  by: null,
  earlier: [],
};

function answerOf(tenant: string, document: PolicyDocument) {
  const { version, at, by, policy, earlier } = document;
  return {
    tenant,
    version,
    ...policy,
    at: new Date(at).toISOString(),
    by,
    earlier: earlier.map((entry) => ({ version: entry.version, at: new Date(entry.at).toISOString(), by: entry.by })),
    warnings: warningsOf(document),
  };
}

/** It compiled when it was put, perhaps with other software. Its owner has to see it to repair it. */
function warningsOf({ policy, tree }: PolicyDocument) {
  try {
    return policyWarnings(openPolicyIfKnown(policy, tree) ?? compilePolicy(policy));
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error;
    const detail = `not in force, the built-in policy decides: ${error.detail}`;
    return [{ rule: error.rule, detail }];
  }
}

function noSuchVersion(): Problem {
  return new Problem('not-found', 'expected the version in force or one of `earlier`');
}
