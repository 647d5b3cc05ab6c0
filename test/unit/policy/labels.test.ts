import { describe, expect, it } from 'vitest';
import { LabelLevels, parseLabelLevels, UNKNOWN_LABEL_LEVEL } from '../../../src/policy/labels.ts';

describe('LabelLevels', () => {
  const levels = new LabelLevels();

  it.each([
    [['modem_pool_card'], 9],
    [['public_sms_receiver'], 7],
    [['reported_abuse'], 5],
    [['reported_abuse', 'modem_pool_card', 'public_sms_receiver'], 9],
    [['reported_abuse', 'public_sms_receiver'], 7],
  ])('takes the highest of %j: %i', (labels, level) => {
    expect(levels.levelOf(labels)).toBe(level);
  });

  it('gives an unknown label, or none, the middle level and never 0', () => {
    expect(levels.levelOf(['gone'])).toBe(UNKNOWN_LABEL_LEVEL);
    expect(levels.levelOf([])).toBe(UNKNOWN_LABEL_LEVEL);
    expect(levels.levelOf(['gone', 'public_sms_receiver'])).toBe(7);
    expect(parseLabelLevels('{"public_sms_receiver": 1}').levelOf(['public_sms_receiver', 'gone'])).toBe(5);
  });

  it('is the set of labels that an upload may use', () => {
    expect([...levels]).toEqual(['modem_pool_card', 'public_sms_receiver', 'reported_abuse']);
    expect(levels.has('modem_pool_card')).toBe(true);
    expect(levels.has('toString')).toBe(false);
  });
});

describe('parseLabelLevels', () => {
  it.each([undefined, '', '  '])('means the defaults for %j', (text) => {
    expect([...parseLabelLevels(text)]).toEqual([...new LabelLevels()]);
  });

  it('lays the configured levels over the defaults', () => {
    const levels = parseLabelLevels('{"reported_abuse": 0, "sim_farm": 8}');
    expect([...levels]).toEqual(['modem_pool_card', 'public_sms_receiver', 'reported_abuse', 'sim_farm']);
    expect(levels.levelOf(['reported_abuse'])).toBe(0);
    expect(levels.levelOf(['sim_farm'])).toBe(8);
    expect(levels.levelOf(['modem_pool_card'])).toBe(9);
  });

  it.each([
    ['{', 'expected a JSON object of levels; found text that is not JSON'],
    ['[]', 'expected a JSON object of levels; found another JSON value'],
    ['null', 'expected a JSON object of levels; found another JSON value'],
    ['{"a": 10}', 'expected an integer from 0 to 9 for a; found 10'],
    ['{"a": -1}', 'expected an integer from 0 to 9 for a; found -1'],
    ['{"a": 1.5}', 'expected an integer from 0 to 9 for a; found 1.5'],
    ['{"a": "9"}', 'expected an integer from 0 to 9 for a; found "9"'],
    ['{"a": null}', 'expected an integer from 0 to 9 for a; found null'],
    ['{"Modem Pool": 9}', 'found "Modem Pool"'],
    [JSON.stringify(Object.fromEntries(Array.from({ length: 62 }, (_, i) => [`l${i}`, 1]))), 'found 65'],
  ])('refuses %.40s', (text, message) => {
    expect(() => parseLabelLevels(text)).toThrow(message);
  });
});
