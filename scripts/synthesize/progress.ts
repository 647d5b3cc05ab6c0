import { type Options, SingleBar } from 'cli-progress';
import type { SyntheticFile } from './write.ts';

const BAR: Options = {
  format: '{file} [{bar}] {percentage}% | {value} of {total} rows | {eta_formatted} left',
  hideCursor: true,
  clearOnComplete: true,
  etaBuffer: 50,
};

/** Progress through the files: a bar on a terminal, else a line at the end of each. */
export class Progress {
  readonly #out: NodeJS.WriteStream;
  #bar: SingleBar | null = null;
  #file: SyntheticFile | null = null;

  constructor(out: NodeJS.WriteStream) {
    this.#out = out;
  }

  update(file: SyntheticFile, rows: number, totalRows: number): void {
    if (this.#out.isTTY !== true) {
      if (rows === totalRows) this.#out.write(`${file}: ${rows} rows\n`);
      return;
    }
    if (file !== this.#file) {
      this.stop();
      this.#file = file;
      this.#bar = new SingleBar({ ...BAR, stream: this.#out });
      this.#bar.start(totalRows, rows, { file });
    }
    this.#bar?.update(rows);
  }

  stop(): void {
    this.#bar?.stop();
    this.#bar = null;
  }
}
