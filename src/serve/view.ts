/** What one request reads of a snapshot. */
import { EVIDENCE_BLOCK_NUMBERS, numbersInBlock } from '../format/evidence.ts';
import { EvidenceBlock, type EvidenceEntry } from '../format/evidence-block.ts';
import type { SegmentEntry } from '../format/manifest.ts';
import type { NumbersReader } from '../format/numbers-reader.ts';
import { evidenceBlocksOffset } from '../format/segment.ts';
import type { VerdictsReader } from '../format/verdicts.ts';
import type { Probe } from '../lookup/probe.ts';
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

  async #load<Reader>(cached: CachedColumn<Reader>, entry: SegmentEntry): Promise<Reader> {
    const id = `${cached.column} ${entry.key}`;
    if (this.#failures.has(id)) throw this.#failures.get(id);
    try {
      return await cached.load(this.snapshot, entry);
    } catch (error) {
      this.#failures.set(id, error);
      throw error;
    }
  }

  /** Loads the numbers columns that a group of probes lacks, side by side. A failure shows when one is completed. */
  async loadNumbers(probes: readonly Probe[]): Promise<void> {
    const missing = new Map<string, SegmentEntry>();
    for (const probe of probes) for (const entry of probe.missing()) missing.set(entry.key, entry);
    const loaded = new Map<string, NumbersReader>();
    await sideBySide(missing.values(), async (entry) => {
      const column = await this.#load(this.#columns.numbers, entry).catch(() => undefined);
      if (column !== undefined) loaded.set(entry.key, column);
    });
    for (const probe of probes) {
      for (const [i, { key }] of probe.entries.entries()) {
        const column = loaded.get(key);
        if (column !== undefined) probe.fill(i, column);
      }
    }
  }

  /** A probe with all of its numbers columns: the missing ones are loaded one after the other. */
  async numbersOf(probe: Probe): Promise<readonly NumbersReader[]> {
    for (const i of probe.entries.keys()) await this.numbersAt(probe, i);
    return probe.columns ?? [];
  }

  /** The numbers column of a segment of the probe. */
  async numbersAt(probe: Probe, i: number): Promise<NumbersReader> {
    const column = probe.columnAt(i) ?? (await this.#load(this.#columns.numbers, probe.entries[i] as SegmentEntry));
    probe.fill(i, column);
    return column;
  }

  async verdictsOf(entry: SegmentEntry): Promise<VerdictsReader> {
    return this.#columns.verdicts.peek(entry) ?? (await this.#load(this.#columns.verdicts, entry));
  }

  /** The verdicts of some segments: one step of waiting, however many runs know the number. */
  async allVerdictsOf(entries: readonly SegmentEntry[]): Promise<ReadonlyMap<SegmentEntry, VerdictsReader>> {
    return new Map(await Promise.all(entries.map(async (entry) => [entry, await this.verdictsOf(entry)] as const)));
  }

  /** The evidence of the number of this rank. Rejects when it cannot be read. */
  async readEvidence(entry: SegmentEntry, rank: number): Promise<EvidenceEntry[]> {
    const index = await this.#load(this.#columns.evidence, entry);
    const block = Math.floor(rank / EVIDENCE_BLOCK_NUMBERS);
    const place = index.place(block);
    const offset = evidenceBlocksOffset(entry) + place.offset;
    const bytes = await readSegmentRange(this.#objects, entry, offset, place.length);
    const columns = new EvidenceBlock();
    columns.read(bytes, place, numbersInBlock(entry.count, block), index.texts);
    return columns.entries(rank % EVIDENCE_BLOCK_NUMBERS, index);
  }
}
