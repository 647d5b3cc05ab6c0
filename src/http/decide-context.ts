import { dayOf } from '../format/records.ts';
import type { DecideContext } from '../policy/decide.ts';
import { DEFAULT_POLICY } from '../policy/default-policy.ts';
import type { Services } from './services.ts';

/** What a request decides with. One policy for all tenants until tenants can set their own. */
export function decideContext(
  services: Services,
  scenario: string | null | undefined,
  evidence: boolean,
): DecideContext {
  return {
    levels: services.labels,
    policy: DEFAULT_POLICY,
    today: dayOf(services.now() / 1000),
    scenario: scenario ?? null,
    evidence,
  };
}
