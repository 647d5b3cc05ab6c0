/** What a Ringfence would answer, and what something else might. The number that is asked for says which. */
import type { LookupAnswer } from '../../../../src/policy/answer.ts';

/** Well beyond timeoutMs and all that a busy machine adds to it. */
export const SLOW_MS = 8_000;

const CLEAR: LookupAnswer = {
  number: '+12025550100',
  country: 'US',
  lineType: 'fixed_line_or_mobile',
  verdict: 'clear',
  level: 0,
  labels: [],
  channels: [],
  industries: [],
  firstSeen: null,
  lastSeen: null,
  sightings: 0,
  neighbourhood: { hundred: 0, thousand: 0, score: 0 },
  action: 'allow',
  rule: null,
  generation: 1,
};

/** Of the first and the second name. */
export const GOOD = {
  allow: CLEAR,
  block: { ...CLEAR, number: '+12025550101', verdict: 'listed', level: 9, action: 'block' },
} as const;

/** Not an answer: it lacks nearly everything. */
export const WRONG_SHAPE = { verdict: 'clear', action: 'allow' };
/** As the sign-in page of some proxy in between. */
export const PAGE = '<!doctype html><title>Sign in</title><h1>Sign in</h1>';

/** Of those that nobody has, in the order of `names`. */
export function numberOf(names: readonly string[], name: string): number {
  return 12_025_550_100 + names.indexOf(name);
}

export function nameOf(names: readonly string[], number: string): string | undefined {
  return names[Number(number) - 12_025_550_100];
}
