/**
 * Whether the inventory is what its batches say, to the byte: all kept batches folded, against all runs folded, both
 * by the code that ticks and compactions run, one segment of each at a time.
 */
import { type Batch, openBatch } from '../../src/format/batch.ts';
import type { Manifest } from '../../src/format/manifest.ts';
import type { EncodedSegment } from '../../src/format/segment.ts';
import { BatchCursor } from '../../src/merge/cursor.ts';
import { MergeDictionary } from '../../src/merge/dictionary.ts';
import { fold } from '../../src/merge/fold.ts';
import { readKept } from '../../src/merge/waiting.ts';
import { readLedger } from '../../src/quality/ledger.ts';
import { readOmissions } from '../../src/quality/omissions.ts';
import { without } from '../../src/quality/rows.ts';
import { readSegment } from '../../src/store/columns.ts';
import { MANIFEST_KEY, MERGED_PREFIX, WAITING_PREFIX } from '../../src/store/keys.ts';
import type { ObjectStore } from '../../src/store/store.ts';
import { foldInShares } from './fold-in-shares.ts';
import { listObjects } from './list-all.ts';
import { type Look, REBUILD } from './look.ts';
import { ScratchRuns } from './scratch-runs.ts';

/** Batches folded at once, in bytes as stored: twice a tick's. The folds of the groups wait in a scratch folder. */
const GROUP_BYTES = 32 * 2 ** 20;

/** What is known by then. */
export interface Known {
  /** Batches of which the inventory has nothing; null: not all that is needed is known to be whole. */
  readonly outside: ReadonlySet<string> | null;
  /** Batches of which the inventory may still have rows that are to be taken out. */
  readonly pending: number;
}

export async function verifyBatches(
  look: Look,
  manifest: Manifest,
  { outside, pending }: Known,
  groupBytes = GROUP_BYTES,
): Promise<void> {
  const { objects, findings, progress } = look;
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
    const inventory = foldInShares(runs, (entry) => readSegment(objects, entry));
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
  const omissions = await readOmissions(objects, await readLedger(objects, manifest));
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
  for await (const { segment } of fold(cursors, dictionary)) yield segment;
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
