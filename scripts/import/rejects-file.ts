import { appendFileSync, existsSync, rmSync, statSync, truncateSync } from 'node:fs';
import { basename } from 'node:path';
import type { LineError } from '../../src/format/batch.ts';
import { writing } from './file-errors.ts';

const HEADER = 'file,line,code,detail\n';

/** The lines that were not accepted, as CSV. Not created before there is one. Never holds a number. */
export class RejectsFile {
  readonly path: string;
  #bytes: number;

  private constructor(path: string, bytes: number) {
    this.path = path;
    this.#bytes = bytes;
  }

  /** Replaces an older one. */
  static start(path: string): RejectsFile {
    writing(path, () => rmSync(path, { force: true }));
    return new RejectsFile(path, 0);
  }

  /** Goes on where another file of the same import stopped. */
  static continue(path: string): RejectsFile {
    return new RejectsFile(path, existsSync(path) ? statSync(path).size : 0);
  }

  /**
   * Goes back to an earlier size, without what an interrupted import wrote after its last confirmed upload; null if
   * the file is not there any more.
   */
  static resume(path: string, bytes: number): RejectsFile | null {
    if (bytes === 0) return RejectsFile.start(path);
    if (!existsSync(path) || statSync(path).size < bytes) return null;
    writing(path, () => truncateSync(path, bytes));
    return new RejectsFile(path, bytes);
  }

  get bytes(): number {
    return this.#bytes;
  }

  write(file: string, rejects: readonly LineError[]): void {
    if (rejects.length === 0) return;
    const rows = rejects.map(({ line, code, detail }) => [basename(file), String(line), code, detail]);
    const text = rows.map((row) => `${row.map(quoted).join(',')}\n`).join('');
    const added = this.#bytes === 0 ? HEADER + text : text;
    writing(this.path, () => appendFileSync(this.path, added));
    this.#bytes += Buffer.byteLength(added);
  }
}

function quoted(field: string): string {
  return /[",\r\n]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field;
}
