/**
 * The table of measured bars in README.md: `npm run bench -- --write-readme` writes it from bench/results/, and a test
 * holds the two together.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Bar, BenchResult } from './report.ts';

const README = join(import.meta.dirname, '..', 'README.md');
const RESULTS = join(import.meta.dirname, 'results');
const BEGIN = '<!-- measured: npm run bench -- --write-readme -->\n';
const END = '<!-- end of measured -->';

/** The bars that README tells, by benchmark; the others are in the files. */
const TOLD: Readonly<Record<string, RegExp>> = {
  probe: /^(mix: time|bits a number|MB of)/,
  http: /(requests\/s to|p99 above|numbers\/s$)/,
  cold: /^(first lookup|bytes of verdicts|storage reads)/,
  merge: /^(CPU seconds|MiB of heap|storage)/,
  build: /^(seconds|MiB)/,
  simulate: /^accepted/,
};

export function measuredTable(): string {
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

export function writeReadme(): void {
  writeFileSync(README, readmeWithTable(readFileSync(README, 'utf8')));
}
