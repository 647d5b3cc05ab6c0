/** The command itself, as `npm run import` runs it. */
import { execFile, execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FakeServer, KEY } from './fake-server.ts';
import { dramaNumber, TestFolder } from './support.ts';

const SCRIPT = resolve(import.meta.dirname, '../../../../scripts/import.ts');

let folder: TestFolder;
let server: FakeServer;

beforeEach(() => {
  folder = new TestFolder();
  server = new FakeServer();
});
afterEach(async () => {
  await server.stop();
  folder.remove();
});

interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

function command(...args: string[]): Promise<Ended> {
  const options = { cwd: folder.path, env: { ...process.env, RINGFENCE_KEY: KEY } };
  return new Promise((ended) => {
    execFile(process.execPath, [SCRIPT, ...args], options, (error, out, err) => {
      ended({ code: typeof error?.code === 'number' ? error.code : 0, out, err });
    });
  });
}

test('rejected lines are no failure', async () => {
  const url = await server.start();
  folder.write('list.tsv.gz', `2025-01-01\t${dramaNumber(1)}\n2025-01-01\t12\n`);
  const options = ['--map', 'observedAt=1,number=2', '--set', 'label=public_sms_receiver', '--url', url];
  const first = await command('list.tsv.gz', ...options);
  expect(first).toEqual({
    code: 0,
    err: '',
    out: [
      'list.tsv.gz: imported',
      '  lines read                       2',
      '  accepted                         1',
      '  rejected                         1',
      '    invalid-number                 1',
      '  batches                          1',
      '  1 line had no channel and got other (--set channel=…)',
      '  rejected lines are listed in list.tsv.gz.rejects.csv',
      '',
    ].join('\n'),
  });
  expect(await server.detections()).toEqual([`${dramaNumber(1)} 2025-01-01 1 public_sms_receiver`]);
  const again = await command('list.tsv.gz', ...options);
  expect(again.out).toMatch(/^list\.tsv\.gz: already imported, nothing sent\n/);
});

test('help, and an error that says what to do', async () => {
  await server.start();
  const help = await command('--help');
  expect(help.code).toBe(0);
  expect(help.out).toContain('npm run import -- FILE...');
  folder.write('list.csv', 'number\n');
  const failed = await command('list.csv', '--url', 'http://127.0.0.1:2');
  expect(failed.code).toBe(1);
  expect(failed.out).toBe('');
  expect(failed.err).toContain('Start it with `npm start`, or give another --url.');
});

describe('exit code 1', () => {
  test.each([
    ['empty.csv', ''],
    ['header.csv', 'number,label\n'],
    ['blank.ndjson', '\n\n'],
    ['none.json', '[]'],
    ['empty.tsv.gz', ''],
  ])('nothing in the file: %s', async (name, content) => {
    const url = await server.start();
    folder.write(name, content);
    for (let i = 0; i < 2; i++) {
      const { code, out } = await command(name, '--url', url);
      expect(code).toBe(1);
      expect(out).toContain(`${name}: nothing was imported: the file is empty, or has a header and no rows`);
    }
    expect(server.keys).toEqual([]);
  });

  test('every line was rejected, each time', async () => {
    const url = await server.start();
    folder.write('bad.csv', 'number\n1\n2\n');
    for (let i = 0; i < 2; i++) {
      const { code, out } = await command('bad.csv', '--url', url);
      expect(code).toBe(1);
      expect(out).toContain('bad.csv: nothing was imported: every line was rejected');
    }
  });

  test('what was imported is set aside by now', async () => {
    const url = await server.start();
    folder.write('list.csv', `number,observedAt\n${dramaNumber(1)},2025-01-02\n`);
    expect((await command('list.csv', '--url', url)).code).toBe(0);
    expect((await command('list.csv', '--url', url)).code).toBe(0);
    server.stateOf = () => 'held';
    expect((await command('list.csv', '--url', url)).code).toBe(0);
    server.stateOf = () => 'set-aside';
    const { code, out } = await command('list.csv', '--url', url);
    expect(code).toBe(1);
    expect(out).toMatch(/^list\.csv: imported before, and taken back since\n/);
    expect(out).toMatch(/1 of its batches are set aside by a rollback.*an admin brings them back.*: k-[0-9a-f]{64}\n/);
  });

  test('what was imported is withdrawn by now: it says so, and that other lines count', async () => {
    const url = await server.start();
    folder.write('list.csv', `number,observedAt\n${dramaNumber(1)},2025-01-02\n`);
    expect((await command('list.csv', '--url', url)).code).toBe(0);
    server.stateOf = () => 'withdrawn';
    const { code, out } = await command('list.csv', '--url', url);
    expect(code).toBe(1);
    expect(out).toMatch(/^list\.csv: imported before, and withdrawn since\n/);
    expect(out).toMatch(
      /1 of its batches are withdrawn by an admin.* cannot be undone.*--set source=NAME.*: k-[0-9a-f]{64}\n/,
    );
    const other = await command('list.csv', '--set', 'source=feed-2', '--url', url);
    expect(other.code).toBe(0);
    expect(other.out).toMatch(/^list\.csv: imported\n/);
    expect(await server.detections()).toHaveLength(2);
  });
});

test('says what was defaulted and passed over', async () => {
  const url = await server.start();
  folder.write(
    'list.csv',
    `number,risk_label,Kommentar,+447700900123\n${dramaNumber(1)},9,x,y\n${dramaNumber(2)},9,x,y\n`,
  );
  const { out } = await command('list.csv', '--observed-at', '2025-01-02', '--url', url);
  expect(out).toContain('  2 lines had no observedAt and got 2025-01-02 (--observed-at)\n');
  expect(out).toContain('  2 lines had no label and got reported_abuse (--set label=…)\n');
  expect(out).toContain('  2 lines had no channel and got other (--set channel=…)\n');
  expect(out).toContain('  passed over: risk_label, Kommentar, +############ (--map FIELD=COLUMN takes them in)\n');
});

describe('what is no file to import, in one sentence', () => {
  test.each([
    ['folder.csv', (path: string) => mkdirSync(path), 'folder.csv: this is a folder; name a file'],
    [
      'pipe.csv',
      (path: string) => execFileSync('mkfifo', [path]),
      'found a named pipe; write what it gives into a file',
    ],
    ['null.csv', (path: string) => symlinkSync('/dev/null', path), 'found a device'],
    ['gone.csv', () => undefined, 'gone.csv: there is no such file'],
    ['loop.csv', (path: string) => symlinkSync(path, path), 'a link here leads back to itself'],
    [
      'list.csv/x.csv',
      (path: string) => writeFileSync(dirname(path), ''),
      'a part of this path is a file, not a folder',
    ],
  ])('%s', async (name, make, message) => {
    make(folder.file(name));
    // Before anything is asked of the server, of which there is none.
    const { code, out, err } = await command(name, '--url', 'http://127.0.0.1:2');
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain(message);
    expect(err.trimEnd().split('\n')).toHaveLength(1);
  });

  test.each(['--state', '--rejects'])('%s at a place that cannot be written', async (option) => {
    const url = await server.start();
    folder.write('list.csv', `number\n${dramaNumber(1)}\n1\n`);
    folder.write('file', '');
    const { code, err } = await command('list.csv', '--url', url, option, 'file/x');
    expect(code).toBe(1);
    expect(err).toContain('a part of this path is a file, not a folder');
    expect(err.trimEnd().split('\n')).toHaveLength(1);
    expect(err).not.toContain('    at ');
  });
});
