/** One answer of each kind, about a number that is reserved for fiction. */
import type { Action, LookupAnswer } from '../../../src/middleware/types.ts';

export const NUMBER = '+12025550123';
export const KEY = 'rf_a-key-of-the-middleware-tests';
export const LISTED: LookupAnswer = {
  number: NUMBER,
  country: 'US',
  lineType: 'mobile',
  verdict: 'listed',
  level: 9,
  labels: ['modem_pool_card'],
  channels: ['otp_marketplace'],
  industries: ['social_media'],
  firstSeen: '2025-05-17',
  lastSeen: '2025-05-29',
  sightings: 12,
  neighbourhood: { hundred: 37, thousand: 120, score: 0.93 },
  action: 'block',
  rule: 'modem-pool',
  generation: 1234,
};
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
