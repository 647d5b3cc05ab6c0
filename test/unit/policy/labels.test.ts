import { describe, expect, it } from 'vitest';
import { DEFAULT_LABEL } from '../../../src/ingest/validate.ts';
import {
  DEFAULT_LEVELS,
  MAX_AGEING_DAYS,
  UNKNOWN_LABEL_LEVEL,
  UNKNOWN_LABEL_RISK,
} from '../../../src/policy/ageing.ts';
import { LabelLevels, parseLabelLevels } from '../../../src/policy/labels.ts';

describe('LabelLevels', () => {
  const levels = new LabelLevels();

  it.each([
    [['modem_pool_card'], 9],
    [['public_sms_receiver'], 7],
    [['reported_abuse'], 5],
    [['reported_abuse', 'modem_pool_card', 'public_sms_receiver'], 9],
    [['reported_abuse', 'public_sms_receiver'], 7],
  ])('takes the highest of %j: %i', (labels, level) => {
    expect(levels.levelOf(labels, 0)).toBe(level);
  });

  it('gives an unknown label, or none, the middle level and never 0', () => {
    expect(levels.levelOf(['gone'], 0)).toBe(UNKNOWN_LABEL_LEVEL);
    expect(levels.levelOf([], 0)).toBe(UNKNOWN_LABEL_LEVEL);
    expect(levels.levelOf(['gone', 'public_sms_receiver'], 0)).toBe(7);
    expect(parseLabelLevels('{"public_sms_receiver": 1}').levelOf(['public_sms_receiver', 'gone'], 0)).toBe(5);
  });

  it('takes the highest as they have aged, each by its own days', () => {
    const both = ['modem_pool_card', 'public_sms_receiver'];
    expect([0, 45, 90, 180, 540, 729, 730, 1095, 1459].map((days) => levels.levelOf(both, days))).toEqual([
      9, 8, 7, 6, 5, 5, 5, 4, 4,
    ]);
  });

  it('ages an unknown label, or none, as unknown ones', () => {
    for (const labels of [['gone'], []]) {
      // Steps cap: those to 8, 7 and 6 leave a level of 5 as it is.
      const days = [0, 45, 90, 180, 365, 539, 540, 729, 730];
      expect(days.map((day) => levels.levelOf(labels, day))).toEqual([5, 5, 5, 5, 5, 5, 4, 4, 0]);
      expect(levels.horizonDaysOf(labels)).toBe(730);
    }
  });

  it('has the furthest horizon of the labels', () => {
    expect(levels.horizonDaysOf(['modem_pool_card'])).toBe(730);
    expect(levels.horizonDaysOf(['reported_abuse', 'public_sms_receiver', 'modem_pool_card'])).toBe(1460);
    const forever = parseLabelLevels('{"reported_abuse": {"horizonDays": null}}');
    expect(forever.horizonDaysOf(['modem_pool_card', 'reported_abuse'])).toBe(Number.POSITIVE_INFINITY);
    expect(forever.levelOf(['reported_abuse'], 100_000)).toBe(5);
  });

  it('is the set of labels that an upload may use', () => {
    expect([...levels]).toEqual(['modem_pool_card', 'public_sms_receiver', 'reported_abuse']);
    expect(levels.has('modem_pool_card')).toBe(true);
    expect(levels.has('toString')).toBe(false);
  });

  it('can be made again from what it says of itself', () => {
    const original = parseLabelLevels('{"b": {"level": 8, "steps": {"30": 2}, "horizonDays": 40}, "a": 3}');
    const again = new LabelLevels(original.risks, original.unknown);
    expect([...again]).toEqual([...original]);
    for (const label of [...original, 'gone']) {
      for (const days of [0, 29, 30, 39, 40, 500, 3000]) {
        expect(again.levelOf([label], days)).toBe(original.levelOf([label], days));
      }
    }
  });
});

describe('the defaults', () => {
  it.each([...Object.entries(DEFAULT_LEVELS), ['unknown', UNKNOWN_LABEL_RISK] as const])(
    'of %s fall step by step, and to a level that is allowed before the horizon',
    (_, { level, steps, horizonDays }) => {
      const at = Object.entries(steps).map(([day, most]) => [Number(day), most] as const);
      expect(at.map(([day]) => day)).toEqual(at.map(([day]) => day).toSorted((a, b) => a - b));
      const levels = at.map(([, most]) => most);
      expect(levels).toEqual([...new Set(levels)].toSorted((a, b) => b - a));
      expect(Math.min(level, ...levels)).toBeLessThan(5);
      expect(Math.min(level, ...levels)).toBeGreaterThan(0);
      expect(horizonDays).toBeGreaterThan(at.at(-1)?.[0] ?? 0);
    },
  );
});

describe('the label of a detection that names none', () => {
  it.each([undefined, '{}', '{"sim_farm": 9}', '{"reported_abuse": 0}', '{"reported_abuse": {"level": 3}}'])(
    'is configured whatever RINGFENCE_LABELS says: %s',
    (setting) => {
      expect(parseLabelLevels(setting).has(DEFAULT_LABEL)).toBe(true);
    },
  );

  it('is the mildest of the defaults', () => {
    const levels = Object.values(DEFAULT_LEVELS).map(({ level }) => level);
    expect(DEFAULT_LEVELS[DEFAULT_LABEL]?.level).toBe(Math.min(...levels));
  });
});

describe('parseLabelLevels', () => {
  it.each([undefined, '', '  '])('means the defaults for %j', (text) => {
    expect([...parseLabelLevels(text)]).toEqual([...new LabelLevels()]);
    expect(parseLabelLevels(text).risks).toEqual(DEFAULT_LEVELS);
  });

  it('lays the configured levels over the defaults', () => {
    const levels = parseLabelLevels('{"reported_abuse": 0, "sim_farm": 8}');
    expect([...levels]).toEqual(['modem_pool_card', 'public_sms_receiver', 'reported_abuse', 'sim_farm']);
    expect(levels.levelOf(['reported_abuse'], 0)).toBe(0);
    expect(levels.levelOf(['sim_farm'], 0)).toBe(8);
    expect(levels.levelOf(['modem_pool_card'], 0)).toBe(9);
  });

  it('keeps the ageing of a label whose level alone is set; a label of the operator ages as unknown ones', () => {
    const { risks } = parseLabelLevels('{"reported_abuse": 6, "sim_farm": 8}');
    expect(risks.reported_abuse).toEqual({ ...DEFAULT_LEVELS.reported_abuse, level: 6 });
    expect(risks.sim_farm).toEqual({ ...UNKNOWN_LABEL_RISK, level: 8 });
  });

  it.each([
    ['{"steps": {"90": 6, "30": 8}}', { level: 9, steps: { 30: 8, 90: 6 }, horizonDays: 730 }],
    ['{"level": 8, "steps": {}}', { level: 8, steps: {}, horizonDays: 730 }],
    ['{"horizonDays": 100}', { level: 9, steps: { 45: 8, 90: 7 }, horizonDays: 100 }],
    ['{"horizonDays": 90}', { level: 9, steps: { 45: 8 }, horizonDays: 90 }],
    ['{"horizonDays": null}', { level: 9, steps: {}, horizonDays: null }],
    ['{"steps": {"900": 3}, "horizonDays": null}', { level: 9, steps: { 900: 3 }, horizonDays: null }],
    ['{"steps": {"1": 0}, "horizonDays": 2}', { level: 9, steps: { 1: 0 }, horizonDays: 2 }],
    ['{}', DEFAULT_LEVELS.modem_pool_card],
  ])('takes %s', (setting, risk) => {
    expect(parseLabelLevels(`{"modem_pool_card": ${setting}}`).risks.modem_pool_card).toEqual(risk);
  });

  it.each([
    ['{', 'expected a JSON object of levels; found text that is not JSON'],
    ['[]', 'expected a JSON object of levels; found another JSON value'],
    ['null', 'expected a JSON object of levels; found another JSON value'],
    ['{"a": 9, "a": 1}', 'expected each label and each of its settings once; found "a" twice'],
    ['{"a": {"level": 9, "level": 1}}', 'found "level" twice'],
    ['{"a": 10}', 'expected an integer from 0 to 9 for a; found 10'],
    ['{"a": -1}', 'expected an integer from 0 to 9 for a; found -1'],
    ['{"a": 1.5}', 'expected an integer from 0 to 9 for a; found 1.5'],
    ['{"a": "9"}', 'expected an integer from 0 to 9 for a; found "9"'],
    ['{"a": null}', 'expected an integer from 0 to 9 for a; found null'],
    ['{"a": [9]}', 'expected an integer from 0 to 9 for a; found [9]'],
    ['{"a": {}}', 'expected an integer from 0 to 9 for level of a; found none'],
    ['{"a": {"level": 10}}', 'expected an integer from 0 to 9 for level of a; found 10'],
    ['{"a": {"level": 9, "horizon": 5}}', 'expected only level, steps, horizonDays for a; found "horizon"'],
    ['{"a": {"level": 9, "horizonDays": 0}}', `from 1 to ${MAX_AGEING_DAYS} days for horizonDays of a; found 0`],
    ['{"a": {"level": 9, "horizonDays": "x"}}', 'for horizonDays of a; found "x"'],
    ['{"a": {"level": 9, "horizonDays": 36501}}', 'for horizonDays of a; found 36501'],
    ['{"a": {"level": 9, "steps": [8]}}', 'expected an object of days and levels for steps of a; found [8]'],
    ['{"a": {"level": 9, "steps": null}}', 'expected an object of days and levels for steps of a; found null'],
    ['{"a": {"level": 9, "steps": {"0": 8}}}', 'for steps of a; found "0"'],
    ['{"a": {"level": 9, "steps": {"x": 8}}}', 'for steps of a; found "x"'],
    ['{"a": {"level": 9, "steps": {"730": 8}}}', 'days from 1 to 729, before the horizon, for steps of a; found "730"'],
    ['{"a": {"level": 9, "steps": {"9": 10}}}', 'expected an integer from 0 to 9 for steps of a; found 10'],
    [
      '{"a": {"level": 9, "steps": {"9": 8, "5": 7}}}',
      'levels that fall with the days for steps of a; found 8 after 7',
    ],
    [
      '{"a": {"level": 9, "steps": {"5": 7, "9": 7}}}',
      'levels that fall with the days for steps of a; found 7 after 7',
    ],
    ['{"Modem Pool": 9}', 'found "Modem Pool"'],
    [JSON.stringify(Object.fromEntries(Array.from({ length: 62 }, (_, i) => [`l${i}`, 1]))), 'found 65'],
  ])('refuses %.60s', (text, message) => {
    expect(() => parseLabelLevels(text)).toThrow(RangeError);
    expect(() => parseLabelLevels(text)).toThrow(message);
  });
});
