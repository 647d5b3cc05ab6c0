import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  CommandError,
  fileProblem,
  sentenceOf,
  UsageError,
  withoutCredentials,
} from '../../../../scripts/command/errors.ts';
import { bypassProxy } from '../../../../scripts/command/run-command.ts';

test('credentials of an address are taken out of any text', () => {
  const part = fc.stringMatching(/^[a-z0-9]{1,8}$/);
  fc.assert(
    fc.property(part, part, part, (user, password, rest) => {
      const text = `no answer from https://${user}:q9${password}@x.example/${rest}, nor from http://q9${user}@y.example`;
      expect(withoutCredentials(text)).toBe(`no answer from https://x.example/${rest}, nor from http://y.example`);
    }),
  );
  expect(withoutCredentials('somebody@x.example asks https://x.example/a@b')).toBe(
    'somebody@x.example asks https://x.example/a@b',
  );
});

describe('what is printed of an error', () => {
  test('that was expected is its message alone', () => {
    for (const error of [new UsageError('a sentence'), new CommandError('a sentence'), new RangeError('a sentence')]) {
      expect(sentenceOf(error, {})).toBe('a sentence');
    }
    expect(sentenceOf(new CommandError('no answer from https://me:secret@x.example'), {})).toBe(
      'no answer from https://x.example',
    );
  });

  test('of a file is its path and what is wrong with it', () => {
    let caught: unknown;
    try {
      readFileSync('/nowhere/at/all');
    } catch (error) {
      caught = error;
    }
    expect(sentenceOf(caught, {})).toBe('/nowhere/at/all: there is no such file or folder');
    expect(fileProblem(caught)).toBe('there is no such file or folder');
    expect(fileProblem(Object.assign(new Error('x'), { code: 'EXDEV' }))).toBe('EXDEV');
  });

  test('that nobody expected has no stack, unless it is asked for', () => {
    const error = new TypeError('x of undefined at https://me:secret@x.example');
    expect(sentenceOf(error, {})).toBe(
      'this should not have happened: x of undefined at https://x.example (RINGFENCE_DEBUG=1 shows where)',
    );
    const debug = sentenceOf(error, { RINGFENCE_DEBUG: '1' });
    expect(debug).toMatch(/\n {4}at /);
    expect(debug).not.toContain('secret');
    expect(sentenceOf('thrown text', {})).toContain('thrown text');
  });
});

test('a proxy is not asked for this machine, and for whatever it was not asked for before', () => {
  const environment: Record<string, string | undefined> = { http_proxy: 'http://p', no_proxy: 'a.example, localhost' };
  bypassProxy(environment);
  expect(environment).toEqual({
    http_proxy: 'http://p',
    NO_PROXY: 'a.example,localhost,127.0.0.1,::1',
    no_proxy: 'a.example,localhost,127.0.0.1,::1',
  });
});
