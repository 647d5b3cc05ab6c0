/** How far each phase has come: a bar on a terminal, else a line every few seconds. */
import { type Options, SingleBar } from 'cli-progress';
import type { Output } from '../import/upload.ts';

/** Between two lines of progress where there is no terminal. */
const INTERVAL_MS = 5_000;

const BAR: Options = {
  format: '{phase} [{bar}] {percentage}% | {rows} {unit}, {rate} a second | {eta_formatted} left',
  hideCursor: true,
  clearOnComplete: true,
  etaBuffer: 100,
  stopOnComplete: false,
};

export class BuildProgress {
  readonly #out: Output;
  readonly #now: () => number;
  readonly #bar: SingleBar | null;
  #phase = '';
  #unit = '';
  #total = 0;
  #done = 0;
  #rows = 0;
  #startMs = 0;
  #lastMs = 0;

  /** @param now milliseconds since 1970 */
  constructor(out: Output, now: () => number) {
    this.#out = out;
    this.#now = now;
    this.#bar = out.isTerminal ? new SingleBar(BAR) : null;
  }

  /**
   * @param total of whatever `advance` counts first
   * @param unit of what it counts second
   */
  begin(phase: string, total: number, unit: string): void {
    this.end();
    this.#phase = phase;
    this.#unit = unit;
    this.#total = total;
    this.#done = 0;
    this.#rows = 0;
    this.#startMs = this.#now();
    this.#lastMs = this.#startMs;
    this.#bar?.start(total, 0, this.#payload);
  }

  advance(done: number, rows: number): void {
    this.#done += done;
    this.#rows += rows;
    if (this.#bar !== null) {
      this.#bar.update(Math.min(this.#done, this.#total), this.#payload);
    } else if (this.#now() - this.#lastMs >= INTERVAL_MS) {
      this.#lastMs = this.#now();
      const { phase, rows: shown, unit, rate } = this.#payload;
      this.#out.write(`${phase}: ${this.#percent}%, ${shown} ${unit}, ${rate} a second, ${this.#left} s left\n`);
    }
  }

  /** Writes a message that stays. */
  note(text: string): void {
    this.#bar?.stop();
    this.#out.write(`${text}\n`);
  }

  /** Leaves a clean line behind. */
  end(): void {
    this.#bar?.stop();
  }

  get #percent(): number {
    return this.#total === 0 ? 100 : Math.min(100, Math.floor((this.#done / this.#total) * 100));
  }

  get #seconds(): number {
    return Math.max(0.001, (this.#now() - this.#startMs) / 1000);
  }

  get #left(): number {
    return this.#done === 0 ? 0 : Math.ceil(((this.#total - this.#done) / this.#done) * this.#seconds);
  }

  get #payload() {
    return {
      phase: this.#phase,
      unit: this.#unit,
      rows: this.#rows.toLocaleString('en-US'),
      rate: Math.round(this.#rows / this.#seconds).toLocaleString('en-US'),
    };
  }
}
