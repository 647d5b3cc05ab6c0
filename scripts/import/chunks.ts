/** A file as uploads: rows become lines, lines that were sent before are left out, the rest is cut into chunks. */
import { hash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import type { LineError } from '../../src/format/batch.ts';
import type { RawLine } from '../../src/ingest/body.ts';
import { FIELDS, isBlank } from '../../src/ingest/fields.ts';
import { DEFAULT_LABEL, Rejection, validateLine } from '../../src/ingest/validate.ts';
import { type FileRow, type FileSource, type RowHooks, rowsOf } from './file-rows.ts';
import { ImportError } from './mapping.ts';
import type { ServerLabels } from './upload.ts';

// Which lines were sent, without holding any of them: for going on with a file that has been repaired.

export const LINE_HASH_BYTES = 8;

/**
 * What stands for a line.
 * @param json its fields as the file has them, before it gets a date
 */
export function lineHash(json: string): bigint {
  return hash('sha256', json, 'buffer').readBigUInt64LE(0);
}

export function hashesToBytes(hashes: readonly bigint[]): Uint8Array {
  return new Uint8Array(BigUint64Array.from(hashes).buffer);
}

/**
 * Lines by their hashes, each as often as it was sent. 8 bytes a line, and 4 more in memory; of 20 million lines
 * against 20 million others, two differ and have the same hash in one of 90,000 files.
 */
export class LineSet {
  /** Ascending. */
  readonly #hashes: BigUint64Array;
  /** By the first place of a hash: how many of the equal ones were taken. */
  readonly #taken: Uint32Array;

  /** @param bytes a whole number of hashes, in any order */
  constructor(bytes: Uint8Array) {
    this.#hashes = new BigUint64Array(new Uint8Array(bytes).buffer).sort();
    this.#taken = new Uint32Array(this.#hashes.length);
  }

  get size(): number {
    return this.#hashes.length;
  }

  /** Takes one of the lines with this hash out; false if there is none left. */
  take(hash: bigint): boolean {
    const at = this.#firstFrom(hash);
    const taken = this.#taken[at] ?? 0;
    if (this.#hashes[at + taken] !== hash) return false;
    this.#taken[at] = taken + 1;
    return true;
  }

  #firstFrom(hash: bigint): number {
    let from = 0;
    let to = this.#hashes.length;
    while (from < to) {
      const middle = (from + to) >>> 1;
      if ((this.#hashes[middle] ?? hash) < hash) from = middle + 1;
      else to = middle;
    }
    return from;
  }
}

// A row of a file becomes a line to send, or a reject: the same checks that the server will make.

interface LineContext {
  /** Name of the file. */
  readonly file: string;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** `observedAt` of a line that has none; null if there is nothing to take it from. */
  readonly observedAt: string | null;
  readonly labels: ServerLabels;
}

type Line =
  | { readonly json: string /** As the file has it. */; readonly undatedJson: string; readonly dated: boolean }
  | { readonly error: LineError };

/**
 * Depends on the row and `observedAt` alone, but for the check against the clock: run again, an import sends the same
 * lines, so that the server knows them again.
 * @throws ImportError if the line needs a date and there is none to give it, or the server cannot be asked of a label
 */
async function lineOf(row: FileRow, context: LineContext): Promise<Line> {
  if ('error' in row) return { error: row.error };
  const dated = !isBlank(row.raw.observedAt);
  const raw = dated ? row.raw : { ...row.raw, observedAt: dateFor(row.line, context) };
  const label = labelOf(raw);
  if (label !== null && !context.labels.has(label)) await context.labels.learn(label);
  const checked = validateLine(raw, { nowMs: context.now(), labels: context.labels });
  if (checked instanceof Rejection) {
    const reason = checked.code === 'unknown-label' && label !== null ? context.labels.reason(label) : null;
    return { error: { line: row.line, code: checked.code, detail: reason ?? checked.detail } };
  }
  const undatedJson = jsonOf(row.raw);
  return { json: dated ? undatedJson : jsonOf(raw), undatedJson, dated };
}

function dateFor(line: number, { file, observedAt }: LineContext): string {
  if (observedAt !== null) return observedAt;
  throw new ImportError(
    `${file}: line ${line} has no observedAt, and the date of the file itself is no help: give --observed-at YYYY-MM-DD`,
  );
}

/** The label that the line will have; null if it is no text, which no server takes. */
function labelOf({ label }: RawLine): string | null {
  if (isBlank(label)) return DEFAULT_LABEL;
  return typeof label === 'string' ? label.trim() : null;
}

/** Fields in a fixed order and nothing else. */
export function jsonOf(raw: RawLine): string {
  const fields: Record<string, unknown> = {};
  for (const field of FIELDS) if (!isBlank(raw[field])) fields[field] = raw[field];
  return JSON.stringify(fields);
}

/**
 * Half of what one upload may have, so that no line can take it over the bound. In UTF-16 units, at most 3 bytes each.
 */
const MAX_CHUNK_CHARS = 8 * 1024 * 1024;

/**
 * Keys that an upload can have, one after the other: one is used up when the server was asked whether it has it, and
 * had not (upload.ts).
 */
const MAX_KEYS = 4;

/** One upload: consecutive rows of a file, without those that were rejected here or sent before. */
export class Chunk {
  /** First row of the file that belongs to it, counted from 0. */
  readonly firstRow: number;
  /** Lines to send that have no date of their own. */
  undated = 0;
  readonly rejects: LineError[] = [];
  readonly #maxRows: number;
  /** Rows that an earlier import sent. */
  sentBefore = 0;
  readonly #json: string[] = [];
  readonly #hashes: bigint[] = [];
  /** The line in the file of each line of the upload. */
  readonly #fileLines: number[] = [];
  #rows = 0;
  #chars = 0;

  constructor(firstRow: number, maxRows: number) {
    this.firstRow = firstRow;
    this.#maxRows = maxRows;
  }

  get rows(): number {
    return this.#rows;
  }

  /** The row after its last. */
  get endRow(): number {
    return this.firstRow + this.#rows;
  }

  /** Lines to send. */
  get count(): number {
    return this.#json.length;
  }

  get isFull(): boolean {
    return this.#rows >= this.#maxRows || this.#chars >= MAX_CHUNK_CHARS;
  }

  /** @param hash of the line as the file has it (lineHash) */
  add(fileLine: number, json: string, hash: bigint): void {
    this.#rows += 1;
    this.#chars += json.length + 1;
    this.#json.push(json);
    this.#hashes.push(hash);
    this.#fileLines.push(fileLine);
  }

  skip(): void {
    this.#rows += 1;
    this.sentBefore += 1;
  }

  get hashes(): readonly bigint[] {
    return this.#hashes;
  }

  reject(error: LineError): void {
    this.#rows += 1;
    this.rejects.push(error);
  }

  /** Where in the file a line of the upload came from; both 1-based. */
  fileLine(line: number): number {
    return this.#fileLines[line - 1] ?? 0;
  }

  /** What is sent; the server sees through it whether it came by gzip. */
  body(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(gzipSync(this.#text()));
  }

  /**
   * The keys that it can have. Made of the lines and of the place of the upload among those of the import, so that the
   * same import, run again from anywhere, is counted once, and repeated lines of one file are not taken for a retry.
   */
  keys(index: number): string[] {
    const first = hash('sha256', `ringfence import 1\n${index}\n${this.#text()}`);
    return Array.from({ length: MAX_KEYS }, (_, i) => `import-${i === 0 ? first : hash('sha256', `${first}.${i}`)}`);
  }

  #text(): string {
    return `${this.#json.join('\n')}\n`;
  }
}

export interface ChunkRange {
  /** The first chunk begins at this row, counted from 0. */
  readonly fromRow: number;
  /** Some chunk ends before this row. */
  readonly cutAtRow: number;
  /** Lines that an earlier import sent; they are left out. */
  readonly before: LineSet | null;
  /** Rows of one chunk, accepted and rejected together, so that it has the same ones whatever becomes of them. */
  readonly maxRows: number;
}

/**
 * The rows of a file as chunks, one after the other.
 * @throws ImportError if the file cannot be read any further
 */
export async function* chunksOf(
  source: FileSource,
  { fromRow, cutAtRow, maxRows, before }: ChunkRange,
  context: LineContext,
  hooks: RowHooks,
): AsyncGenerator<Chunk, void, undefined> {
  let at = 0;
  let chunk = new Chunk(fromRow, maxRows);
  for await (const rows of rowsOf(source, hooks)) {
    for (const row of rows) {
      at += 1;
      // Also of rows that are done, since a line may stand in the file more often than it was sent.
      const isSent = before !== null && 'raw' in row && before.take(lineHash(jsonOf(row.raw)));
      if (at <= fromRow) continue;
      if (isSent) chunk.skip();
      else await addLine(chunk, row, context);
      if (chunk.isFull || at === cutAtRow) {
        yield chunk;
        chunk = new Chunk(at, maxRows);
      }
    }
  }
  if (chunk.rows > 0) yield chunk;
}

async function addLine(chunk: Chunk, row: FileRow, context: LineContext): Promise<void> {
  const line = await lineOf(row, context);
  if ('error' in line) {
    chunk.reject(line.error);
    return;
  }
  chunk.add(row.line, line.json, lineHash(line.undatedJson));
  if (!line.dated) chunk.undated += 1;
}
