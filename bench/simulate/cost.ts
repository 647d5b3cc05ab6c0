/** What a month costs, and what it is made of: operations, storage, dollars, and the same on other designs. */
import { COLLECTIONS_APART_MS, DAY_MS } from '../../src/lib/time.ts';
import { PACK_SEGMENTS } from '../../src/merge/segment-writer.ts';
import type { Row } from '../report.ts';
import {
  COMPARED_LOOKUPS,
  DAYS_A_MONTH,
  detectionsAMinute,
  FOLD_CPU_US_A_RECORD,
  LOOKUP_CPU_MS,
  MANIFEST_CPU_MS_A_MEGABYTE,
  type Scale,
  STORES,
  TICKS_A_MONTH,
  UPLOAD_CPU_MS,
} from './assumptions.ts';
import { firstLookup, PRESENT_FORM } from './first-lookup.ts';
import { type Fleet, simulateFleet } from './isolates.ts';
import { RETAINED_GENERATIONS, type ScaleModel, typicalRuns } from './model.ts';
import {
  addUsage,
  dollarsBeyondAllowances,
  dollarsOf,
  listDollars,
  PLAN_DOLLARS_A_MONTH,
  PRICED_UNITS,
  PRICES,
  timesUsage,
  type Usage,
} from './prices.ts';
import { type Section, three } from './table.ts';
import {
  addCalls,
  type Calls,
  calls,
  compactedCalls,
  distinctSegments,
  type MeasuredTicks,
  NO_CALLS,
  PUBLISH_CALLS,
  timesCalls,
  usageOf,
} from './tick-calls.ts';

// What a month of a deployment uses: ticks, uploads, lookups, isolates keeping up, storage.

const MONTHS_A_YEAR = 365 / DAYS_A_MONTH;
const COLLECTIONS_A_MONTH = (DAYS_A_MONTH * DAY_MS) / COLLECTIONS_APART_MS;
const LIST_PAGE = 1_000;
/** Retained generations go back so far (src/merge/publish-manifest.ts): so long a replaced segment is kept. */
const RETAINED_DAYS = 3;
/** A frame, ids and commits: what a history object of a few batches takes. */
const HISTORY_BYTES = 300;
/** Batches are kept for ever; the storage counted is that after one year. */
const BATCH_MONTHS = 12;

interface Deployment {
  readonly name: string;
  /** The numbers of one store; `stores` of them make the whole. */
  readonly model: ScaleModel;
  readonly stores: number;
  readonly lookupsAMonth: number;
  readonly segmentZipf: number;
}

interface Month {
  readonly ticks: Usage;
  readonly uploads: Usage;
  readonly lookups: Usage;
  readonly keepingUp: Usage;
  readonly storage: Usage;
  readonly fleet: Fleet;
}

function totalOf({ ticks, uploads, lookups, keepingUp, storage }: Month): Usage {
  return addUsage(ticks, uploads, lookups, keepingUp, storage);
}

function simulateMonth(measured: MeasuredTicks, deployment: Deployment): Month {
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
  // The measured tick already reads one column, joins one segment and writes a pack, and no tick that serves writes
  // more.
  const beyond = calls({
    objectRead: (reads - 1) * TICKS_A_MONTH * busyShare + Math.max(0, year.segmentReads - year.merges) / months,
  });
  const made = addCalls(
    timesCalls(idle, TICKS_A_MONTH * (1 - busyShare)),
    timesCalls(fixed, TICKS_A_MONTH * busyShare),
    timesCalls(perUpload, scale.uploadsAMinute * TICKS_A_MONTH),
    beyond,
    compactedCalls(year.compactionSegments / months),
    timesCalls(PUBLISH_CALLS, year.compactionTicks / months),
    timesCalls(collectionCalls(model), COLLECTIONS_A_MONTH),
  );
  const slices = year.compactionSegments / months;
  const records = (year.inlineRecords + year.compactionRecords) / months;
  const manifests = TICKS_A_MONTH + COLLECTIONS_A_MONTH * RETAINED_GENERATIONS;
  return addUsage(usageOf(made), {
    // Every slice is deleted in its time, one call each.
    kvDeletes: slices,
    workersRequests: TICKS_A_MONTH,
    workersCpuMs:
      (records * FOLD_CPU_US_A_RECORD) / 1000 + manifests * (manifestBytes(model) / 1e6) * MANIFEST_CPU_MS_A_MEGABYTE,
  });
}

/** Marking reads every retained manifest; sweeping lists segments, manifests and slices. */
function collectionCalls(model: ScaleModel): Calls {
  const segments = typicalRuns(model).reduce((a, b) => a + b, 0) + RETAINED_GENERATIONS;
  return calls({
    objectRead: RETAINED_GENERATIONS,
    objectList: Math.ceil(segments / PACK_SEGMENTS / LIST_PAGE) + 1,
    sliceList: Math.ceil(segments / LIST_PAGE),
  });
}

interface Stored {
  /** Bytes in R2. */
  readonly liveSegments: number;
  readonly keptSegments: number;
  readonly batches: number;
  readonly manifests: number;
  /** Bytes in KV, live and kept. */
  readonly slices: number;
}

/** What is live, what retained generations and the last hour keep from being deleted, what is kept for ever. */
function storedBytes({ scale, sizes, year }: ScaleModel): Stored {
  const { segment } = sizes;
  const compacted = (year.compactionRecords * RETAINED_DAYS) / 365;
  const kept = compacted + (year.inlineRecords / year.inlineSegments) * RETAINED_GENERATIONS;
  const fileBytesARecord = segment.fileBytes / segment.records;
  const sliceBytesARecord = segment.numbersBytes / segment.records;
  return {
    liveSegments: scale.numbers * fileBytesARecord,
    keptSegments: kept * fileBytesARecord,
    batches: scale.uploadsAMinute * TICKS_A_MONTH * BATCH_MONTHS * sizes.batchBytes,
    manifests: RETAINED_GENERATIONS * manifestBytes({ scale, sizes, year }) + year.merges * HISTORY_BYTES,
    slices: (scale.numbers + compacted) * sliceBytesARecord,
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

// Requests, storage and dollars a month at both scales and three loads.

/** Lookups spread over the segments as cities over countries: Zipf. */
const SEGMENT_ZIPF = 1;

function deployments(models: readonly ScaleModel[], lookups: readonly number[]): Deployment[] {
  const [today, , oneStore] = models;
  if (today === undefined || oneStore === undefined) throw new RangeError('a model of each scale is needed');
  return [
    { name: today.scale.name, model: today, stores: 1 },
    { name: `1B in ${STORES} stores`, model: oneStore, stores: STORES },
  ].flatMap((shape) => lookups.map((lookupsAMonth) => ({ ...shape, lookupsAMonth, segmentZipf: SEGMENT_ZIPF })));
}

export function costSection(
  models: readonly ScaleModel[],
  measured: MeasuredTicks,
  lookups: readonly number[],
): Section {
  const months = deployments(models, lookups).map((deployment) => ({
    name: `${deployment.name}, ${deployment.lookupsAMonth / 1e6}M lookups`,
    month: simulateMonth(measured, deployment),
  }));
  return {
    tables: [
      { id: 'prices', title: 'Prices (Cloudflare, November 2026)', rows: priceRows() },
      { id: 'usage', title: 'Millions a month, and GB stored', rows: months.map(usageRow) },
      { id: 'dollars', title: 'Dollars a month at list price', rows: months.map(dollarRow) },
      { id: 'causes', title: 'What causes it: dollars a month at list price', rows: months.map(causeRow) },
    ],
    bars: [],
  };
}

/** At COMPARED_LOOKUPS, what is not requests and CPU: what other storage would replace. */
export function storageDollars(models: readonly ScaleModel[], measured: MeasuredTicks): number[] {
  return deployments(models, [COMPARED_LOOKUPS]).map((deployment) => {
    const usage = totalOf(simulateMonth(measured, deployment));
    return listDollars({ ...usage, workersRequests: 0, workersCpuMs: 0 });
  });
}

interface NamedMonth {
  readonly name: string;
  readonly month: Month;
}

function priceRows(): Row[] {
  return PRICED_UNITS.map((unit) => {
    const { what, dollars, per, includedAMonth, source } = PRICES[unit];
    return { what, 'US dollars': dollars, per, 'included a month': includedAMonth, source };
  });
}

function usageRow({ name, month }: NamedMonth): Row {
  const usage = totalOf(month);
  const millions = (quantity = 0) => three(quantity / 1e6);
  return {
    load: name,
    'Worker requests': millions(usage.workersRequests),
    'CPU ms': millions(usage.workersCpuMs),
    'KV reads': millions(usage.kvReads),
    'KV writes, deletes': millions((usage.kvWrites ?? 0) + (usage.kvDeletes ?? 0)),
    'R2 class A': millions(usage.r2ClassA),
    'R2 class B': millions(usage.r2ClassB),
    'R2 GB': three(usage.r2Gigabytes ?? 0),
    'KV GB': three(usage.kvGigabytes ?? 0),
  };
}

function dollarRow({ name, month }: NamedMonth): Row {
  const usage = totalOf(month);
  const sum = (...units: (keyof Usage)[]) =>
    cents(units.reduce((dollars, unit) => dollars + dollarsOf(unit, usage[unit] ?? 0), 0));
  return {
    load: name,
    Workers: sum('workersRequests', 'workersCpuMs'),
    'KV reads': sum('kvReads'),
    'KV writes, deletes, lists': sum('kvWrites', 'kvDeletes', 'kvLists'),
    'R2 class A': sum('r2ClassA'),
    'R2 class B': sum('r2ClassB'),
    storage: sum('r2Gigabytes', 'kvGigabytes'),
    'all, list price': cents(listDollars(usage)),
    'beyond allowances, with the plan': cents(dollarsBeyondAllowances(usage) + PLAN_DOLLARS_A_MONTH),
  };
}

function causeRow({ name, month }: NamedMonth): Row {
  return {
    load: name,
    'answering lookups': cents(listDollars(month.lookups)),
    'isolates warming and keeping up': cents(listDollars(month.keepingUp)),
    ticks: cents(listDollars(month.ticks)),
    uploads: cents(listDollars(month.uploads)),
    storage: cents(listDollars(month.storage)),
  };
}

function cents(dollars: number): number {
  return Math.round(dollars * 100) / 100;
}

// The same service on other storage: a KV key a number, and rows in D1.

/** Assumed: key, record and index entry of one number; evidence not counted. */
const ROW_BYTES = 150;
/**
 * Rows read to answer a lookup and to count its hundred-block by index; at least the probe and the block's own rows.
 */
const D1_ROWS_A_LOOKUP = 2;
/** A row and an index entry. */
const D1_ROWS_A_WRITE = 2;

/** @param ringfenceDollars at each of the two scales */
export function designsSection(models: readonly ScaleModel[], ringfenceDollars: readonly number[]): Section {
  const rows: Row[] = models
    .slice(0, 2)
    .flatMap(({ scale }, i) => [
      row(`${scale.name}: Ringfence`, 0, ringfenceDollars[i] ?? Number.NaN),
      kvRow(scale),
      d1Row(scale),
    ]);
  return {
    tables: [{ id: 'designs', title: 'Other designs at 100M lookups a month, requests and CPU aside', rows }],
    bars: [],
  };
}

function row(design: string, first: number, monthly: number): Row {
  return { design, 'dollars to load it once': three(first), 'dollars a month': three(monthly) };
}

/** A lookup is one read, without neighbours: a block would be a hundred reads. A detection reads and writes its key. */
function kvRow(scale: Scale): Row {
  const detections = monthlyDetections(scale);
  const monthly: Usage = {
    kvReads: COMPARED_LOOKUPS + detections,
    kvWrites: detections,
    kvGigabytes: (scale.numbers * ROW_BYTES) / 1e9,
  };
  return row(`${scale.name}: a KV key a number`, listDollars({ kvWrites: scale.numbers }), listDollars(monthly));
}

function d1Row(scale: Scale): Row {
  const detections = monthlyDetections(scale);
  const monthly: Usage = {
    d1RowsRead: COMPARED_LOOKUPS * D1_ROWS_A_LOOKUP + detections,
    d1RowsWritten: detections * D1_ROWS_A_WRITE,
    d1Gigabytes: (scale.numbers * ROW_BYTES) / 1e9,
  };
  const first = listDollars({ d1RowsWritten: scale.numbers * D1_ROWS_A_WRITE });
  return row(`${scale.name}: rows in D1`, first, listDollars(monthly));
}

function monthlyDetections(scale: Scale): number {
  return (scale.detectionsAFortnight / 14) * DAYS_A_MONTH;
}

// What was measured from the real encoders and the real tick.

export function sizesSection(models: readonly ScaleModel[], measured: MeasuredTicks): Section {
  return {
    tables: [
      { id: 'sizes', title: 'Measured: bytes from the encoders', rows: models.map(sizeRow) },
      { id: 'storage', title: 'Stored after a year, GB', rows: models.map(storageRow) },
      {
        id: 'calls',
        title: 'Measured: storage calls of a real tick in a small store',
        rows: [
          callRow('nothing waits', measured.idle),
          callRow('one upload', measured.one),
          callRow('three uploads', measured.three),
        ],
      },
    ],
    bars: [],
  };
}

function sizeRow(model: ScaleModel): Row {
  const { segment, manifest } = model.sizes;
  return {
    numbers: model.scale.name,
    'numbers, bits each': three((segment.numbersBytes * 8) / segment.records),
    'verdicts, bytes each': three(segment.verdictsBytes / segment.records),
    'evidence, bytes each': three(segment.evidenceBytes / segment.records),
    'a stored upload, bytes': model.sizes.batchBytes,
    'records a segment': segment.records,
    'manifest, bytes a segment': three(manifest.entryBytes),
  };
}

function storageRow(model: ScaleModel): Row {
  const { liveSegments, keptSegments, batches, manifests, slices } = storedBytes(model);
  const gigabytes = (bytes: number) => three(bytes / 1e9);
  return {
    numbers: model.scale.name,
    'R2: segments': gigabytes(liveSegments),
    'R2: segments of retained generations': gigabytes(keptSegments),
    'R2: batches of a year': gigabytes(batches),
    'R2: manifests, history of a year': gigabytes(manifests),
    'KV: slices': gigabytes(slices),
  };
}

/** Only kinds of call that a tick makes. */
function callRow(tick: string, calls: Calls): Row {
  const made = { ...NO_CALLS, ...calls };
  return {
    tick,
    'R2 get': made.objectRead,
    'R2 list': made.objectList,
    'R2 put': made.objectWrite,
    'R2 delete': made.objectDelete,
    'KV put': made.sliceWrite,
  };
}
