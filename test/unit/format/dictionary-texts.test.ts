import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { attributesText, parseAttributes } from '../../../src/format/attributes.ts';
import { type Profile, parseProfile, profileText, unionProfile } from '../../../src/format/records.ts';
import { FormatError } from '../../../src/lib/bytes.ts';
import { entry, verdict } from './support/arbitrary.ts';

const profile = verdict.map(({ labels, channels, industries }): Profile => ({ labels, channels, industries }));

describe('attributes as text', () => {
  test('are parsed to what was written', () => {
    fc.assert(
      fc.property(entry, ({ firstSeenAt, lastSeenAt, sightings, ...attributes }) => {
        expect(parseAttributes(attributesText(attributes))).toEqual(attributes);
      }),
    );
  });

  test.each([
    ['nothing', ''],
    ['not JSON', '["a"'],
    ['six fields', '["a","other",null,null,null,null]'],
    ['eight fields', '["a","other",null,null,null,null,null,null]'],
    ['an object', '{"label":"a"}'],
    ['a label that is no text', '[1,"other",null,null,null,null,null]'],
    ['an unknown channel', '["a","unheard-of",null,null,null,null,null]'],
    ['an unknown industry', '["a","other","unheard-of",null,null,null,null]'],
    ['a project that is no text', '["a","other",null,7,null,null,null]'],
    ['half a link', '["a","other",null,null,"codes.example",null,null]'],
    ['a space', '["a", "other",null,null,null,null,null]'],
    ['an escape that is not needed', '["\\u0061","other",null,null,null,null,null]'],
  ])('are refused: %s', (_name, text) => {
    expect(() => parseAttributes(text)).toThrow(FormatError);
  });
});

describe('profiles', () => {
  test('are parsed to what was written', () => {
    fc.assert(
      fc.property(profile, (each) => {
        expect(parseProfile(profileText(each))).toEqual(each);
      }),
    );
  });

  test('unite in any order to the same', () => {
    fc.assert(
      fc.property(profile, profile, profile, (a, b, c) => {
        const text = profileText(unionProfile(a, unionProfile(b, c)));
        expect(profileText(unionProfile(unionProfile(c, a), b))).toBe(text);
        expect(profileText(unionProfile(a, a))).toBe(profileText(a));
        expect(parseProfile(text).labels).toEqual([...new Set([...a.labels, ...b.labels, ...c.labels])].sort());
      }),
    );
  });
});
