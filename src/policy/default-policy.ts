import type { Policy } from './policy.ts';

/** Block from this level on. */
const BLOCK_LEVEL = 8;
/** Challenge from this level on. */
const CHALLENGE_LEVEL = 5;

/** The policy of a tenant that has set none (API.md, Policy). */
export const DEFAULT_POLICY: Policy = {
  rules: [
    { id: 'modem-pool', action: 'block', matches: ({ level }) => level >= BLOCK_LEVEL },
    { id: 'suspect-neighbourhood', action: 'challenge', matches: ({ verdict }) => verdict === 'suspect' },
    { id: 'known-receiver', action: 'challenge', matches: ({ level }) => level >= CHALLENGE_LEVEL },
  ],
  default: 'allow',
};
