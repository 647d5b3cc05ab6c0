import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeVerdicts, VerdictsReader } from '../../../src/format/verdicts.ts';
import { type Bytes, FormatError } from '../../../src/lib/bytes.ts';
import { sealFrame } from '../../../src/lib/frame.ts';
import { verdict } from './support/arbitrary.ts';
import { embedded, everyByte, flipped, withTrailing, withVersion } from './support/damage.ts';
import { type PlainVerdict, plainVerdict, verdictColumns } from './support/plain.ts';
import { readField } from './support/reference.ts';

function read(bytes: Bytes): PlainVerdict[] {
  const reader = new VerdictsReader(bytes);
  return Array.from({ length: reader.count }, (_, rank) => plainVerdict(reader, rank));
}

const some: PlainVerdict[] = Array.from({ length: 60 }, (_, i) => ({
  firstDay: 20_400 + (i % 9),
  lastDay: 20_400 + (i % 9) + (i % 4),
  sightings: i === 30 ? 1_000_000 : 1 + (i % 3),
  labels: i % 5 === 0 ? ['modem_pool_card'] : ['public_sms_receiver'],
  channels: ['public_receiver'],
  industries: [],
}));
const sample = encodeVerdicts(verdictColumns(some));

describe('verdicts column', () => {
  test('gives each record its verdict', () => {
    fc.assert(
      fc.property(fc.array(verdict, { minLength: 1, maxLength: 150, size: 'max' }), (verdicts) => {
        const bytes = encodeVerdicts(verdictColumns(verdicts));
        expect(bytes.length % 8).toBe(0);
        expect(read(bytes)).toEqual(verdicts);
        verdicts.forEach(({ firstDay, lastDay, sightings }, rank) => {
          const fields = [1, 2, 3].map((field) => readField(bytes, field, rank));
          expect(fields).toEqual([firstDay, lastDay - firstDay, sightings]);
        });
      }),
    );
  });

  test('the same verdicts give the same bytes', () => {
    expect(encodeVerdicts(verdictColumns(structuredClone(some)))).toEqual(sample);
  });

  test('is read out of a larger buffer, at a multiple of eight bytes only', () => {
    expect(read(embedded(sample, 24))).toEqual(some);
    for (const offset of [1, 4, 12]) expect(() => read(embedded(sample, offset))).toThrow(RangeError);
  });

  test('the encoder refuses profiles out of order', () => {
    const columns = verdictColumns(some);
    expect(() => encodeVerdicts({ ...columns, profiles: columns.profiles.toReversed() })).toThrow(FormatError);
    expect(() => encodeVerdicts({ ...columns, profiles: columns.profiles.map(() => '[[],[],[]]') })).toThrow(
      FormatError,
    );
  });
});

describe('what is not a verdicts column is refused', () => {
  test('cut at, or with a flipped bit in, any byte; trailing bytes; another version', () => {
    for (const at of everyByte(sample)) {
      expect(() => read(sample.slice(0, at)), `${at} bytes`).toThrow(FormatError);
      expect(() => read(flipped(sample, at)), `byte ${at}`).toThrow(FormatError);
    }
    expect(() => read(withTrailing(sample, 8))).toThrow(/expected a body of/);
    expect(() => read(withVersion(sample, 2))).toThrow('RFVE: expected version 1, found 2');
  });

  test('cut or continued, with a right length and checksum', () => {
    const least = sample.findLastIndex((byte) => byte !== 0) + 1;
    for (let length = 16; length < least; length++) {
      expect(() => read(sealFrame(sample.slice(0, length), 'RFVE', 1)), `${length} bytes`).toThrow(FormatError);
    }
    expect(() => read(sealFrame(withTrailing(sample, 8), 'RFVE', 1))).toThrow(FormatError);
  });

  /** Where `profileEnd` begins: just before the first of two profiles, which begins with two brackets. */
  const profileEnd = sample.findIndex((byte, at) => byte === 0x5b && sample[at + 1] === 0x5b) - 8;

  test.each<[string, (view: DataView) => void]>([
    ['a count that needs more bytes', (view) => view.setUint32(16, 100_000, true)],
    ['more profiles than there is room for', (view) => view.setUint32(20, 1000, true)],
    ['more text than there is room for', (view) => view.setUint32(24, 0xffff_ffff, true)],
    ['a reserved word that is not zero', (view) => view.setUint32(28, 1, true)],
    ['a width of 33', (view) => view.setUint16(40, 33, true)],
    ['an exception width of 54', (view) => view.setUint16(90, 54, true)],
    ['an exception width without exceptions', (view) => view.setUint16(42, 9, true)],
    ['a base that is not a number', (view) => view.setFloat64(48, Number.NaN, true)],
    ['more exceptions than there is room for', (view) => view.setUint32(44, 0xffff_ffff, true)],
    [
      'text after the last profile',
      (view) => view.setUint32(profileEnd + 4, view.getUint32(profileEnd + 4, true) - 1, true),
    ],
    ['profile texts that overlap', (view) => view.setUint32(profileEnd, 0xffff, true)],
  ])('%s', (_name, edit) => {
    const copy = sample.slice();
    edit(new DataView(copy.buffer));
    expect(() => new VerdictsReader(sealFrame(copy, 'RFVE', 1))).toThrow(FormatError);
  });

  test('more records than a segment has, though fields without bits have room for them', () => {
    const equal = encodeVerdicts(verdictColumns(some.slice(0, 1)));
    new DataView(equal.buffer).setUint32(16, 65_537, true);
    expect(() => new VerdictsReader(sealFrame(equal, 'RFVE', 1))).toThrow('65537 records');
  });

  test('a profile that is not in the dictionary, or not a profile, is refused when it is asked for', () => {
    const reader = new VerdictsReader(sample);
    expect(reader.profileCount).toBe(2);
    expect(() => reader.profileText(2)).toThrow('no profile 2, there are 2');
    const columns = verdictColumns(some);
    for (const text of ['[', '[[],[]]', '[[],["unheard-of"],[]]', '[["b","a"],[],[]]', '[[1],[],[]]', ' [[],[],[]]']) {
      const odd = new VerdictsReader(encodeVerdicts({ ...columns, profiles: [text, `${text} `] }));
      expect(() => odd.profile(0), text).toThrow(FormatError);
    }
  });
});
