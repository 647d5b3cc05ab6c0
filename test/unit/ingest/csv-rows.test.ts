import { parse as parseCsv } from 'csv-parse/sync';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MAX_LINE_CHARS } from '../../../src/ingest/body.ts';
import { CsvRows } from '../../../src/ingest/csv.ts';

/** Rows as `[line, ...fields]`, rejects as `[line]`, in the order they came. */
function read(text: string, cuts: readonly number[] = [], delimiter = ','): (readonly (number | string)[])[] {
  const seen: (readonly (number | string)[])[] = [];
  const rows = new CsvRows(
    { row: (fields, line) => seen.push([line, ...fields]), reject: (error) => seen.push([error.line]) },
    delimiter,
  );
  let from = 0;
  for (const cut of [...cuts, text.length]) {
    rows.push(text.slice(from, cut));
    from = cut;
  }
  rows.end();
  return seen;
}

const field = fc.string({ unit: fc.constantFrom('a', '1', ',', '"', '\n', ' ', 'é'), maxLength: 6 });
const record = fc.array(field, { minLength: 1, maxLength: 4 });

function quote(text: string, always: boolean): string {
  return always || /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

describe('against csv-parse', () => {
  test('any records, quoted when needed or always, in any two pieces, with LF or CRLF', () => {
    const line = fc.constantFrom('\n', '\r\n');
    fc.assert(
      fc.property(fc.array(record), fc.boolean(), line, fc.nat(), (records, always, end, at) => {
        const text = records.map((fields) => fields.map((f) => quote(f, always)).join(',') + end).join('');
        const options = { relax_column_count: true, skip_empty_lines: true, record_delimiter: ['\r\n', '\n'] };
        // csv-parse takes a line of nothing but spaces for a record.
        const expected = parseCsv(text, options).filter(
          (fields) => always || fields.length > 1 || !/^ *$/.test(fields.join('')),
        );
        const rows = read(text, [at % (text.length + 1)]).map(([, ...fields]) => fields);
        expect(rows).toEqual(expected);
      }),
      { numRuns: 2000 },
    );
  });

  test('any text that csv-parse takes is read the same', () => {
    const text = fc.string({ unit: fc.constantFrom('a', ',', '"', '\n', '""', ',"', '",'), maxLength: 20 });
    fc.assert(
      fc.property(text, (body) => {
        let expected: string[][];
        try {
          expected = parseCsv(body, { relax_column_count: true, skip_empty_lines: true, record_delimiter: '\n' });
        } catch {
          return;
        }
        expect(read(body).map(([, ...fields]) => fields)).toEqual(expected);
      }),
      { numRuns: 20_000 },
    );
  });
});

test('the line of a record is where it starts', () => {
  const text = 'a,b\r\n\r\n1,"x\r\ny\r\n\r\nz"\r\n2,w\r\n';
  const expected = [
    [1, 'a', 'b'],
    [3, '1', 'x\ny\n\nz'],
    [7, '2', 'w'],
  ];
  for (let cut = 0; cut <= text.length; cut++) expect(read(text, [cut])).toEqual(expected);
});

test('a tab for a delimiter', () => {
  expect(read('a\tb,c\n"1\t2"\t3', [], '\t')).toEqual([
    [1, 'a', 'b,c'],
    [2, '1\t2', '3'],
  ]);
});

describe('a stray quote costs its own line only', () => {
  test.each([
    ['never closed', '1,a\n2,"b\n3,c\n4,d\n', [[1, '1', 'a'], [2], [3, '3', 'c'], [4, '4', 'd']]],
    ['closed by the next quoted field', '1,"a\n2,"b"\n3,c', [[1], [2, '2', 'b'], [3, '3', 'c']]],
    ['text after a closing quote', '1,"a"b\n2,c', [[1], [2, '2', 'c']]],
    ['inside a plain field', '1,5" pipe\n2,c', [[1], [2, '2', 'c']]],
    ['two lines that are never closed', '1,"a\n2,b\n3,"c\n4,d', [[1], [2, '2', 'b'], [3], [4, '4', 'd']]],
  ])('%s', (_, text, expected) => {
    expect(read(text)).toEqual(expected);
  });

  test('every line is accounted for, whatever the quotes', () => {
    const line = fc.string({ unit: fc.constantFrom('a', ',', '"'), minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(fc.array(line), (texts) => {
        const seen = read(texts.join('\n'));
        const starts = seen.map(([at]) => at);
        expect(starts).toEqual([...new Set(starts)].sort((a, b) => Number(a) - Number(b)));
        const last = texts.findLastIndex((text) => !text.includes('"') && text !== '');
        // A line without quotes is a row of its own, or inside a quoted field of the record before it.
        if (last >= 0 && !starts.includes(last + 1)) {
          expect(seen.some((row) => row.some((value) => String(value).includes(`\n${texts[last]}`)))).toBe(true);
        }
      }),
    );
  });
});

describe('bounds', () => {
  test('a line too long is rejected, wherever it is', () => {
    const long = 'x'.repeat(MAX_LINE_CHARS + 1);
    expect(read(`1,a\n${long}\n2,b`)).toEqual([[1, '1', 'a'], [2], [3, '2', 'b']]);
    expect(read(`1,"a\n${long}\n2,b"\n3,c`)).toEqual([[1], [2], [3], [4, '3', 'c']]);
    expect(read(`1,a\r\n${long.slice(1)}\r\n`).map(([line]) => line)).toEqual([1, 2]);
  });

  test('a record over too many lines is given up and its lines are read', () => {
    const count = MAX_LINE_CHARS / 4;
    const rows = Array.from({ length: count }, (_, i) => [i + 2, `${i % 10}`, 'b']);
    expect(read(`"a\n${rows.map(([, ...fields]) => fields.join(',')).join('\n')}`)).toEqual([[1], ...rows]);
  });

  test('hostile quotes cost no more than a second reading', () => {
    // Each of these lines leaves a quote open if one is open, so the first record never ends by itself.
    const text = `x,"a\n${'a",b,"c\n'.repeat(100_000)}`;
    const started = performance.now();
    expect(read(text)).toHaveLength(100_001);
    expect(performance.now() - started).toBeLessThan(4000);
  });
});
