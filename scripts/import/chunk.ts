import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import type { LineError } from '../../src/format/batch.ts';

/** Half of what one upload may have, so that no line can take it over the bound. In UTF-16 units, at most 3 bytes each. */
const MAX_CHUNK_CHARS = 8 * 1024 * 1024;

/**
 * Keys that an upload can have, one after the other: one is used up when the server was asked whether it has it, and had
 * not (upload.ts).
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

  /** @param hash of the line as the file has it (line-set.ts) */
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
   * The keys that it can have. Made of the lines and of the place of the upload among those of the import, so that the same
   * import, run again from anywhere, is counted once, and repeated lines of one file are not taken for a retry.
   */
  keys(index: number): string[] {
    const first = sha256(`ringfence import 1\n${index}\n${this.#text()}`);
    return Array.from({ length: MAX_KEYS }, (_, i) => `import-${i === 0 ? first : sha256(`${first}.${i}`)}`);
  }

  #text(): string {
    return `${this.#json.join('\n')}\n`;
  }
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
