/** Examples of the OpenAPI document. The numbers are reserved for fiction (NANP 555-01xx) and never assigned. */
import type { LookupAnswer } from '../policy/answer.ts';

export const LOOKUP_EXAMPLE = { number: '+1 202-555-0123', scenario: 'signup' };

export const LISTED_EXAMPLE: LookupAnswer = {
  number: '+12025550123',
  country: 'US',
  lineType: 'fixed_line_or_mobile',
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

export const CLEAR_EXAMPLE: LookupAnswer = {
  ...LISTED_EXAMPLE,
  number: '+14155550132',
  verdict: 'clear',
  level: null,
  labels: [],
  channels: [],
  industries: [],
  firstSeen: null,
  lastSeen: null,
  sightings: null,
  neighbourhood: { hundred: 0, thousand: 0, score: 0 },
  action: 'allow',
  rule: 'default',
};

export const BATCH_ERROR_EXAMPLE = {
  input: '12',
  error: {
    code: 'invalid-number',
    detail: 'unknown country calling code: expected + and an assigned country calling code, then the national number',
  },
};
