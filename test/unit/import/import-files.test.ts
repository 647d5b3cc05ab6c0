import { existsSync, readdirSync, readFileSync, rmSync, utimesSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type ImportRequest, importFiles } from '../../../scripts/import/import-files.ts';
import { MemoryObjectStore } from '../../../src/store/memory.ts';
import { FakeServer, KEY } from './fake-server.ts';
import { dramaNumber, TestFolder, type TestIo, testIo } from './support.ts';

/** Lines 2 to 11; lines 4 and 9 are rejected. */
const CSV = `number,observedAt\n${Array.from({ length: 10 }, (_, i) =>
  i === 2
    ? '1,2025-01-03'
    : i === 7
      ? `${dramaNumber(7)},tomorrow`
      : `${dramaNumber(i)},2025-01-0${Math.min(i + 1, 9)}`,
).join('\n')}\n`;
const ALL = [0, 1, 3, 4, 5, 6, 8, 9].map((i) => `${dramaNumber(i)} 2025-01-0${Math.min(i + 1, 9)} 1 modem_pool_card`);

let folder: TestFolder;
let server: FakeServer;
let url: string;
let io: TestIo;

beforeEach(async () => {
  folder = new TestFolder();
  server = new FakeServer();
  url = await server.start();
  io = testIo();
});
afterEach(async () => {
  await server.stop();
  folder.remove();
});

function run(files: string | readonly string[], over: Partial<ImportRequest> = {}) {
  const request = {
    files: typeof files === 'string' ? [files] : files,
    url,
    key: KEY,
    batchSize: 3,
    rejectsPath: folder.file('rejects.csv'),
    stateFolder: folder.file('state'),
  };
  return importFiles({ ...request, ...over }, io);
}

function rejects(): string[] {
  return readFileSync(folder.file('rejects.csv'), 'utf8').trimEnd().split('\n');
}

const REJECTS = [
  'file,line,code,detail',
  expect.stringMatching(/^a\.csv,4,invalid-number,/),
  expect.stringMatching(/^a\.csv,9,invalid-date,"?expected observedAt as YYYY-MM-DD/),
];

test('all that is valid arrives, once; all that is not is listed', async () => {
  const [summary] = await run(folder.write('a.csv', CSV));
  expect(summary).toEqual({
    file: 'a.csv',
    lines: 10,
    accepted: 8,
    rejectedByCode: { 'invalid-number': 1, 'invalid-date': 1 },
    batches: 4,
    undated: 0,
    observedAt: null,
    rejectsPath: folder.file('rejects.csv'),
    alreadyImported: false,
  });
  expect(await server.detections()).toEqual(ALL);
  expect(rejects()).toEqual(REJECTS);
  expect(rejects().join()).not.toMatch(/7946/);
});

test('run again, by the same or another name, it says so and counts nothing', async () => {
  const path = folder.write('a.csv', CSV);
  const [first] = await run(path);
  const sent = server.keys.length;
  expect(await run(path)).toEqual([{ ...first, alreadyImported: true }]);
  expect(server.keys.slice(sent)).toEqual(server.keys.slice(sent - 1, sent));
  const [copy] = await run(folder.write('b.csv', CSV));
  expect(copy).toMatchObject({ file: 'b.csv', alreadyImported: true });
  expect(await server.detections()).toEqual(ALL);
  expect(rejects()).toEqual(REJECTS);
});

test('run again without its state, it sends the same and counts nothing', async () => {
  const path = folder.write('a.csv', CSV);
  await run(path);
  rmSync(folder.file('state'), { recursive: true });
  const [again] = await run(path);
  expect(again).toMatchObject({ accepted: 8, alreadyImported: false });
  expect(server.keys.slice(4)).toEqual(server.keys.slice(0, 4));
  expect(await server.detections()).toEqual(ALL);
  expect(rejects()).toEqual(REJECTS);
});

test('a server that has lost everything is sent everything again', async () => {
  const path = folder.write('a.csv', CSV);
  await run(path);
  server.objects = new MemoryObjectStore();
  await run(path);
  expect(io.written.join('')).toContain('the server does not know the earlier import any more; starting over');
  expect(await server.detections()).toEqual(ALL);
  expect(rejects()).toEqual(REJECTS);
});

describe('interrupted at any upload, in any way, and run again', () => {
  const ways = ['refused', 'refused after it was taken', 'cut off', 'cut off after it was taken'];

  test.each([1, 2, 3, 4].flatMap((upload) => ways.map((way) => [upload, way] as const)))(
    'upload %i %s',
    async (failing, way) => {
      const path = folder.write('a.csv', CSV);
      const fail = { status: 400, body: { detail: 'injected' } };
      server.interfere = async (upload, handle) => {
        if (upload < failing) return handle();
        if (way.endsWith('taken')) await handle();
        return way.startsWith('refused') ? fail : 'hang up';
      };
      const again =
        failing === 1 ? 'the server answers|gave up' : `${(failing - 1) * 3} lines are done; run the same command`;
      await expect(run(path)).rejects.toThrow(new RegExp(again));
      server.interfere = (_, handle) => handle();
      const [summary] = await run(path);
      expect(summary).toMatchObject({ lines: 10, accepted: 8, batches: 4, alreadyImported: false });
      if (failing > 1) expect(io.written.join('')).toContain(`resuming after ${(failing - 1) * 3} lines`);
      expect(await server.detections()).toEqual(ALL);
      expect(rejects()).toEqual(REJECTS);
    },
  );

  test('only what is left is sent, and the last upload once more', async () => {
    const path = folder.write('a.csv', CSV);
    server.interfere = async (upload, handle) => (upload === 3 ? { status: 400 } : handle());
    await expect(run(path)).rejects.toThrow();
    await run(path);
    const [first, second, third, , , last] = server.keys;
    expect(server.keys).toEqual([first, second, third, second, third, last]);
    expect(new Set(server.keys).size).toBe(4);
  });

  test('with another batch size, the earlier one is kept', async () => {
    const path = folder.write('a.csv', CSV);
    server.interfere = async (upload, handle) => (upload === 3 ? { status: 400 } : handle());
    await expect(run(path)).rejects.toThrow();
    await run(path, { batchSize: 7 });
    expect(await server.detections()).toEqual(ALL);
  });

  test('a rejects file that is gone is begun anew, and said to be', async () => {
    const path = folder.write('a.csv', CSV);
    server.interfere = async (upload, handle) => (upload === 3 ? { status: 400 } : handle());
    await expect(run(path)).rejects.toThrow();
    rmSync(folder.file('rejects.csv'));
    await run(path);
    expect(io.written.join('')).toContain('rejects.csv is gone');
    expect(rejects()).toEqual([REJECTS[0], REJECTS[2]]);
  });
});

test('a busy server is waited for', async () => {
  server.interfere = async (upload, handle) =>
    upload % 2 === 1 ? { status: 429, headers: { 'retry-after': '2' } } : handle();
  await run(folder.write('a.csv', CSV));
  expect(io.waits).toEqual([2000, 2000, 2000, 2000]);
  expect(await server.detections()).toEqual(ALL);
});

describe('lines without a date', () => {
  const BARE = `${dramaNumber(1)}\n${dramaNumber(2)}\n`;
  const OPTIONS = { map: { number: '1' } } as const;

  test('get the date of the file as it was at first, though it is touched later', async () => {
    const path = folder.write('a.csv', BARE);
    utimesSync(path, new Date('2025-03-01T00:00:00Z'), new Date('2025-03-01T10:20:30.5Z'));
    const [first] = await run(path, OPTIONS);
    expect(first).toMatchObject({ undated: 2, observedAt: '2025-03-01T10:20:30.000Z' });
    utimesSync(path, new Date(), new Date('2025-04-01T00:00:00Z'));
    expect(await run(path, OPTIONS)).toMatchObject([{ alreadyImported: true }]);
    expect(await server.detections()).toEqual([1, 2].map((i) => `${dramaNumber(i)} 2025-03-01 1 modem_pool_card`));
  });

  test('get that of --observed-at', async () => {
    await run(folder.write('a.csv', BARE), { ...OPTIONS, observedAt: '2025-02-03' });
    expect(await server.detections()).toEqual([1, 2].map((i) => `${dramaNumber(i)} 2025-02-03 1 modem_pool_card`));
  });

  test('stop the import if the date of the file cannot be right', async () => {
    const path = folder.write('a.csv', BARE);
    utimesSync(path, new Date(0), new Date('1985-10-26T08:15:00Z'));
    await expect(run(path, OPTIONS)).rejects.toThrow('a.csv: line 1 has no observedAt');
    expect(server.keys).toEqual([]);
  });
});

describe('labels', () => {
  test('one that is set must be known', async () => {
    await expect(run(folder.write('a.csv', CSV), { set: { label: 'spam' } })).rejects.toThrow(
      '--set label=spam: expected label modem_pool_card, public_sms_receiver; found "spam"',
    );
    expect(server.keys).toEqual([]);
  });

  test('each of a column is asked about once', async () => {
    const labels = ['spam', 'public_sms_receiver', '', 'spam', 'modem_pool_card', 'spam'];
    const csv = `number,observedAt,label\n${labels.map((label, i) => `${dramaNumber(i)},2025-01-01,${label}`).join('\n')}`;
    const [summary] = await run(folder.write('a.csv', csv), { batchSize: 2 });
    expect(summary).toMatchObject({ accepted: 3, rejectedByCode: { 'unknown-label': 3 } });
    expect(rejects().slice(1)).toEqual(
      [2, 5, 7].map(
        (line) => `a.csv,${line},unknown-label,"expected label modem_pool_card, public_sms_receiver; found ""spam"""`,
      ),
    );
  });
});

test('lines that only the server rejects are listed by their line in the file', async () => {
  // It lives in 2024, so all of 2025 is too far ahead.
  server.now = () => Date.UTC(2024, 11, 31);
  const csv = `number,observedAt\n\n${Array.from({ length: 300 }, (_, i) => `${dramaNumber(i)},2025-05-01`).join('\n')}`;
  const [summary] = await run(folder.write('a.csv', csv), { batchSize: 150 });
  expect(summary).toMatchObject({ accepted: 0, rejectedByCode: { 'invalid-date': 200, 'not-reported': 100 } });
  const lines = rejects()
    .slice(1)
    .map((line) => line.split(','));
  expect(lines).toHaveLength(300);
  expect(lines[0]?.slice(0, 3)).toEqual(['a.csv', '3', 'invalid-date']);
  expect(lines[150]?.slice(0, 3)).toEqual(['a.csv', '153', 'invalid-date']);
});

test('files share a rejects file, and need none if all is well', async () => {
  const good = folder.write('good.csv', `number,observedAt\n${dramaNumber(1)},2025-01-01\n`);
  await run(good);
  expect(existsSync(folder.file('rejects.csv'))).toBe(false);
  const bad = ['b', 'c'].map((name) => folder.write(`${name}.ndjson`, '{"number":"1"}\n'));
  await run([good, ...bad], { observedAt: '2025-01-01' });
  expect(rejects().map((line) => line.split(',').slice(0, 3).join())).toEqual([
    'file,line,code',
    'b.ndjson,1,invalid-number',
    'c.ndjson,1,invalid-number',
  ]);
});

test('the state holds no number and no key', async () => {
  const path = folder.write('a.csv', CSV);
  await run(path);
  const states = readdirSync(folder.file('state')).map((name) =>
    readFileSync(`${folder.file('state')}/${name}`, 'utf8'),
  );
  expect(states).toHaveLength(1);
  expect(states.join()).not.toMatch(/7946|rf_/);
});

test.each<[string, Partial<ImportRequest>, string]>([
  ['no key', { key: '' }, 'no API key: give one with --key or in RINGFENCE_KEY'],
  ['a wrong key', { key: 'rf_other' }, 'The key is not known there'],
  ['a wrong path', { url: 'URL/other' }, 'There is no Ringfence at'],
  ['a url that is none', { url: 'localhost:8787' }, '--url: expected an http or https URL'],
  ['a date that is none', { observedAt: 'yesterday' }, '--observed-at: expected YYYY-MM-DD'],
  ['a batch too large', { batchSize: 100_001 }, '--batch-size: expected an integer from 1 to 100000'],
  ['the same field twice', { map: { label: 'a' }, set: { label: 'b' } }, 'label is in both --map and --set'],
  ['no file', { files: [] }, 'name at least one file'],
  ['a file that is not there', { files: ['none.csv'] }, 'none.csv: there is no such file'],
])('%s', async (_, over, message) => {
  const path = folder.write('a.csv', CSV);
  const options = over.url === 'URL/other' ? { ...over, url: `${url}/other` } : over;
  await expect(run(path, options)).rejects.toThrow(message);
  expect(server.keys).toEqual([]);
});

test('the rejects must not overwrite the file itself', async () => {
  const path = folder.write('a.csv', CSV);
  await expect(run(path, { rejectsPath: path })).rejects.toThrow('would be overwritten');
});
