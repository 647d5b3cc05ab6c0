/** The numbers that answer by themselves; docs/MIDDLEWARE.md and the README name them. */
import { expect, it } from 'vitest';
import { SANDBOX } from '../../../src/http/sandbox.ts';
import { parseNumber } from '../../../src/number/parse.ts';
import { Harness } from './harness.ts';

const harness = new Harness();
const lookup = (number: number, more: object = {}) =>
  harness.call('POST', '/v1/lookup', { json: { number: `+${number}`, ...more } });

it('are valid numbers, so that every form accepts them', () => {
  for (const number of Object.values(SANDBOX)) {
    expect(parseNumber(`+${number}`)).toMatchObject({ ok: true, value: { country: 'AU', lineType: 'mobile' } });
  }
});

it('answer listed, suspect, clear, unknown and 429, and the store is never asked', async () => {
  expect((await lookup(SANDBOX.listed, { evidence: true })).json).toMatchObject({
    verdict: 'listed',
    level: 9,
    action: 'block',
    lastSeen: '2025-05-30',
    evidence: [{ project: 'sandbox' }],
  });
  expect((await lookup(SANDBOX.suspect)).json).toMatchObject({ verdict: 'suspect', action: 'challenge' });
  expect((await lookup(SANDBOX.clear)).json).toMatchObject({ verdict: 'clear', action: 'allow' });
  const unknown = await lookup(SANDBOX.unknown);
  expect([unknown.status, unknown.json]).toMatchObject([503, { verdict: 'unknown' }]);
  const spent = await lookup(SANDBOX.quotaExceeded);
  expect([spent.status, spent.code, spent.headers.get('retry-after')]).toEqual([429, 'quota-exceeded', '60']);
  expect(harness.asked).toEqual([]);
});

it('stand among others in a batch', async () => {
  const sandbox = [SANDBOX.listed, SANDBOX.unknown, SANDBOX.quotaExceeded].map((number) => `+${number}`);
  const numbers = ['+12025550123', ...sandbox, '+12025550124', `+${SANDBOX.clear}`];
  const { json } = await harness.call('POST', '/v1/lookup/batch', { json: { numbers } });
  const { results } = json as { results: { number: string; verdict: string }[] };
  expect(results.map(({ number, verdict }) => [number, verdict])).toEqual([
    ['+12025550123', 'clear'],
    [`+${SANDBOX.listed}`, 'listed'],
    [`+${SANDBOX.unknown}`, 'unknown'],
    // Anyone can type it into a form: it must not take the others with it.
    [`+${SANDBOX.quotaExceeded}`, 'unknown'],
    ['+12025550124', 'clear'],
    [`+${SANDBOX.clear}`, 'clear'],
  ]);
  expect(harness.asked.at(-1)?.numbers).toEqual([12_025_550_123, 12_025_550_124]);
});

it('numbers beside them are looked up', async () => {
  for (const number of [
    SANDBOX.listed - 1,
    SANDBOX.unknown + 1,
    SANDBOX.quotaExceeded + 1,
    SANDBOX.quotaExceeded - 1,
  ]) {
    harness.asked.length = 0;
    await lookup(number);
    expect(harness.asked).toHaveLength(1);
  }
});
