import { compilePolicy } from './cel/compile.ts';
import type { Policy, PolicySource } from './policy.ts';

/** The policy of a tenant that has set none (docs/POLICY.md). */
export const DEFAULT_POLICY_SOURCE: PolicySource = {
  rules: [
    { id: 'modem-pool', when: 'level >= 8', action: 'block', mode: 'enforce' },
    { id: 'suspect-neighbourhood', when: 'verdict == "suspect"', action: 'challenge', mode: 'enforce' },
    { id: 'known-receiver', when: 'level >= 5', action: 'challenge', mode: 'enforce' },
  ],
  default: 'allow',
};

export const DEFAULT_POLICY: Policy = compilePolicy(DEFAULT_POLICY_SOURCE);
