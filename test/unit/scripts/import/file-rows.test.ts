import { writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type FileRow, formatOf, rowsOf } from '../../../../scripts/import/file-rows.ts';
import type { FieldTexts } from '../../../../scripts/import/mapping.ts';
import { dramaNumber, TestFolder } from './support.ts';

const [A, B] = [dramaNumber(1), dramaNumber(2)];

let folder: TestFolder;
beforeEach(() => {
  folder = new TestFolder();
});
afterEach(() => folder.remove());

interface Options {
  readonly header?: boolean;
  readonly map?: FieldTexts;
  readonly set?: FieldTexts;
}

async function read(path: string, { header = true, map = {}, set = {} }: Options = {}): Promise<FileRow[]> {
  const source = { path, format: formatOf(path), header, mapping: { map, set } };
  const rows: FileRow[] = [];
  for await (const group of rowsOf(source, { onBytes: () => undefined })) rows.push(...group);
  return rows;
}

function refusal(message: string) {
  return expect.objectContaining({ name: 'ImportError', message: expect.stringContaining(message) });
}

describe('formats', () => {
  test.each([
    ['a.csv', `number,x,project\n${A},1,p\n`, {}, [{ line: 2, raw: { number: A, project: 'p' } }]],
    ['a.CSV', `x;,"num\nber"\n1,${A}\n`, { map: { number: 'num\nber' } }, [{ line: 3, raw: { number: A } }]],
    [
      'a.tsv',
      `${A}\t"2\t"\n`,
      { header: false, map: { number: '1', project: '2' } },
      [{ line: 1, raw: { number: A, project: '2\t' } }],
    ],
    ['a.ndjson', `\n{"number":"${A}","x":1}\n`, {}, [{ line: 2, raw: { number: A, x: 1 } }]],
    ['a.jsonl', `{"msisdn":"${A}"}`, { map: { number: 'msisdn' } }, [{ line: 1, raw: { number: A } }]],
    [
      'a.json',
      `[{"number":"${A}"},{"number":${B}}]`,
      {},
      [
        { line: 1, raw: { number: A } },
        { line: 2, raw: { number: Number(B) } },
      ],
    ],
    [
      'a.json',
      `{"${A}":"2025-01-01","${B}":null}`,
      { map: { number: '$key', observedAt: '$value' } },
      [
        { line: 1, raw: { number: A, observedAt: '2025-01-01' } },
        { line: 2, raw: { number: B, observedAt: null } },
      ],
    ],
    [
      'a.json',
      `{"${A}":{"last":"2025-01-01","sightings":3}}`,
      { map: { number: '$key', observedAt: 'last' } },
      [{ line: 1, raw: { number: A, observedAt: '2025-01-01', sightings: 3 } }],
    ],
  ] satisfies [string, string, Options, unknown[]][])('%s %j', async (name, content, options, expected) => {
    for (const file of [name, `${name}.gz`]) {
      const rows = await read(folder.write(file, `\ufeff${content}`), options);
      // What is left of a value that was no field does not matter.
      expect(rows.map((row) => JSON.parse(JSON.stringify(row)))).toMatchObject(expected);
      expect(rows).toHaveLength(expected.length);
    }
  });

  test('what is set is in every line, whatever the file says', async () => {
    const set = { label: 'a', source: 's' };
    const expected = [{ line: expect.any(Number), raw: { number: A, label: 'a', source: 's' } }];
    expect(await read(folder.write('a.csv', `number,label\n${A},b`), { set })).toEqual(expected);
    expect(await read(folder.write('a.ndjson', `{"number":"${A}","label":"b"}`), { set })).toEqual(expected);
  });

  test('CR ends a line', async () => {
    const expected = [A, B].map((number, i) => ({ line: i + 2, raw: { number, project: 'p' } }));
    expect(await read(folder.write('a.csv', `number,project\r${A},p\r${B},p`))).toEqual(expected);
  });

  test('columns twice that are not used, or said which', async () => {
    const path = folder.write('a.csv', `number,x,x,number\n${A},1,2,${B}\n`);
    expect(await read(path, { map: { number: '4' } })).toEqual([{ line: 2, raw: { number: B } }]);
  });

  test('columns in two spellings, of which it is said which', async () => {
    const path = folder.write('a.csv', `number,Number,label,Label\n${A},${B},x,y\n`);
    const mapped = await read(path, { map: { number: 'Number', label: '3' } });
    expect(mapped).toEqual([{ line: 2, raw: { number: B, label: 'x' } }]);
    const set = await read(path, { map: { number: 'number' }, set: { label: 'z' } });
    expect(set).toEqual([{ line: 2, raw: { number: A, label: 'z' } }]);
  });

  test.each([
    ['a.ndjson', `{"number":"${A}","number":"${B}"}`, {}, 'number'],
    ['a.ndjson', `{"tel":"${A}","tel":"${B}","x":1,"x":2}`, { map: { number: 'tel' } }, 'tel'],
    ['a.json', `[{"number":"${A}","label":"a","label":"b"}]`, {}, 'label'],
    ['a.json', `{"${A}":{"label":"a","label":"b"}}`, { map: { number: '$key' } }, 'label'],
  ] satisfies [string, string, Options, string][])(
    '%s: %s has a property twice',
    async (name, text, options, twice) => {
      const detail = `expected each field once; found ${twice} twice`;
      expect(await read(folder.write(name, text), options)).toEqual([
        { line: 1, error: { line: 1, code: 'malformed-line', detail } },
      ]);
    },
  );

  test('a quote that swallows rows costs its record, and tells how far it goes', async () => {
    const rows = await read(folder.write('a.csv', `number,note\n${A},"late\n${B},never"\n${A},fine\n`));
    expect(rows).toMatchObject([{ line: 2, error: { detail: expect.stringMatching(/down to line 3$/) } }, { line: 4 }]);
  });

  test('names of columns and properties that are not used', async () => {
    const names = async (path: string, options: Options = {}) => {
      const { header = true, map = {}, set = {} } = options;
      const source = { path, format: formatOf(path), header, mapping: { map, set } };
      const all = new Set<string>();
      const onNames = (some: readonly string[]) => some.forEach((name) => void all.add(name));
      for await (const _ of rowsOf(source, { onBytes: () => undefined, onNames }));
      return [...all];
    };
    expect(await names(folder.write('a.csv', `x,tel,y\n1,${A},2\n`), { map: { number: 'tel' } })).toEqual(['x', 'y']);
    expect(await names(folder.write('a.ndjson', `{"tel":"${A}","z":1}`), { map: { number: 'tel' } })).toEqual([
      'z',
      'number',
    ]);
    const object = folder.write('a.json', `{"${A}":{"last":"2025-01-01","more":1}}`);
    expect(await names(object, { map: { number: '$key', observedAt: 'last' } })).toEqual([
      'more',
      'number',
      'observedAt',
    ]);
  });

  test('several gzip members are one file', async () => {
    const path = folder.file('a.csv.gz');
    writeFileSync(path, Buffer.concat([gzipSync('number\n'), gzipSync(`${A}\n`)]));
    expect(await read(path)).toEqual([{ line: 2, raw: { number: A } }]);
  });

  test('bad rows are rejects with their line', async () => {
    const csv = await read(folder.write('a.csv', `number,x\n${A}\n"\n${A},1\n`));
    expect(csv.map((row) => ('error' in row ? [row.line, row.error.code] : [row.line]))).toEqual([
      [2, 'malformed-line'],
      [3, 'malformed-line'],
      [4],
    ]);
    const json = await read(folder.write('a.json', `[1,{"number":"${A}"}]`));
    expect(json.map((row) => ('error' in row ? [row.line, row.error.code] : [row.line]))).toEqual([
      [1, 'malformed-line'],
      [2],
    ]);
  });
});

describe('a file that cannot be read', () => {
  test.each([
    ['a.csv', 'msisdn,date\n1,2', {}, 'no column is called number (the header has "msisdn", "date")'],
    ['a.csv', `${A},2025-01-01\n`, {}, 'the header has "############", "####-##-##"'],
    ['a.csv', 'a,b\n1,2', { map: { number: 'c' } }, '--map number=c: no such column; the header has "a", "b"'],
    ['a.csv', 'a,b\n1,2', { map: { number: '3' }, header: false }, '--map number=3: the file has 2 columns'],
    ['a.csv', 'a,b', { map: { number: 'a' }, header: false }, 'no such column; the file is read without a header'],
    ['a.csv', 'a,b\n1,2', { map: { label: '2' }, header: false }, 'there is no header, and 2 columns'],
    ['a.csv', 'number,observed_at', {}, 'column observed_at looks like observedAt: say --map observedAt=observed_at'],
    [
      'a.csv',
      'number,x,number\n1,2,3',
      {},
      'the header has "number" twice, in columns 1 and 3: say which it is with --map',
    ],
    [
      'a.csv',
      'number,x,Number\n1,2,3',
      {},
      'the header has number and Number, in columns 1 and 3: say which it is with --map number=1 --header',
    ],
    ['a.csv', ' number,source,SOURCE\n1,2,3', {}, 'the header has source and SOURCE, in columns 2 and 3'],
    ['a.csv', 'tel,x,tel\n1,2,3', { map: { number: 'tel' } }, 'the header has "tel" twice, in columns 1 and 3'],
    ['a.tsv', 'label\tnumber\tlabel\n1\t2\t3', {}, 'in columns 1 and 3: say which it is with --map label=3 --header'],
    ['a.csv', 'number,labell', {}, 'column labell looks like label: say --map label=labell'],
    ['a.csv', `number\u2028${A}\u2028`, {}, 'expected a first line that ends in LF, CRLF or CR'],
    ['a.csv', `${A},x\f${B},x\f`, { map: { number: '1' }, header: false }, 'ends in LF, CRLF or CR'],
    ['a.ndjson', `{"number":"${A}"}{"number":"${B}"}`, {}, 'found several on one line'],
    ['a.csv', '"number\n1', {}, 'the first row cannot be read: expected a closing quote'],
    ['a.json', `{"${A}":1}`, {}, "say where its numbers are with --map 'number=$key'"],
    ['a.json', `[{"number":"${A}"}`, {}, 'expected one JSON array or object; found an end inside element 1'],
    ['a.json', `[{"number":"${A}",}]`, {}, 'element 1 is not JSON'],
    ['a.txt', '', {}, 'expected a name that ends in .csv, .tsv'],
  ] satisfies [string, string, Options, string][])('%s %j %j', async (name, content, options, message) => {
    const reading = read.bind(null, folder.write(name, content), options);
    await expect(async () => reading()).rejects.toThrow(refusal(message));
    await expect(async () => reading()).rejects.not.toThrow(A);
  });

  test('a mapped column beside its near namesake', async () => {
    const rows = await read(folder.write('a.csv', `number,Observed-At\n${A},x`), {
      map: { observedAt: 'Observed-At' },
    });
    expect(rows).toEqual([{ line: 2, raw: { number: A, observedAt: 'x' } }]);
  });

  test('not there, a folder, not gzip, cut short, not UTF-8', async () => {
    const whole = gzipSync(`number\n${A}\n`);
    const cut = folder.file('cut.csv.gz');
    writeFileSync(cut, whole.subarray(0, -1));
    const plain = folder.file('plain.csv.gz');
    writeFileSync(plain, 'number\n');
    await expect(read(folder.file('none.csv'))).rejects.toThrow(refusal('there is no such file'));
    await expect(read(cut)).rejects.toThrow(refusal('expected whole gzip data'));
    await expect(read(plain)).rejects.toThrow(refusal('expected whole gzip data'));
    const latin = folder.write('latin.csv', Uint8Array.of(0x6e, 0xe9, 0x0a));
    await expect(read(latin)).rejects.toThrow(refusal('expected UTF-8 text'));
    const wide = folder.write('wide.csv', Buffer.from('number\n', 'utf16le'));
    await expect(read(wide)).rejects.toThrow(refusal('found what seems to be UTF-16'));
    const tail = folder.write('tail.csv', Uint8Array.of(0x6e, 0xe2, 0x82));
    await expect(read(tail)).rejects.toThrow(refusal('expected UTF-8 text'));
  });
});
