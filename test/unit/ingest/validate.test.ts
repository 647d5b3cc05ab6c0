import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MAX_NAME_CHARS } from '../../../src/format/attributes.ts';
import {
  MAX_LINK_CHARS,
  MAX_SIGHTINGS,
  MIN_OBSERVED_AT,
  REJECT_REASONS,
  Rejection,
  validateLine,
} from '../../../src/ingest/validate.ts';
import { dramaNumber, LABELS, NOW_MS } from './support.ts';

const NOW = NOW_MS / 1000;
const DAY = 86_400;
const NUMBER = dramaNumber(7);
const LINK = 'https://Receiver.example/t/s3cr3t?phone=1';

function validate(raw: Record<string, unknown>) {
  return validateLine(raw, { nowMs: NOW_MS + 999, labels: LABELS });
}

function isoDay(seconds: number): string {
  return new Date(seconds * 1000).toISOString();
}

test('a number alone gets the defaults', () => {
  expect(validate({ number: `+${NUMBER}` })).toEqual({
    number: Number(NUMBER),
    observedAt: NOW,
    firstSeenAt: NOW,
    sightings: 1,
    label: 'reported_abuse',
    channel: 'other',
    industry: null,
    project: null,
    link: null,
    source: null,
  });
});

test('every field', () => {
  const detection = validate({
    number: ' 020 7946 0007 ',
    country: 'gb',
    observedAt: '2025-05-29T10:00:00+02:00',
    firstSeen: '2025-05-17',
    sightings: 12,
    label: 'public_sms_receiver',
    channel: 'api_receiver',
    industry: 'social_media',
    project: ' Käufer 1 ',
    link: ` ${LINK} `,
    source: 'feed-a',
    ignored: { anything: true },
  });
  expect(detection).toEqual({
    number: Number(NUMBER),
    observedAt: Date.UTC(2025, 4, 29, 8) / 1000,
    firstSeenAt: Date.UTC(2025, 4, 17) / 1000,
    sightings: 12,
    label: 'public_sms_receiver',
    channel: 'api_receiver',
    industry: 'social_media',
    project: 'Käufer 1',
    link: { host: 'receiver.example', sha256: createHash('sha256').update(LINK).digest('hex') },
    source: 'feed-a',
  });
});

test.each([undefined, null, '', '  '])('%j is the same as absent', (absent) => {
  const fields = ['country', 'observedAt', 'firstSeen', 'sightings', 'label', 'channel', 'industry', 'project', 'link'];
  const raw = Object.fromEntries([...fields, 'source'].map((field) => [field, absent]));
  expect(validate({ number: NUMBER, ...raw })).toEqual(validate({ number: NUMBER }));
});

describe('accepted at the edge', () => {
  test.each<[string, Record<string, unknown>, Record<string, unknown>]>([
    ['an integer for a number', { number: Number(NUMBER) }, { number: Number(NUMBER) }],
    ['sightings as text', { sightings: '12' }, { sightings: 12 }],
    ['most sightings', { sightings: MAX_SIGHTINGS }, { sightings: MAX_SIGHTINGS }],
    ['a day ahead', { observedAt: isoDay(NOW + DAY) }, { observedAt: NOW + DAY }],
    ['the first second of 2000', { observedAt: '2000-01-01' }, { observedAt: MIN_OBSERVED_AT }],
    ['first seen when observed', { observedAt: '2025-01-01', firstSeen: '2025-01-01' }, { firstSeenAt: 1735689600 }],
    ['longest name', { project: 'x'.repeat(MAX_NAME_CHARS) }, { project: 'x'.repeat(MAX_NAME_CHARS) }],
  ])('%s', (_, raw, expected) => {
    expect(validate({ number: NUMBER, ...raw })).toMatchObject(expected);
  });
});

describe('rejected', () => {
  test.each<[string, Record<string, unknown>, string, string]>([
    ['no number', { number: undefined }, 'invalid-number', 'expected a phone number; found none'],
    ['null for a number', { number: null }, 'invalid-number', 'expected a phone number; found none'],
    ['blank number', { number: '  ' }, 'invalid-number', 'found 0 characters'],
    ['endless number', { number: '1'.repeat(200) }, 'invalid-number', 'found 200 characters'],
    ['not a number', { number: 'abc' }, 'invalid-number', ''],
    ['number of no plan', { number: '99912345' }, 'invalid-number', ''],
    ['fraction for a number', { number: 1.5 }, 'invalid-number', 'found number'],
    ['list for a number', { number: [NUMBER] }, 'invalid-number', 'found object'],
    ['country by name', { country: 'Great Britain' }, 'invalid-country', 'found "Great Britain"'],
    ['country that is none', { country: 'ZZ' }, 'invalid-country', 'found "ZZ"'],
    ['date of another land', { observedAt: '31/05/2025' }, 'invalid-date', 'found "##/##/####"'],
    ['seconds', { observedAt: 1748736000 }, 'invalid-date', 'found number'],
    ['time without offset', { observedAt: '2025-05-01T10:00:00' }, 'invalid-date', 'found "####-##-##a##:##:##"'],
    ['too far ahead', { observedAt: isoDay(NOW + DAY + 1) }, 'invalid-date', 'one day ahead of 2025-06-01'],
    ['before 2000', { observedAt: '1999-12-31' }, 'invalid-date', 'not before 2000-01-01; found 1999-12-31'],
    ['first seen before 2000', { firstSeen: '1970-01-01' }, 'invalid-date', 'firstSeen not before 2000-01-01'],
    [
      'first seen after observed',
      { observedAt: '2025-01-01', firstSeen: '2025-01-02' },
      'invalid-date',
      'found 2025-01-02 after 2025-01-01',
    ],
    ['unknown label', { label: 'spam' }, 'unknown-label', 'expected label modem_pool_card, public_sms_receiver, '],
    ['label in other case', { label: 'Reported_Abuse' }, 'unknown-label', 'found "Reported_Abuse"'],
    ['label that is a list', { label: ['x'] }, 'unknown-label', 'found object'],
    ['unknown channel', { channel: 'sms' }, 'unknown-channel', 'otp_marketplace, api_receiver'],
    ['unknown industry', { industry: 'banking' }, 'unknown-industry', 'found "banking"'],
    ['long project', { project: 'x'.repeat(129) }, 'invalid-text', 'at most 128 characters; found 129'],
    ['line break in a project', { project: 'a\nb' }, 'invalid-text', 'control characters'],
    ['NUL in a source', { source: 'a\u0000b' }, 'invalid-text', 'control characters'],
    ['line separator in a project', { project: 'a\u2028b' }, 'invalid-text', 'line separators'],
    ['paragraph separator in a source', { source: 'a\u2029b' }, 'invalid-text', 'line separators'],
    ['text that runs backwards in a source', { source: 'a\u202eb' }, 'invalid-text', 'characters that nobody sees'],
    ['half a character', { source: 'a\ud800' }, 'invalid-text', 'half a character'],
    ['project as a number', { project: 5 }, 'invalid-text', 'found number'],
    ['link without scheme', { link: 'receiver.example/x' }, 'invalid-link', 'not a URL'],
    ['link of another scheme', { link: 'javascript:alert(1)' }, 'invalid-link', 'another scheme'],
    ['long link', { link: `https://a.example/${'x'.repeat(MAX_LINK_CHARS)}` }, 'invalid-link', 'at most 2048'],
    ['no sightings', { sightings: 0 }, 'invalid-sightings', 'from 1 to 1000000'],
    ['half a sighting', { sightings: 1.5 }, 'invalid-sightings', 'another number'],
    ['too many sightings', { sightings: 1_000_001 }, 'invalid-sightings', 'found more'],
    ['sightings in words', { sightings: 'many' }, 'invalid-sightings', 'found "aaaa"'],
    ['sightings with a sign', { sightings: '-1' }, 'invalid-sightings', 'found "-#"'],
    ['a field nearly named', { observed_at: '2025-01-01' }, 'misnamed-field', 'observedAt; found observed_at'],
    ['a field in other case', { Link: LINK }, 'misnamed-field', 'expected the field link; found Link'],
  ])('%s', (_, raw, code, detail) => {
    const rejection = validate({ number: NUMBER, ...raw });
    expect(rejection).toBeInstanceOf(Rejection);
    expect(rejection).toMatchObject({ code, detail: expect.stringContaining(detail) });
    expect(Object.keys(REJECT_REASONS)).toContain(code);
  });

  test('joiners between letters of scripts that are written with them are none of those', () => {
    for (const project of [
      '\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645',
      '\u{1f468}\u200d\u{1f469}',
      '\u0915\u094d\u200d\u0937',
    ]) {
      expect(validate({ number: NUMBER, project })).toMatchObject({ project });
    }
  });

  test('a project or a source with what nobody sees in it, wherever it stands', () => {
    const ranges = [0x200b, 0x200f, 0x202a, 0x202e, 0x2060, 0x2069, 0xfeff, 0xfeff, 0xad, 0xad, 0x61c, 0x61c] as const;
    const points = ranges.flatMap((from, i) =>
      i % 2 === 0 ? Array.from({ length: (ranges[i + 1] ?? from) - from + 1 }, (_, at) => from + at) : [],
    );
    const hidden = fc.constantFrom(...points.map((point) => String.fromCharCode(point)));
    fc.assert(
      fc.property(
        fc.constantFrom('project', 'source'),
        fc.string(),
        hidden,
        fc.string(),
        (field, before, it, after) => {
          const value = `x${before.slice(0, 50)}${it}${after.slice(0, 50)}x`;
          const rejection = validate({ number: NUMBER, [field]: value });
          expect(rejection).toMatchObject({ code: 'invalid-text', detail: expect.stringMatching(/found one$/) });
        },
      ),
    );
  });

  test('no label, where the default is not configured', () => {
    const rejection = validateLine({ number: NUMBER }, { nowMs: NOW_MS, labels: new Set(['sim_farm']) });
    expect(rejection).toMatchObject({ code: 'unknown-label', detail: 'expected label sim_farm; found none' });
  });

  test('a field nearly named is nothing beside the field itself', () => {
    expect(validate({ number: NUMBER, observedAt: '2025-01-01', observed_at: 'x' })).toMatchObject({
      observedAt: 1735689600,
    });
  });
});

test('no detail ever shows digits or a link of the line, whatever column they are in', () => {
  const secret = fc.constantFrom(NUMBER, `+${NUMBER}`, Number(NUMBER), '020 7946 0007', LINK, `tel:+${NUMBER}`);
  const other = fc.constantFrom('', 'x', '2025-01-01', 'GB', 3, null, {}, `${NUMBER} ${LINK}`);
  const value = fc.oneof(secret, other);
  const fields = ['number', 'country', 'observedAt', 'firstSeen', 'label', 'channel', 'industry', 'project', 'source'];
  const line = fc.record(Object.fromEntries([...fields, 'link', 'sightings'].map((name) => [name, value])));
  fc.assert(
    fc.property(line, (raw) => {
      const checked = validate(raw);
      if (!(checked instanceof Rejection)) return;
      expect(checked.detail).not.toMatch(/7946|0007|receiver\.example|s3cr3t/i);
    }),
    { numRuns: 5000 },
  );
});

test('any JSON object gives a detection or a known reason', () => {
  fc.assert(
    fc.property(
      fc.dictionary(fc.oneof(fc.string(), fc.constantFrom('number', 'link', '__proto__')), fc.jsonValue()),
      (raw) => {
        const checked = validate(raw);
        if (checked instanceof Rejection) expect(REJECT_REASONS).toHaveProperty([checked.code]);
        else expect(Number.isSafeInteger(checked.number)).toBe(true);
      },
    ),
  );
});
