import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FIELDS, keptName, MAX_SHOWN_NAME_CHARS, misnamedField, shownName } from '../../../src/ingest/fields.ts';

describe('a misspelt field', () => {
  test.each([
    ['labell', 'label'],
    ['lable', 'label'],
    ['Label', 'label'],
    ['labels', 'label'],
    ['LABLE ', 'label'],
    ['chanel', 'channel'],
    ['channels', 'channel'],
    ['observed', 'observedAt'],
    ['observed_att', 'observedAt'],
    ['obsrevedAt', 'observedAt'],
    ['first seen', 'firstSeen'],
    ['fristSeen', 'firstSeen'],
    ['sighting', 'sightings'],
    ['soruce', 'source'],
    ['contry', 'country'],
    ['industy', 'industry'],
    ['projects', 'project'],
    ['nubmer', 'number'],
    ['LINK', 'link'],
  ])('%s is %s', (name, field) => {
    expect(misnamedField(['x', name])).toEqual({ field, name: shownName(name) });
    expect(misnamedField([name, field])).toBeNull();
  });

  test.each(['risk_label', 'lastSeen', 'county', 'observedBy', 'line', 'links', 'date', 'comment', 'id', '', 'level'])(
    '%j is none',
    (name) => {
      expect(misnamedField([name])).toBeNull();
    },
  );

  test('one slip in any name that matters is found, and never shown with a digit or a control character', () => {
    const field = fc.constantFrom(...FIELDS.filter((name) => name !== 'link'));
    const char = fc.constantFrom('a', 'q', '7', '\u0000', '\n', '_', 'é');
    fc.assert(
      fc.property(field, fc.nat(), fc.constantFrom(0, 1), char, (name, at, removed, added) => {
        const from = at % name.length;
        const slipped = name.slice(0, from) + added + name.slice(from + removed);
        // A county is a word of its own, however it is written.
        if (slipped === name || slipped.replace(/[\s_]/g, '') === 'county') return;
        const found = misnamedField([slipped]);
        expect(found?.field).toBe(name);
        expect(found?.name).not.toMatch(/[\d\p{C}]/u);
      }),
    );
  });

  test('names of a feed that changes them with every line are not kept', () => {
    for (let i = 0; i < 2000; i++) expect(misnamedField([`column ${i}`])).toBeNull();
    expect(misnamedField(['labell'])?.field).toBe('label');
  });
});

describe('a name as it is shown', () => {
  test.each([
    ['risk_label', 'risk_label'],
    [' Kommentar (intern) ', 'aaaaaaaaa (aaaaaa)'],
    ['note.first-2', 'note.first-#'],
    ['+44 7700 900123', '+## #### ######'],
    ['٠١٢٣٤٥٦٧', '########'],
    ['https://receiver.example/t/s3cr3t', 'aaaaa://aaaaaaaa.aaaaaaa/a/a#aa#a'],
    ['a\u0000b\nc\u202ed', 'a?a?a?a'],
    ['x'.repeat(41), `${'x'.repeat(40)}…`],
  ])('%j', (name, shown) => {
    expect(shownName(name)).toBe(shown);
  });

  test.each([
    ['risk_label', 'risk_label'],
    ['Kommentar-2', 'Kommentar-#'],
    ['_id', '_id'],
    ['col1234', 'col####'],
    ['col12345', 'aaa#####'],
    ['jane.doe@example.com', 'aaaa.aaa@aaaaaaa.aaa'],
    ['jane.doe', 'aaaa.aaa'],
    ['Jane Doe', 'aaaa aaa'],
    ['Zoë', 'aaa'],
    ['анна', 'aaaa'],
    ['a٠١٢٣', 'a####'],
    ['$key', '$aaa'],
    [`a${'b'.repeat(64)}`, `${'a'.repeat(40)}…`],
  ])('in a receipt, %j', (name, kept) => {
    expect(keptName(name)).toBe(kept);
  });

  test('in a receipt, letters are those of a plain identifier', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 80 }), (name) => {
        const kept = keptName(name);
        expect(kept).not.toMatch(/[\p{N}\p{Cc}\p{Cf}\p{Cs}]/u);
        if (!/^[A-Za-z_][A-Za-z0-9_-]{0,63}$/.test(name.trim())) expect(kept).not.toMatch(/[^\P{L}a]/u);
      }),
      { numRuns: 2000 },
    );
  });

  test('whatever it is, it has no digit, no control character, and an end', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (name) => {
        const shown = shownName(name);
        expect(shown).not.toMatch(/[\p{N}\p{Cc}\p{Cf}\p{Cs}]/u);
        expect(shown.length).toBeLessThanOrEqual(MAX_SHOWN_NAME_CHARS);
      }),
      { numRuns: 2000 },
    );
  });
});
