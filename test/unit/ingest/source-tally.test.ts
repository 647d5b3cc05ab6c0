import { expect, test } from 'vitest';
import { BatchBuilder, MAX_NAMED_SOURCES, openBatch } from '../../../src/format/batch.ts';
import { SourceTally } from '../../../src/ingest/accept.ts';
import { checkLine, Rejection } from '../../../src/ingest/validate.ts';
import { LABELS, NOW_MS } from './support.ts';

/** As an upload has it, through the validator. */
function tallied(lines: readonly Readonly<Record<string, unknown>>[]) {
  const tally = new SourceTally();
  for (const line of lines) {
    const checked = checkLine(line, { nowMs: NOW_MS, labels: LABELS });
    const source = typeof line.source === 'string' ? line.source : null;
    if (checked instanceof Rejection) tally.reject(source, checked);
    else tally.accept(checked.detection.source, checked.lineType);
  }
  return tally.finish();
}

test('lines are told apart by what is wrong with their numbers', () => {
  // Reserved for fiction: +1 555-01xx (fixed or mobile by plan), +44 20 7946 0xxx (fixed).
  expect(
    tallied([
      { number: '+12025550123', source: 'a' },
      { number: '+442079460123', source: 'a' },
      { number: '+19995550123', source: 'a' },
      { number: '+1202555', source: 'a' },
      { number: 'none', source: 'a' },
      { number: '+12025550123', source: 'a', label: 'no such label' },
      { number: '+12025550123' },
      // The same refusal, with more words, where neither + nor country is given.
      { number: '19995550123', source: 'a' },
    ]),
  ).toEqual([
    { source: 'a', lines: 7, accepted: 2, unassigned: 2, invalid: 2, fixedLine: 1 },
    { source: null, lines: 1, accepted: 1, unassigned: 0, invalid: 0, fixedLine: 0 },
  ]);
});

test('of more sources than are named, the largest are, and the rest add up', () => {
  const tally = new SourceTally();
  const count = MAX_NAMED_SOURCES + 3;
  for (let i = 0; i < count; i++) {
    for (let line = 0; line <= i; line++) tally.accept(`feed-${i}`, 'fixed_line');
  }
  const sources = tally.finish();
  expect(sources).toHaveLength(MAX_NAMED_SOURCES + 1);
  expect(sources[0]).toMatchObject({ source: `feed-${count - 1}`, lines: count });
  expect(sources.at(-1)).toEqual({ lines: 6, accepted: 6, unassigned: 0, invalid: 0, fixedLine: 6 });
  const receipt = { bodySha256: '', accepted: 0, rejected: 0, errors: [], sources };
  expect(openBatch(new BatchBuilder().finish(receipt)).receipt).toEqual(receipt);
});

test('a batch of before sources were counted is readable', () => {
  const receipt = { bodySha256: '', accepted: 0, rejected: 0, errors: [] };
  expect(openBatch(new BatchBuilder().finish(receipt)).receipt).toEqual(receipt);
});
