/** What a command did, for a person: a line for each count. */
import { formatCount } from './progress.ts';

export function row(name: string, count: number, more = ''): string {
  return `  ${name.padEnd(22)}${formatCount(count).padStart(12)}${more}`;
}

/** How many rows were rejected, and for what, most frequent first. */
export function rejectedRows(byCode: Readonly<Record<string, number>>): string[] {
  const counts = Object.entries(byCode).sort(([, a], [, b]) => b - a);
  const rejected = counts.reduce((total, [, count]) => total + count, 0);
  return [row('rejected', rejected), ...counts.map(([code, count]) => row(`  ${code}`, count))];
}
