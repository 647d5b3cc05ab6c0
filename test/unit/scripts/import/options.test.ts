import { expect, test } from 'vitest';
import { DEFAULT_URL } from '../../../../scripts/command/arguments.ts';
import { parseOptions } from '../../../../scripts/import.ts';

test('the least there is to say', () => {
  expect(parseOptions(['a.csv', 'b.tsv.gz'], { RINGFENCE_KEY: 'rf_env' })).toEqual({
    files: ['a.csv', 'b.tsv.gz'],
    url: DEFAULT_URL,
    key: 'rf_env',
    map: {},
    set: {},
  });
});

test('everything there is to say', () => {
  const args = [
    '--url=https://x.example/',
    '--key',
    'rf_1',
    '--map',
    'number=2,observedAt=1',
    '--map',
    'link=url, long',
  ];
  const more = ['--set=label=a,project=Foo, Inc', '--no-header', '--observed-at', '2025-01-01', '--batch-size', '10'];
  const paths = ['--rejects', 'r.csv', '--state', 's', 'a.csv'];
  expect(parseOptions([...args, ...more, ...paths], { RINGFENCE_KEY: 'rf_env' })).toEqual({
    files: ['a.csv'],
    url: 'https://x.example/',
    key: 'rf_1',
    map: { number: '2', observedAt: '1', link: 'url, long' },
    set: { label: 'a', project: 'Foo, Inc' },
    header: false,
    observedAt: '2025-01-01',
    batchSize: 10,
    rejectsPath: 'r.csv',
    stateFolder: 's',
  });
});

test('help', () => {
  expect(parseOptions(['--help'], {})).toBeNull();
});

test.each([
  [[], 'name at least one file'],
  [['a.csv', '--url', 'localhost:8787'], '--url: expected an http or https address'],
  [['a.csv', '--batch-size', '100001'], '--batch-size takes a whole number from 1 to 100000, not "100001"'],
  [['a.csv', '--key', 'a b'], 'the API key: expected printable ASCII without spaces'],
  [['a.csv', '--urll', 'x'], "Unknown option '--urll'"],
  [['a.csv', '--map', 'number'], '--map: expected field=value, found "number"'],
  [['a.csv', '--map', 'nummer=1'], '--map: expected one of number, country, observedAt'],
  [['a.csv', '--set', 'label='], '--set: expected field=value'],
  [['a.csv', '--map', 'number=1,number=2'], '--map: number is given twice'],
])('%j is refused', (args, message) => {
  expect(() => parseOptions(args, {})).toThrow(
    expect.objectContaining({ name: 'UsageError', message: expect.stringContaining(message) }),
  );
});
