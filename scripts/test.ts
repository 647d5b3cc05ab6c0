/**
 * `npm test`: everything that CI checks. It goes on after a failure, and ends with a line that counts: "N passed,
 * N failed", and skipped tests if there are any. `npm run check` is the first part of it.
 */
import { spawn, spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as v from 'valibot';
import { orHelp, parseArguments } from './command/arguments.ts';
import { benchmarkNames, PROJECT } from './command/paths.ts';
import { runCommand } from './command/run-command.ts';

const BIN = join(PROJECT, 'node_modules', '.bin');

const report = v.object({
  numPassedTests: v.number(),
  numFailedTests: v.number(),
  numPendingTests: v.number(),
  numFailedTestSuites: v.number(),
  success: v.boolean(),
});

const counts = { passed: 0, failed: 0, skipped: 0 };

function run(command: string, args: readonly string[], more: Readonly<Record<string, string>> = {}): boolean {
  console.log(`\n> ${command} ${args.join(' ')}`);
  const env = { ...process.env, ...more };
  const { status } = spawnSync(join(BIN, command), args, { cwd: PROJECT, stdio: 'inherit', env });
  return status === 0;
}

function check(command: string, args: readonly string[]): void {
  count(run(command, args));
}

function count(isGood: boolean): void {
  if (isGood) counts.passed += 1;
  else counts.failed += 1;
}

/** The tests' own figures; a run that ends without a report, or fails outside of any test, is a failure too. */
function runTests(): void {
  const folder = mkdtempSync(join(tmpdir(), 'ringfence-test-'));
  const outputFile = join(folder, 'report.json');
  const args = ['run', '--reporter=default', '--reporter=json', `--outputFile.json=${outputFile}`];
  // A command is started some two hundred times: each script is stripped of its types and compiled once.
  const succeeded = run('vitest', args, { NODE_COMPILE_CACHE: join(folder, 'compiled') });
  let failed = succeeded ? 0 : 1;
  try {
    const figures = v.parse(report, JSON.parse(readFileSync(outputFile, 'utf8')));
    counts.passed += figures.numPassedTests;
    counts.skipped += figures.numPendingTests;
    failed = Math.max(failed, figures.numFailedTests);
    if (figures.numPassedTests === 0) failed = Math.max(failed, 1);
  } catch (error) {
    console.error(`the tests left no report: ${String(error)}`);
    failed = Math.max(failed, 1);
  }
  counts.failed += failed;
  rmSync(folder, { recursive: true });
}

/** This benchmark mostly waits and is held to counts alone: it runs beside the tests. */
const BESIDE_TESTS = 'stall';
/** It takes half a minute alone, and two or three beside the tests: after this it hangs. */
const BESIDE_LIMIT_MS = 15 * 60_000;

function smallForm(name: string): string[] {
  return [join('bench', 'main.ts'), name, '--small'];
}

/** Returns what waits for its end, and prints its output then. */
function startBeside(command: string, args: readonly string[]): () => Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'ringfence-beside-'));
  const outputFile = join(folder, 'output');
  const output = openSync(outputFile, 'w');
  const child = spawn(join(BIN, command), args, {
    cwd: PROJECT,
    stdio: ['ignore', output, output],
    timeout: BESIDE_LIMIT_MS,
  });
  const ended = new Promise<boolean>((resolve) => {
    child.on('exit', (status) => resolve(status === 0));
    child.on('error', () => resolve(false));
  });
  return async () => {
    const isGood = await ended;
    closeSync(output);
    console.log(`\n> ${command} ${args.join(' ')}\n${readFileSync(outputFile, 'utf8')}`);
    rmSync(folder, { recursive: true });
    count(isGood);
  };
}

/** The small form of each benchmark: it holds ratios and counts, and no time. */
function checkBenchmarks(): void {
  for (const name of benchmarkNames()) if (name !== BESIDE_TESTS) check('node', smallForm(name));
}

const HELP = `Checks everything that CI checks, and goes on after a failure.

  npm test
  npm run check    formatting, linting and types alone (--static)

One file of tests: npx vitest run FILE
`;

const OPTIONS = {
  static: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

async function main(): Promise<number> {
  const { values } = parseArguments(process.argv.slice(2), OPTIONS);
  if (orHelp(values.help ? null : values, HELP) === null) return 0;
  check('biome', ['check', '--error-on-warnings', '.']);
  check('tsc', ['--noEmit', '-p', 'tsconfig.json']);
  if (!values.static) {
    const finishBeside = startBeside('node', smallForm(BESIDE_TESTS));
    runTests();
    await finishBeside();
    checkBenchmarks();
  }
  const skipped = counts.skipped > 0 ? `, ${counts.skipped} skipped` : '';
  console.log(`\n${counts.passed} passed, ${counts.failed} failed${skipped}`);
  return counts.failed > 0 ? 1 : 0;
}

await runCommand(main);
