/** Trying a policy on numbers before it is put. */

import type { ControlServices } from '../api/control-services.ts';
import { parseNumber } from '../number/parse.ts';
import { formatE164, type PhoneNumber } from '../number/phone-number.ts';
import { policyWarnings } from '../policy/cel/warnings.ts';
import { factsOf } from '../policy/decide.ts';
import { applyPolicy, type Decision } from '../policy/policy.ts';
import { type DryRunCase, dryRun, type Sample } from '../policy/trial.ts';
import { MAX_POLICY_BODY_BYTES, readJson } from './body.ts';
import { compiled, POLICY_EXAMPLE } from './policy.ts';
import { policyTestAnswer, policyTestRequest } from './policy-schema.ts';
import { Problem } from './problem.ts';
import { json } from './respond.ts';
import type { Route } from './route.ts';
import { authorOf, TENANT_PARAMETER } from './tenant.ts';
import { parse } from './validate.ts';

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
  const inputs = request.numbers.map((input) => ({ input, parsed: parseNumber(input, request.country ?? undefined) }));
  const named = inputs.flatMap(({ parsed }): Subject[] =>
    parsed.ok ? [{ sample: 'numbers', number: parsed.value }] : [],
  );
  const { samples } = request;
  const { inventory, clear } = typeof samples === 'number' ? { inventory: samples, clear: samples } : samples;
  if (inputs.length + inventory + clear === 0) {
    throw new Problem('invalid-request', 'numbers: expected numbers, or samples', { members: { field: 'numbers' } });
  }
  const subjects = [...named, ...(await drawn(services, inventory, clear))];
  const [findings, { policy: present }] = await Promise.all([
    services.finder.find(
      subjects.map(({ number }) => number.number),
      { evidence: policy.readsProjects },
    ),
    services.rules.get(tenant),
  ]);
  const view = { levels: services.labels, now: services.now(), scenario: request.scenario ?? null };
  const cases = subjects.map(({ sample, number }, i): DryRunCase | null => {
    const finding = findings[i] ?? null;
    return finding === null ? null : { sample, facts: factsOf(number, finding, view) };
  });
  const answered = cases.filter((one) => one !== null);
  const { total, rules, ...groups } = dryRun(policy, present, answered);
  let next = 0;
  const results = inputs.map(({ input, parsed }) => {
    if (!parsed.ok) return { input, error: { code: parsed.code, detail: parsed.detail } };
    const facts = cases[next++]?.facts;
    if (facts === undefined) return { input, error: UNANSWERED };
    const number = formatE164(parsed.value.number);
    const decide = (one: typeof policy): Decision => applyPolicy(one, facts);
    return { number, verdict: facts.verdict, present: decide(present), policy: decide(policy) };
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
      const parsed = parseNumber(`+${number}`);
      if (parsed.ok) subjects.push({ sample, number: parsed.value });
    }
  }
  return subjects;
}
