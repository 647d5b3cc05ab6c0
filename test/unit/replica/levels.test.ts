import { expect, test } from 'vitest';
import { DEFAULT_POLICY } from '../../../src/policy/default-policy.ts';
import { openConfig } from '../../../src/replica/contents.ts';
import { encodeFeedConfig } from '../../../src/replica/feed-config.ts';

test('levels, steps and horizons are those of the origin, of labels that it does not know as well', () => {
  const pool = { level: 6, steps: { 10: 5, 20: 1 }, horizonDays: 30 };
  const unknownLabel = { level: 3, steps: { 5: 2 }, horizonDays: null };
  const config = {
    levels: { modem_pool_card: pool },
    unknownLabel,
    policy: DEFAULT_POLICY.source,
    tree: DEFAULT_POLICY.tree,
    overrides: [],
  };
  const { levels } = openConfig(encodeFeedConfig(config));
  expect([0, 9, 10, 20, 29, 30].map((days) => levels.levelOf(['modem_pool_card'], days))).toEqual([6, 6, 5, 1, 1, 0]);
  // A default label that the origin does not have is one that it does not know.
  for (const labels of [['public_sms_receiver'], ['gone'], []]) {
    expect([0, 5, 9_999].map((days) => levels.levelOf(labels, days))).toEqual([3, 2, 2]);
    expect(levels.horizonDaysOf(labels)).toBe(Number.POSITIVE_INFINITY);
  }
});
