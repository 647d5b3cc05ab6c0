import { DEFAULT_LABEL, type Labels } from '../../src/ingest/validate.ts';
import { ImportError } from './import-error.ts';
import type { ImportIo } from './io.ts';
import { type Target, upload } from './upload.ts';

/** Labels that are asked about; a column with more distinct values than that is not one of labels. */
const MAX_QUESTIONS = 64;

/**
 * The labels that the server is configured with, as far as it has been asked. It is asked by sending one line that has
 * a label and no number: it cannot be accepted, and the reason tells. Nothing is stored for it.
 */
export class ServerLabels implements Labels {
  readonly #target: Target;
  readonly #io: ImportIo;
  readonly #known = new Set<string>();
  /** Unknown labels, with the reason as the server gave it. */
  readonly #unknown = new Map<string, string>();

  constructor(target: Target, io: ImportIo) {
    this.#target = target;
    this.#io = io;
  }

  /**
   * The first question of an import, which also shows whether the server is there and the key is good.
   * @param label that of --set, if given
   * @throws ImportError saying what to do
   */
  async check(label: string | undefined): Promise<void> {
    await this.learn(label, true);
    const reason = this.reason(label ?? DEFAULT_LABEL);
    if (label !== undefined && reason !== null) throw new ImportError(`--set label=${label}: ${reason}`);
  }

  /** Asks, unless this label has been asked about. */
  async learn(label: string = DEFAULT_LABEL, expectServer = false): Promise<void> {
    if (this.has(label) || this.#unknown.has(label)) return;
    if (this.#known.size + this.#unknown.size >= MAX_QUESTIONS) {
      this.#unknown.set(label, `expected at most ${MAX_QUESTIONS} different labels; found more`);
      return;
    }
    const body = new Uint8Array(Buffer.from(`${JSON.stringify({ label })}\n`));
    const { errors } = await upload(body, { expectServer }, this.#target, this.#io);
    const error = errors.find(({ code }) => code === 'unknown-label');
    if (error === undefined) this.#known.add(label);
    else this.#unknown.set(label, error.detail);
  }

  has(label: string): boolean {
    return this.#known.has(label);
  }

  /** Why the server does not take the label; null if it does. */
  reason(label: string): string | null {
    return this.#unknown.get(label) ?? null;
  }

  [Symbol.iterator](): Iterator<string> {
    return this.#known.values();
  }
}
