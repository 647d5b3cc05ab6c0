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

test('without a terminal, where only ends are told: a line for each title, with the figures as they are given', () => {
  const written: string[] = [];
  const out = { isTerminal: false, write: (text: string) => written.push(text) };
  const progress = new Progress(out, () => 0, { bar: '{bar}', line: '{title}: {rows} rows', onlyAtEnd: true });
  for (const title of ['one', 'two']) {
    progress.begin(title, 3_000);
    for (const done of [1_000, 2_000, 3_000]) progress.update(done, { rows: String(done) });
  }
  progress.end();
  expect(written).toEqual(['one: 3000 rows\n', 'two: 3000 rows\n']);
});

test('what is counted beside has its own sum and rate, also beyond the total', () => {
  const written: string[] = [];
  let nowMs = 0;
  const style = { bar: null, line: '{title}: {done}{ofTotal}, {percentage}%, {count} at {rate}, {left} left' };
  const progress = new Progress({ isTerminal: false, write: (text) => written.push(text) }, () => nowMs, style);
  progress.begin('bytes', 4_000);
  nowMs = 5_000;
  progress.advance(1_000, 20);
  nowMs = 10_000;
  progress.advance(4_000, 30);
  progress.begin('unknown');
  nowMs = 15_000;
  progress.advance();
  expect(written).toEqual([
    'bytes: 1,000 of 4,000, 25%, 20 at 4, 15 left\n',
    'bytes: 5,000 of 4,000, 100%, 50 at 5, 0 left\n',
    'unknown: 1, 100%, 1 at 0, 0 left\n',
  ]);
});
