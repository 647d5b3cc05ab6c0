import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readmeWithTable } from '../../bench/main.ts';

test('the figures of README.md are those of bench/results: if not, npm run bench -- --write-readme', () => {
  const readme = readFileSync(join(import.meta.dirname, '..', '..', 'README.md'), 'utf8');
  expect(readme).toBe(readmeWithTable(readme));
  expect(readme).toContain('| probe | mix: time');
});
