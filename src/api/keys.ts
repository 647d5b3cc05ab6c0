/**
 * API keys: making, listing and deleting them. Messages start with "expected" and never repeat the value.
 */

import type { Context } from 'hono';
import * as v from 'valibot';
import { DEFAULT_TENANT, type Principal, SCOPES, TENANT_NAME } from '../keys/key.ts';
import { instant } from '../lib/schema.ts';
import { namedLine } from '../lib/validate.ts';
import type { AuditEvent } from '../tenants/audit-trail.ts';
import type { Author } from '../tenants/tenant-store.ts';
import { Problem, storageUnavailable } from './problem.ts';
import { DEFAULT_QUOTA } from './quota.ts';
import { MAX_SMALL_BODY_BYTES, parse, readJson } from './request.ts';
import { json, noContent, type Route } from './route.ts';
import type { ControlServices } from './services.ts';

const MAX_NAME_CHARS = 100;
const MAX_PER_MINUTE = 1_000_000;
const TENANT_EXPECTED = 'expected a-z, 0-9, _ and -, at most 64 characters';

const scopes = v.pipe(
  v.array(v.picklist(SCOPES, `expected one of ${SCOPES.join(', ')}`), 'expected a list of scopes'),
  v.minLength(1, 'expected at least one scope'),
  v.maxLength(SCOPES.length, `expected at most ${SCOPES.length} scopes`),
);
const quota = v.strictObject({
  perMinute: v.pipe(
    v.number('expected a number'),
    v.integer('expected an integer'),
    v.minValue(1, 'expected at least 1'),
    v.maxValue(MAX_PER_MINUTE, `expected at most ${MAX_PER_MINUTE}`),
    v.description('Requests a minute, in one location'),
  ),
});

/** Unknown fields are refused: with a misspelt `quota` the key would get the default one. */
export const newKeyRequest = v.strictObject({
  name: namedLine('a name', MAX_NAME_CHARS),
  scopes,
  tenant: v.optional(v.pipe(v.string('expected text'), v.regex(TENANT_NAME, TENANT_EXPECTED)), DEFAULT_TENANT),
  quota: v.pipe(
    v.optional(v.nullable(quota), DEFAULT_QUOTA),
    v.description('null: no quota. Each location counts by itself'),
  ),
});

export const newKeyAnswer = v.object({
  id: v.string(),
  key: v.pipe(v.string(), v.description('The key is shown only this once; only its SHA-256 is stored')),
});

export const keySummary = v.object({
  id: v.string(),
  name: v.string(),
  scopes: v.array(v.picklist(SCOPES)),
  tenant: v.string(),
  quota: v.nullable(v.object({ perMinute: v.number() })),
  createdAt: instant,
});

export const keysAnswer = v.object({ keys: v.array(keySummary) });

const ID = '0a1b2c3d4e5f';
const NEW_KEY = { name: 'sign-up form', scopes: ['lookup'], quota: { perMinute: 6000 } };
const SUMMARY = { id: ID, ...NEW_KEY, tenant: 'default', createdAt: '2025-05-29T08:12:00.000Z' };

export function keyRoutes(services: ControlServices): readonly Route[] {
  return [
    {
      method: 'POST',
      path: '/v1/keys',
      operationId: 'createKey',
      tag: 'Keys',
      summary: 'Create an API key',
      description:
        "Its tenant's policy and overrides decide its lookups. Its quota is its own, and a batch counts as one " +
        'request. The scope `admin` is for the operator: with it a key sees and changes what all tenants have.',
      scope: 'admin',
      body: { 'application/json': { schema: newKeyRequest, example: NEW_KEY } },
      answers: [
        {
          status: 201,
          description: 'The key, shown this once',
          json: { schema: newKeyAnswer, example: { id: ID, key: `rf_${ID}_…` } },
        },
      ],
      problems: ['invalid-request', 'payload-too-large', 'too-many-keys', 'storage-unavailable'],
      handle: (context, principal) => create(services, context, principal),
    },
    {
      method: 'GET',
      path: '/v1/keys',
      operationId: 'listKeys',
      tag: 'Keys',
      summary: 'List the API keys, without their secrets',
      scope: 'admin',
      answers: [
        {
          status: 200,
          description: 'In order of creation',
          json: { schema: keysAnswer, example: { keys: [SUMMARY] } },
        },
      ],
      problems: ['storage-unavailable'],
      handle: () => list(services),
    },
    {
      method: 'DELETE',
      path: '/v1/keys/:id',
      operationId: 'deleteKey',
      tag: 'Keys',
      summary: 'Delete an API key',
      description: 'The key is refused everywhere within a minute, as long as the storage works.',
      scope: 'admin',
      parameters: [
        {
          in: 'path',
          name: 'id',
          required: true,
          description: 'The id of the key',
          schema: v.string(),
          example: ID,
        },
      ],
      answers: [{ status: 204, description: 'Deleted' }],
      problems: ['not-found', 'storage-unavailable'],
      handle: (context, principal) => remove(services, context.req.param('id') ?? '', principal),
    },
  ];
}

async function create(services: ControlServices, { req }: Context, principal: Principal): Promise<Response> {
  const request = parse(newKeyRequest, await readJson(req.raw, MAX_SMALL_BODY_BYTES));
  const result = await services.keys.create(request);
  if (result.kind === 'created') {
    const { id, key } = result;
    const { name } = request;
    const scopes = SCOPES.filter((scope) => request.scopes.includes(scope));
    await record(
      services,
      { tenant: request.tenant, by: principal.id },
      { action: 'key.create', key: id, name, scopes },
    );
    return json({ id, key }, 201);
  }
  if (result.kind === 'full') throw new Problem('too-many-keys', `expected at most ${result.limit} keys`);
  throw storageUnavailable('the key may or may not have been stored; delete it if it is listed');
}

async function list(services: ControlServices): Promise<Response> {
  const keys = await services.keys.list();
  if (keys === 'unavailable') throw storageUnavailable('the keys cannot be read at the moment');
  return json({ keys: keys.map((key) => ({ ...key, createdAt: new Date(key.createdAt).toISOString() })) });
}

async function remove(services: ControlServices, id: string, principal: Principal): Promise<Response> {
  const result = await services.keys.delete(id);
  if (typeof result === 'object') {
    await record(services, { tenant: result.tenant, by: principal.id }, { action: 'key.delete', key: id });
    return noContent();
  }
  if (result === 'not-found') throw new Problem('not-found', 'expected the id of a stored key');
  throw storageUnavailable('the key may or may not have been deleted; send it again');
}

/**
 * Records in the audit trail of the key's tenant. The key has been changed by then, since a revocation must not wait:
 * if the trail cannot be written, the log has the event.
 */
async function record({ tenants, log }: ControlServices, author: Author, event: AuditEvent): Promise<void> {
  const { kind } = await tenants.record(author, event);
  if (kind !== 'done') log('audit.failed', { ...author, action: event.action, key: 'key' in event ? event.key : '' });
}
