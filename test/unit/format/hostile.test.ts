import { resolve as resolvePath } from 'node:path';
import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { HOSTILE_KINDS } from './support/hostile.ts';
import type { HostileJob, HostileReport } from './support/hostile-worker.ts';

const WORKER = resolvePath(import.meta.dirname, 'support/hostile-worker.ts');
/** A case takes about a millisecond; this is for a machine that has better things to do. */
const CASE_LIMIT_MS = 4_000;
const STUCK_LIMIT_MS = 15_000;
const CASES = {
  numbers: 4_000,
  fresh: 2_000,
  verdicts: 4_000,
  evidence: 4_000,
  batch: 4_000,
  manifest: 3_000,
  segment: 600,
};

function run(job: HostileJob): Promise<HostileReport> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(WORKER, { workerData: job });
    const progress = new Int32Array(job.progress);
    let [seen, seenAt] = [-1, Date.now()];
    const watch = setInterval(() => {
      const now = Atomics.load(progress, 0);
      if (now !== seen) [seen, seenAt] = [now, Date.now()];
      if (Date.now() - seenAt > STUCK_LIMIT_MS) {
        reject(new Error(`${job.kind}, seed ${seen} has not come to an end in ${STUCK_LIMIT_MS} ms`));
        void worker.terminate();
      }
    }, 200);
    worker.once('message', resolve);
    worker.once('error', reject);
    worker.once('exit', () => clearInterval(watch));
  });
}

test.each(HOSTILE_KINDS)(
  'hostile %s with right checksums are refused or answer, and soon',
  async (kind) => {
    const report = await run({ kind, cases: CASES[kind], progress: new SharedArrayBuffer(4) });
    expect(report.failures.slice(0, 3)).toEqual([]);
    expect(report.answered + report.refused).toBe(CASES[kind]);
    // Neither way is idle: the cases reach the checks, and what lies behind them.
    expect(report.refused).toBeGreaterThan(CASES[kind] / 20);
    expect(report.answered).toBeGreaterThan(CASES[kind] / 100);
    expect(report.slowestMs).toBeLessThan(CASE_LIMIT_MS);
  },
  60_000,
);
