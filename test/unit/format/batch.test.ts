import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { activityPartsOf } from '../../../src/format/activity.ts';
import { attributesText, type Detection, parseAttributes } from '../../../src/format/attributes.ts';
import { BATCH_ROWS_OFFSET, BatchBuilder, openBatch, type Receipt } from '../../../src/format/batch.ts';
import { type Bytes, ByteWriter, FormatError } from '../../../src/lib/bytes.ts';
import { sealFrame } from '../../../src/lib/frame.ts';
import { detection, someDetections } from '../../support/detections.ts';
import { CODECS } from './support/content.ts';
import { embedded, everyByte, flipped, withTrailing, withVersion } from './support/damage.ts';

const RECEIPT: Receipt = {
  bodySha256: 'ab'.repeat(32),
  accepted: 3,
  rejected: 1,
  errors: [{ line: 2, code: 'invalid-number', detail: 'too short' }],
};

function batchOf(detections: readonly Detection[], receipt = RECEIPT): Bytes {
  return CODECS.batch.encode({ detections, receipt }) as Bytes;
}

const sample = batchOf(someDetections(40, 7));

describe('batch', () => {
  test('has the detections in number order, equal numbers in order of arrival', () => {
    fc.assert(
      fc.property(fc.array(detection, { maxLength: 600, size: 'max' }), (detections) => {
        const content = { detections, receipt: RECEIPT };
        expect(CODECS.batch.decode(batchOf(detections))).toEqual(CODECS.batch.expected(content));
      }),
      { numRuns: 40 },
    );
  });

  test('grows, and the same uploads give the same bytes', () => {
    const builder = new BatchBuilder();
    const many = someDetections(1000, 3);
    for (const each of many) builder.add(each);
    expect(builder.count).toBe(1000);
    expect(builder.finish(RECEIPT)).toEqual(batchOf(many));
    expect(new DataView(batchOf(many).buffer).getUint32(BATCH_ROWS_OFFSET, true)).toBe(1000);
  });

  test('keeps each of its attributes once, and its receipt', () => {
    const [first] = someDetections(1, 5);
    if (first === undefined) throw new Error('no detection');
    const batch = openBatch(batchOf([first, { ...first, number: first.number + 1 }, { ...first, source: 'other' }]));
    expect(batch.attributes).toEqual([attributesText(first), attributesText({ ...first, source: 'other' })]);
    expect(Array.from(batch.attributesIndex)).toEqual([0, 1, 0]);
    expect(batch.receipt).toEqual(RECEIPT);
    expect(openBatch(batchOf([first])).receipt).toEqual(RECEIPT);
    const told = { ...RECEIPT, defaulted: { label: 1, channel: 2, observedAt: 3 }, ignoredFields: ['comment', '…'] };
    expect(openBatch(batchOf([first], told)).receipt).toEqual(told);
  });

  test('is opened with the attributes parsed, one object for all links that say the same', () => {
    const [plain] = someDetections(1, 5);
    if (plain === undefined) throw new Error('no detection');
    const linked = ['1', '2', 'f'].map((digit, i) => ({
      ...{ ...plain, number: plain.number + i },
      link: { host: 'codes.example', sha256: `${digit}0000000${i}`.padEnd(64, 'a') },
    }));
    const all = [plain, ...linked, { ...plain, source: 'other' }];
    const { attributes, keys, linkHigh, linkLow } = openBatch(batchOf(all));
    expect(attributes).toHaveLength(5);
    for (const [i, text] of attributes.entries()) {
      const kept = { key: keys[i], linkHigh: linkHigh[i], linkLow: linkLow[i] };
      expect(kept).toEqual(activityPartsOf(parseAttributes(text)));
    }
    expect(new Set(keys).size).toBe(3);
  });

  test('is read at any place in a larger buffer', () => {
    for (const offset of [0, 1, 4, 8, 11]) {
      expect(CODECS.batch.decode(embedded(sample, offset))).toEqual(CODECS.batch.decode(sample));
    }
  });
});

describe('what is not a batch is refused', () => {
  test('cut at, or with a flipped bit in, any byte; trailing bytes; another version', () => {
    for (const at of everyByte(sample)) {
      expect(() => openBatch(sample.slice(0, at)), `${at} bytes`).toThrow(FormatError);
      expect(() => openBatch(flipped(sample, at)), `byte ${at}`).toThrow(FormatError);
    }
    expect(() => openBatch(withTrailing(sample, 8))).toThrow(/expected a body of/);
    expect(() => openBatch(withVersion(sample, 2))).toThrow('RFBA: expected version 1, found 2');
  });

  test('cut or continued, with a right length and checksum', () => {
    for (let length = 16; length < sample.length; length++) {
      expect(() => openBatch(sealFrame(sample.slice(0, length), 'RFBA', 1)), `${length} bytes`).toThrow(FormatError);
    }
    expect(() => openBatch(sealFrame(withTrailing(sample, 1), 'RFBA', 1))).toThrow('1 bytes follow the receipt');
  });

  const rows = 40;
  const column = (field: number, row: number) => 24 + rows * 8 + (field * rows + row) * 4;

  test.each<[string, (view: DataView) => void]>([
    ['more rows than there is room for', (view) => view.setUint32(16, 0xffff_ffff, true)],
    ['more attributes than are listed', (view) => view.setUint32(20, 0xffff_ffff, true)],
    ['fewer attributes than are listed', (view) => view.setUint32(20, 1, true)],
    ['a number out of order', (view) => view.setFloat64(24 + 8, 1, true)],
    ['a number that is none', (view) => view.setFloat64(24, Number.NaN, true)],
    ['an infinite number', (view) => view.setFloat64(24 + 39 * 8, Number.POSITIVE_INFINITY, true)],
    ['a number that is not whole', (view) => view.setFloat64(24, 0.5, true)],
    ['a negative number', (view) => view.setFloat64(24, -1, true)],
    ['a row first seen after it was observed', (view) => view.setUint32(column(1, 9), 0xffff_ffff, true)],
    ['a row without sightings', (view) => view.setUint32(column(2, 9), 0, true)],
    ['a row of attributes that are not listed', (view) => view.setUint32(column(3, 9), 1000, true)],
  ])('%s', (_name, edit) => {
    const copy = sample.slice();
    edit(new DataView(copy.buffer));
    expect(() => openBatch(sealFrame(copy, 'RFBA', 1))).toThrow(FormatError);
  });

  /** A batch without rows, with these texts as attributes and receipt. */
  function withTexts(attributes: readonly string[], receipt: string): Bytes {
    const writer = new ByteWriter();
    writer.raw(new Uint8Array(24));
    for (const text of [...attributes, receipt]) writer.text(text);
    const bytes = writer.view().slice();
    new DataView(bytes.buffer).setUint32(20, attributes.length, true);
    return sealFrame(bytes, 'RFBA', 1);
  }

  test('attributes that no detection has', () => {
    const good = '["modem_pool_card","other",null,null,null,null,null]';
    expect(openBatch(withTexts([good], JSON.stringify(RECEIPT))).attributes).toEqual([good]);
    for (const text of ['', '[]', good.replace('other', 'unheard-of')]) {
      expect(() => openBatch(withTexts([text], JSON.stringify(RECEIPT))), text).toThrow(FormatError);
    }
  });

  test.each([
    ['', '{'],
    ['without a field', '{"bodySha256":"","accepted":1,"rejected":0}'],
    ['with a field of another kind', JSON.stringify({ ...RECEIPT, accepted: '3' })],
    ['with an error of another kind', JSON.stringify({ ...RECEIPT, errors: [{ line: 1 }] })],
  ])('a receipt %s that is none', (_name, receipt) => {
    expect(() => openBatch(withTexts([], receipt))).toThrow(FormatError);
  });
});
