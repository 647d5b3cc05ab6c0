import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CommandError, UsageError } from '../../../../scripts/command/errors.ts';
import {
  checkInputFile,
  checkOutputFile,
  checkWritableFolder,
  compatibilityDate,
  PROJECT,
  userFolder,
} from '../../../../scripts/command/paths.ts';
import { workerConfigs } from '../../../../scripts/command/worker-configs.ts';

const folder = mkdtempSync(join(tmpdir(), 'ringfence-paths-'));
const file = join(folder, 'file');
const fifo = join(folder, 'fifo');
const isPosix = process.platform !== 'win32';

beforeAll(() => {
  writeFileSync(file, 'text');
  if (isPosix) execFileSync('mkfifo', [fifo]);
});
afterAll(() => rmSync(folder, { recursive: true }));

function messageOf(call: () => void): string {
  try {
    call();
  } catch (error) {
    expect(error).toBeInstanceOf(CommandError);
    return (error as CommandError).message;
  }
  return '';
}

describe('where paths are relative to', () => {
  const byNpm = { npm_package_json: join(PROJECT, 'package.json'), INIT_CWD: '/somewhere' };

  test('is where the person stands, when npm runs a script of this project', () => {
    expect(userFolder(byNpm, PROJECT)).toBe('/somewhere');
  });

  test('is the working folder otherwise', () => {
    expect(userFolder({}, '/work')).toBe('/work');
    // Variables of a npm further up.
    expect(userFolder(byNpm, '/work')).toBe('/work');
    expect(userFolder({ ...byNpm, npm_package_json: '/other/package.json' }, PROJECT)).toBe(PROJECT);
    expect(userFolder({ npm_package_json: byNpm.npm_package_json }, PROJECT)).toBe(PROJECT);
  });
});

describe('a file to read', () => {
  test('may be any file', () => {
    expect(messageOf(() => checkInputFile(file))).toBe('');
  });

  test.each([
    ['nothing', join(folder, 'nothing'), 'there is no such file'],
    ['a folder', folder, 'this is a folder; name a file'],
    ['below a file', join(file, 'x'), 'a part of this path is a file, not a folder'],
  ])('is not %s', (_, path, problem) => {
    expect(messageOf(() => checkInputFile(path))).toBe(`${path}: ${problem}`);
    // So every command ends with the status of a command line that cannot be followed.
    expect(() => checkInputFile(path)).toThrow(UsageError);
  });

  test.runIf(isPosix)('is no named pipe or device, which may never end', () => {
    expect(messageOf(() => checkInputFile(fifo))).toContain('expected a file, found a named pipe');
    expect(messageOf(() => checkInputFile('/dev/zero'))).toContain('expected a file, found a device');
  });
});

describe('a file to write', () => {
  test('may be there or not', () => {
    for (const path of [file, join(folder, 'new')]) expect(messageOf(() => checkOutputFile(path))).toBe('');
  });

  test.each([
    ['a folder', folder, 'this is a folder; name a file in it'],
    ['in a folder that is not there', join(folder, 'a', 'b'), `there is no folder ${join(folder, 'a')}; make it first`],
    ['below a file', join(file, 'x'), 'a part of this path is a file, not a folder'],
  ])('is not %s', (_, path, problem) => {
    expect(messageOf(() => checkOutputFile(path))).toBe(`${path}: ${problem}`);
  });

  test.runIf(isPosix)('is no named pipe, which nobody may read', () => {
    expect(messageOf(() => checkOutputFile(fifo))).toBe(`${fifo}: expected a file, found a named pipe`);
    expect(messageOf(() => checkOutputFile('/dev/null'))).toBe('');
  });
});

describe('a folder to work in', () => {
  test('is made if it is not there, and nothing is left in it', () => {
    const path = join(folder, 'deep', 'er');
    checkWritableFolder(path, '--state');
    expect(existsSync(path)).toBe(true);
    expect(readdirSync(path)).toEqual([]);
    checkWritableFolder(path, '--state');
  });

  test('is neither a file nor below one', () => {
    expect(messageOf(() => checkWritableFolder(file, '--state'))).toBe(
      `${file}: expected a folder, found a file; name another with --state`,
    );
    expect(messageOf(() => checkWritableFolder(join(file, 'x'), null))).toContain('a part of this path is a file');
  });

  test.runIf(process.platform === 'linux')(
    'can be written to; where it cannot, that shows at once, even to root',
    () => {
      const startedAt = Date.now();
      for (const path of ['/proc/ringfence', '/proc/ringfence/state', '/sys/ringfence']) {
        expect(messageOf(() => checkWritableFolder(path, '--state'))).toMatch(
          /: cannot write to this folder \(.+\); name another with --state$/,
        );
      }
      expect(Date.now() - startedAt).toBeLessThan(5_000);
    },
  );

  test.runIf(isPosix)('is no named pipe', () => {
    expect(messageOf(() => checkWritableFolder(fifo, '--state'))).toContain('expected a folder, found a named pipe');
  });
});

test('the date of compatibility is that of wrangler.toml, as wrangler reads it', () => {
  expect(compatibilityDate()).toBe(workerConfigs().edge.compatibility_date);
});
