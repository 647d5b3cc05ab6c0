/** The reader of src/format against one written from the document: the two share nothing but the bytes. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeNumbers } from '../../../src/format/numbers.ts';
import { NumbersReader } from '../../../src/format/numbers-reader.ts';
import { encodeRecency, RecencyReader } from '../../../src/format/recency.ts';
import { VerdictsReader } from '../../../src/format/verdicts.ts';
import { verdict } from './support/arbitrary.ts';
import { encodeVerdicts, verdictColumns } from './support/plain.ts';
import { find, readField, readFresh, readNumbers } from './support/reference.ts';
import { sortedSet } from './support/sorted-set.ts';

describe('the pseudocode of docs/FORMAT.md', () => {
  test('finds what the reader finds', () => {
    fc.assert(
      fc.property(sortedSet, fc.array(fc.nat(), { maxLength: 20 }), (numbers, picks) => {
        const bytes = encodeNumbers(numbers);
        const reader = new NumbersReader(bytes);
        const column = readNumbers(bytes);
        for (const pick of picks) {
          const number = numbers[pick % numbers.length] as number;
          for (const probe of [number, number - 1, number + 1 + (pick % 50), number + 2 ** 31]) {
            expect(find(column, probe), `find(${probe})`).toBe(reader.find(probe));
          }
        }
      }),
    );
  });

  test('reads the days that the reader reads', () => {
    const days = fc
      .constantFrom(0, 5, 31, 140)
      .chain((span) =>
        fc.array(fc.integer({ min: 20_000, max: 20_000 + span }), { minLength: 1, maxLength: 1_200, size: 'max' }),
      );
    fc.assert(
      fc.property(days, (firstDays) => {
        const bytes = encodeRecency(Uint32Array.from(firstDays));
        const reader = new RecencyReader(bytes);
        const newest = Math.max(...firstDays);
        firstDays.forEach((day, rank) => {
          const expected = newest - day < 32 ? day : -1;
          if (readFresh(bytes, rank) !== expected) throw new Error(`the document reads ${rank} as another day`);
          if (reader.firstDay(rank) !== expected) throw new Error(`the reader reads ${rank} as another day`);
        });
      }),
      { numRuns: 40 },
    );
  });

  test('reads the fields that the reader reads', () => {
    fc.assert(
      fc.property(fc.array(verdict, { minLength: 1, maxLength: 80, size: 'max' }), fc.nat(), (verdicts, pick) => {
        const bytes = encodeVerdicts(verdictColumns(verdicts));
        const reader = new VerdictsReader(bytes);
        const rank = pick % verdicts.length;
        const [profile, firstDay, listedDays, sightings] = [0, 1, 2, 3].map((field) => readField(bytes, field, rank));
        expect(profile).toBe(reader.profileId(rank));
        expect(firstDay).toBe(reader.firstDay(rank));
        expect((firstDay ?? 0) + (listedDays ?? 0)).toBe(reader.lastDay(rank));
        expect(sightings).toBe(reader.sightings(rank));
      }),
    );
  });
});
