/**
 * A batch: one accepted upload, stored before it is acknowledged, kept for ever, and enough to rebuild the store.
 * Frame "RFBA" version 1 around, little-endian:
 *
 *   u32 rows                     R
 *   u32 attributes               C
 *   f64 number[R]                ascending, equal numbers in order of arrival
 *   u32 observedAt[R]            seconds since 1970
 *   u32 firstSeenAt[R]           seconds since 1970
 *   u32 sightings[R]
 *   u32 attributesIndex[R]       index into the list that follows
 *   C x text                     attributes.ts; text = varint length, UTF-8
 *   text                         the receipt as JSON
 */
import * as v from 'valibot';
import { ByteReader, type Bytes, ByteWriter, decodeText, FormatError, parseJson } from '../lib/bytes.ts';
import { finish, rowWork, STEP_ROWS, type Steps } from '../lib/cooperate.ts';
import { FRAME_HEADER_BYTES, frame, openFrame } from '../lib/frame.ts';
import { count, parseStored } from '../lib/schema.ts';
import { sortedOrderSteps } from '../lib/sorted.ts';
import { TextTable } from '../lib/text-table.ts';
import { type ActivityKey, activityKeyText, activityPartsOf } from './activity.ts';
import { type Attributes, attributesText, type Detection, parseAttributes } from './attributes.ts';

export const BATCH_MAGIC = 'RFBA';
export const BATCH_VERSION = 1;
export const BATCH_PREFIX_BYTES = 8;
/** Where a stored batch tells how many detections it has, as a u32. */
export const BATCH_ROWS_OFFSET = FRAME_HEADER_BYTES;
export const BATCH_ROW_BYTES = 8 + 4 * 4;
const INITIAL_ROWS = 256;
/** Attributes read or written in a step, and what one is worth in records of a merge: parsing takes some 2 us. */
const STEP_ATTRIBUTES = 128;
const ATTRIBUTES_WORK = 2;

const lineError = v.object({
  /** 1-based line (or array element) of the upload. */
  line: count,
  code: v.string(),
  detail: v.string(),
});

/** Sources counted by name in a receipt; of more, those with the most lines. Keeps it at a few tens of kilobytes. */
export const MAX_NAMED_SOURCES = 200;

const sourceLines = v.object({
  /** null: lines that name none. Absent: all those beyond MAX_NAMED_SOURCES together. */
  source: v.exactOptional(v.nullable(v.string())),
  /** Rejected ones included. */
  lines: count,
  accepted: count,
  /** Rejected: a number of a possible length in no assigned range. */
  unassigned: count,
  /** Rejected: no number, for any other reason. */
  invalid: count,
  /** Accepted: a number that its plan knows to be a fixed line. */
  fixedLine: count,
});

const receiptSchema = v.object({
  /** SHA-256 of the upload's body, decoded if it came as gzip, in lower-case hex: a retry may be compressed anew. */
  bodySha256: v.string(),
  accepted: count,
  rejected: count,
  errors: v.pipe(v.array(lineError), v.readonly()),
  /** Accepted lines that lacked the field. This member and the next are absent in older batches. */
  defaulted: v.exactOptional(v.object({ label: count, channel: count, observedAt: count })),
  /** Names of ignored fields, in a form that can be shown. */
  ignoredFields: v.exactOptional(v.pipe(v.array(v.string()), v.readonly())),
  /** The owner of the upload, not told to the uploader. Absent in older batches. */
  owner: v.exactOptional(v.object({ tenant: v.string(), key: v.string() })),
  /** Counts of the lines of each source, not told to the uploader. Absent in older batches. */
  sources: v.exactOptional(v.pipe(v.array(sourceLines), v.maxLength(MAX_NAMED_SOURCES + 1), v.readonly())),
});

/** Why a line of an upload was not accepted. */
export type LineError = Readonly<v.InferOutput<typeof lineError>>;

/** Of one source in one upload. */
export type SourceLines = Readonly<v.InferOutput<typeof sourceLines>>;

/** What the uploader was told, kept with the batch so that a retry is told the same. */
export type Receipt = Readonly<v.InferOutput<typeof receiptSchema>>;

/** Collects detections in typed arrays (24 bytes each) and writes the batch. */
export class BatchBuilder {
  readonly #table = new TextTable();
  #numbers = new Float64Array(INITIAL_ROWS);
  #fields = new Uint32Array(INITIAL_ROWS * 4);
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /**
   * Returns whether it was added.
   * @param admission decides on attributes, as text, that no detection before had
   */
  add(detection: Detection, admission?: { admits(detection: Detection, text: string): boolean }): boolean {
    const text = attributesText(detection);
    if (admission !== undefined && !this.#table.has(text) && !admission.admits(detection, text)) return false;
    if (this.#count === this.#numbers.length) this.#grow();
    const at = this.#count * 4;
    this.#numbers[this.#count] = detection.number;
    this.#fields[at] = detection.observedAt;
    this.#fields[at + 1] = detection.firstSeenAt;
    this.#fields[at + 2] = detection.sightings;
    this.#fields[at + 3] = this.#table.idOf(text);
    this.#count += 1;
    return true;
  }

  #grow(): void {
    const numbers = new Float64Array(this.#numbers.length * 2);
    numbers.set(this.#numbers);
    this.#numbers = numbers;
    const fields = new Uint32Array(this.#fields.length * 2);
    fields.set(this.#fields);
    this.#fields = fields;
  }

  finish(receipt: Receipt): Bytes {
    return finish(this.finishSteps(receipt));
  }

  *finishSteps(receipt: Receipt): Steps<Bytes> {
    const rows = this.#count;
    const order = yield* sortedOrderSteps(this.#numbers, rows);

    const tail = new ByteWriter();
    for (let id = 0; id < this.#table.size; id++) {
      tail.utf8(this.#table.bytes(id));
      if (id % STEP_ATTRIBUTES === 0) yield STEP_ATTRIBUTES * ATTRIBUTES_WORK;
    }
    tail.text(JSON.stringify(receipt));

    const body = new Uint8Array(BATCH_PREFIX_BYTES + rows * BATCH_ROW_BYTES + tail.length);
    const view = new DataView(body.buffer);
    view.setUint32(0, rows, true);
    view.setUint32(4, this.#table.size, true);
    for (let to = 0; to < rows; to++) {
      const from = order[to] as number;
      view.setFloat64(BATCH_PREFIX_BYTES + to * 8, this.#numbers[from] as number, true);
      for (let field = 0; field < 4; field++) {
        const offset = BATCH_PREFIX_BYTES + rows * 8 + (field * rows + to) * 4;
        view.setUint32(offset, this.#fields[from * 4 + field] as number, true);
      }
      if (to % STEP_ROWS === 0) yield rowWork(STEP_ROWS);
    }
    body.set(tail.view(), BATCH_PREFIX_BYTES + rows * BATCH_ROW_BYTES);
    return frame(BATCH_MAGIC, BATCH_VERSION, body);
  }
}

/** A batch as views on its bytes, rows in number order. */
export interface Batch {
  readonly rows: number;
  readonly numbers: Float64Array;
  readonly observedAt: Uint32Array;
  readonly firstSeenAt: Uint32Array;
  readonly sightings: Uint32Array;
  /** Index into `attributes`, each below its length. */
  readonly attributesIndex: Uint32Array;
  readonly attributes: readonly string[];
  /**
   * What each of `attributes` says but for the hash of its link: one object for all that have a link and say the same.
   */
  readonly keys: readonly ActivityKey[];
  /** The first 64 bits of the hash of each one's link, as two big-endian halves; both 0: no link. */
  readonly linkHigh: Uint32Array;
  readonly linkLow: Uint32Array;
  readonly receipt: Receipt;
}

/**
 * Opens a batch. Throws FormatError on anything that `finish` does not write of valid detections: what is wrong with a
 * batch must show before it is merged with others.
 */
export function openBatch(bytes: Bytes): Batch {
  return finish(openBatchSteps(bytes));
}

export function* openBatchSteps(bytes: Bytes): Steps<Batch> {
  // A view needs alignment; whole objects as they are read from a store have it.
  const aligned = bytes.byteOffset % 8 === 0 ? bytes : bytes.slice();
  const body = openFrame(aligned, BATCH_MAGIC, BATCH_VERSION);
  if (body.length < BATCH_PREFIX_BYTES)
    throw new FormatError(`${BATCH_MAGIC}: body of ${body.length} bytes is too short`);
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  const rows = view.getUint32(0, true);
  const attributesCount = view.getUint32(4, true);
  const tailAt = BATCH_PREFIX_BYTES + rows * BATCH_ROW_BYTES;
  if (tailAt > body.length) {
    throw new FormatError(`${BATCH_MAGIC}: ${rows} rows need ${tailAt} bytes, found ${body.length}`);
  }
  const column = (field: number) =>
    new Uint32Array(body.buffer, body.byteOffset + BATCH_PREFIX_BYTES + rows * (8 + field * 4), rows);
  const reader = new ByteReader(body, tailAt);
  const attributes: string[] = [];
  const keys = new BatchKeys();
  for (let i = 0; i < attributesCount; i++) {
    const text = reader.text();
    attributes.push(text);
    keys.add(parseAttributes(text));
    if (i % STEP_ATTRIBUTES === 0) yield STEP_ATTRIBUTES * ATTRIBUTES_WORK;
  }
  const receipt = parseReceipt(reader.text());
  if (!reader.atEnd) throw new FormatError(`${BATCH_MAGIC}: ${body.length - reader.position} bytes follow the receipt`);
  const batch: Batch = {
    rows,
    numbers: new Float64Array(body.buffer, body.byteOffset + BATCH_PREFIX_BYTES, rows),
    observedAt: column(0),
    firstSeenAt: column(1),
    sightings: column(2),
    attributesIndex: column(3),
    attributes,
    ...keys.columns,
    receipt,
  };
  for (let row = 0; row < rows; row += STEP_ROWS) {
    checkRows(batch, row, Math.min(rows, row + STEP_ROWS));
    yield rowWork(STEP_ROWS);
  }
  return batch;
}

/** What is kept of parsed attributes, each word once: a batch may have a hundred thousand of them. */
class BatchKeys {
  readonly #keys: ActivityKey[] = [];
  readonly #linkHigh: number[] = [];
  readonly #linkLow: number[] = [];
  readonly #words = new Map<string, string>();
  /** By text, of those with a link: they may be many with one key. */
  readonly #linked = new Map<string, ActivityKey>();

  add(attributes: Attributes): void {
    const { key, linkHigh, linkLow } = activityPartsOf(attributes);
    this.#keys.push(key.linkHost === null ? this.#compact(key) : this.#shared(key));
    this.#linkHigh.push(linkHigh);
    this.#linkLow.push(linkLow);
  }

  #shared(key: ActivityKey): ActivityKey {
    const text = activityKeyText(key);
    const known = this.#linked.get(text) ?? this.#compact(key);
    this.#linked.set(text, known);
    return known;
  }

  #compact({ label, channel, industry, project, linkHost, source }: ActivityKey): ActivityKey {
    const word = <T extends string>(given: T | null) => (given === null ? null : this.#word(given));
    return {
      ...{ label: this.#word(label), channel: this.#word(channel), industry: word(industry) },
      ...{ project: word(project), linkHost: word(linkHost), source: word(source) },
    };
  }

  #word<T extends string>(given: T): T {
    const known = this.#words.get(given);
    if (known === undefined) this.#words.set(given, given);
    return (known ?? given) as T;
  }

  get columns(): Pick<Batch, 'keys' | 'linkHigh' | 'linkLow'> {
    return { keys: this.#keys, linkHigh: Uint32Array.from(this.#linkHigh), linkLow: Uint32Array.from(this.#linkLow) };
  }
}

/** The beginning of a receipt. It occurs nowhere else in a batch, since quotes in texts are escaped. */
const RECEIPT_BEGINS = new TextEncoder().encode('{"bodySha256":"');

/**
 * Reads the receipt from the last bytes of a batch, where it stands. null: it begins before these bytes. Throws
 * FormatError if there is no receipt.
 */
export function receiptOfTail(tail: Bytes): Receipt | null {
  for (let at = tail.length - RECEIPT_BEGINS.length; at >= 0; at--) {
    if (RECEIPT_BEGINS.every((byte, i) => tail[at + i] === byte)) {
      return parseReceipt(decodeText(tail.subarray(at), BATCH_MAGIC));
    }
  }
  return null;
}

/** Rows in [from, to); those before are right. */
function checkRows(batch: Batch, from: number, to: number): void {
  let previous = from === 0 ? 0 : (batch.numbers[from - 1] as number);
  for (let i = from; i < to; i++) {
    const number = batch.numbers[i] as number;
    if (!Number.isSafeInteger(number) || number < previous) {
      throw new FormatError(`${BATCH_MAGIC}: row ${i} is out of number order`);
    }
    previous = number;
    if ((batch.firstSeenAt[i] as number) > (batch.observedAt[i] as number) || batch.sightings[i] === 0) {
      throw new FormatError(`${BATCH_MAGIC}: row ${i} is first seen after it was observed, or never`);
    }
    if ((batch.attributesIndex[i] as number) >= batch.attributes.length) {
      throw new FormatError(`${BATCH_MAGIC}: row ${i} names attributes beyond the ${batch.attributes.length} listed`);
    }
  }
}

function parseReceipt(text: string): Receipt {
  return parseStored(receiptSchema, parseJson(text, BATCH_MAGIC), `${BATCH_MAGIC}: receipt`);
}
