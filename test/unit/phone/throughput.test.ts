import parsePhoneNumber from 'libphonenumber-js/max';
import { expect, test } from 'vitest';
import { parseNumber } from '../../../src/phone/parse.ts';
import { samplesOfEveryRange } from './corpus.ts';

const PARSES = 200_000;
/**
 * The library takes some ten microseconds a number; a batch at 150,000 numbers/s (the bar of the http benchmark) has
 * seven for all its work.
 */
const TIMES_FASTER = 5;

function nanosecondsEach(inputs: readonly string[], parses: number, isValid: (input: string) => boolean): number {
  let valid = 0;
  const start = performance.now();
  for (let i = 0; i < parses; i++) if (isValid(inputs[i % inputs.length] ?? '')) valid++;
  const nanoseconds = ((performance.now() - start) * 1e6) / parses;
  expect(valid).toBe(parses);
  return nanoseconds;
}

test(`clean E.164 of all plans parses ${TIMES_FASTER} times as fast as with the library alone`, () => {
  const inputs = samplesOfEveryRange(20, 3)
    .map((sample) => `+${sample.digits}`)
    .filter((input) => parseNumber(input).ok); // which also compiles the patterns, as a warm isolate has
  const library = nanosecondsEach(inputs, PARSES / 10, (input) => {
    const parsed = parsePhoneNumber(input);
    return parsed?.isValid() === true && parsed.getType() !== null;
  });
  const ours = nanosecondsEach(inputs, PARSES, (input) => parseNumber(input).ok);
  console.log(`throughput.test: ${Math.round(ours)} ns each, the library ${Math.round(library)} ns`);
  expect(library / ours).toBeGreaterThan(TIMES_FASTER);
});
