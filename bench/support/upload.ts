/** Uploads as the batches that accepting them stores: taking detections in is not what these benchmarks measure. */
import { readFileSync } from 'node:fs';
import { acceptDetections } from '../../src/ingest/accept.ts';
import { LabelLevels } from '../../src/policy/labels.ts';
import { WAITING_PREFIX } from '../../src/store/keys.ts';
import { MemoryObjectStore } from '../../src/store/memory.ts';

/** Rows that an upload may have at most. */
const MAX_UPLOAD_ROWS = 100_000;

/** A CSV file in so many shares, each as the texts of one upload or more. */
export function uploadsOf(csvFile: string, shares: number): string[][] {
  const [header = '', ...lines] = readFileSync(csvFile, 'utf8').trimEnd().split('\n');
  const perShare = Math.ceil(lines.length / shares);
  const uploads: string[][] = [];
  for (let from = 0; from < lines.length; from += perShare) {
    const end = Math.min(lines.length, from + perShare);
    const texts: string[] = [];
    for (let at = from; at < end; at += MAX_UPLOAD_ROWS) {
      texts.push([header, ...lines.slice(at, Math.min(end, at + MAX_UPLOAD_ROWS))].join('\n'));
    }
    uploads.push(texts);
  }
  return uploads;
}

/** The batch of one upload. Rejects when a row of it is. */
export async function batchOf(csv: string): Promise<Uint8Array<ArrayBuffer>> {
  const store = new MemoryObjectStore();
  const upload = { body: new Blob([csv]).stream(), contentType: 'text/csv', tenant: 'default' };
  const deps = { objects: store, now: () => Date.now(), randomId: () => 'x', labels: new LabelLevels() };
  const result = await acceptDetections(upload, deps);
  if (result.kind !== 'accepted' || result.receipt.rejected > 0) throw new Error('the upload was not all accepted');
  const [head] = (await store.list(WAITING_PREFIX)).objects;
  const object = head === undefined ? null : await store.get(head.key);
  if (object === null) throw new Error('the upload left no batch');
  return object.bytes;
}
