/** The command itself, as `npm run import` runs it. */
import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FakeServer, KEY } from './fake-server.ts';
import { dramaNumber, TestFolder } from './support.ts';

const SCRIPT = resolve(import.meta.dirname, '../../../scripts/import.ts');

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
  const failed = await command('list.csv', '--url', 'http://127.0.0.1:2');
  expect(failed.code).toBe(1);
  expect(failed.out).toBe('');
  expect(failed.err).toContain('Start it with `npm start`, or give another --url.');
});
