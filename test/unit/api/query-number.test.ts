/** GET and POST give the same answer for the same text, however a client escapes it. */
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { numberInQuery } from '../../../src/api/request.ts';
import { Harness } from './harness.ts';

const RUNS = { seed: 3, numRuns: 1_000 };

let harness: Harness;
beforeEach(() => {
  harness = new Harness();
});

/** The number that was looked up, or the detail of the refusal. */
async function outcome(answer: ReturnType<Harness['call']>): Promise<unknown> {
  const { json } = await answer;
  const { number, detail } = Object(json);
  return number ?? detail;
}
const post = (number: string, country: string) =>
  outcome(harness.call('POST', '/v1/lookup', { json: { number, country } }));
const get = (raw: string, country: string) =>
  outcome(harness.call('GET', `/v1/lookup?number=${raw}&country=${country}`));

const unescapedPlus = (text: string) => encodeURIComponent(text).replaceAll('%2B', '+');
const form = (text: string) => new URLSearchParams({ number: text }).toString().slice('number='.length);

describe('a number in the query', () => {
  it.each<[raw: string, country: string, number: string]>([
    ['+15715550123', 'DE', '+15715550123'],
    ['%2B15715550123', 'DE', '+15715550123'],
    ['tel:+15715550123', 'DE', '+15715550123'],
    ['tel%3A+15715550123', 'DE', '+15715550123'],
    ['(+1)5715550123', 'DE', '+15715550123'],
    ['%28+1%29+571+555+0123', 'DE', '+15715550123'],
    ['%E2%80%8E+15715550123', 'DE', '+15715550123'],
    ['%E2%80%AA+1%20571%20555%200123%E2%80%AC', 'DE', '+15715550123'],
    ['%20+15715550123', 'DE', '+15715550123'],
    ['%20%2B15715550123', 'DE', '+15715550123'],
    ['+%2B15715550123', 'DE', '+15715550123'],
    ['%2B1+571+555+0123', 'DE', '+15715550123'],
    ['+1+571+555+0123', 'DE', '+15715550123'],
    ['%2b1%20571%20555%200123', 'DE', '+15715550123'],
    ['%2015715550123', 'DE', '+4915715550123'],
    ['%20%2015715550123', 'DE', '+4915715550123'],
    ['15715550123', 'DE', '+4915715550123'],
    ['0157%2015550123', 'DE', '+4915715550123'],
    ['0157+15550123', 'DE', '+4915715550123'],
    ['+%D9%A1%D9%A5%D9%A7%D9%A1+5550123', 'DE', '+15715550123'],
  ])('%s with %s is %s', async (raw, country, number) => {
    expect(await get(raw, country)).toBe(number);
  });

  it.each(['%20%2B12025550123', '%20%20%2B12025550123', '%2B1%20202%20555%200123'])(
    '%s is refused by nobody',
    async (raw) => {
      const { status, json } = await harness.call('GET', `/v1/lookup?number=${raw}`);
      expect([status, Object(json).number]).toEqual([200, '+12025550123']);
    },
  );

  it('is found whatever stands beside it, under an escaped name, and with what is no UTF-8', () => {
    const of = (query: string) => numberInQuery(`https://ringfence.example/v1/lookup${query}`);
    expect(of('?a=1&number=+1&b=2')).toBe('+1');
    expect(of('?%6Eumber=+1')).toBe('+1');
    expect(of('?number=a=b')).toBe('a=b');
    expect(of('?number=')).toBe('');
    expect(of('?number')).toBe('');
    expect(of('?number=+1#number=+2')).toBe('+1');
    expect(of('?number=%&x')).toBe('%');
    expect(of('?number=%FF1')).toBe('\ufffd1');
    expect(of('?numbers=1')).toBeUndefined();
    expect(of('')).toBeUndefined();
  });
});

describe('GET is POST', () => {
  const digits = fc.constantFrom(
    '15715550123',
    '1 571 555 0123',
    '571 5550123',
    '015715550123',
    '4930231250',
    '030 231250',
  );
  const mark = fc.constantFrom('', ' ', '+', '(', ')', 'tel:', '\u200e', '\u202a', '\u00a0', '\t', '++', ' +', '+ ');
  const numbers = fc.tuple(mark, mark, mark, digits, fc.constantFrom('', ' ', ')', '\u202c', '.0', ' ext 5', '-12'));
  const anything = fc.string({
    unit: fc.constantFrom(...'0157 +()-./:;=%&#', '\u200e', 'tel:', '٣', 'é'),
    maxLength: 24,
  });
  const texts = fc.oneof(
    numbers.map((parts) => parts.join('')),
    anything,
  );
  const countries = fc.constantFrom('DE', 'US', '');

  it('for any text that is escaped', async () => {
    await fc.assert(
      fc.asyncProperty(texts, countries, async (text, country) => {
        expect(await get(encodeURIComponent(text), country)).toEqual(await post(text, country));
      }),
      RUNS,
    );
  }, 60_000);

  it('for any text with its plus signs unescaped, where a number can have them: before its digits', async () => {
    await fc.assert(
      fc.asyncProperty(texts, countries, async (text, country) => {
        fc.pre(!/\p{Nd}.*\+/su.test(text));
        expect(await get(unescapedPlus(text), country)).toEqual(await post(text, country));
      }),
      RUNS,
    );
  }, 60_000);

  it('for any text as a form escapes it, that does not begin with a space', async () => {
    await fc.assert(
      fc.asyncProperty(texts, countries, async (text, country) => {
        fc.pre(text.includes('+') || !/^\P{Nd}* /u.test(text));
        expect(await get(form(text), country)).toEqual(await post(text, country));
      }),
      RUNS,
    );
  }, 60_000);
});

describe('every route with a number in the query', () => {
  const override = { number: '+15715550123', list: 'allow', reason: 'a test' };

  it.each(['tel:+15715550123', '(+1)5715550123', '%20%2B15715550123', '%E2%80%8E+15715550123'])(
    'takes %s',
    async (raw) => {
      await harness.call('PUT', '/v1/overrides', { json: override });
      const path = `/v1/overrides?country=DE&number=${raw}`;
      expect((await harness.call('GET', path)).json).toMatchObject({ number: override.number });
      expect((await harness.call('DELETE', path)).status).toBe(204);
      await harness.call('PUT', '/v1/canaries', { json: { number: override.number } });
      expect((await harness.call('DELETE', `/v1/canaries?number=${raw}`)).status).toBe(204);
    },
  );

  it.each([
    ['GET', '/v1/lookup?number=%2B12025550123&number=%2B12025550124', 'number'],
    ['GET', '/v1/lookup?number=%2B12025550123&number=%2B12025550123', 'number'],
    ['GET', '/v1/lookup?number=%2B12025550123&%6eumber=%2B12025550124', 'number'],
    ['GET', '/v1/lookup?number=%2B12025550123&number', 'number'],
    ['GET', '/v1/lookup?number=2025550123&country=US&country=CA', 'country'],
    ['GET', '/v1/lookup?number=%2B12025550123&scenario=a&scenario=b', 'scenario'],
    ['GET', '/v1/lookup?number=%2B12025550123&asOf=1&asOf=2', 'asOf'],
    ['GET', '/v1/overrides?number=%2B12025550123&number=%2B12025550124', 'number'],
    ['DELETE', '/v1/overrides?number=%2B12025550123&number=%2B12025550124', 'number'],
    ['DELETE', '/v1/canaries?number=%2B12025550123&number=%2B12025550124', 'number'],
    ['GET', '/v1/overrides?tenant=a&tenant=b', 'tenant'],
    ['PUT', '/v1/policy?tenant=a&tenant=b', 'tenant'],
    ['GET', '/v1/policy?version=1&version=2', 'version'],
    ['GET', '/v1/audit?before=a&before=b', 'before'],
  ] as const)('%s %s is refused: nobody says which %s counts', async (method, path, field) => {
    const { status, code, json } = await harness.call(method, path);
    expect([status, code]).toEqual([400, 'invalid-request']);
    expect(json).toMatchObject({ field, detail: `${field}: expected at most once` });
    expect(harness.asked).toEqual([]);
  });

  it('asks for a key before that, and does not mind parameters that it does not know', async () => {
    const twice = '/v1/lookup?number=%2B12025550123&number=1';
    expect((await harness.call('GET', twice, { key: null })).status).toBe(401);
    expect((await harness.call('GET', '/v1/lookup?number=%2B12025550123&utm=1&utm=2')).status).toBe(200);
  });
});
