import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { flatten, SCALE_DOCUMENT, withTables } from '../../../../bench/simulate/table.ts';
import { DEFAULT_OPTIONS, parseOptions, simulate } from '../../../../bench/simulate.ts';

/** All of the simulation, on a machine that may be busy. */
const WHOLE_SIMULATION_MS = 180_000;
const table = { id: 'one', title: 'One', rows: [{ what: 'a', bytes: 1_234_567 }] };

test(
  'docs/SCALE.md has the figures of the simulation: if not, npm run simulate -- --write-docs',
  async () => {
    const { tables } = await simulate(DEFAULT_OPTIONS);
    const document = readFileSync(SCALE_DOCUMENT, 'utf8');
    expect(withTables(document, tables)).toBe(document);
  },
  WHOLE_SIMULATION_MS,
);

test('tables are written between their markers, and all of them have a place', () => {
  const document = 'before\n<!-- table one -->\nold\n<!-- end -->\nafter\n';
  expect(withTables(document, [table])).toBe(
    'before\n<!-- table one -->\n| what | bytes |\n| --- | ---: |\n| a | 1,234,570 |\n<!-- end -->\nafter\n',
  );
  expect(() => withTables(document, [])).toThrow('there is no table "one"');
  expect(() => withTables(document, [table, { ...table, id: 'two' }])).toThrow('no place for: two');
});

test('the results file has one row a figure', () => {
  expect(flatten(table)).toEqual([{ table: 'one', row: 'a', figure: 'bytes', value: 1_234_567 }]);
});

test('options', () => {
  expect(parseOptions([])).toEqual(DEFAULT_OPTIONS);
  expect(parseOptions(['--seed', '7', '--lookups', '5,6', '--json', 'x'])).toMatchObject({
    seed: 7,
    lookupsAMonth: [5, 6],
    json: 'x',
  });
  expect(() => parseOptions(['--cron', 'soon'])).toThrow('--cron takes a whole number of at least 10, not "soon"');
  expect(() => parseOptions(['--seed', '2', '--write-docs'])).toThrow('default');
});
