/**
 * How far the import of a file has come, kept on disk so that it can be taken up again. One file, by its content, sent
 * to one server with one set of options has up to four files:
 *
 *   ID.json    the state, replaced as a whole before and after each upload
 *   ID.keys    the Idempotency-Key of each acknowledged upload, a line each
 *   ID.lines   a hash of each line that was sent (chunks.ts), in order
 *   ID.before  likewise, of an earlier file that this one goes on with
 *
 * The last three are only appended to, before the state that counts them is saved; what they have beyond that is of an
 * upload that was never sent.
 */

import { createHash, hash } from 'node:crypto';
import {
  appendFileSync,
  createReadStream,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import * as v from 'valibot';
import type { LineError } from '../../src/format/batch.ts';
import { hashesToBytes, LINE_HASH_BYTES } from './chunks.ts';
import { readError, writing } from './file-rows.ts';

const VERSION = 1;

const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const STATE = v.object({
  version: v.literal(VERSION),
  /** Hash of what makes an import another one, but for the content of the file. */
  options: v.optional(v.string(), ''),
  /** Rows of the file that have been dealt with. */
  rows: count,
  /** Uploads acknowledged, and where in the file the last of them began. */
  uploads: count,
  lastUpload: v.nullable(v.object({ firstRow: count, key: v.string() })),
  /** Place of the first upload among those of this import and the one it goes on with. */
  firstIndex: v.optional(count, 0),
  /** Sent, and the answer not noted: the server may have it or not. */
  pending: v.optional(v.nullable(v.object({ key: v.string(), lines: count })), null),
  /** Lines sent in acknowledged uploads. */
  lines: v.optional(count, 0),
  /** Lines that an earlier import sent, and the key of an upload that the server has of it. */
  before: v.optional(v.nullable(v.object({ lines: count, key: v.string() })), null),
  /** Of these, how many were found in the rows so far. */
  sentBefore: v.optional(count, 0),
  /** Name of the state of another file that has gone on with this import, and knows what was sent since. */
  continuedBy: v.optional(v.nullable(v.string()), null),
  accepted: count,
  /** Lines without a date of their own. */
  undated: count,
  /** Accepted lines without a label, a channel of their own. */
  unlabelled: v.optional(count, 0),
  channelless: v.optional(count, 0),
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
  settings: Pick<ProgressState, 'options' | 'batchSize' | 'observedAt'> & { readonly rejectsPath: string },
): ProgressState {
  return {
    version: VERSION,
    options: settings.options,
    rows: 0,
    uploads: 0,
    lastUpload: null,
    firstIndex: 0,
    pending: null,
    lines: 0,
    before: null,
    sentBefore: 0,
    continuedBy: null,
    accepted: 0,
    undated: 0,
    unlabelled: 0,
    channelless: 0,
    rejectedByCode: {},
    batchSize: settings.batchSize,
    observedAt: settings.observedAt,
    rejects: { path: settings.rejectsPath, bytes: 0 },
    finished: false,
  };
}

/** Whether the server may have something of it. */
export function hasSent({ lastUpload, pending, before }: ProgressState): boolean {
  return lastUpload !== null || pending !== null || before !== null;
}

export class StateFile {
  /** Without the ending. */
  readonly #path: string;

  private constructor(path: string) {
    this.#path = path;
  }

  /** @param identity whatever makes the import a different one */
  static of(folder: string, identity: unknown): StateFile {
    return new StateFile(join(folder, hash('sha256', JSON.stringify(identity)).slice(0, 32)));
  }

  /** All of a folder. */
  static in(folder: string): StateFile[] {
    if (!existsSync(folder)) return [];
    const names = writing(folder, () => readdirSync(folder));
    return names.flatMap((name) =>
      name.endsWith('.json') ? [new StateFile(join(folder, name.slice(0, -'.json'.length)))] : [],
    );
  }

  static named(folder: string, name: string): StateFile {
    return new StateFile(join(folder, name));
  }

  get name(): string {
    return basename(this.#path);
  }

  /** Null if there is none, or none that can be used: the import then starts over, which counts nothing twice. */
  load(): ProgressState | null {
    try {
      const parsed = v.safeParse(STATE, JSON.parse(readFileSync(`${this.#path}.json`, 'utf8')));
      return parsed.success ? parsed.output : null;
    } catch {
      return null;
    }
  }

  /** All or nothing: stopped in the middle, the former state stays. @throws ImportError if it cannot be written */
  save(state: ProgressState): void {
    const temporary = `${this.#path}.${process.pid}.tmp`;
    writing(dirname(this.#path), () => {
      mkdirSync(dirname(this.#path), { recursive: true });
      writeFileSync(temporary, JSON.stringify(state));
      renameSync(temporary, `${this.#path}.json`);
    });
  }

  /** Notes what is about to be sent, after the lines that the state counts. @throws ImportError */
  noteLines({ lines }: ProgressState, hashes: readonly bigint[]): void {
    this.#append('.lines', lines * LINE_HASH_BYTES, hashesToBytes(hashes));
  }

  /** Notes an acknowledged upload, after those that the state counts. @throws ImportError */
  noteKey({ uploads }: ProgressState, key: string): void {
    this.#append('.keys', uploads * (key.length + 1), `${key}\n`);
  }

  /** Of acknowledged uploads in order; fewer than there were if they are of a version that did not keep them. */
  keys({ uploads }: ProgressState): string[] {
    const path = `${this.#path}.keys`;
    if (!existsSync(path)) return [];
    return writing(dirname(path), () => readFileSync(path, 'utf8').split('\n').slice(0, uploads));
  }

  /**
   * Hashes of all lines sent for this file and for those that it goes on with; null if they were not all kept.
   * @param pending whether those of the pending upload count
   */
  sentLines(state: ProgressState, pending: boolean): Uint8Array | null {
    const own = state.lines + (pending ? (state.pending?.lines ?? 0) : 0);
    const parts = [this.#read('.before', state.before?.lines ?? 0), this.#read('.lines', own)];
    return parts.every((part) => part !== null) ? Buffer.concat(parts) : null;
  }

  /** What it goes on with. */
  linesBefore(state: ProgressState): Uint8Array | null {
    return state.before === null ? null : this.#read('.before', state.before.lines);
  }

  /** Before the state that counts them is saved. @throws ImportError */
  saveLinesBefore(bytes: Uint8Array): void {
    this.#append('.before', 0, bytes);
  }

  #append(ending: string, sizeBytes: number, added: Uint8Array | string): void {
    const path = this.#path + ending;
    writing(dirname(path), () => {
      mkdirSync(dirname(path), { recursive: true });
      if (existsSync(path) && statSync(path).size > sizeBytes) truncateSync(path, sizeBytes);
      appendFileSync(path, added);
    });
  }

  #read(ending: string, lines: number): Uint8Array | null {
    if (lines === 0) return new Uint8Array();
    const path = this.#path + ending;
    if (!existsSync(path)) return null;
    const bytes = writing(dirname(path), () => readFileSync(path));
    return bytes.length < lines * LINE_HASH_BYTES ? null : bytes.subarray(0, lines * LINE_HASH_BYTES);
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
