/** Runs in a folder of their own under the system's temporary one: what does not fit into memory while it is folded. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SegmentEntry } from '../../src/format/manifest.ts';
import { type EncodedSegment, type OpenSegment, openSegment } from '../../src/format/segment.ts';
import { foldInShares } from './fold-in-shares.ts';

/** Runs folded into one at a time; of each, a segment is in memory: a few MB. */
const FAN_IN = 16;

export type ScratchRun = readonly SegmentEntry[];

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
      entries.push({ key, ...shape });
    }
    return entries;
  }

  #open({ key }: SegmentEntry): Promise<OpenSegment> {
    // Copied: a buffer of Node's may begin anywhere, and a segment must begin at a multiple of eight bytes.
    return openSegment(new Uint8Array(readFileSync(join(this.#folder, key))));
  }
}
