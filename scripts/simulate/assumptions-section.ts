/** The assumptions as a table, so that the document has them as they are in the code. */
import type { Row } from '../../bench/report.ts';
import type { Latency } from '../../bench/support/random.ts';
import {
  ASSIGNED_NUMBERS,
  BILLION,
  CRON,
  EDGE,
  FOLD_CPU_US_A_RECORD,
  LATENCY,
  LISTED_SHARE,
  LOOKUP_CPU_MS,
  MANIFEST_CPU_MS_A_MEGABYTE,
  SLICE_MISSING_SHARE,
  TODAY,
  UPLOAD_CPU_MS,
} from './assumptions.ts';
import type { Section } from './table.ts';

const MEASURED = 'measured by `node scripts/simulate/measure-cpu.ts`, taken above it';
const PUBLISHED = 'published figures';

export function assumptionsSection(): Section {
  const rows: Row[] = [
    row('detections a fortnight, first-time', `${TODAY.detectionsAFortnight}, ${TODAY.firstTimeAFortnight}`, PUBLISHED),
    row('the same at 1B', `${BILLION.detectionsAFortnight}, ${BILLION.firstTimeAFortnight}`, 'in proportion'),
    row('uploads a minute', `${TODAY.uploadsAMinute}; at 1B ${BILLION.uploadsAMinute}`, 'assumed'),
    row('mobile numbers assigned worldwide', `${ASSIGNED_NUMBERS / 1e9} billion`, 'assumed'),
    row('how numbers cluster', 'see scripts/simulate/synthetic-records.ts', 'fitted to a real list of 126,000'),
    row(
      'cities that answer lookups',
      `${EDGE.colos}, traffic Zipf ${EDGE.coloZipf}`,
      'assumed; Cloudflare has some 330',
    ),
    row(
      'isolates in a city',
      `one for ${EDGE.lookupsASecondAnIsolate} lookups/s, 1 to ${EDGE.isolatesAColo}`,
      'assumed',
    ),
    row('life of an isolate', `${EDGE.isolateLifeHours} h on average`, 'assumed'),
    row('lookups of listed numbers', `${LISTED_SHARE * 100} %`, 'assumed'),
    row('CPU a lookup, an upload', `${LOOKUP_CPU_MS} ms, ${UPLOAD_CPU_MS} ms`, 'assumed'),
    row('CPU a record folded', `${FOLD_CPU_US_A_RECORD} µs`, MEASURED),
    row('CPU a megabyte of manifest', `${MANIFEST_CPU_MS_A_MEGABYTE} ms`, MEASURED),
    latencyRow('R2 get', LATENCY.objectRead),
    latencyRow('R2 put', LATENCY.objectWrite),
    latencyRow('R2 list', LATENCY.objectList),
    latencyRow('R2 delete', LATENCY.objectDelete),
    latencyRow('KV get, in the city', LATENCY.sliceReadHot),
    latencyRow('KV get, from afar', LATENCY.sliceReadCold),
    latencyRow('KV put', LATENCY.sliceWrite),
    row('new slice not in KV where it is read', `${SLICE_MISSING_SHARE * 100} %`, 'assumed; it is read from R2 then'),
    row('a cron tick is late by', `up to ${CRON.lateMs / 1000} s`, 'assumed'),
    row('ticks that fail, that run twice', `${CRON.failureShare * 100} %, ${CRON.doubleShare * 100} %`, 'assumed'),
  ];
  return { tables: [{ id: 'assumptions', title: 'Assumptions', rows }], bars: [] };
}

function row(assumption: string, value: string, source: string): Row {
  return { assumption, value, source };
}

function latencyRow(what: string, { medianMs, p99Ms }: Latency): Row {
  return row(
    `${what}, p50 and p99`,
    `${medianMs} ms, ${p99Ms} ms`,
    'assumed, log-normal; on the slow side of what is told',
  );
}
