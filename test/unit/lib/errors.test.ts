import { describe, expect, test } from 'vitest';
import { loggableMessage, messageOf, redacted, redactedLog } from '../../../src/lib/errors.ts';

describe('digits that may be a phone number', () => {
  test.each([
    ['12025550123', '[digits]'],
    ['+12025550123', '+[digits]'],
    ['"12025550123"', '"[digits]"'],
    ['+1 202 555 0123 and (202) 555.0123', '+[digits] and ([digits]'],
    ['202-555-0123, 202/555/0123', '[digits], [digits]'],
    ['?number=%2B12025550123&scenario=signup', '?number=%2B[digits]&scenario=signup'],
    ['%2B1%20202%20555%200123', '%2B[digits]'],
    ['segments 12025550100 12025550199', 'segments [digits]'],
    ['12025550123: expected number', '[digits]: expected number'],
    ['number12025550123 or 12025550123n', 'number[digits] or [digits]n'],
    ['１２０２５５５０１２３ and ٠١٢٣٤٥٦٧٨٩', '[digits] and [digits]'],
    ['202–555–0123, 202·555·0123, 202\u200b5550123', '[digits], [digits], [digits]'],
    ['tel%3A12025550123 number%3D202%2D555%2D0123', 'tel%3A[digits] number%3D[digits]'],
    [String.raw`"a\n12025550123"`, String.raw`"a\n[digits]"`],
    ['1202-55-50 and 4420-71-83', '[digits] and [digits]'],
  ])('are left out of %j', (text, left) => {
    expect(redacted(text)).toBe(left);
  });

  test.each([
    'batches/waiting/1795791580799-bf537776-2d23-4cf8-86a2-1aa643781201',
    '1795791580799-12345678-2d23-4cf8-86a2-1aa643781201: cut off',
    'manifests/0000000012-a1b2c3d4 and segments/id000012-000003',
    'slice 5f0c1234567890aa',
    'from 2026-11-01 to 2026-11-15',
    'briefings/2026-11-01_2026-11-15',
    '2026-11-27T14:59:42.913Z',
    '2026-11-27 14:59:42',
    '2026-11-01..2026-11-15',
    'at file:///src/merge/tick.ts:123:45',
    'expected 123456 bytes, found 4096',
  ])('are not what %j has', (text) => {
    expect(redacted(text)).toBe(text);
  });
});

test('a text of any length is cut and looked through', () => {
  expect(redacted('.1_1-1'.repeat(2_000_000)).length).toBeLessThanOrEqual(4_000);
});

test('what errors say is shown without them, whatever is thrown', () => {
  const error = new RangeError('no block 3 of 12025550123');
  expect([messageOf(error), loggableMessage(error)]).toEqual([error.message, 'no block 3 of [digits]']);
  expect([messageOf('text 12025550123'), loggableMessage(undefined)]).toEqual(['text 12025550123', 'undefined']);
});

test('a log passes counts as they are, and texts without them', () => {
  const lines: unknown[] = [];
  redactedLog((event, details) => lines.push([event, details]))('tick', { batches: 20_000_000, reason: '12025550123' });
  expect(lines).toEqual([['tick', { batches: 20_000_000, reason: '[digits]' }]]);
});
