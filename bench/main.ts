/**
 * `npm run bench [-- NAME...] [--small]`: runs benchmarks, each in a process of its own so that none inherits another's
 * heap or compiled code, prints their tables and writes bench/results/NAME.json (bench/results/small/ for --small). The
 * exit status is 1 when a bar is not met, 2 when a benchmark could not run. `--write-readme` runs nothing: it puts the
 * figures of the result files into README.md.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { writeReadme } from './readme.ts';
import { type Benchmark, type BenchSize, printResult, writeResult } from './report.ts';

const FOLDER = import.meta.dirname;

function benchmarkNames(): string[] {
  return readdirSync(FOLDER).filter((name) => existsSync(join(FOLDER, name, 'bench.ts')));
}

async function runHere(name: string, size: BenchSize): Promise<number> {
  const { run } = (await import(`./${name}/bench.ts`)) as { run: Benchmark };
  const result = await run(size);
  printResult(result);
  writeResult(join(FOLDER, 'results', size === 'small' ? 'small' : ''), result);
  return result.bars.every((bar) => bar.met) ? 0 : 1;
}

function runApart(name: string, size: BenchSize): number {
  const args = ['--expose-gc', join(FOLDER, 'main.ts'), name, '--here', ...(size === 'small' ? ['--small'] : [])];
  const { status } = spawnSync(process.execPath, args, { stdio: 'inherit' });
  return status ?? 2;
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      small: { type: 'boolean', default: false },
      here: { type: 'boolean', default: false },
      'write-readme': { type: 'boolean', default: false },
    },
  });
  if (values['write-readme']) {
    writeReadme();
    return 0;
  }
  const size: BenchSize = values.small ? 'small' : 'full';
  const known = benchmarkNames();
  const unknown = positionals.find((name) => !known.includes(name));
  if (unknown !== undefined) {
    console.error(`there is no benchmark "${unknown}": expected ${known.join(', ')}, or none of them for all`);
    return 2;
  }
  if (values.here) return runHere(positionals[0] ?? '', size);
  const names = positionals.length > 0 ? positionals : known;
  let status = 0;
  for (const name of names) status = Math.max(status, runApart(name, size));
  return status;
}

process.exitCode = await main();
