/** Policies that are as large as they may be, or larger: the answer is the documented one, and comes soon. */
import { beforeEach, describe, expect, it } from 'vitest';
import { BOUNDS, LIMIT_MS, Scene, timed } from './attack-support.ts';

let scene: Scene;

beforeEach(async () => {
  scene = await Scene.open();
});

describe('a policy at its bounds', () => {
  const rules = (count: number, when: string) =>
    Array.from({ length: count }, (_, i) => ({ id: `r${i}`, when, action: 'flag', mode: 'enforce' }));
  const test = (when: string, count = 1) =>
    scene.harness.call('PUT', '/v1/policy', { key: scene.shop, json: { rules: rules(count, when), default: 'allow' } });

  it.each(BOUNDS)('takes %s, and refuses one more', async (_, within, beyond) => {
    const [at, tookMs] = await timed(() => test(within.when, within.count));
    expect(at.status).toBe(200);
    expect(tookMs).toBeLessThan(LIMIT_MS);
    expect((await timed(() => scene.lookup(scene.shop)))[1]).toBeLessThan(LIMIT_MS);
    const [above, refusedMs] = await timed(() => test(beyond.when, beyond.count));
    expect(above.code).toBe('invalid-policy');
    expect(refusedMs).toBeLessThan(LIMIT_MS);
    // A character or two of the expression are never told.
    expect(above.text.length).toBeLessThan(1000);
  });

  it('is refused above 512 KiB without being read', async () => {
    const answer = await test(`"${'x'.repeat(512 * 1024)}" == country`);
    expect(answer.code).toBe('payload-too-large');
  });

  it.each([
    ['brackets', '('.repeat(999), ')'.repeat(999)],
    ['lists', '['.repeat(999), ']'.repeat(999)],
    ['negations', '!'.repeat(1990), ''],
    ['signs', '-'.repeat(1990), ''],
    ['choices', 'true?true:'.repeat(199), ''],
    ['fields', 'level', '.a'.repeat(990)],
    ['indexes', 'labels', '[0]'.repeat(600)],
    ['macros', 'labels.exists(x,'.repeat(100), ')'.repeat(100)],
    ['quotes', '"'.repeat(1999), ''],
    ['escapes', '"', '\\'.repeat(1998)],
    ['comments', '//'.repeat(999), ''],
    ['line ends', '\n'.repeat(1990), 'tru'],
    ['a regular expression', 'country.matches("', '(a+)+$")'],
    ['a huge number', '9'.repeat(1990), ' > 1'],
    ['a lone surrogate', '\ud800', ''],
    ['a null', 'level\0', ' > 1'],
  ])('is refused in no time for %s', async (_, before, after) => {
    const [answer, ms] = await timed(() => test(`${before}${after}`, 100));
    expect(answer.code).toBe('invalid-policy');
    expect(answer.json).toMatchObject({ rule: 'r0', position: { line: expect.any(Number) } });
    expect(ms).toBeLessThan(LIMIT_MS);
    expect(scene.harness.logged).toEqual([]);
  });

  it('is refused as a body of a hundred thousand levels', async () => {
    for (const [method, path] of [
      ['PUT', '/v1/policy'],
      ['POST', '/v1/policy/test'],
    ] as const) {
      const body = `{"rules":${'['.repeat(100_000)}${']'.repeat(100_000)}}`;
      expect((await scene.harness.call(method, path, { key: scene.shop, body })).code).toBe('invalid-request');
    }
  });
});
