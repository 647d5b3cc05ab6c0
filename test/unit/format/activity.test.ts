import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type ActivityKey,
  activityKeyText,
  activityPartsOf,
  GrowingActivity,
  knownKey,
  parseActivityKey,
} from '../../../src/format/activity.ts';
import { BLOCK_ROWS, decodeActivityBlock } from '../../../src/format/activity-block.ts';
import { foldKeys } from '../../../src/format/activity-fold.ts';
import {
  ActivityEncoder,
  checkActivityBlocks,
  decodeActivityDirectory,
  encodeActivityDirectory,
  openActivityObject,
} from '../../../src/format/activity-object.ts';
import { parseAttributes } from '../../../src/format/attributes.ts';
import { type BackfillWatermark, changedSince, MAX_WATERMARKS, watermarkAt } from '../../../src/format/manifest.ts';
import { ByteWriter, FormatError } from '../../../src/lib/bytes.ts';
import { finish } from '../../../src/lib/cooperate.ts';
import { crc32 } from '../../../src/lib/crc32.ts';
import { fictionNumber } from '../../support/detections.ts';
import { CASES } from './support/cases.ts';
import { everyByte, flipped, withTrailing, withVersion } from './support/damage.ts';
import { decodeFacts, encodeFacts, type PlainFact } from './support/facts.ts';

const DAY = 86_400;
const PLAIN: ActivityKey = {
  label: 'modem_pool_card',
  channel: 'otp_marketplace',
  industry: null,
  project: null,
  linkHost: null,
  source: null,
};
const LINKED: ActivityKey = { ...PLAIN, channel: 'api_receiver', linkHost: 'codes.example' };

function fact(i: number, change: Partial<PlainFact> = {}): PlainFact {
  return { day: 20_000, number: fictionNumber(i), kind: PLAIN, link: null, firstSeenAt: 20_000 * DAY + i, ...change };
}

describe('a facts object', () => {
  test('is read as it was written, in any number of blocks, and written the same again', () => {
    const facts = [20_000, 20_001, 20_700].flatMap((day) =>
      Array.from({ length: day === 20_001 ? BLOCK_ROWS * 2 + 1 : 3 }, (_, i) =>
        fact(i, { day, firstSeenAt: day * DAY + ((i * 37) % DAY) }),
      ),
    );
    const { file, shape } = encodeFacts(facts);
    expect(decodeFacts(file)).toEqual(facts);
    expect(shape).toMatchObject({ firstDay: 20_000, lastDay: 20_700, rows: facts.length, bytes: file.length });
    expect(
      finish(decodeActivityDirectory(file.subarray(0, shape.directoryBytes))).blocks.map(({ rows }) => rows),
    ).toEqual([3, BLOCK_ROWS, BLOCK_ROWS, 1, 3]);
    expect(encodeFacts(structuredClone(facts)).file).toEqual(file);
  });

  test('takes numbers, seconds, kinds and links at their bounds', () => {
    const last = 2 ** 53 - 1;
    const facts = [
      fact(0, { day: 0, number: 0, firstSeenAt: 0 }),
      fact(0, { day: 0, number: 2 ** 28, kind: LINKED, link: '0000000000000001', firstSeenAt: DAY - 1 }),
      fact(0, { day: 0, number: 2 ** 28, kind: LINKED, link: 'ffffffffffffffff', firstSeenAt: DAY - 1 }),
      fact(0, { day: 49_709, number: last, firstSeenAt: 49_709 * DAY }),
    ].toSorted((a, b) => a.day - b.day);
    expect(decodeFacts(encodeFacts(facts).file)).toEqual(facts);
    fc.assert(
      fc.property(fc.uniqueArray(fc.maxSafeNat(), { minLength: 1, maxLength: 50 }), (numbers) => {
        const some = numbers.sort((a, b) => a - b).map((number) => fact(0, { number }));
        expect(decodeFacts(encodeFacts(some).file)).toEqual(some);
      }),
    );
  });

  test('has a repeated row once, with its earliest second, where blocks meet too', () => {
    const facts = Array.from({ length: BLOCK_ROWS + 1 }, (_, i) => fact(i));
    const repeated = facts.flatMap((one) => [{ ...one, firstSeenAt: one.firstSeenAt + 9 }, one]);
    expect(encodeFacts(repeated).file).toEqual(encodeFacts(facts).file);
  });

  test('takes no row that is out of order', () => {
    const encoder = new ActivityEncoder([knownKey(activityKeyText(PLAIN))]);
    encoder.add(20_000, 5, 0, 0, 0, 20_000 * DAY);
    expect(() => encoder.add(20_000, 4, 0, 0, 0, 20_000 * DAY)).toThrow(RangeError);
    expect(() => encoder.add(19_999, 6, 0, 0, 0, 19_999 * DAY)).toThrow(RangeError);
    expect(finish(new ActivityEncoder([]).finishSteps())).toBeNull();
  });

  test('takes at most eight bytes a row without links, and sixteen with', () => {
    const rows = (kind: ActivityKey, link: string | null) =>
      Array.from({ length: 20_000 }, (_, i) =>
        fact(i * 53, { kind, link, firstSeenAt: 20_000 * DAY + ((i * 7919) % DAY) }),
      );
    expect(encodeFacts(rows(PLAIN, null)).file.length / 20_000).toBeLessThan(8);
    expect(encodeFacts(rows(LINKED, 'ab'.repeat(8))).file.length / 20_000).toBeLessThan(16);
  });
});

describe('what is not a facts object is refused', () => {
  const { file, shape } = encodeFacts(CASES.facts.rows as PlainFact[]);
  const open = (bytes: Uint8Array<ArrayBuffer>) =>
    finish(checkActivityBlocks(finish(openActivityObject(bytes, shape))));

  test('cut at, or with a flipped bit in, any byte; trailing bytes; another version', () => {
    open(file);
    for (const at of everyByte(file)) {
      expect(() => open(file.slice(0, at)), `${at} bytes`).toThrow(FormatError);
      expect(() => open(flipped(file, at)), `byte ${at}`).toThrow(FormatError);
    }
    expect(() => open(withTrailing(file, 1))).toThrow(FormatError);
    const other = withVersion(file, 2);
    const directory = other.subarray(0, shape.directoryBytes);
    expect(() => finish(openActivityObject(other, { ...shape, crc32: crc32(directory) }))).toThrow(
      'expected version 1, found 2',
    );
  });

  test('of another shape than the manifest says', () => {
    for (const name of ['firstDay', 'lastDay', 'rows', 'bytes', 'directoryBytes', 'crc32'] as const) {
      expect(() => finish(openActivityObject(file, { ...shape, [name]: shape[name] + 1 })), name).toThrow(FormatError);
    }
  });

  const text = activityKeyText(PLAIN);
  const kind = { text, firstDay: 1, lastDay: 1 };
  const block = { day: 1, rows: 1, bytes: 4, crc32: 0 };
  test.each([
    ['no blocks', () => finish(encodeActivityDirectory([kind], Uint32Array.of(0), []))],
    ['a block without rows', () => finish(encodeActivityDirectory([kind], Uint32Array.of(0), [{ ...block, rows: 0 }]))],
    [
      'a block of too many',
      () => finish(encodeActivityDirectory([kind], Uint32Array.of(0), [{ ...block, rows: BLOCK_ROWS + 1 }])),
    ],
    [
      'a day beyond 32 bits of seconds',
      () => finish(encodeActivityDirectory([kind], Uint32Array.of(0), [{ ...block, day: 60_000 }])),
    ],
    ['a kind twice', () => finish(encodeActivityDirectory([kind, kind], Uint32Array.of(0, 1), [block]))],
    [
      'a kind that is none',
      () => finish(encodeActivityDirectory([{ ...kind, text: '[1]' }], Uint32Array.of(0), [block])),
    ],
    [
      'a kind in another spelling',
      () => finish(encodeActivityDirectory([{ ...kind, text: ` ${text}` }], Uint32Array.of(0), [block])),
    ],
    [
      'a kind of days beyond',
      () => finish(encodeActivityDirectory([{ ...kind, lastDay: 60_000 }], Uint32Array.of(0), [block])),
    ],
  ])('a directory with %s', (_name, directory) => {
    expect(() => finish(decodeActivityDirectory(directory()))).toThrow(FormatError);
  });

  /** A block of two rows by hand: widths, number deltas, words. */
  function handMade(widths: readonly [number, number], deltas: readonly number[], words: readonly number[]) {
    const writer = new ByteWriter();
    for (const value of [...widths, ...deltas]) writer.varint(value);
    writer.raw(new Uint8Array(Uint32Array.from(words).buffer));
    const bytes = writer.view().slice();
    const kinds = { ids: Uint32Array.of(0, 1), linked: Uint8Array.of(0, 1) };
    const into = new GrowingActivity();
    decodeActivityBlock(bytes, { day: 1, rows: 2, bytes: bytes.length, crc32: 0 }, kinds, into);
    return into.columns();
  }

  test.each<[string, ...Parameters<typeof handMade>]>([
    ['the same row twice', [0, 0], [5, 0], []],
    ['kinds out of order', [0, 1], [5, 0], [0b01, 7, 7]],
    ['links out of order', [0, 1], [5, 0], [0b11, 7, 7, 7, 6]],
    ['a second beyond the day', [17, 0], [5, 1], [DAY, 0]],
    ['too many bits of a second', [18, 0], [5, 1], [0, 0]],
    ['a kind that is not listed', [0, 2], [5, 1], [0b1000]],
    ['a link cut off', [0, 1], [5, 1], [0b01, 7]],
    ['words to spare', [0, 0], [5, 1], [7]],
    ['a bit behind the last row', [0, 1], [5, 1], [0b100]],
    ['a number beyond 2^53', [0, 0], [2 ** 53 - 1, 1], []],
    ['numbers cut off', [0, 0], [5], []],
  ])('a block with %s', (_name, widths, deltas, words) => {
    expect(handMade([0, 1], [5, 0], [0b10, 7, 8])).toMatchObject({ rows: 2 });
    expect(() => handMade(widths, deltas, words)).toThrow(FormatError);
  });
});

describe('kinds', () => {
  test('are attributes without the hash of the link', () => {
    const sha256 = '00000001fffffffe'.padEnd(64, 'a');
    const { key, ...link } = activityPartsOf(
      parseAttributes(JSON.stringify(['l', 'other', null, 'p', 'codes.example', sha256, 's'])),
    );
    expect(activityKeyText(key)).toBe('["l","other",null,"p","codes.example","s"]');
    expect(link).toEqual({ linkHigh: 1, linkLow: 0xfffffffe });
    expect(parseActivityKey(activityKeyText(key))).toEqual({
      ...{ label: 'l', channel: 'other', industry: null },
      ...{ project: 'p', linkHost: 'codes.example', source: 's' },
    });
  });

  test.each(['', '[]', '["l","nowhere",null,null,null,null]', '["l", "other",null,null,null,null]', '{}'])(
    '%s is none',
    (text) => {
      expect(() => parseActivityKey(text)).toThrow(FormatError);
    },
  );
});

describe('kinds of several objects', () => {
  const factsOf = fc.uniqueArray(
    fc.record({ day: fc.integer({ min: 20_000, max: 20_060 }), source: fc.constantFrom('a', 'b', 'c', null) }),
    {
      minLength: 1,
      maxLength: 12,
      selector: ({ day, source }) => `${day} ${source}`,
    },
  );

  test('are each there once, from its first day in any of them to its last, and each object knows them by its own numbers', () => {
    fc.assert(
      fc.property(fc.array(factsOf, { minLength: 1, maxLength: 5 }), (objects) => {
        const directories = objects.map((facts) => {
          const rows = facts
            .toSorted(
              (a, b) =>
                a.day - b.day ||
                (activityKeyText({ ...PLAIN, source: a.source }) < activityKeyText({ ...PLAIN, source: b.source })
                  ? -1
                  : 1),
            )
            .map(({ day, source }, i) => fact(i, { day, kind: { ...PLAIN, source }, firstSeenAt: day * DAY }));
          const { file, shape } = encodeFacts(rows);
          return finish(openActivityObject(file, shape)).directory;
        });
        const { keys, spans, numbers } = finish(foldKeys(directories));
        const expected = Map.groupBy(objects.flat(), ({ source }) => activityKeyText({ ...PLAIN, source }));
        expect(keys.map(({ text }) => text)).toEqual([...expected.keys()].sort());
        expect(spans).toEqual(
          keys.map(({ text, kind }) => {
            const days = (expected.get(text) ?? []).map(({ day }) => day);
            return { kind, firstDay: Math.min(...days), lastDay: Math.max(...days) };
          }),
        );
        directories.forEach(({ kinds }, i) => {
          expect(kinds.map(({ text }) => text)).toEqual([...(numbers[i]?.ids ?? [])].map((id) => keys[id]?.text));
        });
      }),
    );
  });
});

describe('how far back facts have reached', () => {
  test('is never said to be less than it is, however many generations', () => {
    const published = fc.array(fc.option(fc.nat({ max: 300 })), { minLength: 1, maxLength: 200 });
    fc.assert(
      fc.property(published, fc.nat({ max: 300 }), fc.nat({ max: 200 }), (days, day, since) => {
        let reached: BackfillWatermark[] = [];
        days.forEach((value, i) => {
          reached = watermarkAt(reached, i + 1, value);
        });
        expect(reached.length).toBeLessThanOrEqual(MAX_WATERMARKS);
        const has = days.some((value, i) => i + 1 > since && value !== null && value <= day);
        const isSaid = changedSince({ watermarks: reached }, since, day);
        // Joined entries may say so in vain; that takes more than fit.
        if (has || reached.length < MAX_WATERMARKS) expect(isSaid).toBe(has);
      }),
    );
  });

  test('joins the two oldest when there is no room', () => {
    let reached: BackfillWatermark[] = [];
    for (let i = 1; i <= MAX_WATERMARKS + 1; i++) reached = watermarkAt(reached, i, i * 10);
    expect(reached).toHaveLength(MAX_WATERMARKS);
    expect(reached[0]).toEqual({ generation: 2, day: 10 });
    expect(changedSince({ watermarks: reached }, 1, 10)).toBe(true);
    expect(watermarkAt(reached, 99, 0)).toEqual([{ generation: 99, day: 0 }]);
  });
});
