/**
 * Overrides over HTTP: what was decided about single numbers, and goes before data and policy. Messages start with
 * "expected" and never repeat the value.
 */

import type { Context } from 'hono';
import * as v from 'valibot';
import { instant } from '../lib/schema.ts';
import { parseInstant } from '../lib/time.ts';
import { namedLine } from '../lib/validate.ts';
import { formatE164 } from '../phone/phone-number.ts';
import { isInForce, OVERRIDE_LISTS } from '../policy/overrides.ts';
import { MAX_OVERRIDES, MAX_OVERRIDES_BYTES, type StoredOverride } from '../tenants/documents.ts';
import { country, LISTED_EXAMPLE, number } from './lookup-docs.ts';
import { Problem } from './problem.ts';
import { MAX_SMALL_BODY_BYTES, numberInQuery, parse, readJson, readNumber } from './request.ts';
import { json, noContent, type ParameterDoc, type Route } from './route.ts';
import type { ControlServices } from './services.ts';
import { authorOf, failedChange, readOrUnavailable, TENANT_PARAMETER } from './tenant.ts';

const MAX_REASON_CHARS = 500;

/** Unknown fields are refused: with a misspelt `expiresAt` the override would never expire. */
export const overrideRequest = v.strictObject({
  number,
  country: v.nullish(country),
  list: v.picklist(OVERRIDE_LISTS, `expected one of ${OVERRIDE_LISTS.join(', ')}`),
  reason: v.pipe(namedLine('a reason', MAX_REASON_CHARS), v.description('For whoever looks at it later')),
  expiresAt: v.pipe(
    v.nullish(v.string('expected text')),
    v.description('ISO 8601 date or date-time in the future; absent or null: it does not expire'),
  ),
});

export const overrideAnswer = v.object({
  tenant: v.string(),
  number: v.string(),
  list: v.picklist(OVERRIDE_LISTS),
  reason: v.string(),
  expiresAt: v.nullable(instant),
  author: v.pipe(v.string(), v.description('Id of the API key')),
  createdAt: instant,
});

export const overridesAnswer = v.object({ overrides: v.array(overrideAnswer) });

const LISTED = LISTED_EXAMPLE.number;
const REQUEST = { number: LISTED, list: 'allow', reason: 'our own test handset', expiresAt: '2026-12-31T00:00:00Z' };
const ANSWER = {
  tenant: 'default',
  ...REQUEST,
  expiresAt: '2026-12-31T00:00:00.000Z',
  author: '0a1b2c3d4e5f',
  createdAt: '2025-05-29T08:12:00.000Z',
};

const NUMBER_PARAMETER: ParameterDoc = {
  in: 'query',
  name: 'number',
  required: true,
  description: 'A plus sign may be sent as it is or as %2B, a space as %20',
  schema: v.string(),
  example: LISTED,
};
const COUNTRY_PARAMETER: ParameterDoc = {
  in: 'query',
  name: 'country',
  description: 'The country of a number in national form; an empty value counts as not given',
  schema: v.optional(country),
};

export function overrideRoutes(services: ControlServices): readonly Route[] {
  return [
    {
      method: 'PUT',
      path: '/v1/overrides',
      operationId: 'putOverride',
      tag: 'Overrides',
      summary: 'Put a number on the allow list or the block list',
      description:
        'Replaces the present override of the number. It decides before data and policy: within ten seconds in isolates with ' +
        `traffic, in all within half a minute. A tenant can have ${MAX_OVERRIDES}, of ${MAX_OVERRIDES_BYTES / 2 ** 20} MiB ` +
        'together: with reasons of 100 characters that is all of them, with long ones fewer. Its own go before those for all ' +
        'tenants (`*`).',
      scope: 'policy',
      parameters: [TENANT_PARAMETER],
      body: { 'application/json': { schema: overrideRequest, example: REQUEST } },
      answers: [{ status: 200, description: 'Stored', json: { schema: overrideAnswer, example: ANSWER } }],
      problems: [
        'invalid-number',
        'invalid-request',
        'payload-too-large',
        'overrides-lost',
        'limit-reached',
        'storage-unavailable',
      ],
      handle: async (context, principal) => {
        const author = authorOf(context, principal);
        const request = parse(overrideRequest, await readJson(context.req.raw, MAX_SMALL_BODY_BYTES));
        const { list, reason } = request;
        const result = await services.tenants.putOverride(author, {
          number: readNumber(request.number, request.country ?? undefined),
          list,
          reason,
          expiresAt: expiryOf(request.expiresAt ?? null, services.now()),
        });
        if (result.kind !== 'done') throw failedChange(result);
        return json(answerOf(author.tenant, result.value));
      },
    },
    {
      method: 'GET',
      path: '/v1/overrides',
      operationId: 'getOverrides',
      tag: 'Overrides',
      summary: 'The override of a number, or all of them',
      description:
        'With `number`, its override alone. Lists only what the tenant has set, not the overrides for all tenants.',
      scope: 'policy',
      parameters: [{ ...NUMBER_PARAMETER, required: false }, COUNTRY_PARAMETER, TENANT_PARAMETER],
      answers: [
        {
          status: 200,
          description: 'The override, or a list of them',
          json: { schema: v.union([overrideAnswer, overridesAnswer]), example: ANSWER },
        },
      ],
      problems: ['invalid-number', 'invalid-request', 'not-found', 'storage-unavailable'],
      handle: async (context, principal) => {
        const { tenant } = authorOf(context, principal);
        const subject = numberInQueryOf(context);
        const now = services.now();
        const stored = await readOrUnavailable(readOverrides(services, tenant));
        const all = stored.filter((override) => isInForce(override, now));
        if (subject === null) return json({ overrides: all.map((override) => answerOf(tenant, override)) });
        const found = all.find((override) => override.number === subject);
        if (found === undefined) throw failedChange({ kind: 'not-found' });
        return json(answerOf(tenant, found));
      },
    },
    {
      method: 'DELETE',
      path: '/v1/overrides',
      operationId: 'deleteOverride',
      tag: 'Overrides',
      summary: 'Delete the override of a number',
      scope: 'policy',
      parameters: [NUMBER_PARAMETER, COUNTRY_PARAMETER, TENANT_PARAMETER],
      answers: [{ status: 204, description: 'Deleted' }],
      problems: [
        'invalid-number',
        'invalid-request',
        'not-found',
        'overrides-lost',
        'storage-unavailable',
        'limit-reached',
      ],
      handle: async (context, principal) => {
        const author = authorOf(context, principal);
        const subject = numberInQueryOf(context);
        if (subject === null) {
          throw new Problem('invalid-request', 'number: expected to be given', { members: { field: 'number' } });
        }
        const result = await services.tenants.deleteOverride(author, subject);
        if (result.kind !== 'done') throw failedChange(result);
        return noContent();
      },
    },
    {
      method: 'DELETE',
      path: '/v1/overrides/lost',
      operationId: 'resetOverrides',
      tag: 'Overrides',
      summary: 'Give up a list of overrides that storage has lost',
      description:
        'Begins an empty list if the one in force is missing or damaged: until then no lookup of the tenant is answered ' +
        '(with `*`: of any tenant), and no override can be put. 404 if the list can be read; it is not changed then. What was on ' +
        'the list is in the audit trail, to be put anew.',
      scope: 'policy',
      parameters: [TENANT_PARAMETER],
      answers: [{ status: 204, description: 'The list is empty' }],
      problems: ['not-found', 'storage-unavailable', 'limit-reached'],
      handle: async (context, principal) => {
        const result = await services.tenants.resetOverrides(authorOf(context, principal));
        if (result.kind === 'not-found') throw new Problem('not-found', 'expected a list that cannot be read');
        if (result.kind !== 'done') throw failedChange(result);
        return noContent();
      },
    },
  ];
}

async function readOverrides({ tenants }: ControlServices, tenant: string): Promise<readonly StoredOverride[]> {
  const ref = (await tenants.index.read()).value.get(tenant)?.overrides ?? null;
  return ref === null ? [] : tenants.overrides(tenant, ref);
}

/** The number in the query; null: none is given. */
function numberInQueryOf({ req }: Context): number | null {
  const text = numberInQuery(req.url);
  return text === undefined ? null : readNumber(text, parse(v.optional(country), req.query('country')));
}

/** The last instant whose year ISO 8601 writes with four digits. */
const LAST_INSTANT = Date.UTC(9999, 11, 31, 23, 59, 59);

/** Milliseconds since 1970. */
function expiryOf(text: string | null, now: number): number | null {
  if (text === null) return null;
  const seconds = parseInstant(text);
  if (seconds !== null && seconds * 1000 > now && seconds * 1000 <= LAST_INSTANT) return seconds * 1000;
  const expected =
    seconds === null ? 'an ISO 8601 date, or date-time with an offset' : 'a time in the future, before the year 10000';
  throw new Problem('invalid-request', `expiresAt: expected ${expected}`, { members: { field: 'expiresAt' } });
}

function answerOf(tenant: string, override: StoredOverride) {
  const { number, list, reason, expiresAt, author, createdAt } = override;
  return {
    tenant,
    number: formatE164(number),
    list,
    reason,
    expiresAt: expiresAt === null ? null : new Date(expiresAt).toISOString(),
    author,
    createdAt: new Date(createdAt).toISOString(),
  };
}
