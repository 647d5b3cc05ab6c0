/** Making, listing and deleting API keys. */
import type { Context } from 'hono';
import * as v from 'valibot';
import type { ControlServices } from '../api/control-services.ts';
import { type Principal, SCOPES } from '../keys/scope.ts';
import type { AuditEvent } from '../tenants/audit-trail.ts';
import type { Author } from '../tenants/tenant-store.ts';
import { MAX_SMALL_BODY_BYTES, readJson } from './body.ts';
import { keysAnswer, newKeyAnswer, newKeyRequest } from './keys-schema.ts';
import { Problem, storageUnavailable } from './problem.ts';
import { json, noContent } from './respond.ts';
import type { Route } from './route.ts';
import { parse } from './validate.ts';

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
 * Into the audit trail of the key's tenant. The key has been changed already, and a revocation must not wait for
 * anything: if the trail cannot be written, the log has it.
 */
async function record({ tenants, log }: ControlServices, author: Author, event: AuditEvent): Promise<void> {
  const { kind } = await tenants.record(author, event);
  if (kind !== 'done') log('audit.failed', { ...author, action: event.action, key: 'key' in event ? event.key : '' });
}
