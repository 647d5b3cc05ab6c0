/** What a month of a deployment uses: ticks, uploads, lookups, isolates keeping up, storage. */

import {
  DAYS_A_MONTH,
  detectionsAMinute,
  FOLD_CPU_US_A_RECORD,
  LOOKUP_CPU_MS,
  MANIFEST_CPU_MS_A_MEGABYTE,
  TICKS_A_MONTH,
  UPLOAD_CPU_MS,
} from './assumptions.ts';
import { firstLookup, PRESENT_FORM } from './first-lookup.ts';
import { RETAINED_GENERATIONS } from './measured-sizes.ts';
import type { MeasuredTicks } from './measured-tick.ts';
import { type Calls, usageOf } from './metered-store.ts';
import { addUsage, timesUsage, type Usage } from './prices.ts';
import { addCalls, calls, distinctSegments, PUBLISH_CALLS, SEGMENT_CALLS, timesCalls } from './tick-calls.ts';
import { type Fleet, simulateFleet } from './warming.ts';
import { type ScaleModel, typicalRuns } from './world-model.ts';

const MONTHS_A_YEAR = 365 / DAYS_A_MONTH;
const HOURS_A_MONTH = 24 * DAYS_A_MONTH;
const LIST_PAGE = 1_000;
/** Retained generations go back so far (src/merge/retention.ts): so long a replaced segment is kept. */
const RETAINED_DAYS = 3;
/** A frame, ids and commits: what a history object of a few batches takes. */
const HISTORY_BYTES = 300;
/** Batches are kept for ever; the storage counted is that after one year. */
const BATCH_MONTHS = 12;

export interface Deployment {
  readonly name: string;
  /** The numbers of one store; `stores` of them make the whole. */
  readonly model: ScaleModel;
  readonly stores: number;
  readonly lookupsAMonth: number;
  readonly segmentZipf: number;
}

export interface Month {
  readonly ticks: Usage;
  readonly uploads: Usage;
  readonly lookups: Usage;
  readonly keepingUp: Usage;
  readonly storage: Usage;
  readonly fleet: Fleet;
}

export function totalOf({ ticks, uploads, lookups, keepingUp, storage }: Month): Usage {
  return addUsage(ticks, uploads, lookups, keepingUp, storage);
}

export function simulateMonth(measured: MeasuredTicks, deployment: Deployment): Month {
  const { model, stores, lookupsAMonth } = deployment;
  const { scale, year } = model;
  const uploads = scale.uploadsAMinute * TICKS_A_MONTH;
  const fleet = simulateFleet({
    scale,
    lookupsAMonth,
    stores,
    runSegments: typicalRuns(model),
    compactionSegmentsAMonth: year.compactionSegments / MONTHS_A_YEAR,
    segmentZipf: deployment.segmentZipf,
  });
  const manifestMegabytes = manifestBytes(model) / 1e6;
  return {
    ticks: timesUsage(tickUsage(measured, model), stores),
    uploads: addUsage(
      { workersRequests: uploads },
      timesUsage({ r2ClassA: uploads, workersCpuMs: uploads * UPLOAD_CPU_MS }, stores),
    ),
    lookups: { workersRequests: lookupsAMonth, workersCpuMs: lookupsAMonth * LOOKUP_CPU_MS },
    keepingUp: addUsage(fleet.usage, {
      workersCpuMs: fleet.manifestsChanged * manifestMegabytes * MANIFEST_CPU_MS_A_MEGABYTE,
    }),
    storage: timesUsage(storageUsage(model), stores),
    fleet,
  };
}

/** The tick's calls from the real tick in a small store; what grows with the store comes from the tiers. */
function tickUsage({ idle, one, three }: MeasuredTicks, model: ScaleModel): Usage {
  const { scale, year } = model;
  const perUpload = timesCalls(minus(three, one), 1 / 2);
  const fixed = minus(one, perUpload);
  const busyShare = 1 - Math.exp(-scale.uploadsAMinute);
  const detections = detectionsAMinute(scale);
  const reads = typicalRuns(model).reduce((sum, segments) => sum + distinctSegments(segments, detections), 0);
  const months = MONTHS_A_YEAR;
  // The measured tick already reads one column, joins one segment and writes one.
  const beyond = calls({
    objectRead: (reads - 1) * TICKS_A_MONTH * busyShare + Math.max(0, year.segmentReads - year.merges) / months,
  });
  const written = (year.inlineSegments - year.merges + year.compactionSegments) / months;
  const made = addCalls(
    timesCalls(idle, TICKS_A_MONTH * (1 - busyShare)),
    timesCalls(fixed, TICKS_A_MONTH * busyShare),
    timesCalls(perUpload, scale.uploadsAMinute * TICKS_A_MONTH),
    beyond,
    timesCalls(SEGMENT_CALLS, written),
    timesCalls(PUBLISH_CALLS, year.compactionTicks / months),
    timesCalls(collectionCalls(model), HOURS_A_MONTH),
  );
  const slices = (2 * (year.inlineSegments + year.compactionSegments)) / months;
  const records = (year.inlineRecords + year.compactionRecords) / months;
  const manifests = TICKS_A_MONTH + HOURS_A_MONTH * RETAINED_GENERATIONS;
  return addUsage(usageOf(made), {
    // Every slice is deleted in its time, one call each.
    kvDeletes: slices,
    workersRequests: TICKS_A_MONTH,
    workersCpuMs:
      (records * FOLD_CPU_US_A_RECORD) / 1000 + manifests * (manifestBytes(model) / 1e6) * MANIFEST_CPU_MS_A_MEGABYTE,
  });
}

/** Marking reads every retained manifest; sweeping lists segments, manifests and slices. */
export function collectionCalls(model: ScaleModel): Calls {
  const segments = typicalRuns(model).reduce((a, b) => a + b, 0) + RETAINED_GENERATIONS;
  return calls({
    objectRead: RETAINED_GENERATIONS,
    objectList: Math.ceil(segments / LIST_PAGE) + 1,
    sliceList: Math.ceil((2 * segments) / LIST_PAGE),
  });
}

export interface Stored {
  /** Bytes in R2. */
  readonly liveSegments: number;
  readonly keptSegments: number;
  readonly batches: number;
  readonly manifests: number;
  /** Bytes in KV, live and kept. */
  readonly slices: number;
}

/** What is live, what retained generations and the last hour keep from being deleted, what is kept for ever. */
export function storedBytes({ scale, sizes, year }: ScaleModel): Stored {
  const { segment } = sizes;
  const kept =
    (year.compactionRecords * RETAINED_DAYS) / 365 + (year.inlineRecords / year.inlineSegments) * RETAINED_GENERATIONS;
  const fileBytesARecord = segment.fileBytes / segment.records;
  const sliceBytesARecord = (segment.numbersBytes + segment.verdictsBytes) / segment.records;
  return {
    liveSegments: scale.numbers * fileBytesARecord,
    keptSegments: kept * fileBytesARecord,
    batches: scale.uploadsAMinute * TICKS_A_MONTH * BATCH_MONTHS * sizes.batchBytes,
    manifests: RETAINED_GENERATIONS * manifestBytes({ scale, sizes, year }) + year.merges * HISTORY_BYTES,
    slices: (scale.numbers + kept) * sliceBytesARecord,
  };
}

function storageUsage(model: ScaleModel): Usage {
  const { liveSegments, keptSegments, batches, manifests, slices } = storedBytes(model);
  return { r2Gigabytes: (liveSegments + keptSegments + batches + manifests) / 1e9, kvGigabytes: slices / 1e9 };
}

function manifestBytes({ year, sizes }: ScaleModel): number {
  const sample = year.samples.hourly[0];
  return sample === undefined ? 0 : firstLookup(PRESENT_FORM, sample, sizes).manifestBytes;
}

function minus(a: Calls, b: Calls): Calls {
  return addCalls(a, timesCalls(b, -1));
}
