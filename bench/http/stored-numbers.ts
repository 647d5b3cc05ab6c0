/** All numbers columns of a store's current generation: 30 MB for the whole inventory. */
import type { SegmentEntry } from '../../src/format/manifest.ts';
import type { NumbersReader } from '../../src/format/numbers-reader.ts';
import { openNumbersSlice } from '../../src/format/numbers-slice.ts';
import { loadManifest } from '../../src/merge/publish.ts';
import { Snapshot } from '../../src/serve/snapshot.ts';
import { readColumn } from '../../src/store/columns.ts';
import type { ObjectStore } from '../../src/store/store.ts';

export interface StoredSegment {
  readonly entry: SegmentEntry;
  readonly reader: NumbersReader;
}

export class StoredNumbers {
  readonly segments: readonly StoredSegment[];
  readonly #snapshot: Snapshot;
  readonly #readers: ReadonlyMap<string, NumbersReader>;

  constructor(snapshot: Snapshot, segments: readonly StoredSegment[]) {
    this.#snapshot = snapshot;
    this.segments = segments;
    this.#readers = new Map(segments.map(({ entry, reader }) => [entry.key, reader]));
  }

  has(number: number): boolean {
    return this.#snapshot.runs.some((run) => {
      const entry = run.segmentFor(number);
      return entry !== undefined && this.#readers.get(entry.key)?.has(number) === true;
    });
  }

  /** Other numbers in the same block, one by one: a check on what lookups say, not a way to find it. */
  neighbours(number: number, blockSize: number): number {
    const from = number - (number % blockSize);
    let count = 0;
    for (let other = from; other < from + blockSize; other++) if (other !== number && this.has(other)) count += 1;
    return count;
  }
}

export async function openStoredNumbers(objects: ObjectStore): Promise<StoredNumbers> {
  const { manifest } = await loadManifest(objects);
  const segments: StoredSegment[] = [];
  for (const entry of manifest.runs.flatMap((run) => run.segments)) {
    segments.push({ entry, reader: openNumbersSlice(await readColumn(objects, entry, 'numbers')) });
  }
  if (segments.length === 0) throw new Error('the store holds no numbers');
  return new StoredNumbers(new Snapshot(manifest), segments);
}
