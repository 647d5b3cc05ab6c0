/** The findings as text: a table of the checks, what was counted, and a line for each problem. */
import { inventoryNumbers, type Manifest } from '../../src/format/manifest.ts';
import type { Check, Findings } from './findings.ts';

const count = (value: number) => value.toLocaleString('en-US');
const plural = (value: number, name: string) => `${count(value)} ${name}${value === 1 ? '' : 's'}`;

/** @param manifest null if it could not be read */
export function reportText(findings: Findings, manifest: Manifest | null, state: string): string {
  const rows = findings.checks.map((check) => [check.title, count(check.looked), resultOf(check)] as const);
  const lines = [headline(manifest, state), '', ...table([['check', 'looked at', 'result'], ...rows])];
  const counts = [...findings.counts].filter(([, value]) => value > 0);
  if (counts.length > 0) lines.push('', ...counts.map(([name, value]) => `  ${count(value)} ${name}`));
  const problems = findings.checks.flatMap(problemLines);
  if (problems.length > 0) lines.push('', ...problems);
  return `${[...lines, '', verdict(findings)].join('\n')}\n`;
}

function headline(manifest: Manifest | null, state: string): string {
  if (manifest === null) return `${state}: a store whose manifest cannot be read`;
  if (manifest.generation === 0) return `${state}: a store that nothing has been merged into yet`;
  const runs = plural(manifest.runs.length, 'run');
  return `${state}: generation ${manifest.generation}, ${plural(inventoryNumbers(manifest), 'number')} in ${runs}`;
}

function table(rows: readonly (readonly [string, string, string])[]): string[] {
  const titleWidth = Math.max(...rows.map(([title]) => title.length));
  const lookedWidth = Math.max(...rows.map(([, looked]) => looked.length));
  return rows.map(
    ([title, looked, result]) => `  ${title.padEnd(titleWidth)}  ${looked.padStart(lookedWidth)}  ${result}`,
  );
}

function resultOf({ errors, warnings, skipped }: Check): string {
  const parts = [
    ...(errors > 0 ? [plural(errors, 'error')] : []),
    ...(warnings > 0 ? [plural(warnings, 'warning')] : []),
    ...(skipped === null ? [] : [`not checked: ${skipped}`]),
  ];
  return parts.length === 0 ? 'ok' : parts.join(', ');
}

function problemLines({ title, problems, errors, warnings }: Check): string[] {
  const lines = problems.map(({ severity, key, what, remedy }) => `${severity}: ${key}: ${what}. ${remedy}`);
  const untold = errors + warnings - problems.length;
  return untold === 0 ? lines : [...lines, `and ${count(untold)} more of the check "${title}"`];
}

function verdict({ errors, warnings }: Findings): string {
  const warned = warnings === 0 ? '' : `, with ${plural(warnings, 'warning')}`;
  return errors === 0 ? `The store is sound${warned}.` : `The store has ${plural(errors, 'error')}${warned}.`;
}
