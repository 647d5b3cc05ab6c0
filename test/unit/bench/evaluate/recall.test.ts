import { describe, expect, it } from 'vitest';
import { intervalOf, operatingAt, resampleDays, shareFrom } from '../../../../bench/evaluate/evaluate.ts';
import { Random } from '../../../../bench/support/random.ts';

describe('operatingAt', () => {
  const nulls = [900, 50, 30, 15, 4, 1];
  const firstTime = [50, 10, 10, 10, 10, 10];

  it('takes the lowest threshold whose false positives stay within the rate', () => {
    expect(operatingAt(firstTime, nulls, 0.001)).toEqual({ threshold: 5, recall: 0.1, falsePositives: 0.001 });
    expect(operatingAt(firstTime, nulls, 0.0199)).toEqual({ threshold: 4, recall: 0.2, falsePositives: 0.005 });
    expect(operatingAt(firstTime, nulls, 0.02)).toEqual({ threshold: 3, recall: 0.3, falsePositives: 0.02 });
  });

  it('catches nothing if the highest score already has too many, and all if all are allowed', () => {
    expect(operatingAt(firstTime, nulls, 0.0005)).toEqual({ threshold: 6, recall: 0, falsePositives: 0 });
    expect(operatingAt(firstTime, nulls, 1)).toMatchObject({ threshold: 0, recall: 1 });
  });

  it('goes below null numbers that are not there', () => {
    expect(operatingAt([1, 1, 1], [10, 0, 0], 0)).toMatchObject({ threshold: 1, recall: 2 / 3 });
  });
});

describe('shareFrom', () => {
  it('is 0 of nothing', () => {
    expect(shareFrom([0, 0], 0)).toBe(0);
    expect(shareFrom([1, 2, 1], 1)).toBe(0.75);
  });
});

describe('resampleDays', () => {
  it('draws as many days as there are, the same ones for the same seed', () => {
    const days = Array.from({ length: 30 }, (_, i) => 20_000 + i);
    const drawn = resampleDays(days, new Random(5));
    for (const weights of drawn) {
      expect([...weights.values()].reduce((sum, weight) => sum + weight, 0)).toBe(30);
      for (const day of weights.keys()) expect(days).toContain(day);
    }
    expect(drawn).toEqual(resampleDays(days, new Random(5)));
    expect(drawn).not.toEqual(resampleDays(days, new Random(6)));
  });
});

describe('intervalOf', () => {
  it('leaves 2.5 % out at either end', () => {
    expect(intervalOf(Array.from({ length: 401 }, (_, i) => (i * 7) % 401))).toEqual({ low: 10, high: 390 });
  });
});
