import type { FileSummary } from './import-file.ts';
import { formatCount } from './progress.ts';

/** What an import did, for a person. */
export function summaryText(summaries: readonly FileSummary[]): string {
  return summaries.map(fileText).join('\n');
}

function fileText(summary: FileSummary): string {
  const rejected = Object.values(summary.rejectedByCode).reduce((total, count) => total + count, 0);
  const lines = [
    summary.alreadyImported ? `${summary.file}: already imported, nothing sent` : `${summary.file}: imported`,
    row('lines read', summary.lines),
    row('accepted', summary.accepted),
    row('rejected', rejected),
  ];
  const byCount = Object.entries(summary.rejectedByCode).sort(([, a], [, b]) => b - a);
  for (const [code, count] of byCount) lines.push(row(`  ${code}`, count));
  lines.push(row('batches', summary.batches));
  if (summary.undated > 0) {
    lines.push(
      `  ${formatCount(summary.undated)} lines had no observedAt and got ${summary.observedAt} (--observed-at)`,
    );
  }
  if (summary.rejectsPath !== null) lines.push(`  rejected lines are listed in ${summary.rejectsPath}`);
  return `${lines.join('\n')}\n`;
}

function row(name: string, count: number): string {
  return `  ${name.padEnd(22)}${formatCount(count).padStart(12)}`;
}
