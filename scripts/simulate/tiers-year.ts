/**
 * A year of minutes through the real planInline and planCompaction (src/merge/tiers.ts), on runs that are only counts:
 * what is rewritten, what a manifest names, how large the runs are.
 */

import type { Random } from '../../bench/support/random.ts';
import type { Run } from '../../src/format/manifest.ts';
import { runNumbers } from '../../src/format/manifest.ts';
import { DEFAULT_BUDGET } from '../../src/merge/context.ts';
import { planCompaction, planInline } from '../../src/merge/tiers.ts';
import { detectionsAMinute, type Scale } from './assumptions.ts';

const MINUTES_A_YEAR = 365 * 24 * 60;
const SAMPLE_EVERY_MINUTES = 60;

/** The tiers at one instant: numbers of each run, newest first, and segments of a compaction that wait in the manifest. */
export interface TierSample {
  readonly runs: readonly number[];
  readonly compactionOutput: number;
}

/** Hourly, and the moments just before a compaction is published, when the manifest names most. */
export interface TierSamples {
  readonly hourly: readonly TierSample[];
  readonly peaks: readonly TierSample[];
}

export interface TierYear {
  readonly minutes: number;
  readonly detections: number;
  /** Generations that merged batches, and those that only took a compaction further. */
  readonly merges: number;
  readonly compactionTicks: number;
  readonly inlineRecords: number;
  readonly compactionRecords: number;
  readonly inlineSegments: number;
  readonly compactionSegments: number;
  /** Segments read whole to be rewritten. */
  readonly segmentReads: number;
  readonly baseRewrites: number;
  readonly mostRuns: number;
  readonly samples: TierSamples;
}

interface Compaction {
  readonly inputs: readonly Run[];
  readonly merged: Run;
  readonly totalSegments: number;
  doneSegments: number;
}

export interface YearOptions {
  readonly scale: Scale;
  readonly segmentRecords: number;
  readonly minutes?: number;
}

export function simulateYear(
  random: Random,
  { scale, segmentRecords, minutes = MINUTES_A_YEAR }: YearOptions,
): TierYear {
  const segmentsOf = (run: Run) => Math.ceil(runNumbers(run) / segmentRecords);
  const firstTimeShare = scale.firstTimeAFortnight / scale.detectionsAFortnight;
  const mean = detectionsAMinute(scale);
  const total = { detections: 0, merges: 0, compactionTicks: 0, inlineRecords: 0, compactionRecords: 0 };
  const segments = { inline: 0, compaction: 0, reads: 0 };
  let runs: readonly Run[] = [countedRun('base', scale.numbers, scale.numbers)];
  let compaction: Compaction | null = null;
  let baseRewrites = 0;
  let mostRuns = 1;
  const hourly: TierSample[] = [];
  const peaks: TierSample[] = [];
  for (let minute = 0; minute < minutes; minute++) {
    const detections = random.poisson(mean);
    if (detections > 0) {
      const busy: readonly string[] = compaction?.inputs.map(({ id }) => id) ?? [];
      const joined = planInline(runs, busy, detections, DEFAULT_BUDGET.inlineRecords);
      const news = countedRun(`m${minute}`, detections, detections * firstTimeShare);
      const merged = mergeRuns([news, ...runs.slice(0, joined)], runs.slice(joined), `m${minute}`);
      segments.reads += runs.slice(0, joined).reduce((sum, run) => sum + segmentsOf(run), 0);
      segments.inline += segmentsOf(merged);
      total.inlineRecords += runNumbers(merged);
      total.detections += detections;
      total.merges += 1;
      runs = [merged, ...runs.slice(joined)];
    }
    compaction ??= startCompaction(runs, segmentsOf, minute);
    if (compaction !== null) {
      total.compactionTicks += 1;
      compaction.doneSegments += DEFAULT_BUDGET.compactionSegments;
      if (compaction.doneSegments >= compaction.totalSegments) {
        const { inputs, merged } = compaction;
        peaks.push({ runs: runs.map(runNumbers), compactionOutput: compaction.totalSegments });
        const at = runs.findIndex(({ id }) => id === inputs[0]?.id);
        if (at + inputs.length === runs.length) baseRewrites += 1;
        runs = runs.toSpliced(at, inputs.length, merged);
        segments.compaction += compaction.totalSegments;
        segments.reads += inputs.reduce((sum, run) => sum + segmentsOf(run), 0);
        total.compactionRecords += runNumbers(merged);
        compaction = null;
      }
    }
    mostRuns = Math.max(mostRuns, runs.length);
    if (minute % SAMPLE_EVERY_MINUTES === 0) {
      hourly.push({ runs: runs.map(runNumbers), compactionOutput: compaction?.doneSegments ?? 0 });
    }
  }
  return {
    ...total,
    minutes,
    inlineSegments: segments.inline,
    compactionSegments: segments.compaction,
    segmentReads: segments.reads,
    baseRewrites,
    mostRuns,
    samples: { hourly, peaks },
  };
}

function startCompaction(runs: readonly Run[], segmentsOf: (run: Run) => number, minute: number): Compaction | null {
  const inputs = planCompaction(runs);
  if (inputs.length === 0) return null;
  const last = runs.findIndex(({ id }) => id === inputs.at(-1)?.id);
  const merged = mergeRuns(inputs, runs.slice(last + 1), `c${minute}`);
  return { inputs, merged, totalSegments: segmentsOf(merged), doneSegments: 0 };
}

/** A run as the tiers see it: one entry with all the numbers. */
function countedRun(id: string, count: number, firstHere: number): Run {
  const slice = { bytes: 0, sha256: '' };
  const entry = { key: id, first: 0, last: 0, count, numbers: slice, verdicts: slice, evidenceIndex: slice };
  return { id, firstHere, segments: [{ ...entry, evidenceBlocksBytes: 0 }] };
}

/**
 * Newest first, into one. What a run has that is not first seen there is in some older one: in each of them in
 * proportion to its size.
 */
export function mergeRuns(inputs: readonly Run[], older: readonly Run[], id: string): Run {
  const olderNumbers = older.reduce((sum, run) => sum + runNumbers(run), 0);
  let count = 0;
  let firstHere = 0;
  for (let i = 0; i < inputs.length; i++) {
    const run = inputs[i];
    if (run === undefined) continue;
    const rest = inputs.slice(i + 1).reduce((sum, other) => sum + runNumbers(other), 0);
    const known = runNumbers(run) - run.firstHere;
    const inInputs = rest === 0 ? 0 : (known * rest) / (rest + olderNumbers);
    count += runNumbers(run) - inInputs;
    firstHere += run.firstHere;
  }
  return countedRun(id, count, firstHere);
}
