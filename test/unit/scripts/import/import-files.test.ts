import { existsSync, readdirSync, readFileSync, utimesSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ImportRequest } from '../../../../scripts/import.ts';
import { ALL, CSV, ImportWorld, REJECTS } from './import-world.ts';
import { dramaNumber } from './support.ts';

let world: ImportWorld;

beforeEach(async () => {
  world = await ImportWorld.start();
});
afterEach(() => world.stop());

test('all that is valid arrives, once; all that is not is listed', async () => {
  const [summary] = await world.run(world.folder.write('a.csv', CSV));
  expect(summary).toEqual({
    file: 'a.csv',
    lines: 10,
    accepted: 8,
    sentBefore: 0,
    unlabelled: 8,
    channelless: 8,
    ignoredFields: [],
    unasked: 0,
    uncounted: {},
    rejectedByCode: { 'invalid-number': 1, 'invalid-date': 1 },
    batches: 4,
    undated: 0,
    observedAt: null,
    rejectsPath: world.folder.file('rejects.csv'),
    alreadyImported: false,
  });
  expect(await world.server.detections()).toEqual(ALL);
  expect(world.rejects()).toEqual(REJECTS);
  expect(world.rejects().join()).not.toMatch(/7946/);
});

test('the same lines again in one file are counted again', async () => {
  const line = `${dramaNumber(1)},2025-01-01\n`;
  await world.run(world.folder.write('a.csv', `number,observedAt\n${line.repeat(9)}`));
  expect(await world.server.detections()).toHaveLength(9);
});

test('a busy server is waited for', async () => {
  world.server.interfere = async (upload, handle) =>
    upload % 2 === 1 ? { status: 429, headers: { 'retry-after': '2' } } : handle();
  await world.run(world.folder.write('a.csv', CSV));
  expect(world.io.waits).toEqual([2000, 2000, 2000, 2000]);
  expect(await world.server.detections()).toEqual(ALL);
});

describe('lines without a date', () => {
  const BARE = `${dramaNumber(1)}\n${dramaNumber(2)}\n`;
  const OPTIONS = { map: { number: '1' } } as const;

  test('get the date of the file as it was at first, though it is touched later', async () => {
    const path = world.folder.write('a.csv', BARE);
    utimesSync(path, new Date('2025-03-01T00:00:00Z'), new Date('2025-03-01T10:20:30.5Z'));
    const [first] = await world.run(path, OPTIONS);
    expect(first).toMatchObject({ undated: 2, observedAt: '2025-03-01T10:20:30.000Z' });
    utimesSync(path, new Date(), new Date('2025-04-01T00:00:00Z'));
    expect(await world.run(path, OPTIONS)).toMatchObject([{ alreadyImported: true }]);
    expect(await world.server.detections()).toEqual([1, 2].map((i) => `${dramaNumber(i)} 2025-03-01 1 reported_abuse`));
  });

  test('get that of --observed-at', async () => {
    await world.run(world.folder.write('a.csv', BARE), { ...OPTIONS, observedAt: '2025-02-03' });
    expect(await world.server.detections()).toEqual([1, 2].map((i) => `${dramaNumber(i)} 2025-02-03 1 reported_abuse`));
  });

  test('stop the import if the date of the file cannot be right', async () => {
    const path = world.folder.write('a.csv', BARE);
    utimesSync(path, new Date(0), new Date('1985-10-26T08:15:00Z'));
    await expect(world.run(path, OPTIONS)).rejects.toThrow('a.csv: line 1 has no observedAt');
    expect(world.server.keys).toEqual([]);
  });
});

describe('labels', () => {
  test('one that is set must be known', async () => {
    await expect(world.run(world.folder.write('a.csv', CSV), { set: { label: 'spam' } })).rejects.toThrow(
      '--set label=spam: expected label reported_abuse, public_sms_receiver; found "spam"',
    );
    expect(world.server.keys).toEqual([]);
  });

  test('each of a column is asked about once', async () => {
    const labels = ['spam', 'public_sms_receiver', '', 'spam', 'reported_abuse', 'spam'];
    const csv = `number,observedAt,label\n${labels.map((label, i) => `${dramaNumber(i)},2025-01-01,${label}`).join('\n')}`;
    const [summary] = await world.run(world.folder.write('a.csv', csv), { batchSize: 2 });
    expect(summary).toMatchObject({ accepted: 3, rejectedByCode: { 'unknown-label': 3 } });
    expect(world.rejects().slice(1)).toEqual(
      [2, 5, 7].map(
        (line) => `a.csv,${line},unknown-label,"expected label reported_abuse, public_sms_receiver; found ""spam"""`,
      ),
    );
  });
});

test('lines that only the server rejects are listed by their line in the file', async () => {
  // It lives in 2024, so all of 2025 is too far ahead.
  world.server.now = () => Date.UTC(2024, 11, 31);
  const csv = `number,observedAt\n\n${Array.from({ length: 300 }, (_, i) => `${dramaNumber(i)},2025-05-01`).join('\n')}`;
  const [summary] = await world.run(world.folder.write('a.csv', csv), { batchSize: 150 });
  expect(summary).toMatchObject({ accepted: 0, rejectedByCode: { 'invalid-date': 200, 'not-reported': 100 } });
  const lines = world
    .rejects()
    .slice(1)
    .map((line) => line.split(','));
  expect(lines).toHaveLength(300);
  expect(lines[0]?.slice(0, 3)).toEqual(['a.csv', '3', 'invalid-date']);
  expect(lines[150]?.slice(0, 3)).toEqual(['a.csv', '153', 'invalid-date']);
});

test('files share a rejects file, and need none if all is well', async () => {
  const good = world.folder.write('good.csv', `number,observedAt\n${dramaNumber(1)},2025-01-01\n`);
  await world.run(good);
  expect(existsSync(world.folder.file('rejects.csv'))).toBe(false);
  const bad = ['b', 'c'].map((name) => world.folder.write(`${name}.ndjson`, '{"number":"1"}\n'));
  await world.run([good, ...bad], { observedAt: '2025-01-01' });
  expect(world.rejects().map((line) => line.split(',').slice(0, 3).join())).toEqual([
    'file,line,code',
    'b.ndjson,1,invalid-number',
    'c.ndjson,1,invalid-number',
  ]);
});

test('the state holds no number and no key', async () => {
  const path = world.folder.write('a.csv', CSV);
  await world.run(path);
  const states = readdirSync(world.folder.file('state')).map((name) =>
    readFileSync(`${world.folder.file('state')}/${name}`, 'utf8'),
  );
  expect(states).toHaveLength(3);
  expect(states.join()).not.toMatch(/7946|rf_/);
});

test.each<[string, Partial<ImportRequest>, string]>([
  ['no key', { key: '' }, 'no API key: give one with --key or in RINGFENCE_KEY'],
  ['a wrong key', { key: 'rf_other' }, 'The key is not known there'],
  ['a wrong path', { url: 'URL/other' }, 'There is no Ringfence at'],
  ['a date that is none', { observedAt: 'yesterday' }, '--observed-at: expected YYYY-MM-DD'],
  ['the same field twice', { map: { label: 'a' }, set: { label: 'b' } }, 'label is in both --map and --set'],
  ['no file', { files: [] }, 'name at least one file'],
  ['a file that is not there', { files: ['none.csv'] }, 'none.csv: there is no such file'],
])('%s', async (_, over, message) => {
  const path = world.folder.write('a.csv', CSV);
  const options = over.url === 'URL/other' ? { ...over, url: `${world.url}/other` } : over;
  await expect(world.run(path, options)).rejects.toThrow(message);
  expect(world.server.keys).toEqual([]);
});

test('the rejects must not overwrite the file itself', async () => {
  const path = world.folder.write('a.csv', CSV);
  await expect(world.run(path, { rejectsPath: path })).rejects.toThrow('would be overwritten');
});
