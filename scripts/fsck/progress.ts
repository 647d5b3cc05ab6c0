/** How far a check has come, for the person who waits: a line that changes on a terminal, else one every few seconds. */

export interface ProgressOutput {
  /** Whether a line can be written over. */
  readonly isTerminal: boolean;
  write(text: string): void;
}

/** Between two lines of progress where there is no terminal, and between two changes of the line where there is. */
const LINE_INTERVAL_MS = 5_000;
const CHANGE_INTERVAL_MS = 100;
const ERASE_LINE = '\r\u001b[K';

export class Progress {
  readonly #out: ProgressOutput;
  readonly #now: () => number;
  #title = '';
  #done = 0;
  #total: number | null = null;
  #lastMs = 0;
  #isDrawn = false;

  /** @param now milliseconds since 1970 */
  constructor(out: ProgressOutput, now: () => number) {
    this.#out = out;
    this.#now = now;
  }

  /** @param total how many things there are, if that is known */
  begin(title: string, total: number | null = null): void {
    this.#title = title;
    this.#done = 0;
    this.#total = total;
    // On a terminal at once; elsewhere only what takes long is told.
    if (!this.#out.isTerminal) this.#lastMs = this.#now();
    else this.#draw();
  }

  advance(by = 1): void {
    this.#done += by;
    const interval = this.#out.isTerminal ? CHANGE_INTERVAL_MS : LINE_INTERVAL_MS;
    if (this.#now() - this.#lastMs >= interval) this.#draw();
  }

  /** Writes a message that stays. */
  note(text: string): void {
    this.end();
    this.#out.write(`${text}\n`);
  }

  /** Leaves a clean line behind. */
  end(): void {
    if (this.#isDrawn) this.#out.write(ERASE_LINE);
    this.#isDrawn = false;
  }

  #draw(): void {
    this.#lastMs = this.#now();
    const done = this.#done.toLocaleString('en-US');
    const total = this.#total === null ? '' : ` of ${this.#total.toLocaleString('en-US')}`;
    const line = `${this.#title}: ${done}${total}`;
    this.#out.write(this.#out.isTerminal ? `${ERASE_LINE}${line}` : `${line}\n`);
    this.#isDrawn = this.#out.isTerminal;
  }
}
