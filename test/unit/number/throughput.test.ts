import { expect, test } from 'vitest';
import { parseNumber } from '../../../src/number/parse.ts';
import { samplesOfEveryRange } from './corpus.ts';

/** DESIGN.md, "Numbers to reach": a batch, JSON and lookup included; so parsing has to be well above it. */
const BAR_PER_SECOND = 150_000;
const PARSES = 300_000;

test('clean E.164 of all plans parses at twice the rate that a batch needs', () => {
  const inputs = samplesOfEveryRange(20, 3)
    .map((sample) => `+${sample.digits}`)
    .filter((input) => parseNumber(input).ok); // which also compiles the patterns, as a warm isolate has
  let valid = 0;
  const start = performance.now();
  for (let i = 0; i < PARSES; i++) if (parseNumber(inputs[i % inputs.length] ?? '').ok) valid++;
  const seconds = (performance.now() - start) / 1000;
  console.log(
    `throughput.test: ${Math.round(PARSES / seconds)} numbers/s, ${Math.round((seconds * 1e9) / PARSES)} ns each`,
  );
  expect(valid).toBe(PARSES);
  expect(PARSES / seconds).toBeGreaterThan(2 * BAR_PER_SECOND);
});
