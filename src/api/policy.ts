/**
 * Policies over HTTP: reading and replacing that of a tenant, and trying one on numbers. Messages start with "expected"
 * and never repeat the value.
 */

import * as v from 'valibot';
import { count, instant } from '../lib/schema.ts';
import { parsePossible } from '../phone/parse.ts';
import { formatE164, type PhoneNumber } from '../phone/phone-number.ts';
import { compilePolicy } from '../policy/cel/compile.ts';
import { PolicyError } from '../policy/cel/error.ts';
import { openPolicyIfKnown } from '../policy/cel/evaluate.ts';
import { policyWarnings } from '../policy/cel/warnings.ts';
import { factsOf } from '../policy/decide.ts';
import { DEFAULT_POLICY, DEFAULT_POLICY_SOURCE } from '../policy/default-policy.ts';
import { type DryRunCase, dryRun, SAMPLES, type Sample } from '../policy/dry-run.ts';
import { ACTIONS, type Policy, type PolicySource, VERDICTS } from '../policy/policy.ts';
import { ruleSource } from '../policy/schema.ts';
import { type PolicyDocument, policyInForce } from '../tenants/documents.ts';
import { MAX_BATCH_NUMBERS } from './lookup.ts';
import { scenario } from './lookup-docs.ts';
import { Problem } from './problem.ts';
import { MAX_POLICY_BODY_BYTES, parse, readJson } from './request.ts';
import { json, type ParameterDoc, type Route } from './route.ts';
import type { ControlServices } from './services.ts';
import { authorOf, failedChange, readOrUnavailable, TENANT_PARAMETER } from './tenant.ts';

/** As many as a batch lookup takes; enough to show shares of one in a hundred. */
const MAX_SAMPLE = 1000;

const { id, when, action, mode } = ruleSource.entries;

/**
 * Unknown fields are refused: a misspelt `mode` would enforce what was meant to be watched. The compiler bounds
 * expressions.
 */
const ruleRequest = v.strictObject({
  id: v.pipe(id, v.description('Answers that the rule decides have it in `rule`')),
  when: v.pipe(when, v.description('A CEL expression of type bool')),
  action,
  mode: v.pipe(
    v.optional(mode, 'enforce'),
    v.description('A rule in `shadow` mode is reported where it matches, and decides nothing'),
  ),
});

export const policyRequest = v.strictObject({
  rules: v.pipe(v.array(ruleRequest, 'expected a list of rules'), v.description('The first that matches decides')),
  default: v.pipe(v.optional(action, 'allow'), v.description('The action if no rule matches')),
});

const sampleSize = v.pipe(
  v.number('expected a number'),
  v.integer('expected an integer'),
  v.minValue(0, 'expected no negative number'),
  v.maxValue(MAX_SAMPLE, `expected at most ${MAX_SAMPLE}`),
);

const warning = v.object({ rule: v.string(), detail: v.string() });
const change = { at: instant, by: v.pipe(v.string(), v.description('Id of the API key')) };

export const policyAnswer = v.object({
  tenant: v.string(),
  version: v.pipe(count, v.description('0: the built-in policy, which is in force until one is put')),
  rules: v.array(ruleSource),
  default: v.picklist(ACTIONS),
  at: v.nullable(change.at),
  by: v.nullable(change.by),
  earlier: v.array(v.object({ version: count, ...change })),
  warnings: v.pipe(v.array(warning), v.description('Rules that probably do not do what they are meant to do')),
});

export const policyTestRequest = v.strictObject({
  policy: policyRequest,
  numbers: v.optional(
    v.pipe(
      v.array(v.string('expected text'), 'expected a list of numbers as text'),
      v.maxLength(MAX_BATCH_NUMBERS, `expected at most ${MAX_BATCH_NUMBERS} numbers`),
    ),
    [],
  ),
  samples: v.optional(
    v.union(
      [
        v.strictObject({
          inventory: v.pipe(v.optional(sampleSize, 0), v.description('Listed numbers, drawn at random')),
          clear: v.pipe(v.optional(sampleSize, 0), v.description('Numbers of the same ranges that are not listed')),
        }),
        v.pipe(sampleSize, v.description('As many of each')),
      ],
      `expected a number from 0 to ${MAX_SAMPLE}, or {inventory, clear} with such numbers`,
    ),
    0,
  ),
  country: v.nullish(v.string('expected text')),
  scenario: v.nullish(scenario),
});

const actionCounts = v.object({ allow: count, flag: count, challenge: count, block: count });
const comparison = {
  tested: count,
  present: v.pipe(actionCounts, v.description('Actions by the policy in force')),
  policy: v.pipe(actionCounts, v.description('Actions by the policy that is tested')),
  changed: v.pipe(count, v.description('Numbers that would get another action')),
};
const decision = v.object({
  action: v.picklist(ACTIONS),
  rule: v.string(),
  shadow: v.exactOptional(v.array(v.string())),
  failed: v.exactOptional(v.array(v.string())),
});

export const policyTestAnswer = v.object({
  total: v.object(comparison),
  unanswered: v.pipe(count, v.description('Numbers that the storage could not answer for')),
  bySample: v.array(v.object({ sample: v.picklist(SAMPLES), ...comparison })),
  byCountry: v.array(v.object({ country: v.nullable(v.string()), ...comparison })),
  byLabel: v.pipe(
    v.array(v.object({ label: v.nullable(v.string()), ...comparison })),
    v.description('null: not listed'),
  ),
  rules: v.array(
    v.object({
      ...ruleSource.entries,
      matched: v.pipe(count, v.description('Numbers that the rule matches, even if an earlier one decides')),
      decided: v.pipe(count, v.description('Numbers whose action the rule decides')),
      failed: v.pipe(count, v.description('Numbers for which the rule fails at run time and is skipped')),
    }),
  ),
  warnings: v.array(warning),
  results: v.pipe(
    v.array(
      v.union([
        v.object({ number: v.string(), verdict: v.picklist(VERDICTS), present: decision, policy: decision }),
        v.object({ input: v.string(), error: v.object({ code: v.string(), detail: v.string() }) }),
      ]),
    ),
    v.description('The decisions on `numbers`, in their order'),
  ),
});

// GET and PUT /v1/policy.

const POLICY_EXAMPLE = {
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
function compiled(source: PolicySource): Policy {
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
  const inForce = policyInForce(rows, tenant);
  if (inForce === null) {
    if (version !== undefined && version !== '0') throw noSuchVersion();
    return { ...BUILT_IN, tenant, warnings: policyWarnings(DEFAULT_POLICY) };
  }
  const { owner, ref } = inForce;
  const stored = await tenants.policy(owner, ref);
  // A tenant sees that part of the operator's policy which is in force for it, and not the earlier ones.
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

/**
 * The policy compiled when it was put, perhaps with other software. Its owner has to see what is wrong to repair it.
 */
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

// POST /v1/policy/test tries a policy on numbers before it is put.

const COUNTS = { allow: 500, flag: 0, challenge: 12, block: 488 };
const COMPARISON = { tested: 1000, present: COUNTS, policy: COUNTS, changed: 0 };
const [MODEM_POOL, BUSY_BLOCK] = POLICY_EXAMPLE.rules;
const EXAMPLE = {
  total: COMPARISON,
  unanswered: 0,
  bySample: [{ sample: 'inventory', ...COMPARISON }],
  byCountry: [{ country: 'PH', ...COMPARISON }],
  byLabel: [{ label: 'modem_pool_card', ...COMPARISON }],
  rules: [
    { ...MODEM_POOL, matched: 488, decided: 488, failed: 0 },
    { ...BUSY_BLOCK, matched: 20, decided: 0, failed: 0 },
  ],
  warnings: [],
  results: [],
};

export function policyTestRoutes(services: ControlServices): readonly Route[] {
  return [
    {
      method: 'POST',
      path: '/v1/policy/test',
      operationId: 'testPolicy',
      tag: 'Policy',
      summary: 'A dry run of a policy, compared with the one in force',
      description:
        'Decides on given numbers, or on numbers drawn at random from the inventory and from what is not listed in the same ' +
        'ranges. Nothing is stored. Overrides are not applied: they would decide in either case.',
      scope: 'policy',
      parameters: [TENANT_PARAMETER],
      body: {
        'application/json': {
          schema: policyTestRequest,
          example: { policy: POLICY_EXAMPLE, samples: { inventory: 500, clear: 500 } },
        },
      },
      answers: [{ status: 200, description: 'Counts', json: { schema: policyTestAnswer, example: EXAMPLE } }],
      problems: ['invalid-request', 'invalid-policy', 'payload-too-large', 'storage-unavailable'],
      handle: async (context, principal) => {
        const { tenant } = authorOf(context, principal);
        const request = parse(policyTestRequest, await readJson(context.req.raw, MAX_POLICY_BODY_BYTES));
        return json(await test(services, tenant, request));
      },
    },
  ];
}

type Request = ReturnType<typeof parse<typeof policyTestRequest>>;

interface Subject {
  readonly sample: Sample;
  readonly number: PhoneNumber;
}

async function test(services: ControlServices, tenant: string, request: Request) {
  const policy = compiled(request.policy);
  const inputs = request.numbers.map((input) => ({
    input,
    parsed: parsePossible(input, request.country ?? undefined),
  }));
  const named = inputs.flatMap(({ parsed }): Subject[] =>
    parsed.ok ? [{ sample: 'numbers', number: parsed.value }] : [],
  );
  const { samples } = request;
  const { inventory, clear } = typeof samples === 'number' ? { inventory: samples, clear: samples } : samples;
  if (inputs.length + inventory + clear === 0) {
    throw new Problem('invalid-request', 'numbers: expected numbers, or samples', { members: { field: 'numbers' } });
  }
  const subjects = [...named, ...(await drawn(services, inventory, clear))];
  const { policy: present } = await services.rules.get(tenant);
  const findings = await services.finder.find(
    subjects.map(({ number }) => number.number),
    { evidence: policy.readsProjects || present.readsProjects },
  );
  const view = { levels: services.labels, now: services.now(), scenario: request.scenario ?? null };
  const cases = subjects.map(({ sample, number }, i): DryRunCase | null => {
    const finding = findings[i] ?? null;
    return finding === null ? null : { sample, facts: factsOf(number, finding, view) };
  });
  const answered = cases.filter((one) => one !== null);
  const { total, rules, decisions, ...groups } = await services.pace.run(dryRun(policy, present, answered));
  const decisionOf = new Map(answered.map((one, i) => [one, decisions[i]]));
  let next = 0;
  const results = inputs.map(({ input, parsed }) => {
    if (!parsed.ok) return { input, error: { code: parsed.code, detail: parsed.detail } };
    const found = cases[next++] ?? null;
    const decided = found === null ? undefined : decisionOf.get(found);
    if (found === null || decided === undefined) return { input, error: UNANSWERED };
    const number = formatE164(parsed.value.number);
    return { number, verdict: found.facts.verdict, ...decided };
  });
  const sources = request.policy.rules;
  return {
    total,
    unanswered: cases.length - answered.length,
    ...groups,
    rules: rules.map((rule, i) => ({ ...sources[i], ...rule })),
    warnings: policyWarnings(policy),
    results,
  };
}

const UNANSWERED = { code: 'storage-unavailable', detail: 'expected an answer of the storage; try again' };

async function drawn({ sampler }: ControlServices, inventory: number, clear: number): Promise<Subject[]> {
  if (inventory + clear === 0) return [];
  const numbers = await sampler(inventory, clear);
  const subjects: Subject[] = [];
  for (const sample of ['inventory', 'clear'] as const) {
    for (const number of numbers[sample]) {
      const parsed = parsePossible(`+${number}`);
      if (parsed.ok) subjects.push({ sample, number: parsed.value });
    }
  }
  return subjects;
}
