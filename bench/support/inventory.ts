/**
 * The inventory that benchmarks work on: `npm run synthesize`'s files, built into a store in a folder by
 * `npm run build-inventory`'s code. Made once, under .bench/, and made anew when the code that makes it has changed.
 */

import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BUILD_PROGRESS, buildInventory } from '../../scripts/build-inventory/build.ts';
import { WorkerPool } from '../../scripts/build-inventory/tasks.ts';
import { mergeContextOf } from '../../scripts/command/merge-context.ts';
import { PROJECT } from '../../scripts/command/paths.ts';
import { Progress } from '../../scripts/command/progress.ts';
import type { Run, SegmentEntry } from '../../src/format/manifest.ts';
import { openNumbersSlice } from '../../src/format/numbers-slice.ts';
import { acceptDetections } from '../../src/ingest/accept.ts';
import { UNPACED } from '../../src/lib/cooperate.ts';
import { DEFAULT_BUDGET, type MergeContext } from '../../src/merge/context.ts';
import { loadManifest } from '../../src/merge/publish-manifest.ts';
import { DEFAULT_LEVELS } from '../../src/policy/ageing.ts';
import { LabelLevels } from '../../src/policy/labels.ts';
import { WAITING_PREFIX } from '../../src/storage/keys.ts';
import { MemoryObjectStore } from '../../src/storage/memory.ts';
import { readNumbers, readSlice } from '../../src/storage/slices.ts';
import type { ObjectStore, SliceStore } from '../../src/storage/store.ts';
import type { BenchSize } from '../report.ts';
import { type SynthesisOptions, synthesisOptions } from '../synthesize/layout.ts';
import { writeSynthetic } from '../synthesize/write.ts';
import { DirectoryObjectStore, DirectorySliceStore } from './directory-store.ts';

/** What the files or the bytes of the store depend on. */
const MAKERS = ['src/format', 'src/lib', 'src/merge', 'src/phone', 'bench/synthesize', 'scripts/build-inventory'];
const SMALL_NUMBERS = 200_000;
/** Cores of the machine that the published figures are from. */
const THREADS = 2;

export interface BenchInventory {
  /** Has `objects/` and `slices/`: a store of one run. Not to be written to. */
  readonly folder: string;
  /** Detections as CSV: one aggregate a number of the store, and the fortnight after it, not in the store. */
  readonly inventoryCsv: string;
  readonly fortnightCsv: string;
  readonly options: SynthesisOptions;
}

export async function ensureInventory(size: BenchSize): Promise<BenchInventory> {
  const root = join(PROJECT, '.bench');
  const name = `${size}-${fingerprint()}`;
  const folder = join(root, name);
  const options = size === 'full' ? synthesisOptions() : synthesisOptions({ numbers: SMALL_NUMBERS });
  const inventory = {
    folder,
    inventoryCsv: join(folder, 'inventory.csv'),
    fortnightCsv: join(folder, 'fortnight.csv'),
    options,
  };
  const done = join(folder, 'complete');
  if (existsSync(done)) return inventory;
  mkdirSync(root, { recursive: true });
  // What other code made, and what an interrupted run left behind.
  for (const old of readdirSync(root)) if (old.startsWith(`${size}-`)) rmSync(join(root, old), { recursive: true });
  console.error(`making the ${size} inventory of ${options.numbers} numbers in .bench/${name}`);
  await writeSynthetic(options, folder);
  await buildFolder(inventory);
  writeFileSync(done, '');
  return inventory;
}

async function buildFolder({ folder, inventoryCsv }: BenchInventory): Promise<void> {
  const runner = new WorkerPool(THREADS);
  const out = { isTerminal: false, write: (text: string) => process.stderr.write(text) };
  const progress = new Progress(out, Date.now, BUILD_PROGRESS);
  const request = {
    files: [inventoryCsv],
    labels: Object.keys(DEFAULT_LEVELS),
    workFolder: join(folder, 'work'),
    rejectsPath: join(folder, 'rejects.csv'),
  };
  try {
    const summary = await buildInventory(request, { context: benchContext(openStores(folder)), runner, progress });
    if (summary.accepted < summary.rows) throw new Error(`${summary.rows - summary.accepted} rows were rejected`);
  } finally {
    await runner.close();
  }
}

export interface Stores {
  readonly objects: ObjectStore;
  readonly slices: SliceStore;
}

export function openStores(folder: string): Stores {
  return {
    objects: new DirectoryObjectStore(join(folder, 'objects')),
    slices: new DirectorySliceStore(join(folder, 'slices')),
  };
}

/** All numbers of a run, ascending. @param onColumn is handed each numbers column, and its entry, as it is read */
export async function numbersOf(
  { objects, slices }: Stores,
  { segments }: Run,
  onColumn: (entry: SegmentEntry, bytes: Uint8Array<ArrayBuffer>) => void = () => {},
): Promise<Float64Array> {
  const numbers = new Float64Array(segments.reduce((sum, { count }) => sum + count, 0));
  let at = 0;
  for (const entry of segments) {
    const cached = await readSlice(slices, entry.numbers, (problem) => console.error(problem));
    const bytes = cached ?? (await readNumbers(objects, entry));
    onColumn(entry, bytes);
    const reader = openNumbersSlice(bytes);
    reader.copyRange(0, reader.count, numbers.subarray(at));
    at += reader.count;
  }
  return numbers;
}

export function benchContext(stores: Stores, budget = DEFAULT_BUDGET): MergeContext {
  // Waiting between two writes of the manifest is R2's demand, not the benchmark's.
  return { ...mergeContextOf(stores), sleep: async () => {}, budget };
}

function fingerprint(): string {
  const hash = createHash('sha256');
  for (const maker of MAKERS) {
    const names = readdirSync(join(PROJECT, maker), { recursive: true, encoding: 'utf8' });
    for (const name of names.filter((each) => each.endsWith('.ts')).sort()) {
      hash.update(name).update(readFileSync(join(PROJECT, maker, name)));
    }
  }
  return hash.digest('hex').slice(0, 8);
}

// Uploads as the batches that accepting them stores: taking detections in is not what these benchmarks measure.

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
  const deps = { objects: store, now: () => Date.now(), randomId: () => 'x', labels: new LabelLevels(), pace: UNPACED };
  const result = await acceptDetections(upload, deps);
  if (result.kind !== 'accepted' || result.receipt.rejected > 0) throw new Error('the upload was not all accepted');
  const [head] = (await store.list(WAITING_PREFIX)).objects;
  const object = head === undefined ? null : await store.get(head.key);
  if (object === null) throw new Error('the upload left no batch');
  return object.bytes;
}

/**
 * Of all columns of the present generation, in order: what must not depend on how the same detections came together.
 */
export async function columnsSha256(objects: ObjectStore): Promise<string> {
  const hash = createHash('sha256');
  const { runs } = (await loadManifest(objects)).manifest;
  // The hash of the numbers slice is a proof of all the others.
  for (const { numbers, bytes } of runs.flatMap(({ segments }) => segments)) {
    hash.update(`${numbers.sha256} ${bytes}\n`);
  }
  return hash.digest('hex');
}
