/** The policy of a tenant that has set none (docs/POLICY.md, "The default"). */
import { openPolicy } from './cel/evaluate.ts';
import type { PolicyTree } from './cel/tree.ts';
import type { Policy, PolicySource } from './policy.ts';

export const DEFAULT_POLICY_SOURCE: PolicySource = {
  rules: [
    { id: 'modem-pool', when: 'level >= 8', action: 'block', mode: 'enforce' },
    { id: 'suspect-neighbourhood', when: 'verdict == "suspect"', action: 'challenge', mode: 'enforce' },
    { id: 'known-receiver', when: 'level >= 5', action: 'challenge', mode: 'enforce' },
  ],
  default: 'allow',
};

/** What the source compiles to; a test holds it to that. So whoever decides by it needs no parser. */
const TREE: PolicyTree = {
  version: 1,
  conditions: [
    ['>=', ['var', 'level'], 8],
    ['==', ['var', 'verdict'], 'suspect'],
    ['>=', ['var', 'level'], 5],
  ],
};

export const DEFAULT_POLICY: Policy = openPolicy(DEFAULT_POLICY_SOURCE, TREE);
