import type { PolicyFacts } from '../../../src/policy/policy.ts';

/** What rules see of a number that is not listed, in a range that has hardly anything listed. */
export const CLEAR: PolicyFacts = {
  verdict: 'clear',
  level: 0,
  labels: [],
  channels: [],
  industries: [],
  projects: [],
  daysSinceSeen: null,
  daysListed: null,
  sightings: 0,
  neighbourhood: { hundred: 0, thousand: 1, score: 0.01 },
  country: 'PH',
  lineType: 'mobile',
  scenario: null,
};
