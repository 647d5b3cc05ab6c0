import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BatchRows, encodeBatch } from '../../../../scripts/build-inventory/parse.ts';
import { attributesText, type Detection } from '../../../../src/format/attributes.ts';
import { BatchBuilder, openBatch } from '../../../../src/format/batch.ts';
import { ByteReader } from '../../../../src/lib/bytes.ts';
import { detection } from '../../../support/detections.ts';

function encode(detections: readonly Detection[]) {
  const rows = new BatchRows(Math.max(1, detections.length));
  for (const one of detections) {
    rows.add(one.number, one.observedAt, one.firstSeenAt, one.sightings, rows.idOf(attributesText(one)));
  }
  return encodeBatch(rows.columns());
}

test('gives the bytes of the batch builder that is given the rows in number order', () => {
  fc.assert(
    fc.property(fc.array(detection), (detections) => {
      const { file, contentSha256 } = encode(detections);
      const builder = new BatchBuilder();
      for (const one of detections.toSorted((a, b) => a.number - b.number)) builder.add(one);
      const receipt = { bodySha256: contentSha256, accepted: detections.length, rejected: 0, errors: [] };
      expect(Buffer.from(file).toString('hex')).toBe(Buffer.from(builder.finish(receipt)).toString('hex'));
    }),
  );
});

test('says where each text begins', () => {
  fc.assert(
    fc.property(fc.array(detection), (detections) => {
      const { file, textOffsets } = encode(detections);
      const { attributes } = openBatch(file);
      const texts = [...textOffsets.slice(0, -1)].map((offset) => new ByteReader(file, offset).text());
      expect(texts).toEqual(attributes);
    }),
  );
});

test('the same rows have the same hash, others another', () => {
  fc.assert(
    fc.property(fc.array(detection, { minLength: 1 }), fc.nat(), (detections, i) => {
      const { contentSha256 } = encode(detections);
      expect(encode(detections).contentSha256).toBe(contentSha256);
      const at = i % detections.length;
      const changed = detections.map((one, j) => (j === at ? { ...one, sightings: one.sightings + 1 } : one));
      expect(encode(changed).contentSha256).not.toBe(contentSha256);
    }),
  );
});
