import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  BAD_PORTS,
  checkedKey,
  parseArguments,
  portOption,
  shellWord,
  takesNothing,
  urlOption,
  wholeNumberOption,
} from '../../../../scripts/command/arguments.ts';
import { UsageError } from '../../../../scripts/command/errors.ts';

const OPTIONS = {
  key: { type: 'string' },
  dry: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

function messageOf(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    expect(error).toBeInstanceOf(UsageError);
    return (error as UsageError).message;
  }
  throw new Error('expected an error');
}

describe('parseArguments', () => {
  test('takes options, flags and their opposites, and arguments where there may be some', () => {
    expect(parseArguments(['--key', 'x', '--dry', 'a', 'b'], OPTIONS, { positionals: true })).toMatchObject({
      values: { key: 'x', dry: true, help: false },
      positionals: ['a', 'b'],
    });
    expect(parseArguments(['--no-dry', '-h'], OPTIONS).values).toMatchObject({ dry: false, help: true });
  });

  test.each([
    [['--kye', 'x'], "Unknown option '--kye'; --help lists the options"],
    [['--kye=rf_secret'], "Unknown option '--kye'; --help lists the options"],
    [['-x'], "Unknown option '-x'; --help lists the options"],
    [['--key'], "Option '--key <value>' argument missing; --help lists the options"],
    [
      ['rf_secret'],
      "Unexpected argument without an option's name; --help lists the options, and with npm they come after --, as in: npm start -- --port 8790",
    ],
    [
      ['a', 'b'],
      "Unexpected arguments without an option's name; --help lists the options, and with npm they come after --, as in: npm start -- --port 8790",
    ],
  ])('%j', (args, message) => {
    expect(messageOf(() => parseArguments(args, OPTIONS))).toBe(message);
  });

  describe('refuses an option that npm took for itself', () => {
    const npm = (script: string, variables: Readonly<Record<string, string>>) => ({
      positionals: true,
      environment: { npm_lifecycle_event: script, ...variables },
    });
    const DEPLOY = { 'dry-run': { type: 'boolean' }, name: { type: 'string' } } as const;
    const SMALL = { small: { type: 'boolean' }, map: { type: 'string' } } as const;
    /** What npm 11 sets for `--small`, each letter being an option of its own. */
    const small = {
      npm_config_loglevel: 'silent',
      npm_config_message: '',
      npm_config_all: 'true',
      npm_config_long: 'true',
    };

    test('and says how to write it', () => {
      const took = (args: readonly string[], more: Parameters<typeof parseArguments>[2]) =>
        messageOf(() => parseArguments(args, { ...DEPLOY, ...SMALL }, more));
      expect(took([], npm('deploy', { npm_config_dry_run: 'true' }))).toBe(
        'npm took --dry-run for itself, since no -- stands before: write `npm run deploy -- --dry-run`',
      );
      expect(took([], npm('deploy', { npm_config_dry_run: '' }))).toContain('`npm run deploy -- --dry-run`');
      expect(took(['shop'], npm('deploy', { npm_config_name: 'true' }))).toContain(
        '`npm run deploy -- ... --name NAME`',
      );
      expect(took([], npm('start', { npm_config_name: 'rf_secret' }))).toBe(
        'npm took --name for itself, since no -- stands before: write `npm start -- --name NAME`',
      );
      expect(took([], npm('bench', { npm_config_small: 'true' }))).toContain('`npm run bench -- --small`');
      expect(took(['probe'], npm('bench', small))).toContain('`npm run bench -- ... --small`');
    });

    test('but not one that the command got, or that the command does not have', () => {
      const environment = npm('deploy', { npm_config_dry_run: 'true', npm_config_yes: '', npm_config_cache: '/tmp' });
      for (const args of [['--dry-run'], ['--no-dry-run']]) parseArguments(args, DEPLOY, environment);
      parseArguments([], SMALL, environment);
      parseArguments([], SMALL, npm('bench', { npm_config_loglevel: 'silent', npm_config_all: 'true' }));
    });

    test('nor a setting of npm from a file or the environment', () => {
      const folder = mkdtempSync(join(tmpdir(), 'ringfence-npm-'));
      try {
        const path = join(folder, '.npmrc');
        writeFileSync(path, 'yes=false\n dry-run = true\n');
        for (const variables of [
          { npm_config_userconfig: path },
          { npm_config_globalconfig: path },
          { npm_config_local_prefix: folder },
          { NPM_CONFIG_DRY_RUN: 'true' },
        ]) {
          parseArguments([], DEPLOY, npm('deploy', { npm_config_dry_run: 'true', ...variables }));
        }
        const other = npm('deploy', { npm_config_name: 'shop', npm_config_userconfig: path });
        expect(messageOf(() => parseArguments([], DEPLOY, other))).toContain('--name NAME');
      } finally {
        rmSync(folder, { recursive: true });
      }
    });
  });

  test('says in one line what is wrong, and never what was given as a value', () => {
    const secret = fc.stringMatching(/^rf_[a-z0-9]{8,20}$/);
    const names = fc.stringMatching(/^-{1,2}[a-z]{1,6}$/);
    const word = fc.oneof(
      fc.tuple(names, secret).map(([name, value]) => `${name}=${value}`),
      names,
      secret,
    );
    fc.assert(
      fc.property(fc.array(word, { maxLength: 5 }), (args) => {
        let message = '';
        try {
          parseArguments(args, OPTIONS);
        } catch (error) {
          message = (error as Error).message;
        }
        expect(message).not.toMatch(/rf_|\n/);
      }),
      { numRuns: 2_000 },
    );
  });

  test('of a command without options', () => {
    expect(takesNothing([], '')).toBe(false);
    expect(takesNothing(['--help'], '')).toBe(true);
    expect(messageOf(() => takesNothing(['--write'], ''))).toContain("'--write'");
  });
});

describe('ports', () => {
  test('that fetch refuses are refused, every one', async () => {
    for (const port of BAD_PORTS) {
      const error = await fetch(`http://127.0.0.1:${port}`).catch((caught: Error) => caught);
      expect(error instanceof Error && String(error.cause), String(port)).toContain('bad port');
      expect(messageOf(() => portOption('--port', String(port)))).toContain(`refuse to ask port ${port};`);
    }
  });

  test('that fetch asks are not', async () => {
    for (const port of [2, 80, 443, 1024, 5062, 6001, 8787, 10081, 65_535]) {
      expect(portOption('--port', String(port))).toBe(port);
      const error = await fetch(`http://127.0.0.1:${port}`, { signal: AbortSignal.timeout(2_000) }).catch(
        (caught: Error) => caught,
      );
      if (error instanceof Error) expect(String(error.cause), String(port)).not.toContain('bad port');
    }
  });

  test.each(['0', '65536', '-1', '8o', '', '1e3', '80.5', ' 80'])('%j is none', (text) => {
    expect(messageOf(() => portOption('--port', text))).toBe(
      `--port: expected a number from 1 to 65535, found ${text}`,
    );
  });
});

describe('addresses', () => {
  test.each(['http://127.0.0.1:8787', 'https://ringfence.example/', 'http://[::1]:8787'])('%s', (url) => {
    expect(urlOption('--url', url)).toBe(url);
  });

  test.each(['ftp://x.example', 'localhost:8787', '', 'http://', 'file:///etc'])('%j is none', (url) => {
    expect(messageOf(() => urlOption('--url', url))).toContain('--url: expected an http or https address');
  });

  test('with a user name or a password are refused, and not repeated', () => {
    for (const url of ['https://user:hunter2@x.example', 'https://hunter2@x.example', 'http://:hunter2@x.example']) {
      const message = messageOf(() => urlOption('--url', url));
      expect(message).toContain('no user name or password');
      expect(message).not.toContain('hunter2');
    }
  });

  test('with a query or a fragment are refused, and not repeated', () => {
    for (const end of ['?key=hunter2', '/#hunter2', '/a?hunter2#b', '?', '/#', ':10080?hunter2']) {
      const message = messageOf(() => urlOption('--url', `https://x.example${end}`));
      expect(message).toContain('--url: expected no ? or # in the address');
      expect(message).not.toContain('hunter2');
    }
  });

  test('on a port that fetch refuses are refused', () => {
    expect(messageOf(() => urlOption('--url', 'http://127.0.0.1:10080'))).toContain('fetch refuses to ask port 10080');
  });
});

test('a whole number is digits, and no less than it may be', () => {
  expect(wholeNumberOption('--seed', '0', 0)).toBe(0);
  expect(wholeNumberOption('--lookups', '100000000', 1)).toBe(100_000_000);
  for (const text of ['', ' 3', '-3', '3.5', '1e3', '0x10', 'soon', '9007199254740993', '2']) {
    expect(messageOf(() => wholeNumberOption('--kills', text, 3))).toBe(
      `--kills takes a whole number of at least 3, not "${text}"`,
    );
  }
  expect(wholeNumberOption('--threads', '64', 1, 64)).toBe(64);
  expect(messageOf(() => wholeNumberOption('--threads', '65', 1, 64))).toBe(
    '--threads takes a whole number from 1 to 64, not "65"',
  );
});

describe('keys', () => {
  test('of any printable characters are taken as they are', () => {
    expect(checkedKey('--key', '$"\\`\'#{}')).toBe('$"\\`\'#{}');
  });

  test.each([
    ['rf_key\r', 'ends in a carriage return (CR)'],
    ['rf_key\r\n', 'ends in a carriage return (CR)'],
    ['rf_key\n', 'begins or ends in a space or line break'],
    [' rf_key', 'begins or ends in a space or line break'],
    ['rf_k\u00e9y', 'expected printable ASCII without spaces'],
    ['rf key', 'expected printable ASCII without spaces'],
  ])('%j is refused, and not quoted', (key, problem) => {
    const message = messageOf(() => checkedKey('RINGFENCE_KEY', key));
    expect(message).toContain(`RINGFENCE_KEY`);
    expect(message).toContain(problem);
    expect(message).not.toContain('rf_');
  });
});

test.skipIf(process.platform === 'win32')('a word of a command line is read by the shell as it was', () => {
  const texts = fc.sample(fc.string({ unit: fc.constantFrom(...`'"\`$\\ !*?{}[]()<>|&;#~=%aZ09`.split('')) }), 200);
  const printed = execFileSync('sh', ['-c', `printf '%s\\n' ${texts.map(shellWord).join(' ')}`], { encoding: 'utf8' });
  expect(printed.split('\n').slice(0, -1)).toEqual(texts);
});
