/** How far the import of a file has come, kept on disk after every upload so that it can be taken up again. */
import { createHash } from 'node:crypto';
import { createReadStream, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import * as v from 'valibot';
import { readError } from './file-text.ts';

const VERSION = 1;

const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const STATE = v.object({
  version: v.literal(VERSION),
  /** Rows of the file that have been dealt with. */
  rows: count,
  /** Uploads acknowledged, and where in the file the last of them began. */
  uploads: count,
  lastUpload: v.nullable(v.object({ firstRow: count, key: v.string() })),
  accepted: count,
  /** Lines without a date of their own. */
  undated: count,
  rejectedByCode: v.record(v.string(), count),
  /** As it was at first: another batch size or date would make other uploads of the same lines. */
  batchSize: count,
  observedAt: v.nullable(v.string()),
  rejects: v.object({ path: v.string(), bytes: count }),
  finished: v.boolean(),
});

/** Holds no number, no link and no key of the API. */
export type ProgressState = Readonly<v.InferOutput<typeof STATE>>;

export function initialState(
  settings: Pick<ProgressState, 'batchSize' | 'observedAt'> & { readonly rejectsPath: string },
): ProgressState {
  return {
    version: VERSION,
    rows: 0,
    uploads: 0,
    lastUpload: null,
    accepted: 0,
    undated: 0,
    rejectedByCode: {},
    batchSize: settings.batchSize,
    observedAt: settings.observedAt,
    rejects: { path: settings.rejectsPath, bytes: 0 },
    finished: false,
  };
}

/** One file, by its content, sent to one server with one set of options. */
export class StateFile {
  readonly #path: string;

  /** @param identity whatever makes the import a different one */
  constructor(folder: string, identity: unknown) {
    const hash = createHash('sha256').update(JSON.stringify(identity)).digest('hex');
    this.#path = join(folder, `${hash.slice(0, 32)}.json`);
  }

  /** Null if there is none, or none that can be used: the import then starts over, which counts nothing twice. */
  load(): ProgressState | null {
    try {
      const parsed = v.safeParse(STATE, JSON.parse(readFileSync(this.#path, 'utf8')));
      return parsed.success ? parsed.output : null;
    } catch {
      return null;
    }
  }

  /** All or nothing: stopped in the middle, the former state stays. */
  save(state: ProgressState): void {
    mkdirSync(dirname(this.#path), { recursive: true });
    const temporary = `${this.#path}.${process.pid}.tmp`;
    writeFileSync(temporary, JSON.stringify(state));
    renameSync(temporary, this.#path);
  }
}

/** SHA-256 of a file. @throws ImportError if it cannot be read */
export async function hashOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  try {
    for await (const piece of createReadStream(path, { highWaterMark: 1024 * 1024 })) hash.update(piece);
  } catch (error) {
    throw readError(path, error);
  }
  return hash.digest('hex');
}
