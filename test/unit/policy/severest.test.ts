import { describe, expect, it } from 'vitest';
import { CLEAR_EXAMPLE, LISTED_EXAMPLE } from '../../../src/api/lookup-docs.ts';
import type { LookupAnswer } from '../../../src/policy/answer.ts';
import { severest } from '../../../src/policy/decide.ts';
import { ACTIONS } from '../../../src/policy/policy.ts';

const found = (answer: LookupAnswer): PromiseFulfilledResult<LookupAnswer> => ({ status: 'fulfilled', value: answer });
const failed = (reason: unknown): PromiseRejectedResult => ({ status: 'rejected', reason });
const BLOCK = found(LISTED_EXAMPLE);
const ALLOW = found(CLEAR_EXAMPLE);

describe('the severest of the answers', () => {
  it.each(ACTIONS.flatMap((a, i) => ACTIONS.map((b, j) => [a, b, Math.max(i, j)] as const)))(
    '%s and %s, in either order',
    (a, b, worst) => {
      const answers = [a, b].map((action) => found({ ...CLEAR_EXAMPLE, action }));
      expect(severest(answers).action).toBe(ACTIONS[worst]);
    },
  );

  it('is the first of two alike', () => {
    const other = found({ ...CLEAR_EXAMPLE, number: '+12025550199' });
    expect(severest([ALLOW, other])).toBe(CLEAR_EXAMPLE);
    expect(severest([other, ALLOW])).toBe(other.value);
  });

  it('of one is that one, or its failure', () => {
    expect(severest([BLOCK])).toBe(LISTED_EXAMPLE);
    expect(() => severest([failed(new Error('storage'))])).toThrow('storage');
  });

  it('is not known if one failed that could be severer', () => {
    for (const lookups of [
      [ALLOW, failed(new Error('storage'))],
      [failed(new Error('storage')), ALLOW],
      [failed(new Error('storage')), failed(new Error('second'))],
      [found({ ...LISTED_EXAMPLE, action: 'challenge' }), failed(new Error('storage'))],
    ]) {
      expect(() => severest(lookups)).toThrow('storage');
    }
    expect(severest([BLOCK, failed(new Error('storage'))])).toBe(LISTED_EXAMPLE);
    expect(severest([failed(new Error('storage')), BLOCK])).toBe(LISTED_EXAMPLE);
  });
});
