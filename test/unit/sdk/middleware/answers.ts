/** One answer of each kind, about a number that is reserved for fiction. */
import { LISTED_EXAMPLE } from '../../../../src/api/lookup-docs.ts';
import type { Action, LookupAnswer } from '../../../../src/sdk/middleware/types.ts';

export const NUMBER = '+12025550123';
export const KEY = 'rf_a-key-of-the-middleware-tests';
export const LISTED: LookupAnswer = { ...LISTED_EXAMPLE, lineType: 'mobile' };
const NO_RECORD = {
  level: null,
  labels: [],
  channels: [],
  industries: [],
  firstSeen: null,
  lastSeen: null,
  sightings: null,
};
export const SUSPECT: LookupAnswer = { ...LISTED, ...NO_RECORD, verdict: 'suspect', action: 'challenge' };
export const CLEAR: LookupAnswer = { ...LISTED, ...NO_RECORD, verdict: 'clear', action: 'allow', rule: 'default' };
export const FLAGGED: LookupAnswer = { ...LISTED, level: 4, action: 'flag' };
export const UNKNOWN: LookupAnswer = {
  ...CLEAR,
  verdict: 'unknown',
  neighbourhood: null,
  action: null,
  rule: null,
  generation: null,
};
export const ANSWERS: readonly (readonly [Action, LookupAnswer])[] = [
  ['block', LISTED],
  ['challenge', SUSPECT],
  ['allow', CLEAR],
  ['flag', FLAGGED],
];
