/**
 * README.md from top to bottom, pasted as it stands into one shell: every command succeeds, and prints what the block
 * below it says. Only the address and the state folder are those of the test's own server.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { PROJECT } from '../../scripts/command/paths.ts';
import { type LocalServer, startServer } from './local-server.ts';

/** Not pasted: begun by the test itself, in need of an account, or tested elsewhere (the benchmarks, the examples). */
const NOT_PASTED = [
  'npm install && npm start\n',
  'npm run example -- hono-sign-up ',
  'npm run bench ',
  'npx wrangler login\n',
  'curl -H "Authorization: Bearer $ADMIN_KEY"',
  'npm install && npm test\n',
];
const README_URL = 'http://127.0.0.1:8787';
const README_STATE = '.ringfence/state';

interface Step {
  readonly line: number;
  readonly command: string;
  /** What the page says it prints. */
  readonly output: { readonly language: string; readonly text: string } | null;
}

const text = readFileSync(join(PROJECT, 'README.md'), 'utf8');
const steps = stepsOf(text);
const folder = mkdtempSync(join(tmpdir(), 'ringfence-readme-'));
const state = join(folder, 'state');
let server: LocalServer;

/** A block of `sh`, with the block after it if that is JSON or has no language and no heading stands between. */
function stepsOf(page: string): Step[] {
  const blocks = [...page.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)].map((match) => ({
    language: match[1] ?? '',
    text: match[2] ?? '',
    from: match.index,
    to: match.index + match[0].length,
  }));
  return blocks.flatMap((block, i) => {
    if (block.language !== 'sh') return [];
    const next = blocks[i + 1];
    const isOutput =
      next !== undefined && ['', 'json'].includes(next.language) && !/^#/m.test(page.slice(block.to, next.from));
    const line = page.slice(0, block.from).split('\n').length;
    return [{ line, command: block.text, output: isOutput ? { language: next.language, text: next.text } : null }];
  });
}

function isPasted({ command }: Step): boolean {
  return !NOT_PASTED.some((start) => command.startsWith(start));
}

/**
 * Runs the steps in one shell, as a stranger would; `curl` fails on an answer that is an error. Returns what each
 * printed. The key file is that of a server without RINGFENCE_ADMIN_KEY.
 */
function paste(pasted: readonly Step[]): string[] {
  const mark = '----- next step -----';
  const here = (command: string) => command.replaceAll(README_URL, server.url).replaceAll(README_STATE, state);
  const script = [
    'set -euo pipefail',
    'curl() { command curl -sS --fail-with-body "$@"; }',
    `npm() { command npm --prefix ${JSON.stringify(PROJECT)} "$@"; }`,
    ...pasted.map(({ command }) => `${here(command)}\necho; echo '${mark}'`),
  ].join('\n');
  const printed = execFileSync('bash', ['-c', script], {
    cwd: folder,
    encoding: 'utf8',
    timeout: 240_000,
    env: { ...process.env, RINGFENCE_ADMIN_KEY: '', RINGFENCE_KEY: '' },
  });
  return printed.split(`${mark}\n`).map((part) => part.trim());
}

/** What differs from run to run, by its shape: days and moments, ids and generations. */
function masked(value: unknown, key = ''): unknown {
  if (Array.isArray(value)) return value.map((each) => masked(each));
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, masked(each, name)]));
  }
  if (key === 'asOf' || key === 'expiresAt' || key === 'date') return value;
  if (typeof value === 'string' && /^\d{4}-\d\d-\d\d$/.test(value)) return 'a day';
  if (typeof value === 'string' && /^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(value)) return 'a moment';
  if (key === 'batch' && typeof value === 'string' && value.length > 10) return 'an id';
  if (key === 'by' && typeof value === 'string') return 'a key';
  if (key === 'generation' && typeof value === 'number') return Math.min(value, 1);
  return value;
}

function asLines(printed: string): string[] {
  return printed
    .trim()
    .split('\n')
    .map((line) => line.trimEnd());
}

beforeAll(async () => {
  server = await startServer(state, [], '');
}, 120_000);

afterAll(async () => {
  await server.stop();
  rmSync(folder, { recursive: true });
}, 30_000);

test('every block that is not pasted is there', () => {
  for (const start of NOT_PASTED) expect(steps.filter(({ command }) => command.startsWith(start))).toHaveLength(1);
});

test('every other block succeeds and prints what the page says', () => {
  const pasted = steps.filter(isPasted);
  expect(pasted.length).toBeGreaterThanOrEqual(10);
  const printed = paste(pasted);
  for (const [i, { line, command, output }] of pasted.entries()) {
    if (output === null) continue;
    const where = `README.md:${line}: ${command.split('\n')[0]}`;
    const found = printed[i] ?? '';
    if (output.language === 'json') {
      const last = found.split('\n').at(-1) ?? '';
      expect(masked(JSON.parse(last)), where).toEqual(masked(JSON.parse(output.text)));
    } else expect(asLines(found), where).toEqual(asLines(output.text));
  }
}, 300_000);
