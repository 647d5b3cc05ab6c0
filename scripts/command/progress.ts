/** How far a command has come, for the person who waits: on a terminal a bar, or a line that changes; else lines. */
import { SingleBar } from 'cli-progress';

export interface Output {
  /** Whether a line can be written over. */
  readonly isTerminal: boolean;
  write(text: string): void;
}

/**
 * Texts with what they tell in braces: `title`, `percentage`, `done`, `ofTotal` (empty if there is no total), `count`
 * and `rate` (of what is counted beside), `left` (seconds), and the figures that a command gives by name.
 */
export interface ProgressStyle {
  /** As cli-progress takes it. Null: a terminal gets the line, written over. */
  readonly bar: string | null;
  readonly line: string;
  /** Where there is no terminal, a line at the end of each title instead of one every few seconds. */
  readonly onlyAtEnd?: boolean;
}

/** Numbers get their separators; a text is told as it is. */
type Figures = Readonly<Record<string, number | string>>;

/** Between two lines where there is no terminal, and between two changes of the line where there is. */
const LINE_INTERVAL_MS = 5_000;
const CHANGE_INTERVAL_MS = 100;
const ERASE_LINE = '\r\u001b[K';

export function outputOf(stream: NodeJS.WriteStream): Output {
  return { isTerminal: stream.isTTY === true, write: (text) => stream.write(text) };
}

export function formatCount(count: number): string {
  return count.toLocaleString('en-US');
}

export class Progress {
  readonly #out: Output;
  readonly #now: () => number;
  readonly #style: ProgressStyle;
  readonly #bar: SingleBar | null;
  #title = '';
  #total: number | null = null;
  #done = 0;
  #count = 0;
  #figures: Figures = {};
  #startMs = 0;
  #lastMs = 0;
  #isShown = false;

  /** @param now milliseconds since 1970 */
  constructor(out: Output, now: () => number, style: ProgressStyle) {
    this.#out = out;
    this.#now = now;
    this.#style = style;
    const { bar } = style;
    const looks = { hideCursor: true, clearOnComplete: true, etaBuffer: 100, stopOnComplete: false };
    this.#bar = out.isTerminal && bar !== null ? new SingleBar({ format: bar, ...looks }) : null;
  }

  /** @param total how many things there are, if that is known; a bar needs it */
  begin(title: string, total: number | null = null, figures: Figures = {}): void {
    this.#bar?.stop();
    this.#title = title;
    this.#total = total;
    this.#done = 0;
    this.#count = 0;
    this.#figures = figures;
    this.#startMs = this.#now();
    this.#lastMs = this.#startMs;
    // Without a terminal only what takes long is told.
    if (this.#out.isTerminal) this.#show();
  }

  /** @param count of what is counted beside, such as rows where `by` is bytes */
  advance(by = 1, count = by): void {
    this.#count += count;
    this.update(this.#done + by);
  }

  update(done: number, figures = this.#figures): void {
    this.#done = done;
    this.#figures = figures;
    if (this.#bar !== null) {
      this.#bar.update(Math.min(done, this.#total ?? done), this.#values);
    } else if (!this.#out.isTerminal && this.#style.onlyAtEnd) {
      if (done === this.#total) this.#show();
    } else if (this.#now() - this.#lastMs >= (this.#out.isTerminal ? CHANGE_INTERVAL_MS : LINE_INTERVAL_MS)) {
      this.#show();
    }
  }

  /** Writes a message that stays. */
  note(text: string): void {
    const wasBar = this.#isShown && this.#bar !== null;
    this.end();
    this.#out.write(`${text}\n`);
    if (wasBar) this.#show();
  }

  /** Leaves a clean line behind. */
  end(): void {
    if (this.#isShown && this.#bar === null) this.#out.write(ERASE_LINE);
    this.#bar?.stop();
    this.#isShown = false;
  }

  #show(): void {
    this.#lastMs = this.#now();
    this.#isShown = this.#out.isTerminal;
    if (this.#bar !== null) {
      this.#bar.start(this.#total ?? 0, Math.min(this.#done, this.#total ?? 0), this.#values);
      return;
    }
    const values = this.#values;
    const line = this.#style.line.replace(/\{(\w+)\}/g, (_, name: string) => values[name] ?? '');
    this.#out.write(this.#out.isTerminal ? `${ERASE_LINE}${line}` : `${line}\n`);
  }

  /** What stands for each name in a style's braces. */
  get #values(): Readonly<Record<string, string>> {
    const [done, total, count] = [this.#done, this.#total, this.#count];
    const seconds = Math.max(0.001, (this.#now() - this.#startMs) / 1000);
    const figures = {
      title: this.#title,
      percentage: total ? Math.min(100, Math.floor((done / total) * 100)) : 100,
      done,
      ofTotal: total === null ? '' : ` of ${formatCount(total)}`,
      count,
      rate: Math.round(count / seconds),
      left: String(done === 0 ? 0 : Math.ceil((Math.max(0, (total ?? 0) - done) / done) * seconds)),
      ...this.#figures,
    };
    const texts = Object.entries(figures).map(([name, value]) => [
      name,
      typeof value === 'number' ? formatCount(value) : value,
    ]);
    return Object.fromEntries(texts);
  }
}
