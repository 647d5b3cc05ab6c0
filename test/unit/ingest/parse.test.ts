import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MAX_DETECTIONS, MAX_LINE_CHARS } from '../../../src/ingest/body.ts';
import { codes, dramaNumber, lines, type Outcome, parseBody } from './support.ts';

const [A, B, C] = [dramaNumber(1), dramaNumber(2), dramaNumber(3)];
const NDJSON = 'application/x-ndjson';
const JSON_TYPE = 'application/json';
const CSV = 'text/csv';

function numbers(outcome: Outcome): string[] {
  return outcome.detections.map(([, detection]) => String(detection.number));
}

function refusal(code: string, detail: string) {
  return expect.objectContaining({ code, detail: expect.stringContaining(detail) });
}

/** The same three numbers, the second with a project that needs quoting or escaping. */
const SAMPLES: readonly [type: string, body: string, lines: readonly number[]][] = [
  [NDJSON, `\ufeff{"number":"${A}"}\r\n\r\n{"number":"${B}","project":"é \\"1, 2\\""}\n{"number":"${C}"}`, [1, 3, 4]],
  [
    JSON_TYPE,
    `\ufeff [{"number":"${A}"},\r\n{"number":${B},"project":"é \\"1, 2\\""} , {"number":"${C}"}]\n`,
    [1, 2, 3],
  ],
  [CSV, `\ufeffproject,number,x\r\n,${A},\n\n"é ""1, 2""",${B},"\r\n\r\n"\r\n,"${C}",y\r\n`, [2, 4, 7]],
];

describe.each(SAMPLES)('%s', (type, body, expectedLines) => {
  test('is read in pieces of any size, plain and gzip', async () => {
    const bytes = new TextEncoder().encode(body);
    for (const gzip of [false, true]) {
      for (let pieceBytes = 1; pieceBytes <= bytes.length; pieceBytes++) {
        const outcome = await parseBody(bytes, { type, gzip, pieceBytes });
        expect(outcome.rejects).toEqual([]);
        expect(numbers(outcome)).toEqual([A, B, C]);
        expect(lines(outcome)).toEqual(expectedLines);
        expect(outcome.detections.map(([, detection]) => detection.project)).toEqual([null, 'é "1, 2"', null]);
      }
    }
  });
});

describe('a bad line is rejected by itself', () => {
  test('NDJSON', async () => {
    const long = 'x'.repeat(MAX_LINE_CHARS);
    const bad = ['nonsense', '[]', '"text"', 'null', `{"number":"${long}"}`, '{"number":"1"}', '{"number":"1"'];
    const outcome = await parseBody([`{"number":"${A}"}`, ...bad, `{"number":"${B}"}`].join('\n'));
    expect(numbers(outcome)).toEqual([A, B]);
    expect(codes(outcome)).toEqual([
      '2 malformed-line',
      '3 malformed-line',
      '4 malformed-line',
      '5 malformed-line',
      '6 malformed-line',
      '7 invalid-number',
      '8 malformed-line',
    ]);
  });

  test('JSON', async () => {
    const deep = `{"x":${'['.repeat(40)}${']'.repeat(40)}}`;
    const outcome = await parseBody(`[[],"x",${deep},{"number":"1"},{"number":"${A}"}]`, { type: JSON_TYPE });
    expect(numbers(outcome)).toEqual([A]);
    expect(codes(outcome)).toEqual(['1 malformed-line', '2 malformed-line', '3 malformed-line', '4 invalid-number']);
  });

  test('CSV', async () => {
    const outcome = await parseBody(`number,x\n${A}\n${A},1,2\n"${A}"z,1\n1,\n${B},2`, { type: CSV });
    expect(numbers(outcome)).toEqual([B]);
    expect(codes(outcome)).toEqual(['2 malformed-line', '3 malformed-line', '4 malformed-line', '5 invalid-number']);
  });

  test('no detail repeats the line', async () => {
    // One that is read among them, since a body without any is refused.
    const outcomes = [
      await parseBody(`{"number":"${A}"\n"${A}"\n${A}\n{}`),
      await parseBody(`number\n"${A}"1\n${A},${B}\n1\n"${A}`, { type: CSV }),
    ];
    for (const { rejects, detections } of outcomes) {
      expect(detections).toEqual([]);
      expect(rejects).toHaveLength(4);
      expect(JSON.stringify(rejects)).not.toContain(A.slice(2, 8));
    }
  });
});

describe('a body that cannot be read', () => {
  test.each([
    [JSON_TYPE, '', 'expected one JSON array; found nothing'],
    [JSON_TYPE, `{"number":"${A}"}`, 'expected one JSON array; found a single object'],
    [JSON_TYPE, `[{"number":"${A}"},{"number":}]`, 'element 2 is not JSON'],
    [JSON_TYPE, `[{"number":"${A}"}`, 'found an end inside element 1'],
    [CSV, '', 'expected a CSV header; found nothing'],
    [CSV, '\n\n', 'expected a CSV header; found nothing'],
    [CSV, `${A},2025-01-01\n`, 'expected a CSV header with a number column; found 2 others'],
    [CSV, '"number\n1', 'expected a CSV header; expected a closing quote'],
    [CSV, 'number,label,number', 'found number twice, in columns 1 and 3'],
    [CSV, 'label,number,channel,label', 'found label twice, in columns 1 and 4'],
    [CSV, 'number,Number', 'found number and Number, in columns 1 and 2'],
    [CSV, 'number, number', 'found number twice, in columns 1 and 2'],
    [CSV, 'first-seen,number,firstSeen', 'found firstSeen and first-seen, in columns 3 and 1'],
    [CSV, 'number,source,SOURCE\u200b', 'found source and aaaaaa?, in columns 2 and 3'],
    [CSV, 'number,labell', 'expected the CSV column label; found labell'],
    [CSV, 'number,Label', 'expected the CSV column label; found Label'],
    [CSV, 'number,observed_at', 'expected the CSV column observedAt; found observed_at'],
    [CSV, 'Number', 'expected the CSV column number; found Number'],
  ])('%s %j', async (type, body, detail) => {
    await expect(parseBody(body, { type })).rejects.toThrow(refusal('invalid-body', detail));
    await expect(parseBody(body, { type })).rejects.not.toThrow(A);
  });
});

describe('a field twice in one JSON line', () => {
  const good = `{"number":"${C}"}`;
  const bad = [
    [`{"number":"${A}","number":"${B}"}`, 'expected each field once; found number twice'],
    [`{"number":"${A}","n\\u0075mber":"${B}"}`, 'expected each field once; found number twice'],
    [`{"number":"${A}","label":"reported_abuse","label" : null}`, 'expected each field once; found label twice'],
    [`{"source":"a","number":"${A}","x":{"source":1},"source":"b"}`, 'expected each field once; found source twice'],
  ] as const;

  test('is rejected with its line and the reason, and the others count', async () => {
    const sent = [good, ...bad.map(([line]) => line), good];
    for (const [type, body] of [
      [NDJSON, sent.join('\n')],
      [JSON_TYPE, `[${sent.join(',')}]`],
    ] as const) {
      const { rejects, detections } = await parseBody(body, { type });
      expect(rejects).toEqual(bad.map(([, detail], i) => ({ line: i + 2, code: 'malformed-line', detail })));
      expect(detections.map(([line]) => line)).toEqual([1, sent.length]);
    }
  });

  test('of a name that is passed over, it does not matter', async () => {
    const body = `{"number":"${A}","note":1,"note":2,"more":{"number":1,"number":2}}`;
    expect((await parseBody(body)).rejects).toEqual([]);
  });
});

describe('a body without a line is no success that took nothing', () => {
  test.each([
    [NDJSON, ''],
    [NDJSON, '\n \n'],
    [JSON_TYPE, ' [ ] '],
    [CSV, 'number\n'],
    // As curl -d sends a file: all of it becomes the header.
    [CSV, `number,observedAt${A},2025-01-01${B},2025-01-02`],
  ])('%s %j', async (type, body) => {
    const refused = refusal('invalid-body', 'expected at least one detection; found none');
    await expect(parseBody(body, { type })).rejects.toThrow(refused);
    await expect(parseBody(body, { type })).rejects.toThrow(refusal('invalid-body', '--data-binary'));
  });
});

describe('a body of which no line can be read is no success that took nothing', () => {
  test.each([
    [
      'CSV',
      NDJSON,
      `number,observedAt\n${A},2025-01-01\n${B},2025-01-02\n`,
      'lines of NDJSON; none of 3 can be read (line 1',
    ],
    ['numbers alone', NDJSON, `+${A}`, 'lines of NDJSON; the only one cannot be read (line 1'],
    [
      'an array of texts',
      JSON_TYPE,
      `["${A}","${B}"]`,
      'a JSON array; none of 2 can be read (line 1: expected an object',
    ],
    ['rows of another table', CSV, `number,label\n${A}\n${B},,\n`, 'lines of CSV; none of 2 can be read (line 2'],
  ])('%s as %s', async (_, type, body, detail) => {
    await expect(parseBody(body, { type })).rejects.toThrow(refusal('invalid-body', detail));
    await expect(parseBody(body, { type })).rejects.not.toThrow(A.slice(2, 8));
  });

  test('one that is read is enough, accepted or not', async () => {
    for (const line of ['{}', '{"number":"1"}', `{"number":"${A}"}`]) {
      const outcome = await parseBody(`nonsense\n${line}\nnonsense`);
      expect(outcome.detections.length + outcome.rejects.length).toBe(3);
    }
  });

  test('whatever the body: it is refused exactly if no line can be read', async () => {
    const line = fc.constantFrom('nonsense', '"text"', '5', '{}', '{"number":"1"}', `{"number":"${A}"}`);
    await fc.assert(
      fc.asyncProperty(fc.array(line, { minLength: 1, maxLength: 5 }), async (all) => {
        const isRead = all.some((text) => text.startsWith('{'));
        const outcome = await parseBody(all.join('\n')).catch((error) => error.code);
        if (isRead) expect(outcome).toHaveProperty('rejects');
        else expect(outcome).toBe('invalid-body');
      }),
    );
  });
});

describe('other ends of lines', () => {
  test.each(SAMPLES)('%s with CR alone, in pieces of any size', async (type, body, expectedLines) => {
    const bytes = new TextEncoder().encode(body.replaceAll(/\r?\n/g, '\r'));
    for (let pieceBytes = 1; pieceBytes <= bytes.length; pieceBytes++) {
      const outcome = await parseBody(bytes, { type, pieceBytes });
      expect(outcome.rejects).toEqual([]);
      expect(numbers(outcome)).toEqual([A, B, C]);
      expect(lines(outcome)).toEqual(expectedLines);
    }
  });

  test.each(['\v', '\f', '\u0085', '\u2028', '\u2029'])('CSV with %j is refused', async (end) => {
    const body = ['number,observedAt', `${A},2025-01-01`, `${B},2025-01-01`, ''].join(end);
    await expect(parseBody(body, { type: CSV })).rejects.toThrow(refusal('invalid-body', 'LF, CRLF or CR'));
  });

  test('whatever ends the lines, none of them vanishes', async () => {
    const known = fc.array(fc.constantFrom('\n', '\r\n', '\r'), { minLength: 1, maxLength: 5 });
    const other = fc.tuple(fc.constantFrom('\v', '\f', '\u0085', '\u2028', ''), fc.integer({ min: 1, max: 5 }));
    const ends = fc.oneof(
      known,
      other.map(([end, count]) => Array<string>(count).fill(end)),
    );
    const type = fc.constantFrom(NDJSON, CSV);
    await fc.assert(
      fc.asyncProperty(type, ends, fc.nat(20), async (type, ends, cut) => {
        const rows = ends.map(
          (end, i) => (type === CSV ? `${dramaNumber(i)},x` : `{"number":"${dramaNumber(i)}"}`) + end,
        );
        const body = (type === CSV ? `number,project${ends[0]}` : '') + rows.join('');
        const outcome = await parseBody(body, { type, pieceBytes: cut + 1 }).catch((error) => {
          expect(error).toMatchObject({ code: 'invalid-body' });
          return null;
        });
        if (outcome === null) return;
        expect(outcome.detections.length + outcome.rejects.length).toBe(rows.length);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('line ends that were lost on the way', () => {
  const objects = [A, B, C].map((number) => `{"number":"${number}"}`).join('');

  test.each([
    [NDJSON, objects, 'several on one line'],
    [NDJSON, `\n${objects}\n\n`, 'several on one line'],
    [NDJSON, `{"number":"${A}"}{"number":"${'x'.repeat(MAX_LINE_CHARS)}"}`, 'more than 65536 characters on one line'],
    [CSV, `number${A}${B}`, 'found 1 others, with numbers in them'],
    [CSV, `number,project${`${A},x`.repeat(10_000)}`, 'found more'],
  ])('%s %.40j is refused, with what to do', async (type, body, detail) => {
    await expect(parseBody(body, { type })).rejects.toThrow(refusal('invalid-body', detail));
    await expect(parseBody(body, { type })).rejects.toThrow(refusal('invalid-body', '--data-binary'));
    await expect(parseBody(body, { type })).rejects.not.toThrow(A.slice(2, 8));
  });

  test('an array sent as NDJSON', async () => {
    const refused = refusal('invalid-body', 'found an array: its Content-Type is application/json');
    await expect(parseBody(`[{"number":"${A}"},{"number":"${B}"}]`)).rejects.toThrow(refused);
  });

  test('in a line among others, that line is rejected', async () => {
    for (const body of [`${objects}\n{"number":"${A}"}`, `{"number":"${A}"}\n${objects}`]) {
      const outcome = await parseBody(body);
      expect(numbers(outcome)).toEqual([A]);
      expect(outcome.rejects).toMatchObject([
        { code: 'malformed-line', detail: expect.stringContaining('several on') },
      ]);
    }
  });
});

describe('a quote that is never closed', () => {
  test.each([
    ['in the last column', `number,note\n${A},"late\n${B},fine\n${C},never"\n`],
    ['in the first column', `note,number\n"late,${A}\nfine,${B}\nnever",${C}\n`],
    ['in the middle', `a,note,number\nx,"late,${A}\nfine",${B}\n`],
    ['over two lines', `number,note\n${A},"late\n${B},never"\n`],
  ])('and swallows rows %s', async (_, body) => {
    const refused = { code: 'invalid-body', detail: expect.stringMatching(/\(line 2: .* rows down to line [34]\)$/) };
    await expect(parseBody(body, { type: CSV })).rejects.toMatchObject(refused);
    // After a row that is read, those that are swallowed are a line that is rejected.
    const [header = '', ...rows] = body.split('\n');
    const blank = ','.repeat(header.split(',').length - 1);
    const outcome = await parseBody([header, blank, ...rows].join('\n'), { type: CSV });
    expect(outcome.detections).toEqual([]);
    expect(outcome.rejects).toContainEqual({
      line: 3,
      code: 'malformed-line',
      detail: expect.stringMatching(/rows down to line [45]$/),
    });
  });

  test.each([
    `number,note\n${A},"called at noon,\nand again, they say"\n`,
    `note,number\n"one\ntwo",${A}\n`,
    `number,note\n${A},"first\n12,5 % more"\n`,
    `a,number,b\n"x\ny",${A},"x\ny"\n`,
  ])('a field that goes on over line ends is none: %j', async (body) => {
    expect(numbers(await parseBody(body, { type: CSV }))).toEqual([A]);
  });
});

describe('at most 100,000 detections', () => {
  const most = Array.from({ length: MAX_DETECTIONS }, (_, i) => (i % 2 === 0 ? `{"number":"${A}"}` : '{}'));

  test.each([
    [NDJSON, (items: string[]) => `\n${items.join('\n')}\n\n`],
    [JSON_TYPE, (items: string[]) => `[${items.join(',')}]`],
    [CSV, (items: string[]) => `number\n${items.map((item) => (item === '{}' ? 'a,b' : A)).join('\n')}\n`],
  ])('%s, accepted and rejected together', async (type, join) => {
    const outcome = await parseBody(join(most), { type });
    expect([outcome.detections.length, outcome.rejects.length]).toEqual([MAX_DETECTIONS / 2, MAX_DETECTIONS / 2]);
    const refused = refusal('payload-too-large', 'expected at most 100000 detections');
    await expect(parseBody(join([...most, '{}']), { type })).rejects.toThrow(refused);
  });
});
