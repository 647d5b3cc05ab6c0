/** Every command of the project, called as nobody should: one sentence, no stack trace, no secret, and soon. */
import { execFile, execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { benchmarkNames, PROJECT } from '../../scripts/command/paths.ts';
import { type Ended, run } from './run.ts';

const LIMIT_MS = 20_000;
const SECRET = 'hunter2';
const KEY = `rf_${SECRET}_0123456789abcdef0123456789`;
const isPosix = process.platform !== 'win32';

const folder = mkdtempSync(join(tmpdir(), 'ringfence-commands-'));
const file = join(folder, 'a-file');
const fifo = join(folder, 'a-pipe');
const state = join(folder, 'state');
const keyless = join(folder, 'keyless');
const misplaced = join(folder, 'misplaced');
const logless = join(folder, 'logless');

beforeAll(() => {
  writeFileSync(file, '');
  if (isPosix) execFileSync('mkfifo', [fifo]);
  mkdirSync(keyless);
  mkdirSync(join(misplaced, 'v3'), { recursive: true });
  writeFileSync(join(misplaced, 'v3', 'r2'), '');
  mkdirSync(join(logless, 'worker.log'), { recursive: true });
  writeFileSync(join(keyless, 'admin-key'), '');
});
afterAll(() => rmSync(folder, { recursive: true }));

const { scripts } = JSON.parse(readFileSync(join(PROJECT, 'package.json'), 'utf8')) as {
  readonly scripts: Readonly<Record<string, string>>;
};
/** The others are programs of other projects, which take the arguments themselves. */
const COMMANDS = Object.keys(scripts).filter((name) => scripts[name]?.startsWith('node scripts/run.mjs '));

/** As `npm run NAME -- ARGS` does. */
function runCommand(name: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ended> {
  const [, runner = '', ...script] = (scripts[name] ?? '').split(' ');
  return run(runner, [...script, ...args], { env, limitMs: LIMIT_MS });
}

function expectSentence({ out, err }: Ended): void {
  expect(out).toBe('');
  expect(err.trimEnd().split('\n'), err).toHaveLength(1);
  expect(err).not.toMatch(/\bat .*:\d+:\d+|node:internal|should not have happened/);
  expect(err).not.toContain(SECRET);
}

/** Those whose first argument makes them another, with its own options. */
const SUBCOMMANDS = ['simulate -- faults', 'simulate -- mutants', 'simulate -- load'];
const CALLS = [...COMMANDS, ...SUBCOMMANDS].map((call) => {
  const [name = '', ...args] = call.split(/ -- | /);
  return { call, name, args };
});

/** What a person types for those that npm has a word for, or runs itself. */
const CALLED_OTHERWISE: Readonly<Record<string, string>> = {
  start: 'npm start',
  test: 'npm test',
  prepack: 'npm run build',
};

test.concurrent.each(CALLS)('npm run $call says what it takes', async ({ call, name, args }) => {
  const { code, out, err } = await runCommand(name, [...args, '--help']);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  expect(out).toMatch(new RegExp(`\\b${CALLED_OTHERWISE[call] ?? `npm run ${call}`}(?![\\w-])`));
});

test.concurrent.each(CALLS)('npm run $call refuses an option that it does not have', async ({ name, args }) => {
  const ended = await runCommand(name, [...args, `--no-such-option=${SECRET}`]);
  expectSentence(ended);
  expect(ended.err).toContain("'--no-such-option'");
  expect(ended.code).toBe(2);
});

test('npm run bench says which benchmarks there are, and what they need', async () => {
  const { out } = await runCommand('bench', ['--help']);
  for (const name of benchmarkNames()) expect(out).toMatch(new RegExp(`^The benchmarks:.*\\b${name}\\b`, 'm'));
  expect(out).toMatch(/http needs the load tool wrk/);
  expect(out).toMatch(/half an hour, 5 GB of disk/);
});

interface Misuse {
  readonly name: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly status: number;
  readonly says: RegExp;
}

const DAYS = ['2025-05-16', '2025-05-30'];
const MISUSES: Readonly<Record<string, Misuse>> = {
  'a state folder that is a file': {
    name: 'start',
    args: ['--state', file],
    status: 1,
    says: /a-file: expected a folder, found a file; name another with --state/,
  },
  'a state folder below a file': {
    name: 'start',
    args: ['--state', join(file, 'state')],
    status: 1,
    says: /a part of this path is a file/,
  },
  'a file in the place of the store': {
    name: 'start',
    args: ['--state', misplaced],
    status: 1,
    says: /r2: expected a folder, found a file; move it away, or name another state folder with --state/,
  },
  'a check of a file in the place of the store': {
    name: 'fsck',
    args: ['--state', misplaced],
    status: 2,
    says: /r2: expected a folder, found a file/,
  },
  'a folder in the place of the log': {
    name: 'start',
    args: ['--state', logless],
    status: 1,
    says: /worker.log: expected a file, found a folder; move it away/,
  },
  'a port that fetch refuses': {
    name: 'start',
    args: ['--port', '10080'],
    status: 2,
    says: /refuse to ask port 10080/,
  },
  'an argument that is a key': { name: 'start', args: [KEY], status: 2, says: /Unexpected argument without/ },
  'an admin key that ends in CR': {
    name: 'start',
    args: ['--state', state],
    env: { RINGFENCE_ADMIN_KEY: `${KEY}\r` },
    status: 2,
    says: /RINGFENCE_ADMIN_KEY ends in a carriage return/,
  },
  'an empty file of the admin key': {
    name: 'start',
    args: ['--state', keyless],
    env: { RINGFENCE_ADMIN_KEY: '' },
    status: 1,
    says: /admin-key is empty: delete it/,
  },
  'an example in a file': { name: 'example', args: ['hono-sign-up', '--state', file], status: 1, says: /found a file/ },
  'a briefing with credentials in the address': {
    name: 'briefing',
    args: [...DAYS, '--url', `http://me:${SECRET}@127.0.0.1:9`],
    status: 2,
    says: /--url: expected no user name or password/,
  },
  'a briefing with a key that ends in CR': {
    name: 'briefing',
    args: [...DAYS, '--key', `${KEY}\r`],
    status: 2,
    says: /--key ends in a carriage return/,
  },
  'a briefing into a folder that is not there': {
    name: 'briefing',
    args: [...DAYS, '--key', KEY, '--out', join(folder, 'no', 'b.html')],
    status: 1,
    says: /there is no folder .*no; make it first/,
  },
  'a briefing of nobody': {
    name: 'briefing',
    args: [...DAYS, '--key', KEY, '--url', 'http://127.0.0.1:2'],
    status: 1,
    says: /no answer from http:\/\/127\.0\.0\.1:2: .* Is the server running\?/,
  },
  'an import with credentials in the address': {
    name: 'import',
    args: [file, '--key', KEY, '--url', `http://me:${SECRET}@127.0.0.1:9`],
    status: 2,
    says: /--url: expected no user name or password/,
  },
  'an import with a key that ends in CR': {
    name: 'import',
    args: [file],
    env: { RINGFENCE_KEY: `${KEY}\r` },
    status: 2,
    says: /the API key ends in a carriage return/,
  },
  'an import of a file that is not there': {
    name: 'import',
    args: [join(folder, 'nothing.csv'), '--key', KEY],
    status: 2,
    says: /nothing\.csv: there is no such file/,
  },
  'a simulation that there is none of': {
    name: 'simulate',
    args: [KEY],
    status: 2,
    says: /^expected latency, faults, mutants, load, or options alone; --help says more$/m,
  },
  'a check of nothing': { name: 'fsck', args: ['--state', file], status: 2, says: /there is no store in/ },
  'a receipt that is not there': {
    name: 'verify-receipt',
    args: [join(folder, 'nothing.json'), '--state', state],
    status: 2,
    says: /nothing\.json: there is no such file/,
  },
  'a build of a file that is not there': {
    name: 'build-inventory',
    args: [join(folder, 'nothing.csv')],
    status: 2,
    says: /nothing\.csv: there is no such file/,
  },
  'synthesis into a file': { name: 'synthesize', args: ['--out', file], status: 2, says: /found a file; .* --out/ },
  'an evaluation of nothing': {
    name: 'evaluate',
    args: [join(folder, 'nothing.tsv'), '--from', '2025-05-01'],
    status: 2,
    says: /there is no such file/,
  },
};

const ON_LINUX: Readonly<Record<string, Misuse>> = {
  // Even root cannot write there; Node's own way to make folders never comes back from it.
  'a state folder that nobody can write': {
    name: 'start',
    args: ['--state', '/proc/ringfence/state'],
    status: 1,
    says: /cannot write to this folder/,
  },
  'a rebuild where nobody can write': {
    name: 'build-inventory',
    args: [file, '--state', '/proc/ringfence/state'],
    status: 2,
    says: /cannot write to this folder/,
  },
  'a state folder that is a named pipe': {
    name: 'start',
    args: ['--state', fifo],
    status: 1,
    says: /found a named pipe/,
  },
  'a receipt in a named pipe': { name: 'verify-receipt', args: [fifo], status: 2, says: /found a named pipe/ },
  'an import of a named pipe': { name: 'import', args: [fifo], status: 2, says: /found a named pipe/ },
  'an import with its progress where nobody can write': {
    name: 'import',
    args: [file, '--key', KEY, '--state', '/proc/ringfence/import'],
    status: 1,
    says: /cannot write to this folder/,
  },
  'a build of a named pipe': { name: 'build-inventory', args: [fifo], status: 2, says: /found a named pipe/ },
  'ageing of a named pipe': { name: 'fit-ageing', args: [fifo], status: 2, says: /found a named pipe/ },
};

describe.each(Object.entries({ ...MISUSES, ...(process.platform === 'linux' ? ON_LINUX : {}) }))(
  '%s',
  (_, { name, args, env, status, says }) => {
    test.concurrent(`is refused by npm run ${name}`, async () => {
      const ended = await runCommand(name, args, env);
      expectSentence(ended);
      expect(ended.err).toMatch(says);
      expect(ended.code).toBe(status);
    });
  },
);

describe.skipIf(!isPosix)('a path is relative to where the person stands', () => {
  test('with npm --prefix, from another folder', async () => {
    const { npm_package_json: _, INIT_CWD: __, ...env } = process.env;
    const args = ['--silent', '--prefix', PROJECT, 'run', 'verify-receipt', '--', 'my-answer.json'];
    const err = await new Promise<string>((resolve) => {
      execFile('npm', args, { cwd: folder, env }, (_error, _out, text) => resolve(text));
    });
    expect(err).toBe(`${join(folder, 'my-answer.json')}: there is no such file\n`);
  }, 30_000);
});
