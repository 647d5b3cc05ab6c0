import { expect, test } from 'vitest';
import { Progress } from '../../../../scripts/command/progress.ts';
import { IMPORT_PROGRESS } from '../../../../scripts/import/import-file.ts';

test('without a terminal: a line every five seconds', () => {
  const written: string[] = [];
  let nowMs = 0;
  const progress = new Progress(
    { isTerminal: false, write: (text) => written.push(text) },
    () => nowMs,
    IMPORT_PROGRESS,
  );
  progress.begin('a.csv', 2000);
  for (nowMs = 1000; nowMs <= 12_000; nowMs += 1000) progress.update(nowMs / 10, { lines: nowMs, rejected: 1 });
  progress.note('note');
  progress.end();
  expect(written).toEqual([
    'a.csv: 25%, 5,000 lines, 1 rejected\n',
    'a.csv: 50%, 10,000 lines, 1 rejected\n',
    'note\n',
  ]);
});
