/** What the Worker under load answers beside the API; shared by it and those who drive it. */
import type { LookupAnswer } from '../../src/policy/answer.ts';
import type { DiskCounters } from './disk-stores.ts';

/** Answers GET and POST with the same short JSON every time, without looking at the request. */
export const EMPTY_PATH = '/empty';
export const COUNTERS_PATH = '/bench/counters';

export interface Counters {
  readonly store: DiskCounters;
  readonly keys: DiskCounters;
}

/** As long as the answer to a lookup, so that both routes send the same number of bytes. */
export const EMPTY_ANSWER: LookupAnswer = {
  number: '+639171234567',
  country: 'PH',
  lineType: 'mobile',
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
  generation: 1234,
};
