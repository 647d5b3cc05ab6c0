/**
 * Verifies that the inventory is what its batches say, to the byte: it folds all kept batches, and all runs, with the
 * code of ticks and compactions, one segment of each at a time, and compares.
 */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Batch, openBatch } from '../../src/format/batch.ts';
import type { Manifest, SegmentEntry } from '../../src/format/manifest.ts';
import { type EncodedSegment, type OpenSegment, openSegment } from '../../src/format/segment.ts';
import { UNPACED } from '../../src/lib/cooperate.ts';
import { BatchCursor, fold, RunCursor } from '../../src/merge/fold.ts';
import { MergeDictionary } from '../../src/merge/segment-builder.ts';
import { readKept } from '../../src/merge/waiting.ts';
import { readExcludedRows, without } from '../../src/quality/excluded-rows.ts';
import { readLedger } from '../../src/quality/ledger.ts';
import { MANIFEST_KEY, MERGED_PREFIX, WAITING_PREFIX } from '../../src/storage/keys.ts';
import { readSegment } from '../../src/storage/slices.ts';
import type { ObjectStore } from '../../src/storage/store.ts';
import { type FsckContext, listObjects, REBUILD } from './findings.ts';

// The fold of whole runs, however large, in bounded memory: after a few segments it begins anew where it stopped, as a
// compaction does from tick to tick (src/merge/tick.ts), and so forgets the texts it has met. Segments are cut the
// same way, so the bytes are the same.

/** Half a million records with their texts: some 100 MB when each has a link of its own. */
const SEGMENTS_AT_ONCE = 8;

/**
 * @param runs each with its segments in number order
 * @param open reads a segment; what it rejects with ends the fold
 */
export async function* foldInShares(
  runs: readonly (readonly SegmentEntry[])[],
  open: (entry: SegmentEntry) => Promise<OpenSegment>,
  segmentsAtOnce = SEGMENTS_AT_ONCE,
): AsyncGenerator<EncodedSegment> {
  // Every share begins behind the one before, so it ends with the numbers.
  for (let from: number | null = 0; from !== null; ) {
    const start: number = from;
    const dictionary = new MergeDictionary();
    const cursors = runs.map((segments) => new RunCursor(segments, start, open, dictionary));
    from = null;
    let taken = 0;
    for await (const { segment, resumeFrom } of fold(cursors, dictionary, UNPACED)) {
      yield segment;
      from = resumeFrom;
      taken += 1;
      if (taken === segmentsAtOnce) break;
    }
  }
}

// Runs in a folder of their own under the system's temporary one: what does not fit into memory while it is folded.

/** Runs folded into one at a time; of each, a segment is in memory: a few MB. */
const FAN_IN = 16;

type ScratchRun = readonly SegmentEntry[];

/**
 * Collects runs and keeps few: sixteen of a kind are folded into one of the next. The folder takes up to twice the
 * size of what is collected.
 */
export class ScratchRuns {
  readonly #folder = mkdtempSync(join(tmpdir(), 'ringfence-fsck-'));
  /** By how often their records have been folded. */
  readonly #levels: ScratchRun[][] = [];
  #written = 0;

  /** Writes a run and adds it to the others. */
  async add(segments: AsyncIterable<EncodedSegment>): Promise<void> {
    let run = await this.#write(segments);
    for (let level = 0; run.length > 0; level++) {
      const runs = [...(this.#levels[level] ?? []), run];
      this.#levels[level] = runs;
      if (runs.length < FAN_IN) return;
      run = await this.#write(this.#fold(runs));
      for (const { key } of runs.flat()) rmSync(join(this.#folder, key));
      this.#levels[level] = [];
    }
  }

  /** All that was added, as one run. */
  fold(): AsyncGenerator<EncodedSegment> {
    return this.#fold(this.#levels.flat());
  }

  /** Deletes the folder. */
  remove(): void {
    rmSync(this.#folder, { recursive: true });
  }

  #fold(runs: readonly ScratchRun[]): AsyncGenerator<EncodedSegment> {
    return foldInShares(runs, (entry) => this.#open(entry));
  }

  async #write(segments: AsyncIterable<EncodedSegment>): Promise<ScratchRun> {
    const entries: SegmentEntry[] = [];
    for await (const { shape, file } of segments) {
      const key = `segment-${this.#written++}`;
      writeFileSync(join(this.#folder, key), file);
      entries.push({ key, offset: 0, ...shape });
    }
    return entries;
  }

  #open({ key }: SegmentEntry): Promise<OpenSegment> {
    // Copied: a buffer of Node's may begin anywhere, and a segment must begin at a multiple of eight bytes.
    return openSegment(new Uint8Array(readFileSync(join(this.#folder, key))), UNPACED);
  }
}

/** Batches folded at once, in bytes as stored: twice a tick's. The folds of the groups wait in a scratch folder. */
const GROUP_BYTES = 32 * 2 ** 20;

/** What is known by then. */
interface Known {
  /** Batches of which the inventory has nothing; null: not all that is needed is known to be whole. */
  readonly outside: ReadonlySet<string> | null;
  /** Batches of which the inventory may still have rows that are to be taken out. */
  readonly pending: number;
}

export async function verifyBatches(
  context: FsckContext,
  manifest: Manifest,
  { outside, pending }: Known,
  groupBytes = GROUP_BYTES,
): Promise<void> {
  const { objects, findings, progress } = context;
  const check = findings.begin('inventory against its batches');
  if (outside === null) {
    check.skip('not while segments, batches, the ledger or what is set aside have errors');
    return;
  }
  if (pending > 0) {
    check.skip(`not while ${pending} withdrawn batches are being taken out: let the ticks finish, and check again`);
    return;
  }
  const scratch = new ScratchRuns();
  try {
    progress.begin('folding batches');
    for await (const group of batchGroups(objects, manifest, { outside, groupBytes }, () => progress.advance())) {
      const dictionary = new MergeDictionary();
      await scratch.add(
        segmentsOf(
          group.map((batch) => new BatchCursor(batch, dictionary)),
          dictionary,
        ),
      );
    }
    progress.begin('comparing segments');
    const runs = manifest.runs.map(({ segments }) => segments);
    const inventory = foldInShares(runs, (entry) => readSegment(objects, entry, UNPACED));
    const result = await compare(inventory, scratch.fold(), () => progress.advance());
    check.looked = result.segments;
    if (result.firstDifference === null) return;
    const what =
      `has an inventory of ${result.leftNumbers} numbers; its batches give ${result.rightNumbers}, ` +
      `and the two differ from segment ${result.firstDifference + 1} of ${result.segments} on`;
    check.error(MANIFEST_KEY, what, `Some lookups are wrong. ${REBUILD}`);
  } finally {
    scratch.remove();
  }
}

/** What the inventory has of its batches, without what is kept out, in groups that fit into memory together. */
async function* batchGroups(
  objects: ObjectStore,
  manifest: Manifest,
  { outside, groupBytes }: { readonly outside: ReadonlySet<string>; readonly groupBytes: number },
  onBatch: () => void,
): AsyncGenerator<Batch[]> {
  const omissions = await readExcludedRows(objects, await readLedger(objects, manifest, UNPACED), UNPACED);
  let group: Batch[] = [];
  let bytes = 0;
  for await (const id of inventoryBatches(objects, manifest, outside)) {
    const object = await readKept(objects, id);
    if (bytes > 0 && bytes + object.sizeBytes > groupBytes) {
      yield group;
      group = [];
      bytes = 0;
    }
    const batch = openBatch(object.bytes);
    const omission = omissions.get(id);
    group.push(omission === undefined ? batch : without(batch, omission));
    bytes += object.sizeBytes;
    onBatch();
  }
  if (group.length > 0) yield group;
}

/** Ids of all merged batches, but those that are withdrawn, set aside or not merged again yet. */
async function* inventoryBatches(
  objects: ObjectStore,
  manifest: Manifest,
  outside: ReadonlySet<string>,
): AsyncGenerator<string> {
  for await (const { key } of listObjects(objects, MERGED_PREFIX)) {
    const id = key.slice(MERGED_PREFIX.length);
    if (!outside.has(id)) yield id;
  }
  for (const id of manifest.consumed) {
    if (outside.has(id) || (await objects.head(MERGED_PREFIX + id)) !== null) continue;
    if ((await objects.head(WAITING_PREFIX + id)) !== null) yield id;
  }
}

async function* segmentsOf(cursors: readonly BatchCursor[], dictionary: MergeDictionary) {
  for await (const { segment } of fold(cursors, dictionary, UNPACED)) yield segment;
}

interface Comparison {
  /** Segments of the longer side. */
  readonly segments: number;
  /** Index of the first segment that is not the same on both sides, or null. */
  readonly firstDifference: number | null;
  readonly leftNumbers: number;
  readonly rightNumbers: number;
}

async function compare(
  left: AsyncGenerator<EncodedSegment>,
  right: AsyncGenerator<EncodedSegment>,
  onSegment: () => void,
): Promise<Comparison> {
  let firstDifference: number | null = null;
  let leftNumbers = 0;
  let rightNumbers = 0;
  // Ends with the longer side; a fold ends with its sources.
  for (let segments = 0; ; segments++) {
    const a = (await left.next()).value as EncodedSegment | undefined;
    const b = (await right.next()).value as EncodedSegment | undefined;
    if (a === undefined && b === undefined) return { segments, firstDifference, leftNumbers, rightNumbers };
    leftNumbers += a?.shape.count ?? 0;
    rightNumbers += b?.shape.count ?? 0;
    const isSame = a !== undefined && b !== undefined && Buffer.compare(a.file, b.file) === 0;
    if (!isSame) firstDifference ??= segments;
    onSegment();
  }
}
