/** Which number the check asks for, whatever a framework has made of it, and that the answer is about that one. */
import fc from 'fast-check';
import { parsePhoneNumberFromString } from 'libphonenumber-js/max';
import { describe, expect, it } from 'vitest';
import { lookupOne } from '../../../../src/lookup/lookup.ts';
import { parseNumber } from '../../../../src/phone/parse.ts';
import { createCheck } from '../../../../src/sdk/middleware/check.ts';
import type { LookupQuery, LookupSource, Subject } from '../../../../src/sdk/middleware/types.ts';
import { Harness } from '../../api/harness.ts';
import { samplesOfEveryRange } from '../../phone/corpus.ts';
import { ADAPTERS, CLEAR, FakeSource, LISTED, NUMBER, signup, UNKNOWN } from './support.ts';

const RUNS = { seed: 8, numRuns: 5_000 };

/** The service, with numbers that are listed and so blocked; all others are clear. */
function service(...listed: readonly number[]): LookupSource & { readonly asked: LookupQuery[] } {
  const harness = new Harness();
  for (const number of listed) {
    const record = {
      labels: ['modem_pool_card'],
      channels: ['other'],
      industries: [],
      firstDay: 20_225,
      lastDay: 20_237,
    };
    harness.findings.set(number, {
      generation: 7,
      ageSeconds: 2,
      record: { ...record, sightings: 12 } as never,
      hundred: 0,
      thousand: 0,
      score: 0,
    });
  }
  const asked: LookupQuery[] = [];
  return {
    asked,
    lookup: async (query) => {
      asked.push(query);
      try {
        return { ok: true, answer: await lookupOne(harness.services, 'default', query) };
      } catch (error) {
        const { status, code, message } = error as { status: number; code: string; message: string };
        return { ok: false, status, code, detail: message };
      }
    },
  };
}

const US = 12_025_550_123;

describe('a listed number is blocked, however it is sent', () => {
  it.each<[form: string, phone: unknown]>([
    ['text', `+${US}`],
    ['a JSON number', US],
    ['a list of one', [`+${US}`]],
    ['a list of one JSON number', [US]],
    ['an extension', `+${US} ext 5`],
    ['an extension by an x', `+${US}x5`],
    ['an extension of a tel: URI', `tel:+${US};ext=5`],
    ['an extension without a tel:', `+${US};ext=5`],
    ['spaces around it', `${' '.repeat(300)}+${US}${' '.repeat(300)}`],
    ['other white space around it', `${'\t\r\n\u00a0'.repeat(100)}+${US}`],
    ['invisible characters in it', `+1${'\u200b'.repeat(200)}2025550123`],
    ['decimals of a spreadsheet', `${US}.00`],
    ['other digits', '＋１２０２５５５０１２３'],
    ['a lost plus', ` ${US}`],
  ])('%s', async (_form, phone) => {
    for (const [, build] of ADAPTERS) {
      const app = build({ from: service(US) }, () => new Response(null, { status: 201 }));
      expect((await app(signup({ phone }))).status).toBe(403);
    }
    expect(await createCheck({ from: service(US) })({ number: phone as string })).toMatchObject({
      outcome: 'block',
      error: null,
      answer: { number: `+${US}`, verdict: 'listed' },
    });
  });

  it.each(['+52 1 55 1234 5678', '044 55 1234 5678', 5215512345678, 525512345678])('%s of Mexico', async (number) => {
    const check = createCheck({ from: service(525512345678) });
    expect(await check({ number, country: 'MX' })).toMatchObject({ outcome: 'block', error: null });
  });

  it.each<[error: string, number: Subject['number']]>([
    ['invalid-number', 'nobody'],
    ['invalid-number', '+1 202'],
    ['invalid-number', '12'],
    ['invalid-number', `+${US}#`],
    ['invalid-number', 0],
    ['invalid-number', -US],
    ['invalid-number', `${US}.5`],
    ['not-text', US + 0.5],
    ['not-text', `+${US}`.repeat(40)],
    ['not-text', [`+${US}`, `+${US}`]],
  ])('%s: %j is blocked, unless it is said that it is not', async (error, number) => {
    expect(await createCheck({ from: service() })({ number })).toMatchObject({ outcome: 'block', pass: false, error });
    const allowing = createCheck({ from: service(), onBadNumber: 'allow' });
    expect(await allowing({ number })).toMatchObject({ outcome: 'allow', pass: true, error });
  });
});

describe('a plus that may be lost', () => {
  const ABROAD = 15_715_550_123;
  const AT_HOME = 4_915_715_550_123;
  const lost: Subject['number'][] = [
    ' 15715550123',
    ' 1 571 555 0123',
    'tel: 15715550123',
    '( 1)5715550123',
    '\u200e 15715550123',
    '\u202a 1 571 555 0123\u202c',
    [' 15715550123'],
    15_715_550_123,
    [15_715_550_123],
  ];

  it.each(lost)('%j is read both ways, and the worse one counts', async (number) => {
    const subject = { number, country: 'DE' };
    for (const listed of [ABROAD, AT_HOME]) {
      expect(await createCheck({ from: service(listed) })(subject)).toMatchObject({
        outcome: 'block',
        error: null,
        answer: { number: `+${listed}` },
      });
    }
    expect(await createCheck({ from: service() })(subject)).toMatchObject({
      outcome: 'allow',
      error: null,
      answer: { number: `+${AT_HOME}` },
    });
  });

  it.each(['15715550123', '0157 15550123', '1 571 555 0123', '(0157) 1555 0123', '\t15715550123'])(
    '%j has none: it is what the country makes of it',
    async (number) => {
      const from = service(ABROAD);
      expect(await createCheck({ from })({ number, country: 'DE' })).toMatchObject({ outcome: 'allow' });
      expect(from.asked).toEqual([{ number, country: 'DE' }]);
    },
  );

  it('an urlencoded form with an unescaped plus, as frameworks parse it', async () => {
    const form = new URLSearchParams('phone=+15715550123&other=tel:+1');
    const check = createCheck({ from: service(ABROAD) });
    expect(await check({ number: form.get('phone'), country: 'DE' })).toMatchObject({ outcome: 'block' });
  });

  it('without a country there is nothing to tell apart', async () => {
    const from = service(ABROAD);
    expect(await createCheck({ from })({ number: ' 15715550123' })).toMatchObject({ outcome: 'block' });
  });

  it('for any number of any country, whose plus a form has lost', async () => {
    const samples = samplesOfEveryRange(1, RUNS.seed).filter(({ digits }) => parseNumber(`+${digits}`).ok);
    const countries = fc.constantFrom('DE', 'US', 'IN', 'ID', 'IT', 'MX', 'PH', 'GB');
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...samples), countries, async ({ digits }, country) => {
        const parsed = parseNumber(`+${digits}`);
        if (!parsed.ok) throw new Error('a number that is none');
        const spaced = parsePhoneNumberFromString(`+${digits}`)?.formatInternational() ?? '';
        for (const written of [`+${digits}`, spaced]) {
          const number = new URLSearchParams(`phone=${written}`).get('phone');
          const check = createCheck({ from: service(parsed.value.number) });
          expect(await check({ number, country })).toMatchObject({ outcome: 'block', error: null });
        }
      }),
      { ...RUNS, numRuns: 300 },
    );
  }, 60_000);
});

it.each([
  ['+62812123456 ext 78', 6281212345678],
  ['tel:+62812123456;ext=78', 6281212345678],
  ['tel:+62812123456;a٧=8', 6281212345678],
  ['tel:+62812123456;ext=7८', 6281212345678],
  ['+4366012345 ext. 670', 4366012345670],
  ['+551198765432 x1', 5511987654321],
  ['+62812123456.0', 628121234560],
  ['62812123456 , 0', 628121234560],
])('digits that are ignored after a number do not hide one that is listed: %s', async (number, listed) => {
  expect(await createCheck({ from: service(listed) })({ number })).toMatchObject({ outcome: 'block', pass: false });
  const spaced = number.replace(/^(tel:)?\+?/, '$1 ');
  const lost = await createCheck({ from: service(listed) })({ number: spaced, country: 'DE' });
  expect(lost).toMatchObject({ outcome: 'block', pass: false });
});

describe('an answer about another number', () => {
  it.each([
    ['clear', CLEAR],
    ['listed', LISTED],
  ])('is an error of the source, be it %s', async (_verdict, answer) => {
    for (const onError of ['allow', 'block'] as const) {
      const check = createCheck({
        from: new FakeSource(answer),
        onError,
        onBadNumber: onError === 'allow' ? 'block' : 'allow',
      });
      for (const number of ['+12025550124', '+61491570156', '0491 570 156', 61491570156, ' ٦١٤٩١٥٧٠١٥٦']) {
        expect(await check({ number })).toMatchObject({ outcome: onError, error: 'another-number', answer: null });
      }
      expect(await check({ number: NUMBER })).toMatchObject({ outcome: answer.action, error: null });
    }
  });

  it('"unknown" is unavailable, whatever it is about', async () => {
    expect(await createCheck({ from: new FakeSource(UNKNOWN) })({ number: '+61491570156' })).toMatchObject({
      error: 'unavailable',
    });
  });

  it('is never found in what the lookup reads, however it is written: nobody gets past by a spelling', async () => {
    const numbers = samplesOfEveryRange(2, RUNS.seed)
      .map(({ digits }) => parsePhoneNumberFromString(`+${digits}`))
      .filter((number) => number?.isValid() === true);
    const noise = fc.constantFrom('', '', '', ' ', '.', '-', '(', ')', '/', '\u200b', '\u00a0');
    const tail = fc.constantFrom(
      '',
      '',
      '.00',
      ' ext 98765',
      ';ext=1',
      'x12',
      ';isub=99;phone-context=+4930',
      ';phone-context=+49',
    );
    const text = fc
      .tuple(fc.constantFrom(...numbers), fc.nat(7), noise, fc.nat(20), tail, fc.nat(3))
      .map(([number, which, mark, at, end, script]) => {
        if (number === undefined) throw new Error('no number');
        const spellings = [
          number.number,
          number.number.slice(1),
          number.formatInternational(),
          number.formatNational(),
          ` ${number.formatInternational().slice(1)}`,
          number.getURI(),
          `tel:${number.nationalNumber};ext=12345;phone-context=+${number.countryCallingCode};a=9`,
          `tel:${number.nationalNumber.slice(-4)};phone-context=+${number.countryCallingCode}${number.nationalNumber.slice(0, -4)};b=7`,
        ];
        const written = spellings[which] ?? '';
        const noisy = written.slice(0, at) + mark + written.slice(at) + end;
        const zero = [0x30, 0xff10, 0x660, 0x6f0][script] ?? 0x30;
        const digits = noisy.replace(/\d/g, (digit) => String.fromCharCode(zero + Number(digit)));
        return { number: digits, country: number.country ?? 'US' };
      });
    let read = 0;
    const check = createCheck({ from: service(), timeoutMs: 60_000 });
    await fc.assert(
      fc.asyncProperty(text, async (subject) => {
        const { error } = await check(subject);
        if (error === null) read++;
        expect(error === null || error === 'invalid-number').toBe(true);
      }),
      RUNS,
    );
    expect(read).toBeGreaterThan(RUNS.numRuns / 3);
  }, 60_000);
});
