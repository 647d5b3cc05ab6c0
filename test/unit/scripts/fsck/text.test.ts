import { describe, expect, test } from 'vitest';
import { Progress } from '../../../../scripts/command/progress.ts';
import { FSCK_PROGRESS } from '../../../../scripts/fsck/findings.ts';
import { HELP, parseOptions } from '../../../../scripts/fsck.ts';
import { loggableMessage } from '../../../../src/lib/errors.ts';
import { checked, firstSegment, fourMinutes } from './support.ts';

describe('options', () => {
  test('have defaults', () => {
    expect(parseOptions([])).toEqual({ state: null, verifyBatches: false, rebuild: null, decisions: null });
    expect(parseOptions(['--state', 'a', '--verify-batches', '--rebuild', 'b', '--decisions', 'none'])).toEqual({
      state: 'a',
      verifyBatches: true,
      rebuild: 'b',
      decisions: 'none',
    });
  });

  test('ask for help, which names them all', () => {
    expect(parseOptions(['--help'])).toBeNull();
    for (const name of ['--state', '--verify-batches', '--rebuild', '--decisions']) expect(HELP).toContain(name);
  });

  test('are refused when unknown or not offered', () => {
    expect(() => parseOptions(['--stat', 'x'])).toThrow(/--stat.*--help lists the options/);
    expect(() => parseOptions(['elsewhere'])).toThrow(/--help lists the options/);
    expect(() => parseOptions(['--remote'])).toThrow(/^Unknown option '--remote'/);
    expect(() => parseOptions(['--decisions', 'none'])).toThrow(/--rebuild DIR/);
    expect(() => parseOptions(['--rebuild', 'b', '--decisions', 'history/1'])).toThrow(/below manifests\/, or none/);
  });
});

test('digits in what a manifest is refused for are not repeated, keys and commits are', () => {
  const message = 'manifests/0000000012-a1b2c3d4 expected number but received "12025550123" or +12025550123';
  expect(loggableMessage(new Error(message))).toBe(
    'manifests/0000000012-a1b2c3d4 expected number but received "[digits]" or +[digits]',
  );
});

test('the report is a table, counts, and a line for each problem', async () => {
  const world = await fourMinutes();
  const { key } = await firstSegment(world);
  await world.objects.memory.delete([key]);
  await world.objects.memory.delete(['batches/merged/b1']);
  const { report } = await checked(world, { verifyBatches: false });
  expect(report).toBe(`a state folder: generation 4, 146 numbers in 1 run

  check                       looked at  result
  manifest                            1  ok
  API keys                            0  ok
  canaries                            0  ok
  rules of tenants                    0  ok
  segments in use                     1  1 error
  slices in KV                        0  not checked: not for the segments with errors
  numbers, each counted once          0  not checked: not while segments have errors
  activity                            1  ok
  retained generations                4  ok
  segments only they name             3  ok
  activity only they name             3  ok
  batches set aside                   0  ok
  history                             4  ok
  merged batches                      3  1 error
  waiting batches                     0  ok
  ledger of sources                   1  ok

error: ${key}: is missing. Lookups of its numbers fail or will fail. Rebuild the store from its batches: npm run fsck -- --rebuild DIR.
error: batches/merged/b1: is missing, and does not wait either; generation 2 merged it. The inventory has it, but a rebuild would lose it: put it back from a copy of the bucket.

The store has 2 errors.
`);
});

describe('progress', () => {
  function written(isTerminal: boolean) {
    const texts: string[] = [];
    let now = 0;
    const progress = new Progress({ isTerminal, write: (text) => texts.push(text) }, () => now, FSCK_PROGRESS);
    const later = (ms: number) => {
      now += ms;
      progress.advance();
    };
    return { texts, progress, later };
  }

  test('without a terminal is a line every five seconds', () => {
    const { texts, progress, later } = written(false);
    progress.begin('segments', 2_000);
    later(4_999);
    later(1);
    later(10);
    progress.note('a message');
    progress.end();
    expect(texts).toEqual(['segments: 2 of 2,000\n', 'a message\n']);
  });

  test('on a terminal is a line that changes, and is gone at the end', () => {
    const { texts, progress, later } = written(true);
    progress.begin('segments');
    later(99);
    later(1);
    progress.end();
    const erase = '\r\u001b[K';
    expect(texts).toEqual([`${erase}segments: 0`, `${erase}segments: 2`, erase]);
  });
});
