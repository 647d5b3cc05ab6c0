/**
 * startup: what a new isolate of the edge Worker takes before its first answer, beside an empty Worker on Hono, both
 * bundled as they are deployed. Each round starts workerd with copies of the one, then of the other, then of none, so that
 * whatever else the machine does falls on all alike; the last is taken off, which leaves the isolates.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { atMost, type BenchResult, type BenchSize, median, round } from '../report.ts';
import { bundleScript, type Script, type StartUp, startUp } from './workerd.ts';

/** Of the script, as the platform counts it; and of its evaluation against the empty Worker's (docs/decisions/0029). */
const MAX_KIB = 110;
/** The small form, two rounds of a few isolates, tells no more than that nothing large has come in. */
const MAX_RATIO = { full: 1.6, small: 6 };

const ROUNDS = { full: 10, small: 2 };
/** Isolates of one process: one alone takes so little that the process beside it is most of what is measured. */
const COPIES = { full: 10, small: 4 };

/** Without a key a lookup is refused, from the script alone. */
const EDGE = { entry: 'src/edge.ts', path: '/v1/lookup?number=%2B12025550123', status: 401 };
const EMPTY = { entry: 'bench/startup/empty.ts', path: '/', status: 200 };

export async function run(size: BenchSize): Promise<BenchResult> {
  const scratch = mkdtempSync(join(tmpdir(), 'ringfence-startup-'));
  try {
    const bundle = ({ entry, path, status }: typeof EDGE) => bundleScript(scratch, entry, path, status);
    const [edge, empty] = [bundle(EDGE), bundle(EMPTY)];
    const measured = await measure(scratch, edge, empty, ROUNDS[size], COPIES[size]);
    return result(measured, edge.gzipBytes / 1024, empty.gzipBytes / 1024, MAX_RATIO[size]);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** Milliseconds of CPU of one isolate, a round each. */
export interface Measured {
  readonly edge: readonly StartUp[];
  readonly empty: readonly StartUp[];
}

async function measure(
  scratch: string,
  edge: Script,
  empty: Script,
  rounds: number,
  copies: number,
): Promise<Measured> {
  const measured = { edge: [] as StartUp[], empty: [] as StartUp[] };
  for (let i = 0; i < rounds; i++) {
    const [ofEdge, ofEmpty, process] = [
      await startUp(scratch, edge, copies),
      await startUp(scratch, empty, copies),
      await startUp(scratch, empty, 0),
    ];
    const perCopy = ({ startedMs, answeredMs }: StartUp): StartUp => ({
      startedMs: (startedMs - process.startedMs) / copies,
      answeredMs: (answeredMs - process.answeredMs) / copies,
    });
    measured.edge.push(perCopy(ofEdge));
    measured.empty.push(perCopy(ofEmpty));
  }
  return measured;
}

/** The ratio is that of the medians. */
export function result({ edge, empty }: Measured, edgeKib: number, emptyKib: number, maxRatio: number): BenchResult {
  const row = (worker: string, runs: readonly StartUp[], kib: number) => {
    const [started, answered] = [runs.map(({ startedMs }) => startedMs), runs.map(({ answeredMs }) => answeredMs)];
    return {
      worker,
      'KiB, gzip': round(kib),
      'ms of CPU to start': round(median(started)),
      least: round(Math.min(...started)),
      most: round(Math.max(...started)),
      'and to the first answer': round(median(answered)),
    };
  };
  const ratio = median(edge.map(({ startedMs }) => startedMs)) / median(empty.map(({ startedMs }) => startedMs));
  return {
    name: 'startup',
    rows: [row('edge', edge, edgeKib), row('empty Hono Worker', empty, emptyKib)],
    bars: [
      atMost('start-up of the edge against an empty Hono Worker', round(ratio), maxRatio),
      atMost('KiB of the edge, gzip', round(edgeKib), MAX_KIB),
    ],
  };
}
