import { describe, expect, test } from 'vitest';
import { BUILD_PROGRESS, type BuildSummary, summaryText } from '../../../../scripts/build-inventory/build.ts';
import { parseOptions, remoteConfig } from '../../../../scripts/build-inventory.ts';
import { Progress } from '../../../../scripts/command/progress.ts';

describe('the options', () => {
  test('have defaults for all but the files', () => {
    expect(parseOptions(['a.csv', '--threads', '2'])).toEqual({
      files: ['a.csv'],
      state: null,
      remote: null,
      work: null,
      mapping: { map: {}, set: {} },
      rejects: 'build.rejects.csv',
      threads: 2,
    });
  });

  test('are those of the import where they mean the same', () => {
    const args = ['a.tsv', 'b.tsv', '--map', 'number=2,observedAt=1', '--set', 'label=reported_abuse', '--no-header'];
    expect(parseOptions([...args, '--observed-at', '2025-04-01'])).toMatchObject({
      files: ['a.tsv', 'b.tsv'],
      mapping: { map: { number: '2', observedAt: '1' }, set: { label: 'reported_abuse' } },
      header: false,
      observedAt: '2025-04-01',
    });
  });

  test.each([
    [[], 'name at least one file'],
    [['a.csv', '--threads', '0'], '--threads takes a whole number from 1 to 64, not "0"'],
    [['a.csv', '--map', 'nothing'], '--map: expected field=value'],
    [['a.csv', '--remote'], '--remote: expected --kv-namespace with 32 hex digits'],
    [['a.csv', '--remote', '--kv-namespace', 'mine'], '--remote: expected --kv-namespace with 32 hex digits'],
    [['a.csv', '--add'], '--help lists the options'],
  ])('%j is refused', (args, message) => {
    expect(() => parseOptions(args)).toThrow(message);
  });

  test('--help asks for help', () => {
    expect(parseOptions(['--help'])).toBeNull();
  });

  test('--remote binds the bucket and the namespace of the account, under the names that the Worker has', () => {
    const id = '0123456789abcdef'.repeat(2);
    const remote = parseOptions(['a.csv', '--remote', '--kv-namespace', id])?.remote;
    expect(remote).toEqual({ bucket: 'ringfence', namespaceId: id });
    if (remote === undefined || remote === null) throw new Error('no target');
    expect(remoteConfig(remote, '2026-11-09')).toEqual({
      name: 'ringfence-build-inventory',
      compatibility_date: '2026-11-09',
      r2_buckets: [{ binding: 'STORE', bucket_name: 'ringfence', remote: true }],
      kv_namespaces: [{ binding: 'SLICES', id, remote: true }],
    });
  });
});

test('progress is a line every five seconds where there is no terminal, with the rate and the time left', () => {
  const lines: string[] = [];
  let now = 0;
  const progress = new Progress({ isTerminal: false, write: (text) => lines.push(text) }, () => now, BUILD_PROGRESS);
  progress.begin('reading', 4_000, { unit: 'rows' });
  for (; now < 11_000; now += 1_000) progress.advance(200, 10_000);
  progress.end();
  expect(lines).toEqual([
    'reading: 30%, 60,000 rows, 12,000 a second, 12 s left\n',
    'reading: 55%, 110,000 rows, 11,000 a second, 9 s left\n',
  ]);
});

test('the summary names the counts, the seconds of each phase and the memory', () => {
  const summary: BuildSummary = {
    rows: 1_002,
    accepted: 1_000,
    rejectedByCode: { 'invalid-date': 1, 'invalid-number': 1 },
    undated: 3,
    numbers: 900,
    batches: 2,
    batchBytes: 24_000_000,
    segments: 1,
    segmentBytes: 20_000_000,
    sliceBytes: 5_000_000,
    generation: 2,
    seconds: { read: 1.26, fold: 0.5, publish: 2 },
    cpuSeconds: { read: 2.4, fold: 1, publish: 1 },
    heldRows: 10,
    peakMemoryBytes: 400_000_000,
    rejectsPath: 'build.rejects.csv',
  };
  expect(summaryText(summary)).toBe(`built generation 2
  rows read                    1,002
  accepted                     1,000
  rejected                         2
    invalid-date                   1
    invalid-number                 1
  distinct numbers               900
  batches                          2, 24 MB
  segments                         1, 20 MB, of them 5 MB in KV too
  read, seconds                  1.3
  fold, seconds                  0.5
  publish, seconds                 2
  peak memory, MB                400
  3 rows had no observedAt and got the date of their file, or --observed-at
  rejected rows are listed in build.rejects.csv
`);
});
