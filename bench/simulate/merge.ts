/**
 * What the merge has to do at each scale: rewriting the base, and what one tick calls, against the platform's limits.
 */

import { DEFAULT_BUDGET } from '../../src/merge/context.ts';
import { atMost, type Bar, type Row } from '../report.ts';
import type { Random } from '../support/random.ts';
import { detectionsAMinute, TICK_LIMITS } from './assumptions.ts';
import { type ScaleModel, typicalRuns } from './model.ts';
import { listDollars } from './prices.ts';
import { meanOf, type Section, three } from './table.ts';
import {
  addCalls,
  type Calls,
  compactionCalls,
  compactionInputs,
  compactionMs,
  foldMs,
  JOINED_RECORDS,
  type Lasts,
  LOOK_CALLS,
  latencies,
  type MergeShape,
  mergeCalls,
  mergeMs,
  mergeShape,
  SETTLE_CALLS,
  settleEnds,
  sumOfCalls,
  timesCalls,
  usageOf,
} from './tick-calls.ts';

const SHARE = DEFAULT_BUDGET.compactionSegments;
const SHARE_CALLS = compactionCalls(compactionInputs(SHARE), SHARE);
const DURATIONS = 200;

export function mergeSection(random: Random, models: readonly ScaleModel[]): Section {
  return {
    tables: [
      { id: 'rewriting', title: 'Rewriting: a year of minutes', rows: models.map(rewritingRow) },
      {
        id: 'budget',
        title: 'One tick',
        rows: models.flatMap((model) => budgetRows(random.stream(model.scale.name), model)),
      },
    ],
    bars: models.filter(({ scale }) => scale.name !== '1B').flatMap(bars),
  };
}

function rewritingRow({ scale, sizes, year }: ScaleModel): Row {
  const { segment } = sizes;
  const baseSegments = Math.ceil(scale.numbers / segment.records);
  // A rewritten segment is written with its slice, read once, and its predecessor's slice is deleted.
  const rewrite = usageOf(compactionCalls(baseSegments, baseSegments));
  return {
    numbers: scale.name,
    'segments of the base': baseSegments,
    'ticks to rewrite it': Math.ceil(baseSegments / SHARE),
    'dollars a rewriting': Number((listDollars(rewrite) + listDollars({ kvDeletes: baseSegments })).toPrecision(2)),
    'rewritings a year': year.baseRewrites,
    'records rewritten a detection, at once': three(year.inlineRecords / year.detections),
    'in compactions': three(year.compactionRecords / year.detections),
    'most runs': year.mostRuns,
  };
}

/** What ticks of each kind call, and how long they wait for it and compute. */
function budgetRows(random: Random, model: ScaleModel): Row[] {
  const lasts = latencies(random, 1);
  const { name } = model.scale;
  const share: Row = {
    tick: `${name}: share of a compaction`,
    calls: sumOfCalls(SHARE_CALLS),
    'seconds of waiting': meanSeconds(() => compactionMs(lasts, SHARE, 0)),
    'CPU seconds': three(shareCpuSeconds(model)),
  };
  return [
    mergeRow(lasts, `${name}: uploads of a minute`, mergeTick(model, 1)),
    mergeRow(lasts, `${name}: uploads of an hour`, mergeTick(model, 60)),
    share,
  ];
}

function mergeRow(lasts: Lasts, tick: string, { shape, detections, calls }: MergeTick): Row {
  const wait = () => lasts(LOOK_CALLS) + mergeMs(lasts, shape, 0) + Math.max(0, ...settleEnds(lasts, shape.batches));
  return {
    tick,
    calls: sumOfCalls(calls),
    'seconds of waiting': meanSeconds(wait),
    'CPU seconds': three(foldMs(JOINED_RECORDS + detections) / 1000),
  };
}

function meanSeconds(drawMs: () => number): number {
  return three(meanOf(Array.from({ length: DURATIONS }, drawMs)) / 1000);
}

interface MergeTick {
  readonly shape: MergeShape;
  readonly detections: number;
  readonly calls: Calls;
}

/** A tick that merges the uploads of so many minutes, as far as its budget goes. */
function mergeTick(model: ScaleModel, minutes: number): MergeTick {
  const { scale } = model;
  const batches = Math.min(DEFAULT_BUDGET.batches, Math.round(scale.uploadsAMinute * minutes));
  const detections = Math.round((detectionsAMinute(scale) / scale.uploadsAMinute) * batches);
  const shape = mergeShape(typicalRuns(model), batches, detections);
  return {
    shape,
    detections,
    calls: addCalls(LOOK_CALLS, mergeCalls(shape), timesCalls(SETTLE_CALLS, batches)),
  };
}

function shareCpuSeconds({ sizes }: ScaleModel): number {
  return foldMs(SHARE * sizes.segment.records) / 1000;
}

function bars(model: ScaleModel): Bar[] {
  const { scale } = model;
  const calls = sumOfCalls(addCalls(mergeTick(model, 60).calls, SHARE_CALLS));
  return [
    atMost(`storage calls of the largest tick at ${scale.name}`, calls, TICK_LIMITS.storageCalls),
    atMost(
      `CPU seconds of a compaction's share at ${scale.name}`,
      three(shareCpuSeconds(model)),
      TICK_LIMITS.cpuSeconds,
    ),
  ];
}
