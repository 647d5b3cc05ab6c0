/**
 * Rows to a batch object (src/format/batch.ts), with the means of the format but without its builder, which interns a
 * text for each row and sorts with a comparator: here the rows bring small integers. The bytes are those of
 * `BatchBuilder` given the same rows in number order (test/unit/build-inventory/encode-batch.test.ts).
 */
import { createHash } from 'node:crypto';
import {
  BATCH_MAGIC,
  BATCH_PREFIX_BYTES,
  BATCH_ROW_BYTES,
  BATCH_VERSION,
  type Receipt,
} from '../../src/format/batch.ts';
import { ByteWriter } from '../../src/format/bytes.ts';
import { type Bytes, FRAME_HEADER_BYTES, sealFrame } from '../../src/format/frame.ts';
import { sortedOrder } from '../../src/lib/radix-sort.ts';

/** Where the columns begin in a batch object. */
export const COLUMNS_OFFSET = FRAME_HEADER_BYTES + BATCH_PREFIX_BYTES;
const SHA256_HEX_CHARS = 64;

/** The rows of one batch in the order of arrival; only the first `count` of each column. */
export interface BatchColumns {
  readonly count: number;
  readonly numbers: Float64Array;
  readonly observedAt: Uint32Array;
  readonly firstSeenAt: Uint32Array;
  readonly sightings: Uint32Array;
  /** Index into `texts`. */
  readonly circumstance: Uint32Array;
  /** Circumstances texts, each once; all of them in use. */
  readonly texts: readonly string[];
}

export interface EncodedBatch {
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
  const newIds = new Int32Array(rows.texts.length).fill(-1);
  const texts = new ByteWriter();
  const textStarts: number[] = [];
  const circumstance = new Uint32Array(count);
  for (let to = 0; to < count; to++) {
    const id = rows.circumstance[order[to] as number] as number;
    if (newIds[id] === -1) {
      newIds[id] = textStarts.length;
      textStarts.push(texts.length);
      texts.text(rows.texts[id] as string);
    }
    circumstance[to] = newIds[id] as number;
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
  column(3).set(circumstance);
  file.set(texts.view(), textsAt);
  const contentEnd = textsAt + texts.length;
  const contentSha256 = createHash('sha256').update(file.subarray(FRAME_HEADER_BYTES, contentEnd)).digest('hex');
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
