/** The numbers that are looked up: every second one listed, of the segments all over the store. */
import { join } from 'node:path';
import { openNumbersSlice } from '../../src/format/numbers-slice.ts';
import { loadManifest } from '../../src/merge/publish.ts';
import { readColumn } from '../../src/storage/slices.ts';
import { DirectoryObjectStore } from '../support/directory-store.ts';

/** As many as an isolate surely keeps the verdicts of. */
const SEGMENTS = 20;

export async function lookupNumbers(folder: string, count: number): Promise<number[]> {
  const objects = new DirectoryObjectStore(join(folder, 'objects'));
  const { manifest } = await loadManifest(objects);
  const all = manifest.runs.flatMap(({ segments }) => segments);
  const chosen = all.filter((_, i) => i % Math.max(1, Math.floor(all.length / SEGMENTS)) === 0);
  const numbers: number[] = [];
  for (const entry of chosen) {
    const reader = openNumbersSlice(await readColumn(objects, entry, 'numbers'));
    const share = Math.ceil(count / chosen.length / 2);
    for (let i = 0; i < share; i++) {
      const listed = reader.select(Math.floor((i * reader.count) / share));
      numbers.push(listed, listed + 1);
    }
  }
  return numbers;
}
