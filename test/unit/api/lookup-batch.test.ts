import { beforeEach, describe, expect, it } from 'vitest';
import { StorageUnavailable } from '../../../src/storage/store.ts';
import { Harness, LISTED } from './harness.ts';

let harness: Harness;

beforeEach(() => {
  harness = new Harness();
});

const post = (json: unknown) => harness.call('POST', '/v1/lookup/batch', { json });

interface Result {
  readonly number?: string;
  readonly verdict?: string;
  readonly input?: unknown;
}

async function results(json: unknown): Promise<readonly Result[]> {
  const answer = await post(json);
  expect(answer.status).toBe(200);
  return (answer.json as { results: Result[] }).results;
}

/** Numbers reserved for fiction, then others of the same exchange. */
function numbers(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `+1202555${String(i).padStart(4, '0')}`);
}

describe('a batch', () => {
  it('answers in the order of the numbers, and a bad one in its place', async () => {
    harness.findings.set(14155550132, null);
    const found = await results({
      numbers: ['+12025550123', 'nonsense', '+14155550132', 12025550199, null, { a: [1] }, '12025550199'],
      scenario: 'signup',
    });
    expect(found).toMatchObject([
      { number: '+12025550123', verdict: 'clear', action: 'allow' },
      { input: 'nonsense', error: { code: 'invalid-number', detail: expect.stringContaining('letters') } },
      { number: '+14155550132', verdict: 'unknown', action: null, neighbourhood: null, generation: null },
      { input: 12025550199, error: { code: 'invalid-number' } },
      { input: null, error: { code: 'invalid-number' } },
      { input: { a: [1] }, error: { code: 'invalid-number' } },
      { number: '+12025550199', verdict: 'clear' },
    ]);
    expect(harness.asked).toEqual([{ numbers: [12025550123, 14155550132, 12025550199], evidence: false }]);
  });

  it.each([
    ['the built-in rules', null],
    ['rules that ask for projects', 'verdict == "listed" && "acme" in projects'],
  ])('is answered from memory, as far as that goes, as from storage: %s', async (_, when) => {
    if (when !== null) {
      const rules = [{ id: 'mine', when, action: 'flag', mode: 'enforce' }];
      await harness.call('PUT', '/v1/policy?tenant=default', { json: { rules } });
    }
    // More than are read in one go, with errors, sandbox numbers and listed ones among them.
    const asked: unknown[] = numbers(300);
    for (const [i, input] of [null, 'nonsense', '+61491570156', '+61491570159', '+12025550000', { a: 1 }].entries()) {
      asked.splice(i * 50 + 7, 0, input);
    }
    for (const number of [12_025_550_003, 12_025_550_150, 12_025_550_299]) harness.findings.set(number, LISTED);
    harness.findings.set(12_025_550_200, null);
    const body = { numbers: asked, scenario: 'signup' };
    const { probe } = harness.services.finder;
    const fromStorage = await post(body);
    harness.inMemory = true;
    for (const known of [0, 1, 100, 128, 129, 250, 1000]) {
      let probes = 0;
      harness.services.finder.probe = (number, now) => (++probes > known ? { finding: null } : probe(number, now));
      expect((await post(body)).text).toBe(fromStorage.text);
    }
  });

  it('reads national numbers by country', async () => {
    expect(await results({ numbers: ['0917 123 4567'], country: 'PH' })).toMatchObject([{ number: '+639171234567' }]);
  });

  it('may be empty, and asks nothing then', async () => {
    expect(await results({ numbers: [] })).toEqual([]);
    expect(await results({ numbers: ['x'] })).toHaveLength(1);
    expect(harness.asked).toEqual([]);
  });

  it('of an earlier moment is refused: its answers would be those of now', async () => {
    const { status, json } = await post({ numbers: ['+12025550123'], asOf: '2020-01-01' });
    expect(status).toBe(400);
    expect(json).toMatchObject({ field: 'asOf', detail: expect.stringContaining('single lookups') });
    expect((await post({ numbers: ['+12025550123'], asOf: null })).status).toBe(200);
  });

  it('takes 1,000 numbers and no more', async () => {
    const found = await results({ numbers: numbers(1000) });
    expect(found.map(({ number }) => number)).toEqual(numbers(1000));
    const { status, code, json } = await post({ numbers: numbers(1001) });
    expect([status, code]).toEqual([400, 'invalid-request']);
    expect(json).toMatchObject({ detail: 'numbers: expected at most 1000 numbers', field: 'numbers' });
  });

  it.each([
    [{}, 'numbers: expected to be given'],
    [{ numbers: '+12025550123' }, 'numbers: expected a list of numbers as text'],
    [{ numbers: [], country: 'ZZ' }, 'country: expected'],
    [{ numbers: [], scenario: 1 }, 'scenario: expected text'],
  ])('is refused for %j', async (json, detail) => {
    const answer = await post(json);
    expect([answer.status, answer.code]).toEqual([400, 'invalid-request']);
    expect(answer.json).toMatchObject({ detail: expect.stringContaining(detail) });
  });

  it('is refused above 1 MiB', async () => {
    const body = JSON.stringify({ numbers: ['x'.repeat(1024 * 1024)] });
    const { status, code } = await harness.call('POST', '/v1/lookup/batch', { body });
    expect([status, code]).toEqual([413, 'payload-too-large']);
  });

  it('is 503 if there is no snapshot at all', async () => {
    harness.failure = new StorageUnavailable('no snapshot');
    const { status, code, json } = await post({ numbers: ['+12025550123'] });
    expect([status, code]).toEqual([503, 'storage-unavailable']);
    expect(json).toMatchObject({ verdict: 'unknown' });
  });
});
