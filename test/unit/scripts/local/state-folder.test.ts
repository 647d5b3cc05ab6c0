/** What is kept in a state folder beside KV and R2: the lock, the admin key, and how far the sample has come. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { CommandError, UsageError } from '../../../../scripts/command/errors.ts';
import { PROJECT } from '../../../../scripts/command/paths.ts';
import { sampleState } from '../../../../scripts/local/sample.ts';
import { checkStateParts, givenAdminKey, localAdminKey, lockState } from '../../../../scripts/local/state.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ringfence-state-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('what stands in the place of something else', () => {
  test.each(['v3', 'v3/r2', 'v3/kv', 'v3/cache', 'wrangler', 'workers', 'import'])('%s is a file', (name) => {
    const path = join(folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, '');
    const message = `${path}: expected a folder, found a file; move it away, or name another state folder with --state`;
    expect(() => checkStateParts(folder)).toThrow(new CommandError(message));
  });

  test.each([
    'worker.log',
    'example.log',
    'lock.json',
    'sample',
    'sample.rejects.csv',
    'workers/.env',
    'workers/edge.json',
  ])('%s is a folder', (name) => {
    const path = join(folder, name);
    mkdirSync(path, { recursive: true });
    const message = `${path}: expected a file, found a folder; move it away, or name another state folder with --state`;
    expect(() => checkStateParts(folder)).toThrow(new CommandError(message));
  });

  test('nothing does in a folder that is empty, or has been used', () => {
    checkStateParts(folder);
    mkdirSync(join(folder, 'v3', 'r2', 'ringfence'), { recursive: true });
    writeFileSync(join(folder, 'worker.log'), '');
    checkStateParts(folder);
  });
});

describe('the lock', () => {
  test('is one process’s at a time, and names its holder', () => {
    const lock = lockState(folder, 'npm start', 8787);
    expect(() => lockState(folder, 'npm run fsck', null)).toThrow(
      `${folder} is in use by npm start (pid ${process.pid}, port 8787): stop it (Ctrl-C where it runs, or kill ${process.pid}), or name another --state`,
    );
    lock.release();
    const next = lockState(folder, 'npm run fsck', null);
    expect(() => lockState(folder, 'npm start', 8787)).toThrow(`in use by npm run fsck (pid ${process.pid}): stop it`);
    next.release();
    expect(readdirSync(folder)).toEqual(['lock']);
  });

  test('names nobody when the holder has not come to say who it is', () => {
    const lock = lockState(folder, 'npm start', 8787);
    writeFileSync(join(folder, 'lock.json'), '{"pid"');
    expect(() => lockState(folder, 'npm start', 8787)).toThrow('is in use by another Ringfence: stop that one first');
    lock.release();
  });

  test('of a process that was killed is free, whoever has its pid by now', async () => {
    const script = `
      const { lockState } = await import(${JSON.stringify(join(PROJECT, 'scripts', 'local', 'state.ts'))});
      lockState(${JSON.stringify(folder)}, 'npm start', 8787);
      gc();
      console.log('locked');
      setInterval(() => {}, 1000);`;
    const holder = spawn(process.execPath, ['--expose-gc', '--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    try {
      await once(holder.stdout, 'data');
      expect(() => lockState(folder, 'npm start', 8788)).toThrow(`(pid ${holder.pid}, port 8787)`);
    } finally {
      holder.kill('SIGKILL');
      await once(holder, 'exit');
    }
    // The note is still there, with a pid that belongs to somebody.
    const note = join(folder, 'lock.json');
    writeFileSync(note, readFileSync(note, 'utf8').replace(/"pid":\d+/, `"pid":${process.ppid}`));
    lockState(folder, 'npm start', 8788).release();
  });

  test('cannot be had where no file can be: that is said', () => {
    const none = join(folder, 'none');
    expect(() => lockState(none, 'npm start', 8787)).toThrow(/none: cannot be locked \(.*\); name a folder on a disk/);
  });

  test.each<[string, (path: string) => void]>([
    ['a folder', (path) => mkdirSync(path)],
    ['something else', (path) => writeFileSync(path, 'not a lock at all')],
    ['a longer text', (path) => writeFileSync(path, 'not a lock at all '.repeat(300))],
    ...(process.platform === 'win32'
      ? []
      : [['a named pipe', (path: string) => void execFileSync('mkfifo', [path])] as [string, (path: string) => void]]),
  ])('whose file is %s: that one is named, to be deleted', (_, make) => {
    const path = join(folder, 'lock');
    make(path);
    expect(() => lockState(folder, 'npm start', 8787)).toThrow(
      `${path} is damaged, and holds nothing but the lock on this folder: delete it and start again`,
    );
    rmSync(path, { recursive: true });
    lockState(folder, 'npm start', 8787).release();
  });
});

describe('the admin key', () => {
  test('is made once, for nobody else to read, and kept', () => {
    const key = localAdminKey(folder, undefined);
    expect(key).toMatch(/^rf_local_[0-9a-f]{32}$/);
    expect(localAdminKey(folder, undefined)).toBe(key);
    expect(localAdminKey(folder, '')).toBe(key);
    expect(readdirSync(folder)).toEqual(['admin-key']);
    if (process.platform !== 'win32') expect(statSync(join(folder, 'admin-key')).mode & 0o077).toBe(0);
  });

  test('of the environment goes before it', () => {
    const given = '$"\\`\'0123456789012345678901234567';
    expect(localAdminKey(folder, given)).toBe(given);
    expect(existsSync(join(folder, 'admin-key'))).toBe(false);
  });

  test('of the environment that cannot be one is refused, and not quoted', () => {
    for (const key of ['short', 'x'.repeat(400), `${'a'.repeat(40)}\r`, `${'a'.repeat(40)} b`]) {
      let message = '';
      try {
        givenAdminKey(key);
      } catch (error) {
        expect(error).toBeInstanceOf(UsageError);
        message = (error as Error).message;
      }
      expect(message).toMatch(/^RINGFENCE_ADMIN_KEY/);
      expect(message).not.toContain(key.slice(0, 5));
    }
  });

  test('in an empty file is none: the file is named, and what to do', () => {
    const path = join(folder, 'admin-key');
    for (const text of ['', '\n', ' \r\n']) {
      writeFileSync(path, text);
      expect(() => localAdminKey(folder, undefined)).toThrow(CommandError);
      expect(() => localAdminKey(folder, undefined)).toThrow(
        `${path} is empty: delete it, and the next start makes a new`,
      );
    }
    writeFileSync(path, 'rf_local_with_windows_line_end_0123456789\r\n');
    expect(localAdminKey(folder, undefined)).toBe('rf_local_with_windows_line_end_0123456789');
  });
});

describe('a kept admin key that cannot be one', () => {
  const message = () => {
    try {
      localAdminKey(folder, undefined);
    } catch (error) {
      expect(error).toBeInstanceOf(CommandError);
      return (error as Error).message;
    }
    throw new Error('it was taken');
  };

  test('is refused with the reason and its file, and not quoted', () => {
    const path = join(folder, 'admin-key');
    writeFileSync(path, 'kurz-und-falsch\n');
    expect(message()).toBe(`${path}: expected 32 to 256 characters; found 15`);
    writeFileSync(path, `${'a'.repeat(300)}\n`);
    expect(message()).toBe(`${path}: expected 32 to 256 characters; found 300`);
    writeFileSync(path, `${'a'.repeat(40)} kurz\n`);
    expect(message()).toContain(path);
    expect(message()).not.toContain('kurz');
  });

  test('is no file', () => {
    mkdirSync(join(folder, 'admin-key'));
    expect(message()).toContain(`${join(folder, 'admin-key')} is no file, so it holds no admin key: delete it`);
  });

  test.skipIf(process.platform === 'win32')('is a named pipe, which nobody may ever write into', () => {
    execFileSync('mkfifo', [join(folder, 'admin-key')]);
    expect(message()).toContain('is no file, so it holds no admin key: delete it');
  });
});

test('the sample has begun, or is whole, as the marker says, or what the import has left', () => {
  expect(sampleState(folder)).toBe('none');
  mkdirSync(join(folder, 'import'));
  expect(sampleState(folder)).toBe('begun');
  writeFileSync(join(folder, 'sample'), 'whole\n');
  expect(sampleState(folder)).toBe('whole');
  for (const text of ['begun\n', '', 'who']) {
    writeFileSync(join(folder, 'sample'), text);
    expect(sampleState(folder)).toBe('begun');
  }
});
