/** What one request sees of a snapshot. */
import { EVIDENCE_BLOCK_NUMBERS, numbersInBlock } from '../format/evidence.ts';
import { EvidenceBlock, type EvidenceEntry } from '../format/evidence-block.ts';
import type { SegmentEntry } from '../format/manifest.ts';
import type { NumbersReader } from '../format/numbers-reader.ts';
import { evidenceBlocksOffset } from '../format/segment.ts';
import type { VerdictsReader } from '../format/verdicts.ts';
import { readSegmentRange } from '../store/columns.ts';
import { sideBySide } from '../store/side-by-side.ts';
import type { ObjectStore } from '../store/store.ts';
import type { CachedColumn, ColumnCache } from './column-cache.ts';
import type { Snapshot } from './snapshot.ts';

/** One request's look at a snapshot: a column that could not be loaded is not asked for again. */
export class View {
  readonly snapshot: Snapshot;
  readonly #columns: ColumnCache;
  readonly #objects: ObjectStore;
  readonly #failures = new Map<string, unknown>();

  constructor(columns: ColumnCache, snapshot: Snapshot, objects: ObjectStore) {
    this.#columns = columns;
    this.#objects = objects;
    this.snapshot = snapshot;
  }

  async load<Reader>(cached: CachedColumn<Reader>, entry: SegmentEntry): Promise<Reader> {
    const id = `${cached.column} ${entry.key}`;
    if (this.#failures.has(id)) throw this.#failures.get(id);
    try {
      return await cached.load(this.snapshot, entry);
    } catch (error) {
      this.#failures.set(id, error);
      throw error;
    }
  }

  async loadNumbersOf(entry: SegmentEntry): Promise<NumbersReader> {
    return this.#columns.numbers.peek(entry) ?? (await this.load(this.#columns.numbers, entry));
  }

  async loadVerdictsOf(entry: SegmentEntry): Promise<VerdictsReader> {
    return this.#columns.verdicts.peek(entry) ?? (await this.load(this.#columns.verdicts, entry));
  }

  /** Loads the missing ones of these verdicts side by side: one step of waiting, however many runs know the number. */
  async loadVerdicts(entries: readonly SegmentEntry[]): Promise<void> {
    const missing = entries.filter((entry) => this.#columns.verdicts.peek(entry) === undefined);
    await Promise.all(missing.map((entry) => this.load(this.#columns.verdicts, entry)));
  }

  /** Loads the missing numbers columns of a group side by side. A failure shows when the number is looked up. */
  async loadNumbers(numbers: readonly number[]): Promise<void> {
    const missing = new Map<string, SegmentEntry>();
    for (const number of numbers) {
      for (const run of this.snapshot.runs) {
        const entry = run.segmentFor(number);
        if (entry !== undefined && this.#columns.numbers.peek(entry) === undefined) missing.set(entry.key, entry);
      }
    }
    if (missing.size === 0) return;
    await sideBySide(missing.values(), async (entry) => {
      await this.load(this.#columns.numbers, entry).catch(() => undefined);
    });
  }

  /** The evidence of the number of this rank. Rejects when it cannot be read. */
  async readEvidence(entry: SegmentEntry, rank: number): Promise<EvidenceEntry[]> {
    const index = await this.load(this.#columns.evidence, entry);
    const block = Math.floor(rank / EVIDENCE_BLOCK_NUMBERS);
    const place = index.place(block);
    const offset = evidenceBlocksOffset(entry) + place.offset;
    const bytes = await readSegmentRange(this.#objects, entry, offset, place.length);
    const columns = new EvidenceBlock();
    columns.read(bytes, place, numbersInBlock(entry.count, block), index.texts);
    return columns.entries(rank % EVIDENCE_BLOCK_NUMBERS, index);
  }
}
