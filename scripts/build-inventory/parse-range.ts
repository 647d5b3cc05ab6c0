/** Phase 1, one piece: rows are checked and put into batches, which are what is kept; rejects go into a file. */
import { appendFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LineError } from '../../src/format/batch.ts';
import { BatchRows, MAX_BATCH_ROWS } from './batch-rows.ts';
import type { RowContext } from './checked-row.ts';
import { OpenQuote } from './csv-line.ts';
import { encodeBatch } from './encode-batch.ts';
import type { Input, InputRange } from './inputs.ts';
import { readRows } from './read-rows.ts';
import type { RowSink } from './row-sink.ts';

export interface ParseTask {
  readonly kind: 'parse';
  readonly input: Input;
  readonly range: InputRange;
  /** Where batches and rejects go. */
  readonly folder: string;
  /** Milliseconds since 1970: when the build began. */
  readonly nowMs: number;
  readonly labels: readonly string[];
  readonly maxBatchRows?: number;
}

/** A batch in the work folder. */
export interface SpilledBatch {
  /** File name of the batch object; NAME.texts beside it says where its texts begin. */
  readonly name: string;
  readonly rows: number;
  readonly bytes: number;
  readonly circumstances: number;
  /** SHA-256 of its rows and texts. */
  readonly sha256: string;
}

export interface ParsedRange {
  /** Lines that begin in the piece. */
  readonly lines: number;
  readonly accepted: number;
  readonly undated: number;
  readonly rejectedByCode: Readonly<Record<string, number>>;
  readonly batches: readonly SpilledBatch[];
}

/** The file has to be read from its beginning, in one piece. */
export type ParseResult = ParsedRange | 'needs-whole-file';

/** Between the files of the pieces, so that a piece that is done again writes over its own. */
export function rangeName({ input, index, isWhole }: InputRange): string {
  return isWhole ? `${input}-whole` : `${input}-${index}`;
}

/** The rejects of a piece, one JSON object a line, their lines counted in the piece. */
export function rejectsName(range: InputRange): string {
  return `${rangeName(range)}.rejects`;
}

/** @param onProgress bytes read and rows seen since the last call */
export async function parseRange(
  task: ParseTask,
  onProgress: (bytes: number, rows: number) => void,
): Promise<ParseResult> {
  const { input, range, folder, nowMs, labels } = task;
  const context: RowContext = { nowMs, labels: new Set(labels), observedAt: input.observedAt };
  const collected = new RangeRows(folder, range, task.maxBatchRows ?? MAX_BATCH_ROWS);
  let told = 0;
  try {
    const lines = await readRows(input, range, context, collected, (bytes) => {
      onProgress(bytes, collected.seen - told);
      told = collected.seen;
    });
    return { lines, ...collected.finish() };
  } catch (error) {
    if (error instanceof OpenQuote) return 'needs-whole-file';
    throw error;
  }
}

/** Rejects held before they are written. */
const REJECTS_HELD = 1000;

class RangeRows implements RowSink {
  readonly #folder: string;
  readonly #range: InputRange;
  readonly #rows: BatchRows;
  readonly #batches: SpilledBatch[] = [];
  readonly #rejectedByCode: Record<string, number> = {};
  readonly #rejectsPath: string;
  #rejects: string[] = [];
  #accepted = 0;
  #rejected = 0;
  #undated = 0;

  constructor(folder: string, range: InputRange, maxBatchRows: number) {
    this.#folder = folder;
    this.#range = range;
    this.#rows = new BatchRows(maxBatchRows);
    this.#rejectsPath = join(folder, rejectsName(range));
    rmSync(this.#rejectsPath, { force: true });
  }

  get seen(): number {
    return this.#accepted + this.#rejected;
  }

  accept(...[number, observedAt, firstSeenAt, sightings, circumstances]: Parameters<RowSink['accept']>): void {
    const rows = this.#rows;
    if (rows.isFull) this.#spill();
    if (circumstances.batch !== rows.serial) {
      circumstances.id = rows.idOf(circumstances.text);
      circumstances.batch = rows.serial;
    }
    rows.add(number, observedAt, firstSeenAt, sightings, circumstances.id);
    this.#accepted += 1;
  }

  undated(): void {
    this.#undated += 1;
  }

  reject(error: LineError): void {
    this.#rejected += 1;
    this.#rejectedByCode[error.code] = (this.#rejectedByCode[error.code] ?? 0) + 1;
    this.#rejects.push(`${JSON.stringify(error)}\n`);
    if (this.#rejects.length >= REJECTS_HELD) this.#writeRejects();
  }

  finish(): Omit<ParsedRange, 'lines'> {
    if (this.#rows.count > 0) this.#spill();
    this.#writeRejects();
    return {
      accepted: this.#accepted,
      undated: this.#undated,
      rejectedByCode: this.#rejectedByCode,
      batches: this.#batches,
    };
  }

  #writeRejects(): void {
    if (this.#rejects.length > 0) appendFileSync(this.#rejectsPath, this.#rejects.join(''));
    this.#rejects = [];
  }

  #spill(): void {
    const columns = this.#rows.columns();
    const { file, textOffsets, contentSha256 } = encodeBatch(columns);
    const name = `${rangeName(this.#range)}-${this.#batches.length}.batch`;
    const path = join(this.#folder, name);
    writeWhole(`${path}.texts`, new Uint8Array(textOffsets.buffer));
    writeWhole(path, file);
    this.#batches.push({
      name,
      rows: columns.count,
      bytes: file.length,
      circumstances: columns.texts.length,
      sha256: contentSha256,
    });
    this.#rows.clear();
  }
}

/** Stopped in the middle, no file by that name is left half written. */
export function writeWhole(path: string, bytes: Uint8Array): void {
  writeFileSync(`${path}.part`, bytes);
  renameSync(`${path}.part`, path);
}
