/**
 * startup: what a new isolate of the edge Worker takes before its first answer, beside an empty Worker on Hono, both
 * bundled as they are deployed. It is measured in two ways, in rounds that take the two Workers in turn, so that
 * whatever else the machine does falls on both alike:
 *
 * - as `wrangler check startup` profiles it: the time that importing the script takes in workerd, with what any import
 *   takes there. The bar is set in this measure. The small form leaves it out, since it takes seconds.
 * - as CPU time of an isolate: workerd starts copies of the one, then of the other, then of none, and the last is taken
 *   off. Nothing that the two have in common hides a difference here, so the ratio is larger.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { atMost, type BenchResult, type BenchSize, median, round } from '../report.ts';
import { bundleScript, profiledMs, type Script, type StartUp, startUp } from './workerd.ts';

/** The edge's script, as the platform counts it. */
export const MAX_KIB = 110;
/** Of the profiled time. */
const MAX_PROFILED = 1.6;
/** Of the CPU time: no more than that nothing large has come in. */
const MAX_CPU = 6;

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
    const measured = await measure(scratch, edge, empty, size);
    return result(measured, edge.gzipBytes / 1024, empty.gzipBytes / 1024);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** Milliseconds of one isolate in one round: CPU, and what was profiled, which the small form does not have. */
export interface Round extends StartUp {
  readonly profiledMs?: number;
}

export interface Measured {
  readonly edge: readonly Round[];
  readonly empty: readonly Round[];
}

async function measure(scratch: string, edge: Script, empty: Script, size: BenchSize): Promise<Measured> {
  const copies = COPIES[size];
  const measured = { edge: [] as Round[], empty: [] as Round[] };
  for (let i = 0; i < ROUNDS[size]; i++) {
    const [ofEdge, ofEmpty, process] = [
      await startUp(scratch, edge, copies),
      await startUp(scratch, empty, copies),
      await startUp(scratch, empty, 0),
    ];
    const round = ({ startedMs, answeredMs }: StartUp, script: Script): Round => ({
      startedMs: (startedMs - process.startedMs) / copies,
      answeredMs: (answeredMs - process.answeredMs) / copies,
      ...(size === 'full' && { profiledMs: profiledMs(scratch, script) }),
    });
    measured.edge.push(round(ofEdge, edge));
    measured.empty.push(round(ofEmpty, empty));
  }
  return measured;
}

/** The ratios are those of the medians. */
export function result({ edge, empty }: Measured, edgeKib: number, emptyKib: number): BenchResult {
  const started = (runs: readonly Round[]) => runs.map(({ startedMs }) => startedMs);
  const profiled = (runs: readonly Round[]) => runs.flatMap(({ profiledMs: ms }) => (ms === undefined ? [] : [ms]));
  const row = (worker: string, runs: readonly Round[], kib: number) => ({
    worker,
    'KiB, gzip': round(kib),
    ...(profiled(runs).length > 0 && { 'ms as wrangler profiles it': round(median(profiled(runs))) }),
    'ms of CPU to start': round(median(started(runs))),
    least: round(Math.min(...started(runs))),
    most: round(Math.max(...started(runs))),
    'and to the first answer': round(median(runs.map(({ answeredMs }) => answeredMs))),
  });
  const ratio = (of: typeof started) => round(median(of(edge)) / median(of(empty)));
  return {
    name: 'startup',
    rows: [row('edge', edge, edgeKib), row('empty Hono Worker', empty, emptyKib)],
    bars: [
      ...(profiled(edge).length > 0
        ? [atMost('start-up of the edge against an empty Hono Worker, profiled', ratio(profiled), MAX_PROFILED)]
        : []),
      atMost('the same in CPU time of an isolate', ratio(started), MAX_CPU),
      atMost('KiB of the edge, gzip', round(edgeKib), MAX_KIB),
    ],
  };
}
