import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeVerdictsSteps, VerdictsReader } from '../../../src/format/verdicts.ts';
import { type Bytes, FormatError } from '../../../src/lib/bytes.ts';
import { finish } from '../../../src/lib/cooperate.ts';
import { sealFrame } from '../../../src/lib/frame.ts';
import { verdict } from './support/arbitrary.ts';
import { CASES } from './support/cases.ts';
import { embedded, everyByte, flipped, withTrailing, withVersion } from './support/damage.ts';
import { encodeVerdicts, type PlainVerdict, plainVerdict, verdictColumns } from './support/plain.ts';
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
const oldColumn = new Uint8Array(
  readFileSync(resolve(import.meta.dirname, '../../golden/verdicts-several-profiles.v1.bin')),
);

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

  test('profiles are numbered as they are first met, whatever their order and however many are not in use', () => {
    const columns = verdictColumns(some);
    const order = [3, 1, 0];
    const unused = { labels: ['a'], channels: [], industries: [] };
    const profiles = [columns.profiles[1], unused, unused, columns.profiles[0]] as typeof columns.profiles;
    const profile = columns.profile.map((id) => order[id * 2] as number);
    expect(encodeVerdicts({ ...columns, profile, profiles })).toEqual(sample);
    expect([0, 1, 5].map((rank) => new VerdictsReader(sample).profileId(rank))).toEqual([0, 1, 0]);
  });

  test('labels may be any text, well-formed or not', () => {
    const odd = [{ ...(some[0] as PlainVerdict), labels: ['', '"', '\ud800', '\ud801', '\ud83d\udcf1', '\uff5e'] }];
    expect(read(encodeVerdicts(verdictColumns(odd)))).toEqual(odd);
  });

  test('a page has the ranks that it is made of', () => {
    const columns = verdictColumns(some);
    const page = finish(encodeVerdictsSteps(columns, 20, 50));
    expect(read(page)).toEqual(some.slice(20, 50));
  });

  test('a column of version 1 is read like a page', () => {
    const old = new VerdictsReader(oldColumn);
    expect(old.profileCount).toBeGreaterThan(9);
    expect(read(oldColumn)).toEqual(CASES.verdicts['several-profiles']);
  });
});

describe('what is not a verdicts column is refused', () => {
  test('cut at, or with a flipped bit in, any byte; trailing bytes; another version', () => {
    for (const at of everyByte(sample)) {
      expect(() => read(sample.slice(0, at)), `${at} bytes`).toThrow(FormatError);
      expect(() => read(flipped(sample, at)), `byte ${at}`).toThrow(FormatError);
    }
    expect(() => read(withTrailing(sample, 8))).toThrow(/expected a body of/);
    expect(() => read(withVersion(sample, 3))).toThrow('RFVE: expected version 2, found 3');
    expect(() => read(withVersion(sample, 1))).toThrow(FormatError);
  });

  test('cut or continued, with a right length and checksum', () => {
    const least = sample.findLastIndex((byte) => byte !== 0) + 1;
    for (let length = 16; length < least; length++) {
      expect(() => read(sealFrame(sample.slice(0, length), 'RFVE', 2)), `${length} bytes`).toThrow(FormatError);
    }
    expect(() => read(sealFrame(withTrailing(sample, 8), 'RFVE', 2))).toThrow(FormatError);
  });

  /** Where the labels of the page begin, and its profiles. */
  const labels = Buffer.from(sample).indexOf('["modem_pool_card"');
  const profile = labels + JSON.stringify(['modem_pool_card', 'public_sms_receiver']).length;

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
    ['labels that are not JSON', (view) => view.setUint8(labels, 0x20)],
    ['labels that are no list', (view) => view.setUint32(labels, 0x20202022, true)],
    ['labels of a profile beyond its end', (view) => view.setUint8(profile, 100)],
    ['bytes after the last profile', (view) => view.setUint32(20, 1, true)],
  ])('%s', (_name, edit) => {
    const copy = sample.slice();
    edit(new DataView(copy.buffer));
    expect(() => new VerdictsReader(sealFrame(copy, 'RFVE', 2))).toThrow(FormatError);
  });

  test('more records than a segment has, though fields without bits have room for them', () => {
    const equal = encodeVerdicts(verdictColumns(some.slice(0, 1)));
    new DataView(equal.buffer).setUint32(16, 65_537, true);
    expect(() => new VerdictsReader(sealFrame(equal, 'RFVE', 2))).toThrow('65537 records');
  });

  test.each<[string, (copy: Bytes) => void]>([
    ['a label that there is not', (copy) => copy.set([2], profile + 1)],
    ['a channel that is not known', (copy) => copy.set([64], profile + 2)],
  ])('a profile with %s, when it is asked for', (_name, edit) => {
    const copy = sample.slice();
    edit(copy);
    const odd = new VerdictsReader(sealFrame(copy, 'RFVE', 2));
    expect(() => odd.profile(0)).toThrow(FormatError);
    expect(odd.profile(1)).toEqual(new VerdictsReader(sample).profile(1));
    expect(() => odd.profile(2)).toThrow('no profile 2, there are 2');
  });

  test('a profile whose labels are repeated or out of order', () => {
    const two = encodeVerdicts(verdictColumns([{ ...(some[0] as PlainVerdict), labels: ['aaaa', 'bbbb'] }]));
    expect(new VerdictsReader(two).profile(0).labels).toEqual(['aaaa', 'bbbb']);
    const labels = Buffer.from(two).indexOf('"bbbb"]') + 7 + 1;
    for (const [first, second] of [
      [1, 0],
      [0, 0],
    ] as const) {
      const copy = two.slice();
      copy.set([first, second], labels);
      const odd = new VerdictsReader(sealFrame(copy, 'RFVE', 2));
      expect(() => odd.profile(0)).toThrow('out of order');
    }
  });
});

describe('what is not a column of version 1 is refused', () => {
  /**
   * Where `profileEnd` begins: as many words as there are profiles before the first of them, which has two brackets.
   */
  const first = oldColumn.findIndex((byte, at) => byte === 0x5b && oldColumn[at + 1] === 0x5b);
  const profileEnd = first - new VerdictsReader(oldColumn).profileCount * 4;

  test('cut at, or with a flipped bit in, any byte', () => {
    for (const at of everyByte(oldColumn)) {
      expect(() => read(oldColumn.slice(0, at)), `${at} bytes`).toThrow(FormatError);
      expect(() => read(flipped(oldColumn, at)), `byte ${at}`).toThrow(FormatError);
    }
  });

  test.each<[string, (view: DataView) => void]>([
    ['more profiles than there is room for', (view) => view.setUint32(20, 1000, true)],
    ['text after the last profile', (view) => view.setUint32(first - 4, view.getUint32(first - 4, true) - 1, true)],
    ['profile texts that overlap', (view) => view.setUint32(profileEnd, 0xffff, true)],
  ])('%s', (_name, edit) => {
    const copy = oldColumn.slice();
    edit(new DataView(copy.buffer));
    expect(() => new VerdictsReader(sealFrame(copy, 'RFVE', 1))).toThrow(FormatError);
  });

  test('a profile that is none, when it is asked for', () => {
    for (const text of ['x', '[["b","a"]', '[[1],[', ' [[']) {
      const copy = oldColumn.slice();
      copy.set(Buffer.from(text), first);
      const odd = new VerdictsReader(sealFrame(copy, 'RFVE', 1));
      expect(() => odd.profile(0), text).toThrow(FormatError);
    }
  });
});
