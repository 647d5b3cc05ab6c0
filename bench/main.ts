/**
 * `npm run bench [-- NAME...] [--small]`: runs benchmarks, each in a process of its own so that none inherits another's
 * heap or compiled code, prints their tables and writes bench/results/NAME.json (bench/results/small/ for --small). The
 * exit status is 1 when a bar is not met, 2 when a benchmark could not run. `--write-readme` runs nothing: it puts the
 * figures of the result files into README.md.
 */

import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { orHelp, parseArguments } from '../scripts/command/arguments.ts';
import { UsageError } from '../scripts/command/errors.ts';
import { benchmarkNames, userPath } from '../scripts/command/paths.ts';
import { runCommand } from '../scripts/command/run-command.ts';
import {
  type Bar,
  type Benchmark,
  type BenchOptions,
  type BenchResult,
  type BenchSize,
  printResult,
  writeResult,
} from './report.ts';

// The table of measured bars in README.md: `npm run bench -- --write-readme` writes it from bench/results/, and a test
// holds the two together.

const README = join(import.meta.dirname, '..', 'README.md');
const RESULTS = join(import.meta.dirname, 'results');
const BEGIN = '<!-- measured: npm run bench -- --write-readme -->\n';
const END = '<!-- end of measured -->';

/** The bars that README tells, by benchmark; the others are in the files. */
const TOLD: Readonly<Record<string, RegExp>> = {
  probe: /^(mix: time|bits a number|MB of)/,
  http: /(requests\/s to|p99 above|numbers\/s)/,
  cold: /^(first lookup|bytes of verdicts|storage reads)/,
  merge: /^(CPU seconds|MiB of heap|storage)/,
  build: /^(seconds|MiB)/,
  simulate: /^(accepted|answered)/,
};

function measuredTable(): string {
  const lines = Object.entries(TOLD).flatMap(([name, told]) =>
    resultOf(name).bars.flatMap((bar) => (told.test(bar.what) ? [lineOf(name, bar)] : [])),
  );
  return ['| benchmark | | measured | bar |', '| --- | --- | ---: | --- |', ...lines, ''].join('\n');
}

function resultOf(name: string): BenchResult {
  return JSON.parse(readFileSync(join(RESULTS, `${name}.json`), 'utf8'));
}

function lineOf(name: string, { what, value, limit, wanted, met }: Bar): string {
  const number = (each: number) => each.toLocaleString('en-US', { maximumSignificantDigits: 6 });
  return `| ${name} | ${what} | ${met ? number(value) : `**${number(value)}**`} | ${wanted} ${number(limit)}${met ? '' : ': not met'} |`;
}

export function readmeWithTable(readme: string): string {
  const from = readme.indexOf(BEGIN) + BEGIN.length;
  const to = readme.indexOf(END);
  if (from < BEGIN.length || to < from) throw new Error('README.md has no place for the table of measured bars');
  return readme.slice(0, from) + measuredTable() + readme.slice(to);
}

function writeReadme(): void {
  writeFileSync(README, readmeWithTable(readFileSync(README, 'utf8')));
}

const FOLDER = import.meta.dirname;

const HELP = `Runs benchmarks, prints their tables, and writes bench/results/NAME.json.

  npm run bench                    all of them: half an hour, 5 GB of disk
  npm run bench -- probe --small   one, at a hundredth of the scale

The benchmarks: ${benchmarkNames().join(', ')}. http needs the load tool wrk (apt-get install wrk).

  --small         at a hundredth of the scale
  --before FOLDER a checkout of the commit before, with its node_modules: http measures it in turns with this one
  --write-readme  run nothing; put the figures of the result files into README.md
  --help

Exit status: 0 every bar is met, 1 one is not, 2 a benchmark could not run.
`;

/** The benchmark that takes --before. */
const MEASURES_BEFORE = 'http';

const OPTIONS = {
  small: { type: 'boolean', default: false },
  /** In this process, which was started for it. */
  here: { type: 'boolean', default: false },
  before: { type: 'string' },
  'write-readme': { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

async function runHere(name: string, size: BenchSize, options: BenchOptions): Promise<number> {
  const { run } = (await import(`./${name}/bench.ts`)) as { run: Benchmark };
  const result = await run(size, options);
  printResult(result);
  writeResult(join(FOLDER, 'results', size === 'small' ? 'small' : ''), result);
  return result.bars.every((bar) => bar.met) ? 0 : 1;
}

function runApart(name: string, size: BenchSize, { before }: BenchOptions): number {
  const options = [...(size === 'small' ? ['--small'] : []), ...(before === null ? [] : ['--before', before])];
  const args = ['--expose-gc', join(FOLDER, 'main.ts'), name, '--here', ...options];
  const { status } = spawnSync(process.execPath, args, { stdio: 'inherit' });
  return status ?? 2;
}

async function main(): Promise<number> {
  const { values, positionals } = parseArguments(process.argv.slice(2), OPTIONS, { positionals: true });
  if (orHelp(values.help ? null : values, HELP) === null) return 0;
  if (values['write-readme']) {
    writeReadme();
    return 0;
  }
  const size: BenchSize = values.small ? 'small' : 'full';
  const known = benchmarkNames();
  const unknown = positionals.find((name) => !known.includes(name));
  if (unknown !== undefined) {
    throw new UsageError(`there is no benchmark "${unknown}": expected ${known.join(', ')}, or none of them for all`);
  }
  if (values.before !== undefined && positionals.length > 0 && !positionals.includes(MEASURES_BEFORE)) {
    throw new UsageError(`--before: only ${MEASURES_BEFORE} measures another checkout`);
  }
  const options = { before: values.before === undefined ? null : userPath(values.before) };
  if (values.here) return runHere(positionals[0] ?? '', size, options);
  const names = positionals.length > 0 ? positionals : known;
  let status = 0;
  for (const name of names) status = Math.max(status, runApart(name, size, options));
  return status;
}

if (import.meta.filename === process.argv[1]) await runCommand(main, { failureStatus: 2 });
