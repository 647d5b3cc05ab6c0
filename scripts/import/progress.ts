/** The progress bar of an import, or lines in its place where there is no terminal. */
import { type Options, SingleBar } from 'cli-progress';
import type { Output } from './upload.ts';

export interface Counts {
  readonly lines: number;
  readonly rejected: number;
}

/** Between two lines of progress where there is no terminal. */
const INTERVAL_MS = 5000;

const BAR: Options = {
  format: '{file} [{bar}] {percentage}% | {lines} lines, {rejected} rejected | {eta_formatted} left',
  hideCursor: true,
  clearOnComplete: true,
  etaBuffer: 50,
  stopOnComplete: false,
};

/** Progress through one file: a bar on a terminal, else a line every few seconds. */
export class Progress {
  readonly #out: Output;
  readonly #now: () => number;
  readonly #bar: SingleBar | null;
  #file = '';
  #totalBytes = 0;
  #readBytes = 0;
  #counts: Counts = { lines: 0, rejected: 0 };
  #lastMs = 0;

  /** @param now milliseconds since 1970 */
  constructor(out: Output, now: () => number) {
    this.#out = out;
    this.#now = now;
    this.#bar = out.isTerminal ? new SingleBar(BAR) : null;
  }

  start(file: string, totalBytes: number): void {
    this.#file = file;
    this.#totalBytes = totalBytes;
    this.#lastMs = this.#now();
    this.#bar?.start(totalBytes, 0, this.#payload);
  }

  update(readBytes: number, counts: Counts): void {
    this.#readBytes = readBytes;
    this.#counts = counts;
    if (this.#bar !== null) {
      this.#bar.update(readBytes, this.#payload);
    } else if (this.#now() - this.#lastMs >= INTERVAL_MS) {
      this.#lastMs = this.#now();
      const percent = this.#totalBytes === 0 ? 100 : Math.floor((readBytes / this.#totalBytes) * 100);
      const { lines, rejected } = this.#payload;
      this.#out.write(`${this.#file}: ${percent}%, ${lines} lines, ${rejected} rejected\n`);
    }
  }

  /** Writes a message above the bar. */
  note(text: string): void {
    this.#bar?.stop();
    this.#out.write(text);
    this.#bar?.start(this.#totalBytes, this.#readBytes, this.#payload);
  }

  get #payload() {
    return {
      file: this.#file,
      lines: formatCount(this.#counts.lines),
      rejected: formatCount(this.#counts.rejected),
    };
  }

  stop(): void {
    this.#bar?.stop();
  }
}

export function formatCount(count: number): string {
  return count.toLocaleString('en-US');
}
