/** One number in, one verdict out. */
import type { Context } from 'hono';
import { parseNumber } from '../number/parse.ts';
import type { PhoneNumber } from '../number/phone-number.ts';
import { decide } from '../policy/decide.ts';
import type { Finding } from '../policy/finding.ts';
import { StorageUnavailable } from '../store/errors.ts';
import { MAX_SMALL_BODY_BYTES, readJson } from './body.ts';
import { decideContext } from './decide-context.ts';
import { LISTED_EXAMPLE, LOOKUP_EXAMPLE } from './examples.ts';
import { lookupAnswer, lookupQuery, lookupRequest } from './lookup-schema.ts';
import { Problem, storageUnavailable } from './problem.ts';
import { json } from './respond.ts';
import type { AnswerDoc, ParameterDoc, Route } from './route.ts';
import type { Finder, Services } from './services.ts';
import { parse } from './validate.ts';

interface LookupInput {
  readonly number: string;
  readonly country?: string | null | undefined;
  readonly scenario?: string | null | undefined;
  readonly evidence?: boolean | null | undefined;
}

const ANSWERS: readonly AnswerDoc[] = [
  {
    status: 200,
    description: 'What is known of the number, and what the policy makes of it',
    json: { schema: lookupAnswer, example: LISTED_EXAMPLE },
  },
];

const QUERY: readonly ParameterDoc[] = [
  {
    in: 'query',
    name: 'number',
    required: true,
    description: 'The number; a plus sign may be sent as it is or as %2B',
    schema: lookupQuery.entries.number,
    example: LISTED_EXAMPLE.number,
  },
  {
    in: 'query',
    name: 'country',
    description: 'ISO 3166-1 alpha-2; empty: not given',
    schema: lookupQuery.entries.country,
  },
  { in: 'query', name: 'scenario', description: 'For the policy', schema: lookupQuery.entries.scenario },
  { in: 'query', name: 'evidence', description: 'Also list the evidence', schema: lookupQuery.entries.evidence },
];

export function lookupRoutes(services: Services): readonly Route[] {
  return [
    {
      method: 'POST',
      path: '/v1/lookup',
      operationId: 'lookup',
      tag: 'Lookup',
      summary: 'Look up one number',
      scope: 'lookup',
      body: { 'application/json': { schema: lookupRequest, example: LOOKUP_EXAMPLE } },
      answers: ANSWERS,
      problems: ['invalid-number', 'invalid-request', 'payload-too-large', 'storage-unavailable'],
      handle: async ({ req }) => answer(services, parse(lookupRequest, await readJson(req.raw, MAX_SMALL_BODY_BYTES))),
    },
    {
      method: 'GET',
      path: '/v1/lookup',
      operationId: 'lookupByQuery',
      tag: 'Lookup',
      summary: 'Look up one number named in the query',
      scope: 'lookup',
      parameters: QUERY,
      answers: ANSWERS,
      problems: ['invalid-number', 'invalid-request', 'storage-unavailable'],
      handle: (context) => answer(services, inputFromQuery(context)),
    },
  ];
}

function inputFromQuery({ req }: Context): LookupInput {
  const { number, country, scenario, evidence } = parse(lookupQuery, req.query());
  // A plus sign that was not escaped arrives as a space. No one means a leading space, and without the plus a number
  // with `country` would be read as a national one.
  const written = number.startsWith(' ') ? `+${number.slice(1)}` : number;
  return { number: written, country, scenario, evidence: evidence === 'true' };
}

async function answer(services: Services, input: LookupInput): Promise<Response> {
  const parsed = parseNumber(input.number, input.country ?? undefined);
  if (!parsed.ok) throw new Problem(parsed.code, parsed.detail, { members: { field: 'number' } });
  const evidence = input.evidence ?? false;
  const finding = await findOne(services.finder, parsed.value, evidence);
  return json(decide(parsed.value, finding, decideContext(services, input.scenario, evidence)));
}

/** @throws Problem `storage-unavailable`; its `verdict` is there for clients that look at nothing else */
async function findOne(finder: Finder, { number }: PhoneNumber, evidence: boolean): Promise<Finding> {
  let findings: readonly (Finding | null)[] = [];
  try {
    findings = await finder.find([number], { evidence });
  } catch (error) {
    if (!(error instanceof StorageUnavailable)) throw error;
  }
  const [finding] = findings;
  if (finding) return finding;
  throw storageUnavailable('the number can be called neither listed nor clear at the moment', { verdict: 'unknown' });
}
