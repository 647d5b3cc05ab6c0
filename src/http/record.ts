/** Into the audit trail, what an admin has done to the store: after the fact, which must not wait for anything. */

import type { ControlServices } from '../api/control-services.ts';
import type { Principal } from '../keys/scope.ts';
import type { AuditEvent } from '../tenants/audit-trail.ts';
import { ALL_TENANTS } from '../tenants/documents.ts';

/** Members of an event that a log line may have: no number, and no text of a feed or an operator, which may hold one. */
const LOGGED = ['batch', 'generation', 'restored', 'requeue'];

/** Into the trail that is for all tenants, since they share the inventory. If it cannot be written, the log has it. */
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
