import * as v from 'valibot';
import { describe, expect, test } from 'vitest';
import { BatchBuilder, openBatch, type Receipt } from '../../../src/format/batch.ts';
import { decodeManifest, EMPTY_MANIFEST, encodeManifest } from '../../../src/format/manifest.ts';
import { FormatError } from '../../../src/lib/bytes.ts';
import { count, parseStored } from '../../../src/lib/schema.ts';
import { someDetections } from '../../support/detections.ts';

const FULL = '12025550123';

describe('a stored document', () => {
  const schema = v.object({
    rows: v.array(v.object({ number: count })),
    note: v.optional(v.pipe(v.string(), v.maxLength(3, 'expected at most 3 characters'))),
  });

  test('is as its schema has it', () => {
    expect(parseStored(schema, { rows: [{ number: 1, other: 2 }] }, 'TEST')).toEqual({ rows: [{ number: 1 }] });
  });

  test.each([
    [{ rows: [{ number: FULL }] }, 'TEST: rows.0.number: expected number'],
    [{ rows: [{ number: -Number(FULL) }] }, 'TEST: rows.0.number: expected >=0'],
    [{ rows: [], note: FULL }, 'TEST: note: expected at most 3 characters'],
    [FULL, 'TEST: body: expected Object'],
  ])('says where it differs, and quotes nothing: %j', (value, message) => {
    expect(() => parseStored(schema, value, 'TEST')).toThrow(new FormatError(message));
  });
});

/** A value that the types would not let through: what another version, or a hand, may have written. */
function foreign<T extends object>(value: T, members: Readonly<Record<string, unknown>>): T {
  return Object.assign(structuredClone(value), members);
}

test.each([FULL, -1, 0.5])('a batch that counts %j is refused without quoting it', (accepted) => {
  const builder = new BatchBuilder();
  for (const one of someDetections(1, 1)) builder.add(one);
  const receipt: Receipt = { bodySha256: '', accepted: 1, rejected: 0, errors: [] };
  const file = builder.finish(foreign(receipt, { accepted }));
  expect(() => openBatch(file)).toThrow(/^RFBA: receipt: accepted: expected (number|safe integer|>=0|another value)$/);
});

test('a manifest with a number where a text is expected is refused without quoting it', () => {
  const manifest = foreign(EMPTY_MANIFEST, { generation: 1, commit: Number(FULL) });
  expect(() => decodeManifest(encodeManifest(manifest))).toThrow(/^RFMF: commit: expected string$/);
});
