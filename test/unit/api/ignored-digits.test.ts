/** A lookup of a text with digits after its number: who keeps nothing but digits sends to another number. */
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { lookupByRpc } from '../../../src/api/rpc.ts';
import { parseNumber } from '../../../src/phone/parse.ts';
import { samplesOfEveryRange } from '../phone/corpus.ts';
import { Harness, LISTED } from './harness.ts';

let harness: Harness;
beforeEach(() => {
  harness = new Harness();
});

const post = async (number: string, more: object = {}) =>
  harness.call('POST', '/v1/lookup', { json: { number, ...more } });

/** The number is the one that is listed, the text reads as another. */
const HIDDEN: readonly (readonly [text: string, listed: number, country?: string])[] = [
  ['+62812123456 ext 78', 6281212345678],
  ['62812123456 extension: 78', 6281212345678],
  ['0812123456, ext. 78', 6281212345678, 'ID'],
  ['+62812123456;ext=78', 6281212345678],
  ['tel:+62812123456;ext=78', 6281212345678],
  ['tel:+62812123456;ext=7;isub=8', 6281212345678],
  ['tel:+62812123456;a7=8', 6281212345678],
  ['tel:+62812123456;ext=٧８', 6281212345678],
  ['tel:+62812123456;phone-context=+78', 6281212345678],
  ['tel:9171234567;phone-context=+63', 917123456763],
  ['tel:0812123456;ext=78', 6281212345678, 'ID'],
  ['+39347123456 ext 7', 393471234567],
  ['+4366012345 ext. 670', 4366012345670],
  ['tel:+62812123456;isub=0', 628121234560],
  ['tel:+62812123456;a=0', 628121234560],
  ['+551198765432 x1', 5511987654321],
  ['+551198765432 ext 1', 5511987654321],
  ['+62812123456.0', 628121234560],
  ['62812123456.0', 628121234560],
  ['62,812,123,456.0', 628121234560],
  ['+62812123456 , 0', 628121234560],
  ['+62812123456.0 ext 78', 62812123456078],
  ['tel:+62812123456.0;ext=7', 6281212345607],
];

describe('a listed number is not clear because some of its digits stand where they are ignored', () => {
  it.each(HIDDEN.map(([text, listed, country]) => ({ text, listed, country })))('$text', async (hidden) => {
    const { text, listed, country } = hidden;
    harness.findings.set(listed, LISTED);
    const answer = { number: `+${listed}`, verdict: 'listed', action: 'block' };
    const more = country === undefined ? {} : { country };
    for (const inMemory of [false, true]) {
      harness.inMemory = inMemory;
      for (const asked of [
        {},
        { evidence: true },
        { receipt: true },
        { asOf: '2025-05-30' },
        { plusMayBeLost: true },
      ]) {
        expect((await post(text, { ...more, ...asked })).json).toMatchObject(answer);
      }
      const query = new URLSearchParams({ number: text, ...more }).toString();
      expect((await harness.call('GET', `/v1/lookup?${query}`)).json).toMatchObject(answer);
      expect(await lookupByRpc(harness.services, {}, { number: text, ...more })).toMatchObject({ ok: true, answer });
    }
  });

  it('of all plans, whatever the split', async () => {
    const pairs = ambiguousPairs();
    expect(pairs.length).toBeGreaterThan(500);
    let answered = 0;
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...pairs), fc.constantFrom(...FORMS), async ([head, tail, listed], form) => {
        harness.findings.clear();
        harness.findings.set(listed, LISTED);
        const text = form(head, tail);
        if (text === null) return;
        const { status, json } = await post(text);
        if (status === 200) {
          expect(json).toMatchObject({ number: `+${listed}`, action: 'block' });
          answered++;
        } else expect(status).toBe(400);
      }),
      { seed: 16, numRuns: 3_000 },
    );
    expect(answered).toBeGreaterThan(1_000);
  });
});

type Form = (head: string, tail: string) => string | null;
const FORMS: readonly Form[] = [
  (head, tail) => `+${head} ext ${tail}`,
  (head, tail) => `${head} extn. ${tail}`,
  (head, tail) => `+${head} x${tail}`,
  (head, tail) => `+${head};ext=${tail}`,
  (head, tail) => `tel:+${head};ext=${tail}`,
  (head, tail) => `tel:+${head};isub=${tail}`,
  (head, tail) => `tel:${head};a=${tail.slice(0, 1)};b=${tail.slice(1)}`,
  (head, tail) => (/^0+$/.test(tail) ? `+${head}.${tail}` : null),
  (head, tail) => (/^0+$/.test(tail) ? `${head} , ${tail}` : null),
];

/** Numbers of all plans, of which the beginning is a number too: the beginning, the rest, and what the whole is. */
function ambiguousPairs(): [head: string, tail: string, whole: number][] {
  const pairs: [string, string, number][] = [];
  for (const { digits } of samplesOfEveryRange(10, 25)) {
    for (const whole of [digits, `${digits.slice(0, -1)}0`, `${digits.slice(0, -2)}00`]) {
      const read = parseNumber(`+${whole}`);
      if (!read.ok) continue;
      for (let length = 1; length <= 7; length++) {
        const head = parseNumber(`+${whole.slice(0, -length)}`);
        if (!head.ok || head.value.number === read.value.number) continue;
        pairs.push([whole.slice(0, -length), whole.slice(-length), read.value.number]);
      }
    }
  }
  return pairs;
}

describe('who is honest', () => {
  it('is answered for the number itself, if neither or both are listed', async () => {
    expect((await post('+62812123456 ext 78')).json).toMatchObject({ number: '+62812123456', verdict: 'clear' });
    harness.findings.set(62812123456, LISTED);
    harness.findings.set(6281212345678, LISTED);
    expect((await post('+62812123456 ext 78')).json).toMatchObject({ number: '+62812123456', verdict: 'listed' });
  });

  it('has one lookup where nothing else is a number, or nothing is ignored', async () => {
    for (const text of ['+12025550123 ext 5', '+12025550123', '(202) 555-0123', 'tel:+1-202-555-0123;ext=5']) {
      harness.asked.length = 0;
      expect((await post(text, { country: 'US' })).json).toMatchObject({ number: '+12025550123', verdict: 'clear' });
      expect(harness.asked).toHaveLength(1);
    }
  });

  it('and in a list has the number without the ignored digits: nobody is waiting behind it', async () => {
    harness.findings.set(628121234560, LISTED);
    const { json } = await harness.call('POST', '/v1/lookup/batch', { json: { numbers: ['62812123456.0'] } });
    expect(json).toMatchObject({ results: [{ number: '+62812123456', verdict: 'clear' }] });
    expect(parseNumber('62811555010.0')).toEqual(parseNumber('62811555010'));
  });
});

it('digits of other scripts in a parameter are refused: not every reader knows them', async () => {
  for (const text of ['tel:+62812123456;ext=७८', 'tel:+62812123456;a=\u{1d7d5}']) {
    expect(await post(text)).toMatchObject({ status: 400, code: 'invalid-number' });
  }
});
