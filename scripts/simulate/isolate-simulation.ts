/**
 * When an isolate serves what was published: it looks at the manifest when a request finds its snapshot 10 s old, beside
 * the answer; after WAIT_MS the request waits (src/serve/snapshot.ts). Then a lookup reads the new run's slice.
 */

import type { Random } from '../../bench/support/random.ts';
import { REFRESH_MS, WAIT_MS } from '../../src/serve/snapshot.ts';
import { LATENCY, SLICE_MISSING_SHARE } from './assumptions.ts';
import type { Publication, Upload } from './tick-simulation.ts';

export interface IsolateSettings {
  readonly requestsASecond: number;
  readonly slowness: number;
  /** As in src/serve/snapshot.ts unless something else is tried. */
  readonly refreshMs?: number;
  readonly waitMs?: number;
}

export interface Served {
  readonly upload: Upload;
  readonly atMs: number;
}

/**
 * For each published upload the instant from which on no lookup of this isolate can miss it any more,
 * whenever it comes: a lookup that comes late enough to wait for the refresh sees it too, so the time without any
 * traffic does not count, but the time in which a lookup would have been answered without it does.
 */
export function servedAt(
  random: Random,
  uploads: readonly Upload[],
  publications: readonly Publication[],
  { requestsASecond, slowness, refreshMs = REFRESH_MS, waitMs = WAIT_MS }: IsolateSettings,
): Served[] {
  const meanGapMs = 1000 / requestsASecond;
  const served: Served[] = [];
  const order = uploads.filter(({ publishedAt }) => publishedAt < Number.POSITIVE_INFINITY);
  const pending = order.toSorted((a, b) => a.publishedAt - b.publishedAt);
  const lastAt = publications.at(-1)?.at ?? 0;
  const readMs = () => random.latencyMs(LATENCY.objectRead) * slowness;
  let next = 0;
  let checkedAt = -random.next() * waitMs;
  while (next < pending.length) {
    if (checkedAt > lastAt + 10 * waitMs + 100 * meanGapMs) throw new Error('an isolate never saw the last generation');
    // The first request that finds the snapshot due: requests are a Poisson stream, which has no memory.
    const dueAt = checkedAt + refreshMs + random.exponential(meanGapMs);
    const latencyMs = readMs();
    const seenAt = dueAt + latencyMs / 2;
    const installedAt = dueAt + latencyMs;
    for (let upload = pending[next]; upload !== undefined && upload.publishedAt <= seenAt; upload = pending[++next]) {
      // A lookup that comes waitMs after the last check waits for the manifest. If it gives up first, as it does after a
      // second, the read it began still brings the new snapshot to the next one.
      const waited = Math.max(checkedAt + waitMs, upload.publishedAt) + readMs();
      served.push({ upload, atMs: Math.min(installedAt, waited) + sliceMs(random, slowness) });
    }
    checkedAt = dueAt;
  }
  return served;
}

/** Reading a slice that was just written: from KV, and from R2 if KV does not have it where the reader is. */
function sliceMs(random: Random, slowness: number): number {
  const fromKv = random.latencyMs(LATENCY.sliceReadCold);
  return (fromKv + (random.chance(SLICE_MISSING_SHARE) ? random.latencyMs(LATENCY.objectRead) : 0)) * slowness;
}
