/** Phase 1 as a task: the rows of a piece, checked and collected, into batches sorted by number in the work folder. */
import { hash } from 'node:crypto';
import { appendFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  BATCH_MAGIC,
  BATCH_PREFIX_BYTES,
  BATCH_ROW_BYTES,
  BATCH_VERSION,
  type LineError,
  type Receipt,
} from '../../src/format/batch.ts';
import { type Bytes, ByteWriter } from '../../src/lib/bytes.ts';
import { FRAME_HEADER_BYTES, sealFrame } from '../../src/lib/frame.ts';
import { sortedOrder } from '../../src/lib/sorted.ts';
import { type Texts, TextTable } from '../../src/lib/text-table.ts';
import { type Input, type InputRange, readRows } from './inputs.ts';
import { NeedsWholeFile, type RowContext, type RowSink } from './rows.ts';

// Collects accepted rows in typed arrays, 24 bytes each, until a batch is full.

/** 12 MiB of a batch: as much as a tick of a rebuild reads at once (src/merge/context.ts). */
const MAX_BATCH_ROWS = 2 ** 19;
/** UTF-16 units of distinct attributes, so that a batch with a link on every row is no larger. */
const MAX_BATCH_TEXT_CHARS = 8 * 2 ** 20;

export class BatchRows {
  readonly #maxRows: number;
  readonly #numbers: Float64Array;
  readonly #observedAt: Uint32Array;
  readonly #firstSeenAt: Uint32Array;
  readonly #sightings: Uint32Array;
  readonly #attributesIndex: Uint32Array;
  #table = new TextTable();
  #textChars = 0;
  #count = 0;
  #serial = 0;

  constructor(maxRows: number) {
    this.#maxRows = maxRows;
    this.#numbers = new Float64Array(maxRows);
    this.#observedAt = new Uint32Array(maxRows);
    this.#firstSeenAt = new Uint32Array(maxRows);
    this.#sightings = new Uint32Array(maxRows);
    this.#attributesIndex = new Uint32Array(maxRows);
  }

  get count(): number {
    return this.#count;
  }

  get isFull(): boolean {
    return this.#count === this.#maxRows || this.#textChars >= MAX_BATCH_TEXT_CHARS;
  }

  /** Counts up with each batch: ids of attributes are good only while it stays. */
  get serial(): number {
    return this.#serial;
  }

  /** The batch's id of attributes. */
  idOf(text: string): number {
    const known = this.#table.size;
    const id = this.#table.idOf(text);
    if (id === known) this.#textChars += text.length;
    return id;
  }

  /** Times are seconds since 1970. There must be room: see `isFull`. */
  add(number: number, observedAt: number, firstSeenAt: number, sightings: number, attributesIndex: number): void {
    const at = this.#count++;
    this.#numbers[at] = number;
    this.#observedAt[at] = observedAt;
    this.#firstSeenAt[at] = firstSeenAt;
    this.#sightings[at] = sightings;
    this.#attributesIndex[at] = attributesIndex;
  }

  /** The rows, as views that are valid until `clear`. */
  columns(): BatchColumns {
    return {
      count: this.#count,
      numbers: this.#numbers,
      observedAt: this.#observedAt,
      firstSeenAt: this.#firstSeenAt,
      sightings: this.#sightings,
      attributesIndex: this.#attributesIndex,
      texts: this.#table,
    };
  }

  clear(): void {
    this.#count = 0;
    this.#textChars = 0;
    this.#serial += 1;
    this.#table = new TextTable();
  }
}

// Rows to a batch object (src/format/batch.ts), with the means of the format but without its builder, which interns a
// text for each row and sorts with a comparator: here the rows bring small integers. The bytes are those of
// `BatchBuilder` given the same rows in number order (test/unit/scripts/build-inventory/encode-batch.test.ts).

/** Where the columns begin in a batch object. */
export const COLUMNS_OFFSET = FRAME_HEADER_BYTES + BATCH_PREFIX_BYTES;
const SHA256_HEX_CHARS = 64;

/** The rows of one batch in the order of arrival; only the first `count` of each column. */
interface BatchColumns {
  readonly count: number;
  readonly numbers: Float64Array;
  readonly observedAt: Uint32Array;
  readonly firstSeenAt: Uint32Array;
  readonly sightings: Uint32Array;
  /** Index into `texts`. */
  readonly attributesIndex: Uint32Array;
  /** Attributes texts, each once; all of them in use. */
  readonly texts: Texts;
}

interface EncodedBatch {
  readonly file: Bytes;
  /** Where each text begins in the file (its length first), and behind the last where that ends. */
  readonly textOffsets: Uint32Array;
  /** SHA-256 over the body without the receipt, in hex: the same rows have the same. */
  readonly contentSha256: string;
}

/**
 * Texts are numbered anew in number order, so that the texts of neighbouring numbers are neighbours too and can be read
 * together.
 */
export function encodeBatch(rows: BatchColumns): EncodedBatch {
  const { count } = rows;
  const order = sortedOrder(rows.numbers, count);
  const newIds = new Int32Array(rows.texts.size).fill(-1);
  const texts = new ByteWriter();
  const textStarts: number[] = [];
  const attributesIndex = new Uint32Array(count);
  for (let to = 0; to < count; to++) {
    const id = rows.attributesIndex[order[to] as number] as number;
    if (newIds[id] === -1) {
      newIds[id] = textStarts.length;
      textStarts.push(texts.length);
      texts.utf8(rows.texts.bytes(id));
    }
    attributesIndex[to] = newIds[id] as number;
  }
  textStarts.push(texts.length);

  const textsAt = COLUMNS_OFFSET + count * BATCH_ROW_BYTES;
  const receipt = new ByteWriter();
  receipt.text(receiptText('0'.repeat(SHA256_HEX_CHARS), count));
  const file = new Uint8Array(textsAt + texts.length + receipt.length);
  const view = new DataView(file.buffer);
  view.setUint32(FRAME_HEADER_BYTES, count, true);
  view.setUint32(FRAME_HEADER_BYTES + 4, textStarts.length - 1, true);
  putSorted(rows.numbers, order, new Float64Array(file.buffer, COLUMNS_OFFSET, count));
  const column = (field: number) => new Uint32Array(file.buffer, COLUMNS_OFFSET + count * (8 + field * 4), count);
  putSorted(rows.observedAt, order, column(0));
  putSorted(rows.firstSeenAt, order, column(1));
  putSorted(rows.sightings, order, column(2));
  column(3).set(attributesIndex);
  file.set(texts.view(), textsAt);
  const contentEnd = textsAt + texts.length;
  const contentSha256 = hash('sha256', file.subarray(FRAME_HEADER_BYTES, contentEnd));
  receipt.clear();
  receipt.text(receiptText(contentSha256, count));
  file.set(receipt.view(), contentEnd);
  const textOffsets = Uint32Array.from(textStarts, (start) => textsAt + start);
  return { file: sealFrame(file, BATCH_MAGIC, BATCH_VERSION), textOffsets, contentSha256 };
}

/** Nobody is told a receipt of a bulk build: what it rejected is in the rejects file, with the lines of the input. */
function receiptText(bodySha256: string, accepted: number): string {
  const receipt: Receipt = { bodySha256, accepted, rejected: 0, errors: [] };
  return JSON.stringify(receipt);
}

function putSorted<T extends Float64Array | Uint32Array>(from: T, order: Uint32Array, to: T): void {
  for (let i = 0; i < order.length; i++) to[i] = from[order[i] as number] as number;
}

// Phase 1, one piece: rows are checked and put into batches, which are what is kept; rejects go into a file.

export interface ParseTask {
  readonly kind: 'parse';
  readonly input: Input;
  readonly range: InputRange;
  /** Where batches and rejects go. */
  readonly folder: string;
  /** Milliseconds since 1970: when the build began. */
  readonly nowMs: number;
  readonly labels: readonly string[];
  readonly maxBatchRows?: number;
}

/** A batch in the work folder. */
export interface SpilledBatch {
  /** File name of the batch object; NAME.texts beside it says where its texts begin. */
  readonly name: string;
  readonly rows: number;
  readonly bytes: number;
  readonly circumstances: number;
  /** SHA-256 of its rows and texts. */
  readonly sha256: string;
}

export interface ParsedRange {
  /** Lines that begin in the piece. */
  readonly lines: number;
  readonly accepted: number;
  readonly undated: number;
  readonly rejectedByCode: Readonly<Record<string, number>>;
  readonly batches: readonly SpilledBatch[];
}

/** The file has to be read from its beginning, in one piece. */
export type ParseResult = ParsedRange | 'needs-whole-file';

/** Between the files of the pieces, so that a piece that is done again writes over its own. */
export function rangeName({ input, index, isWhole }: InputRange): string {
  return isWhole ? `${input}-whole` : `${input}-${index}`;
}

/** The rejects of a piece, one JSON object a line, their lines counted in the piece. */
export function rejectsName(range: InputRange): string {
  return `${rangeName(range)}.rejects`;
}

/** @param onProgress bytes read and rows seen since the last call */
export async function parseRange(
  task: ParseTask,
  onProgress: (bytes: number, rows: number) => void,
): Promise<ParseResult> {
  const { input, range, folder, nowMs, labels } = task;
  const context: RowContext = { nowMs, labels: new Set(labels), observedAt: input.observedAt };
  const collected = new RangeRows(folder, range, task.maxBatchRows ?? MAX_BATCH_ROWS);
  let told = 0;
  try {
    const lines = await readRows(input, range, context, collected, (bytes) => {
      onProgress(bytes, collected.seen - told);
      told = collected.seen;
    });
    return { lines, ...collected.finish() };
  } catch (error) {
    if (error instanceof NeedsWholeFile) return 'needs-whole-file';
    throw error;
  }
}

/** Rejects held before they are written. */
const REJECTS_HELD = 1000;

class RangeRows implements RowSink {
  readonly #folder: string;
  readonly #range: InputRange;
  readonly #rows: BatchRows;
  readonly #batches: SpilledBatch[] = [];
  readonly #rejectedByCode: Record<string, number> = {};
  readonly #rejectsPath: string;
  #rejects: string[] = [];
  #accepted = 0;
  #rejected = 0;
  #undated = 0;

  constructor(folder: string, range: InputRange, maxBatchRows: number) {
    this.#folder = folder;
    this.#range = range;
    this.#rows = new BatchRows(maxBatchRows);
    this.#rejectsPath = join(folder, rejectsName(range));
    rmSync(this.#rejectsPath, { force: true });
  }

  get seen(): number {
    return this.#accepted + this.#rejected;
  }

  accept(...[number, observedAt, firstSeenAt, sightings, attributes]: Parameters<RowSink['accept']>): void {
    const rows = this.#rows;
    if (rows.isFull) this.#spill();
    if (attributes.batch !== rows.serial) {
      attributes.id = rows.idOf(attributes.text);
      attributes.batch = rows.serial;
    }
    rows.add(number, observedAt, firstSeenAt, sightings, attributes.id);
    this.#accepted += 1;
  }

  undated(): void {
    this.#undated += 1;
  }

  reject(error: LineError): void {
    this.#rejected += 1;
    this.#rejectedByCode[error.code] = (this.#rejectedByCode[error.code] ?? 0) + 1;
    this.#rejects.push(`${JSON.stringify(error)}\n`);
    if (this.#rejects.length >= REJECTS_HELD) this.#writeRejects();
  }

  finish(): Omit<ParsedRange, 'lines'> {
    if (this.#rows.count > 0) this.#spill();
    this.#writeRejects();
    return {
      accepted: this.#accepted,
      undated: this.#undated,
      rejectedByCode: this.#rejectedByCode,
      batches: this.#batches,
    };
  }

  #writeRejects(): void {
    if (this.#rejects.length > 0) appendFileSync(this.#rejectsPath, this.#rejects.join(''));
    this.#rejects = [];
  }

  #spill(): void {
    const columns = this.#rows.columns();
    const { file, textOffsets, contentSha256 } = encodeBatch(columns);
    const name = `${rangeName(this.#range)}-${this.#batches.length}.batch`;
    const path = join(this.#folder, name);
    writeWhole(`${path}.texts`, new Uint8Array(textOffsets.buffer));
    writeWhole(path, file);
    this.#batches.push({
      name,
      rows: columns.count,
      bytes: file.length,
      circumstances: columns.texts.size,
      sha256: contentSha256,
    });
    this.#rows.clear();
  }
}

/** Stopped in the middle, no file by that name is left half written. */
export function writeWhole(path: string, bytes: Uint8Array): void {
  writeFileSync(`${path}.part`, bytes);
  renameSync(`${path}.part`, path);
}
