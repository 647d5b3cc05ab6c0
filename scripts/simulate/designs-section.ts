/** The same service on other storage: a KV key a number, and rows in D1. */
import type { Row } from '../../bench/report.ts';
import { COMPARED_LOOKUPS, DAYS_A_MONTH, type Scale } from './assumptions.ts';
import { listDollars, type Usage } from './prices.ts';
import { type Section, three } from './table.ts';
import type { ScaleModel } from './world-model.ts';

/** Assumed: key, record and index entry of one number; evidence not counted. */
const ROW_BYTES = 150;
/** Rows read to answer a lookup and to count its hundred-block by index; at least the probe and the block's own rows. */
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
