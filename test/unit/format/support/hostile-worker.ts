/** Runs hostile cases in a thread of its own, so that one that never ends can be ended. */
import { parentPort, workerData } from 'node:worker_threads';
import { Random } from '../../../../bench/support/random.ts';
import { FormatError } from '../../../../src/lib/bytes.ts';
import { attackOn, type HostileKind } from './hostile.ts';

export interface HostileJob {
  readonly kind: HostileKind;
  readonly cases: number;
  /** One 32-bit integer: the case that runs now, which is also its seed. */
  readonly progress: SharedArrayBuffer;
}

export interface HostileReport {
  readonly answered: number;
  readonly refused: number;
  readonly slowestMs: number;
  /** Cases that neither answered nor were refused as they should. */
  readonly failures: readonly string[];
}

const { kind, cases, progress } = workerData as HostileJob;
const current = new Int32Array(progress);
const attack = attackOn(kind);
const failures: string[] = [];
let [answered, refused, slowestMs] = [0, 0, 0];
for (let seed = 0; seed < cases; seed++) {
  Atomics.store(current, 0, seed);
  const startedAt = performance.now();
  try {
    await attack(new Random(seed));
    answered += 1;
  } catch (error) {
    if (error instanceof FormatError) refused += 1;
    else failures.push(`${kind}, seed ${seed}: ${error instanceof Error ? (error.stack ?? error.message) : error}`);
  }
  slowestMs = Math.max(slowestMs, performance.now() - startedAt);
}
parentPort?.postMessage({ answered, refused, slowestMs, failures } satisfies HostileReport);
