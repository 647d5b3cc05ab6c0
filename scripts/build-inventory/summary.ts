/** What a build did, for a person and for a benchmark. */
import { formatCount } from '../import/progress.ts';
import type { FoldedBatches } from './fold-batches.ts';
import type { ParsedInput } from './parse-inputs.ts';

export interface BuildSummary {
  readonly rows: number;
  readonly accepted: number;
  readonly rejectedByCode: Readonly<Record<string, number>>;
  /** Rows without a date of their own. */
  readonly undated: number;
  readonly numbers: number;
  readonly batches: number;
  readonly batchBytes: number;
  readonly segments: number;
  readonly segmentBytes: number;
  /** Of the segments: what is also in the slice store. */
  readonly sliceBytes: number;
  readonly generation: number;
  /** By phase: read, fold, publish. */
  readonly seconds: Readonly<Record<string, number>>;
  /** Likewise, of all threads of this process: without workerd's. */
  readonly cpuSeconds: Readonly<Record<string, number>>;
  /** The most rows of batches that a fold had in memory at once. */
  readonly heldRows: number;
  /** Of this process, all its threads, in bytes; without workerd's. */
  readonly peakMemoryBytes: number;
  /** Null if nothing was rejected. */
  readonly rejectsPath: string | null;
}

export function summaryOf(built: {
  readonly parsed: readonly ParsedInput[];
  readonly folded: FoldedBatches;
  readonly rejectsPath: string | null;
  readonly seconds: Readonly<Record<string, number>>;
  readonly cpuSeconds: Readonly<Record<string, number>>;
  readonly generation: number;
}): BuildSummary {
  const { parsed, folded, rejectsPath, seconds, cpuSeconds, generation } = built;
  const ranges = parsed.flatMap((input) => input.ranges.map((range) => range.parsed));
  const rejectedByCode: Record<string, number> = {};
  for (const range of ranges) {
    for (const [code, count] of Object.entries(range.rejectedByCode)) {
      rejectedByCode[code] = (rejectedByCode[code] ?? 0) + count;
    }
  }
  const accepted = sum(ranges.map((range) => range.accepted));
  const batches = ranges.flatMap((range) => range.batches);
  return {
    rows: accepted + sum(Object.values(rejectedByCode)),
    accepted,
    rejectedByCode,
    undated: sum(ranges.map((range) => range.undated)),
    numbers: sum(folded.segments.map(({ shape }) => shape.count)),
    batches: batches.length,
    batchBytes: sum(batches.map(({ bytes }) => bytes)),
    segments: folded.segments.length,
    segmentBytes: sum(folded.segments.map(({ bytes }) => bytes)),
    sliceBytes: sum(folded.segments.map(({ shape }) => shape.numbers.bytes + shape.verdicts.bytes)),
    generation,
    seconds,
    cpuSeconds,
    heldRows: folded.heldRows,
    peakMemoryBytes: process.resourceUsage().maxRSS * 1024,
    rejectsPath,
  };
}

export function summaryText(summary: BuildSummary): string {
  const { rejectedByCode, seconds, rejectsPath } = summary;
  const rejected = sum(Object.values(rejectedByCode));
  const lines = [
    `built generation ${summary.generation}`,
    row('rows read', summary.rows),
    row('accepted', summary.accepted),
    row('rejected', rejected),
  ];
  const byCount = Object.entries(rejectedByCode).sort(([, a], [, b]) => b - a);
  for (const [code, count] of byCount) lines.push(row(`  ${code}`, count));
  lines.push(
    row('distinct numbers', summary.numbers),
    row('batches', summary.batches, ` ${mb(summary.batchBytes)}`),
    row('segments', summary.segments, ` ${mb(summary.segmentBytes)}, of them ${mb(summary.sliceBytes)} in KV too`),
  );
  for (const [phase, time] of Object.entries(seconds)) lines.push(row(`${phase}, seconds`, Math.round(time * 10) / 10));
  lines.push(row('peak memory, MB', Math.round(summary.peakMemoryBytes / 1e6)));
  if (summary.undated > 0) {
    lines.push(
      `  ${formatCount(summary.undated)} rows had no observedAt and got the date of their file, or --observed-at`,
    );
  }
  if (rejectsPath !== null) lines.push(`  rejected rows are listed in ${rejectsPath}`);
  return `${lines.join('\n')}\n`;
}

function row(name: string, count: number, more = ''): string {
  return `  ${name.padEnd(22)}${formatCount(count).padStart(12)}${more}`;
}

function mb(bytes: number): string {
  return `${formatCount(Math.round(bytes / 1e6))} MB`;
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}
