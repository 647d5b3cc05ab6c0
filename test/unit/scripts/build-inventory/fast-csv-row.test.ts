import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FastCsvRows } from '../../../../scripts/build-inventory/fast-csv-row.ts';
import {
  type AttributesRef,
  ByteLines,
  checkRow,
  NeedsWholeFile,
  type RowContext,
  type RowSink,
} from '../../../../scripts/build-inventory/rows.ts';
import { columnsOf, type Mapping, rowToRaw } from '../../../../scripts/import/mapping.ts';
import type { LineError } from '../../../../src/format/batch.ts';
import { malformed } from '../../../../src/ingest/body.ts';
import { CsvRows } from '../../../../src/ingest/csv.ts';
import { LABELS } from './support.ts';

const CONTEXT: RowContext = {
  nowMs: Date.UTC(2026, 0, 5, 12),
  labels: new Set(LABELS),
  observedAt: '2025-06-01T10:00:00Z',
};
const HEADER = ['source', 'number', 'observedAt', 'label', 'channel', 'note', 'industry', 'firstSeen', 'sightings'];
const ALL = [...HEADER, 'project', 'link', 'country'];
/** As a table of detections is laid out: what is said of a number comes last. */
const LAST = ['number', 'firstSeen', 'observedAt', 'sightings', 'label', 'channel', 'industry', 'project', 'source'];
const NO_MAPPING: Mapping = { map: {}, set: {} };

class Recorder implements RowSink {
  readonly events: string[] = [];
  readonly refs = new Set<AttributesRef>();
  accept(...[number, observedAt, firstSeenAt, sightings, attributes]: Parameters<RowSink['accept']>): void {
    this.events.push(JSON.stringify([number, observedAt, firstSeenAt, sightings, attributes.text]));
    this.refs.add(attributes);
  }
  undated(): void {
    this.events.push('undated');
  }
  reject(error: LineError): void {
    this.events.push(JSON.stringify(error));
  }
}

/** The reader of uploads and imports, row by row through the gate. */
function reference(text: string, header: readonly string[], mapping: Mapping): string[] {
  const sink = new Recorder();
  const columns = columnsOf(header, true, mapping);
  const reject = (error: LineError) => checkRow({ line: error.line, error }, CONTEXT, sink);
  const rows = new CsvRows({
    row(fields, line) {
      const { count } = columns;
      if (fields.length === count) checkRow({ line, raw: rowToRaw(fields, columns, mapping) }, CONTEXT, sink);
      else reject(malformed(line, `expected ${count} fields as in the first row; found ${fields.length}`));
    },
    reject,
  });
  rows.push(text);
  rows.end();
  return sink.events;
}

function fast(
  text: string,
  header: readonly string[],
  mapping: Mapping,
  pieceBytes: number,
  delimiter = ',',
): Recorder {
  const sink = new Recorder();
  const shape = { delimiter, columns: columnsOf(header, true, mapping), mapping };
  const lines = new ByteLines(new FastCsvRows(shape, CONTEXT, sink));
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += pieceBytes) lines.push(bytes.subarray(at, at + pieceBytes));
  lines.end();
  return sink;
}

const usual = <T>(good: readonly T[], odd: readonly T[]) =>
  fc.oneof({ weight: 12, arbitrary: fc.constantFrom(...good) }, { weight: 1, arbitrary: fc.constantFrom(...odd) });
const day = fc.tuple(
  fc.integer({ min: 1999, max: 2027 }),
  fc.integer({ min: 0, max: 13 }),
  fc.integer({ min: 0, max: 32 }),
);
const two = (n: number) => String(n).padStart(2, '0');
const time = fc.oneof(
  usual(
    ['2025-05-17', '2025-05-17T08:09:10Z', '2025-06-01'],
    ['', ' ', '2025-02-30', '20250517', '2025-05-17T24:00:00Z'],
  ),
  day.map(([y, m, d]) => `${y}-${two(m)}-${two(d)}`),
  fc
    .tuple(day, fc.nat({ max: 25 }), fc.nat({ max: 61 }), fc.constantFrom('Z', '+02:00', 'z', '', ' '))
    .map(([[y, m, d], h, s, zone]) => `${y}-${two(m)}-${two(d)}T${two(h)}:${two(s)}:${two(s)}${zone}`),
);
const FIELD: Readonly<Record<string, fc.Arbitrary<string>>> = {
  number: usual(
    ['+12025550123', '12025550199', '+442079460018', '+639171234567', '4915112345678'],
    [
      '',
      '+',
      '0',
      '+1202555',
      '+1 202 555 0123',
      '٣٣',
      '+12025550123x',
      '+999999999999999',
      '0012025550123',
      'tel:+12025550123',
      '+1202555012345678',
    ],
  ),
  observedAt: time,
  firstSeen: fc.oneof(fc.constant(''), time),
  sightings: usual(['', '1', '7', '2147483647'], ['0', '01', '-1', '1.5', '2147483648', '99999999999', ' 3 ', 'x']),
  label: usual(['modem_pool_card', '', 'reported_abuse'], ['nobody', ' modem_pool_card ', 'é']),
  channel: usual(['otp_marketplace', '', 'other'], ['carrier pigeon', 'Other']),
  industry: usual(['finance', '', 'other'], ['mining']),
  project: usual(
    ['', 'alpha'],
    ['"quoted, with a comma"', 'é', 'tab\there', 'a'.repeat(129), '"x""y"', 'stray " quote'],
  ),
  link: usual(['', 'https://codes.example/a?b=c'], ['ftp://x', 'no link']),
  source: usual(['feed-1', ''], ['f\u2028', 'null\u0000']),
  country: usual(['', 'GB'], ['XX', 'U', 'us']),
  note: usual(['', 'anything'], ['é', '"', '"a"', '\u0007']),
};
const rowOf = (header: readonly string[]) =>
  fc.tuple(...header.map((name) => FIELD[name] ?? fc.constant(''))).map((fields) => fields.join(','));
const document = (header: readonly string[]) =>
  fc
    .tuple(
      fc.array(
        fc.oneof(
          { weight: 15, arbitrary: rowOf(header) },
          { weight: 1, arbitrary: fc.constantFrom('', ' ', ',', 'one,two', ','.repeat(30), 'x'.repeat(70_000)) },
        ),
        { maxLength: 40 },
      ),
      fc.constantFrom('\n', '\r\n'),
      fc.boolean(),
    )
    .map(([rows, end, closed]) => rows.join(end) + (closed ? end : ''));

describe('the fast way through the gate', () => {
  for (const [what, header, mapping] of [
    ['with the usual columns', HEADER, NO_MAPPING],
    ['with all columns', ALL, NO_MAPPING],
    ['with attributes at the end', LAST, NO_MAPPING],
    [
      'with attributes between and at the end',
      ['label', 'number', 'source', 'note', 'observedAt', 'channel'],
      NO_MAPPING,
    ],
    ['with the number alone', ['number', 'note'], NO_MAPPING],
    [
      'with set and mapped fields',
      ['note', 'number', 'observedAt'],
      { map: { source: 'note' }, set: { label: 'reported_abuse' } },
    ],
    ['with a set time', ['number', 'source'], { map: {}, set: { observedAt: '2025-05-17' } }],
  ] as const) {
    test(`accepts and rejects what the gate does, ${what}`, () => {
      fc.assert(
        fc.property(document(header), fc.integer({ min: 1, max: 300 }), (text, pieceBytes) => {
          let found: string[];
          try {
            found = fast(text, header, mapping, pieceBytes).events;
          } catch (error) {
            // The whole file is read by the reference itself then.
            if (error instanceof NeedsWholeFile) return;
            throw error;
          }
          expect(found).toEqual(reference(text, header, mapping));
        }),
        { numRuns: 150 },
      );
    });
  }

  test.each([
    ['with attributes', HEADER, ',', (i: number) => `feed-1,+120255501${two(i)},2025-05-17,,,,,,3`],
    ['at the end', LAST, ',', (i: number) => `+120255501${two(i)},,2025-05-17,3,reported_abuse,other,,,feed-1`],
    ['without', ['number', 'observedAt'], ',', (i: number) => `+120255501${two(i)},2025-05-17T01:02:03Z`],
    ['and tabs', ['number', 'observedAt', 'source'], '\t', (i: number) => `+120255501${two(i)}\t2025-05-17\tfeed-1`],
  ] as const)(
    'is the way that clean rows take, %s: one text for all that have the same',
    (_, header, delimiter, row) => {
      const rows = Array.from({ length: 50 }, (_, i) => row(i));
      const { refs, events } = fast(rows.join('\n'), header, NO_MAPPING, 1000, delimiter);
      expect(events).toHaveLength(50);
      // The first row goes the slow way, and has a text of its own.
      expect(refs.size).toBe(2);
    },
  );

  test.each([
    ['a country by which the digits are another number', '12025550123,2025-05-17,,GB'],
    ['a country that is none', '+12025550123,2025-05-17,,XX'],
    ['a first time after the last', '+12025550123,2025-05-17,2025-05-18,'],
    ['a time before there were any', '+12025550123,1999-12-31,,'],
    ['a time to come', '+12025550123,2026-01-07,,'],
    ['a day that does not exist', '+12025550123,2025-02-29,,'],
    ['no time of its own', '+12025550123,,,'],
    ['a number of no range', '+12005550123,2025-05-17,,'],
    ['no number', ',2025-05-17,,'],
  ])('after rows like it, takes one with %s as the gate does', (_, row) => {
    const header = ['number', 'observedAt', 'firstSeen', 'country'];
    const text = ['+12025550123,2025-05-17,,', '+12025550124,2025-05-18,2025-05-17,', row, row].join('\n');
    expect(fast(text, header, NO_MAPPING, 1000).events).toEqual(reference(text, header, NO_MAPPING));
  });

  test('knows attributes at the end of a line by all of their bytes, and takes no other fields for them', () => {
    const tails = [
      'other,feed-1',
      'other,feed-2',
      'other,feed',
      'other,feed-12',
      ',otherfeed-1',
      'other,,feed-1',
      'other',
      'other,"feed-1"',
    ];
    const rows = tails.flatMap((tail) => [`+12025550123,2025-05-17,${tail}`, `+12025550124,2025-05-17,${tail}`]);
    const text = [...rows, ...rows].join('\n');
    const header = ['number', 'observedAt', 'channel', 'source'];
    expect(fast(text, header, NO_MAPPING, 1000).events).toEqual(reference(text, header, NO_MAPPING));
  });

  test('tells attributes apart whose hashes in the memo are the same', () => {
    const row = (source: string) => `+12025550123,2025-05-17,${source}`;
    const text = ['dpjvjatg', 'nfrrlbbr', 'dpjvjatg', 'nfrrlbbr', 'bkgxqgdg', 'xyovcbpt'].map(row).join('\n');
    const header = ['number', 'observedAt', 'source'];
    expect(fast(text, header, NO_MAPPING, 1000).events).toEqual(reference(text, header, NO_MAPPING));
  });

  test('forgets attributes when there are too many, and goes on', () => {
    const row = (i: number) => `feed ${i},+12025550123,2025-05-17,,,,,,`;
    const text = Array.from({ length: 20_000 }, (_, i) => row(i % 9_999)).join('\n');
    expect(fast(text, HEADER, NO_MAPPING, 60_000).events).toEqual(reference(text, HEADER, NO_MAPPING));
  });

  test('costs a line with bytes that are not UTF-8 that line', () => {
    const sink = new Recorder();
    const shape = {
      delimiter: ',',
      columns: columnsOf(['number', 'observedAt'], true, NO_MAPPING),
      mapping: NO_MAPPING,
    };
    const lines = new ByteLines(new FastCsvRows(shape, CONTEXT, sink));
    lines.push(Buffer.from('+12025550123,2025-05-17\n\xff\xfe,\n+12025550124,2025-05-17\n', 'latin1'));
    expect(sink.events).toHaveLength(3);
    expect(sink.events[0]).toContain('[12025550123,1747440000,1747440000,1,');
    expect(sink.events[2]).toContain('[12025550124,1747440000,1747440000,1,');
    expect(sink.events[1]).toContain('expected UTF-8');
  });
});
