/** What an operator sees of the store: read from storage as it is now, not from an isolate's snapshot. */
import { BATCH_ROWS_OFFSET } from '../format/batch.ts';
import { inventoryNumbers, type Manifest, runNumbers } from '../format/manifest.ts';
import { mapConcurrent } from '../lib/concurrency.ts';
import type { Pacer } from '../lib/cooperate.ts';
import { quarantineTotals, readLedger } from '../quality/ledger.ts';
import type { ObjectStore } from '../storage/store.ts';
import { readSetAside, unmergeable } from './failing-batches.ts';
import { loadManifest } from './publish-manifest.ts';
import { batchId, listWaiting } from './waiting.ts';

export interface StoreStatus {
  readonly manifest: Manifest;
  /** Distinct numbers of the inventory. */
  readonly numbers: number;
  readonly runs: readonly { readonly numbers: number; readonly segments: number; readonly bytes: number }[];
  /** Accepted, not yet served: those waiting and those to be replayed. `atLeast`: not all were counted. */
  readonly waiting: { readonly batches: number; readonly detections: number; readonly atLeast: boolean };
  /** Batches kept out as a whole; `failed`: those that no tick could merge. */
  readonly setAside: { readonly batches: number; readonly failed: number };
  readonly quarantine: { readonly sources: number; readonly detections: number };
}

/** Batches that are asked how many detections they have: each is a read of four bytes. */
const MAX_COUNTED = 1_000;
const ROWS_BYTES = 4;

/**
 * Rejects when the storage does not answer.
 * @param now milliseconds since 1970
 */
export async function readStatus(objects: ObjectStore, now: number, pace: Pacer): Promise<StoreStatus> {
  const { manifest } = await loadManifest(objects);
  const { heads, isWhole } = await listWaiting(objects, now);
  const consumed = new Set(manifest.consumed);
  const waiting = heads.filter(({ key }) => !consumed.has(batchId(key)));
  // A batch that is cut off has no count of rows that could be read.
  const keys = waiting.filter(({ sizeBytes }) => sizeBytes >= BATCH_ROWS_OFFSET + ROWS_BYTES).map(({ key }) => key);
  let detections = 0;
  await mapConcurrent(keys.slice(0, MAX_COUNTED), async (key) => {
    // A batch that was merged and moved a moment ago is no longer waiting.
    const bytes = await objects.getRange(key, BATCH_ROWS_OFFSET, ROWS_BYTES);
    if (bytes !== null) detections += new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  });
  return {
    manifest,
    numbers: inventoryNumbers(manifest),
    runs: manifest.runs.map((run) => ({
      numbers: runNumbers(run),
      segments: run.segments.length,
      bytes: run.segments.reduce((sum, entry) => sum + entry.bytes, 0),
    })),
    waiting: {
      batches: waiting.length + manifest.replay.length,
      detections,
      atLeast: !isWhole || keys.length > MAX_COUNTED || manifest.replay.length > 0,
    },
    setAside: {
      batches: manifest.setAside.count,
      failed: unmergeable(await readSetAside(objects, manifest, pace)).length,
    },
    quarantine: quarantineTotals(await readLedger(objects, manifest, pace)),
  };
}
