/**
 * The audit trail: GET /v1/audit, and the recording of what an admin has done to the store. It is recorded after it was
 * done, since the action must not wait for the trail.
 */

import * as v from 'valibot';
import { sourceIdMembers } from '../format/source.ts';
import type { Principal } from '../keys/key.ts';
import { instant } from '../lib/schema.ts';
import { formatE164 } from '../phone/parse.ts';
import { OVERRIDE_LISTS } from '../policy/overrides.ts';
import {
  AUDIT_ACTIONS,
  AUDIT_PAGE,
  type AuditEntry,
  type AuditEvent,
  TENANT_DOCUMENTS,
} from '../tenants/audit-trail.ts';
import { ALL_TENANTS, REF } from '../tenants/documents.ts';
import { LISTED_EXAMPLE } from './lookup-docs.ts';
import { Problem } from './problem.ts';
import { json, type Route } from './route.ts';
import type { ControlServices } from './services.ts';
import { authorOf, readOrUnavailable, TENANT_PARAMETER } from './tenant.ts';

/**
 * Members of an event that may stand in a log line: they hold no number, and no text of a feed or an operator that may
 * hold one.
 */
const LOGGED = ['batch', 'generation', 'restored', 'requeue'];

/**
 * Records in the trail for all tenants, since they share the inventory. If the trail cannot be written, the log has the
 * event.
 */
export async function recordForAll(
  { tenants, log }: Pick<ControlServices, 'tenants' | 'log'>,
  { id: by }: Principal,
  event: AuditEvent,
): Promise<void> {
  const { kind } = await tenants.record({ tenant: ALL_TENANTS, by }, event);
  if (kind === 'done') return;
  const { action, ...details } = event;
  log('audit.failed', { tenant: ALL_TENANTS, by, action, details: JSON.stringify(details, LOGGED) });
}

// GET /v1/audit tells who changed what a tenant decides with, and its keys; under `*`, what holds for all tenants.

const override = v.object({
  number: v.string(),
  list: v.picklist(OVERRIDE_LISTS),
  reason: v.string(),
  expiresAt: v.nullable(instant),
});

export const auditAnswer = v.object({
  tenant: v.string(),
  entries: v.pipe(
    v.array(
      v.object({
        at: instant,
        by: v.pipe(v.string(), v.description('Id of the API key')),
        action: v.picklist(AUDIT_ACTIONS),
        lost: v.exactOptional(
          v.pipe(
            v.array(v.picklist(TENANT_DOCUMENTS)),
            v.description('Documents that were replaced unread, since they were missing or damaged in storage'),
          ),
        ),
        version: v.exactOptional(v.pipe(v.number(), v.description('The version of the policy'))),
        override: v.exactOptional(override),
        replaced: v.exactOptional(v.nullable(override)),
        key: v.exactOptional(v.pipe(v.string(), v.description('Id of the key that was created or deleted'))),
        name: v.exactOptional(v.string()),
        scopes: v.exactOptional(v.array(v.string())),
        batch: v.exactOptional(v.pipe(v.string(), v.description('The batch that was withdrawn or released'))),
        number: v.exactOptional(v.pipe(v.string(), v.description('The number of the canary'))),
        note: v.exactOptional(v.nullable(v.string())),
        source: v.exactOptional(
          v.pipe(
            v.object(sourceIdMembers),
            v.description('The source that was released or dropped, named as in GET /v1/sources'),
          ),
        ),
        generation: v.exactOptional(
          v.pipe(v.number(), v.description('The generation that a rollback, a release or a drop published')),
        ),
        restored: v.exactOptional(v.pipe(v.number(), v.description('The generation that the rollback returned to'))),
        requeue: v.exactOptional(v.boolean()),
      }),
    ),
    v.description(`Newest first, at most ${AUDIT_PAGE}`),
  ),
  older: v.pipe(v.nullable(v.string()), v.description('The value of `before` for the next page; null: there is none')),
});

const EXAMPLE = {
  tenant: 'default',
  entries: [
    {
      at: '2025-05-29T08:12:00.000Z',
      by: '0a1b2c3d4e5f',
      action: 'override.put',
      override: { number: LISTED_EXAMPLE.number, list: 'allow', reason: 'our own test handset', expiresAt: null },
      replaced: null,
    },
  ],
  older: null,
};

export function auditRoutes(services: ControlServices): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/v1/audit',
      operationId: 'listAudit',
      tag: 'Overrides',
      summary: 'Every change of policy, overrides and keys: who, when, what',
      description:
        'The trail of the tenant `*` has what concerns all tenants: changes for all of them, every rollback, withdrawal and ' +
        'release of a batch, every change of canaries, and every release and drop of a source.',
      scope: 'policy',
      parameters: [
        {
          in: 'query',
          name: 'before',
          description: 'The value of `older` on the page before',
          schema: v.optional(v.string()),
        },
        TENANT_PARAMETER,
      ],
      answers: [{ status: 200, description: 'One page', json: { schema: auditAnswer, example: EXAMPLE } }],
      problems: ['invalid-request', 'not-found', 'storage-unavailable'],
      handle: async (context, principal) => {
        const { tenant } = authorOf(context, principal);
        const before = context.req.query('before');
        if (before !== undefined && !REF.test(before)) {
          throw new Problem('invalid-request', 'before: expected `older` of a page', { members: { field: 'before' } });
        }
        const { entries, older } = await readOrUnavailable(readPage(services, tenant, before));
        return json({ tenant, entries: entries.map(shown), older });
      },
    },
  ];
}

async function readPage({ tenants }: ControlServices, tenant: string, before: string | undefined) {
  const ref = before ?? (await tenants.index.read()).value.get(tenant)?.audit ?? null;
  const page = ref === null ? { entries: [], older: null } : await tenants.audit(tenant, ref);
  if (page === null) throw new Problem('not-found', 'before: expected `older` of a page');
  return page;
}

function shown({ ref: _, at, ...entry }: AuditEntry) {
  const { by, lost } = entry;
  const common = { at: new Date(at).toISOString(), by, ...(lost && { lost }) };
  if (entry.action === 'override.put') {
    const { action, override: put, replaced } = entry;
    return { ...common, action, override: shownOverride(put), replaced: replaced && shownOverride(replaced) };
  }
  if (entry.action === 'override.delete') {
    return { ...common, action: entry.action, override: shownOverride(entry.override) };
  }
  if (entry.action === 'canary.put' || entry.action === 'canary.delete') {
    return { ...common, ...entry, number: formatE164(entry.number) };
  }
  return { ...common, ...entry };
}

function shownOverride({ number, expiresAt, ...rest }: Extract<AuditEntry, { action: 'override.delete' }>['override']) {
  return {
    ...rest,
    number: formatE164(number),
    expiresAt: expiresAt === null ? null : new Date(expiresAt).toISOString(),
  };
}
