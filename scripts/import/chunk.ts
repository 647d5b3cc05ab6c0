import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import type { LineError } from '../../src/format/batch.ts';

/** Half of what one upload may have, so that no line can take it over the bound. In UTF-16 units, at most 3 bytes each. */
const MAX_CHUNK_CHARS = 8 * 1024 * 1024;

/** One upload: consecutive rows of a file, without those that were rejected here. */
export class Chunk {
  /** First row of the file that belongs to it, counted from 0. */
  readonly firstRow: number;
  /** Lines to send that have no date of their own. */
  undated = 0;
  readonly rejects: LineError[] = [];
  readonly #maxRows: number;
  readonly #json: string[] = [];
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

  add(fileLine: number, json: string): void {
    this.#rows += 1;
    this.#chars += json.length + 1;
    this.#json.push(json);
    this.#fileLines.push(fileLine);
  }

  reject(error: LineError): void {
    this.#rows += 1;
    this.rejects.push(error);
  }

  /** Where in the file a line of the upload came from; both 1-based. */
  fileLine(line: number): number {
    return this.#fileLines[line - 1] ?? 0;
  }

  /**
   * What is sent. The key is made of the lines and of the place of the chunk among those of the file, so that the
   * same import, run again from anywhere, is counted once, and repeated lines of one file are not taken for a retry.
   */
  upload(index: number): { readonly body: Uint8Array<ArrayBuffer>; readonly key: string } {
    const text = `${this.#json.join('\n')}\n`;
    const hash = createHash('sha256').update(`ringfence import 1\n${index}\n`).update(text);
    return { body: new Uint8Array(gzipSync(text)), key: `import-${hash.digest('hex')}` };
  }
}
