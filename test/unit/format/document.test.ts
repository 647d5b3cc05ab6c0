/** docs/FORMAT.md says what the code does, as far as that can be compared. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { CHANNELS, INDUSTRIES } from '../../../src/format/attributes.ts';
import { encodeSegment } from '../../../src/format/segment.ts';
import { UNPACED } from '../../../src/lib/cooperate.ts';
import { describeSegment } from './support/describe-segment.ts';
import { EXAMPLE_RECORDS } from './support/example.ts';
import { recordColumns } from './support/plain.ts';

const document = readFileSync(resolve(import.meta.dirname, '../../../docs/FORMAT.md'), 'utf8');
const example = document.slice(document.indexOf('```text\n') + 8).split('\n```')[0] ?? '';
const { file } = await encodeSegment(recordColumns(EXAMPLE_RECORDS), UNPACED);

test('the hex of the worked example is what the encoder writes', () => {
  const hex = example
    .split('\n')
    .flatMap((line) => line.match(/^ *\d+ {2}((?:[0-9a-f]{2} )*[0-9a-f]{2})(?: {2}|$)/)?.[1] ?? []);
  expect(hex.join(' ').replaceAll(' ', '')).toBe(Buffer.from(file).toString('hex'));
});

test('and so are its notes', () => {
  expect(example.split('\n')).toEqual(describeSegment(file).split('\n'));
});

test('the vocabularies are complete and in order', () => {
  for (const [name, words] of Object.entries({ channels: CHANNELS, industries: INDUSTRIES })) {
    expect(document).toContain(`| ${name} | ${words.map((word) => `\`${word}\``).join(', ')} |`);
  }
});
