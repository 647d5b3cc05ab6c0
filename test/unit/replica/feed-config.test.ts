import { describe, expect, test } from 'vitest';
import { UNKNOWN_LABEL_RISK } from '../../../src/policy/ageing.ts';
import { DEFAULT_POLICY } from '../../../src/policy/default-policy.ts';
import { LabelLevels } from '../../../src/policy/labels.ts';
import { type Override, Overrides } from '../../../src/policy/overrides.ts';
import { encodeFeedConfig, FeedConfigs, parseFeedConfig } from '../../../src/replica/feed-config.ts';
import { fictionNumber } from '../../support/detections.ts';

const OVERRIDES: readonly Override[] = [
  { number: fictionNumber(1), list: 'allow', expiresAt: null, scope: 'tenant' },
  { number: fictionNumber(1), list: 'block', expiresAt: 1_900_000_000_000, scope: 'global' },
  { number: fictionNumber(0), list: 'block', expiresAt: null, scope: 'tenant' },
];
const LEVELS = {
  modem_pool_card: { level: 9, steps: { 45: 8, 90: 7 }, horizonDays: 730 },
  sim_farm: { level: 0, steps: {}, horizonDays: null },
};
const CONFIG = {
  levels: LEVELS,
  unknownLabel: UNKNOWN_LABEL_RISK,
  policy: DEFAULT_POLICY.source,
  tree: DEFAULT_POLICY.tree,
  overrides: OVERRIDES,
};

test('comes back as it was, overrides in number order', () => {
  const bytes = encodeFeedConfig(CONFIG);
  const parsed = parseFeedConfig(bytes);
  expect(parsed).toEqual({ format: 2, ...CONFIG, overrides: [OVERRIDES[2], OVERRIDES[1], OVERRIDES[0]] });
  expect(Object.keys(parsed.levels)).toEqual(['modem_pool_card', 'sim_farm']);
});

test('the bytes do not depend on the order of the overrides, nor on what else they have', () => {
  const shuffled = OVERRIDES.toReversed().map((override) => ({ reason: 'secret', ...override }));
  expect(encodeFeedConfig({ ...CONFIG, overrides: shuffled })).toEqual(encodeFeedConfig(CONFIG));
});

describe('is refused', () => {
  const text = new TextDecoder().decode(encodeFeedConfig(CONFIG));
  test.each([
    ['of another version', '"format":2', '"format":1'],
    ['with a level beyond 9', '"level":9', '"level":10'],
    ['with a step to a level beyond 9', '"45":8', '"45":10'],
    ['with a step that is no day', '"45":8', '"-45":8'],
    ['with a horizon that is text', '"horizonDays":730', '"horizonDays":"730"'],
    ['with a horizon of none', '"horizonDays":null', '"horizonDays":0'],
    ['without what unknown labels are', '"unknownLabel"', '"unknown"'],
    ['with another list', '"list":"allow"', '"list":"maybe"'],
    ['with another action', '"default":"allow"', '"default":"shrug"'],
    ['without a mode', '"mode":"enforce"', '"m":"enforce"'],
    ['with a number that is text', `"number":${fictionNumber(0)}`, `"number":"${fictionNumber(0)}"`],
    ['cut off', /.$/, ''],
  ])('%s, without a number in the message', (_, from, to) => {
    const changed = text.replace(from, to);
    expect(changed).not.toBe(text);
    const parse = () => parseFeedConfig(Uint8Array.from(Buffer.from(changed)));
    expect(parse).toThrow(/^feed config: /);
    expect(parse).not.toThrow(/\d{7}/);
  });
});

describe('a compiled policy', () => {
  const json = (config: object) => Uint8Array.from(Buffer.from(JSON.stringify(config)));

  test('is sent beside its source, and is opened by who reads it', () => {
    expect(JSON.parse(new TextDecoder().decode(encodeFeedConfig(CONFIG)))).toMatchObject({
      policy: DEFAULT_POLICY.source,
      tree: DEFAULT_POLICY.tree,
    });
    const later = { version: 2, conditions: [['never', 'heard', 'of']] };
    expect(parseFeedConfig(encodeFeedConfig({ ...CONFIG, tree: later })).tree).toEqual(later);
  });

  test('is not there in a configuration of an origin of before', () => {
    const { tree: _, ...before } = { format: 2, ...CONFIG };
    expect(parseFeedConfig(json(before))).toEqual(before);
  });
});

test('is made once while the rules stay', async () => {
  let rules = { policy: DEFAULT_POLICY, overrides: Overrides.of(OVERRIDES) };
  const configs = new FeedConfigs({ latest: async () => rules }, new LabelLevels(LEVELS));
  const first = await configs.get('default');
  expect(first).toEqual(encodeFeedConfig(CONFIG));
  expect(await configs.get('default')).toBe(first);
  rules = { ...rules, overrides: Overrides.none };
  expect(parseFeedConfig(await configs.get('default')).overrides).toEqual([]);
});
