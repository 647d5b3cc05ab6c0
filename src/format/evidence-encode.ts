/** Writes the evidence column (layout: evidence.ts). */
import type { Steps } from '../lib/cooperate.ts';
import { ByteWriter } from './bytes.ts';
import { crc32 } from './crc32.ts';
import {
  EVIDENCE_BLOCK_NUMBERS,
  EVIDENCE_MAGIC,
  EVIDENCE_PREFIX_BYTES,
  EVIDENCE_VERSION,
  LATEST_SECOND,
  numbersInBlock,
} from './evidence.ts';
import { type Bytes, FRAME_HEADER_BYTES, roundUp8, sealFrame } from './frame.ts';
import type { RecordColumns } from './records.ts';
import { encodeText } from './text.ts';

/** What writing a block is worth in records of a merge, and looking through its entries for what blocks share. */
const BLOCK_WORK = EVIDENCE_BLOCK_NUMBERS / 2;
const LOOK_WORK = 2;
/** Encoding a text that blocks share. */
const TEXT_WORK = 0.5;

/** Encodes the evidence of records: the index and the blocks behind it, padded to a multiple of eight bytes. */
export function* encodeEvidence(records: RecordColumns): Steps<{ readonly index: Bytes; readonly blocks: Bytes }> {
  const count = records.numbers.length;
  const blockCount = Math.ceil(count / EVIDENCE_BLOCK_NUMBERS);
  const shared = yield* sharedCircumstances(records);
  const sharedAt = new Int32Array(records.circumstances.length).fill(-1);
  shared.forEach((id, i) => {
    sharedAt[id] = i;
  });
  const encoder = new BlockEncoder(records, sharedAt);
  const texts = shared.map((id) => encodeText(records.circumstances[id] as string));
  const textBytes = texts.reduce((sum, text) => sum + text.length, 0);
  yield texts.length * TEXT_WORK;

  const places = blockCount * 8 + texts.length * 4;
  const index = new Uint8Array(roundUp8(FRAME_HEADER_BYTES + EVIDENCE_PREFIX_BYTES + places + textBytes));
  const view = new DataView(index.buffer, FRAME_HEADER_BYTES);
  [count, blockCount, texts.length, textBytes].forEach((value, i) => {
    view.setUint32(i * 4, value, true);
  });
  for (let block = 0; block < blockCount; block++) {
    const start = encoder.writer.length;
    encoder.block(block * EVIDENCE_BLOCK_NUMBERS, numbersInBlock(count, block));
    view.setUint32(EVIDENCE_PREFIX_BYTES + block * 4, encoder.writer.length, true);
    view.setUint32(
      EVIDENCE_PREFIX_BYTES + (blockCount + block) * 4,
      crc32(encoder.writer.view().subarray(start)),
      true,
    );
    yield BLOCK_WORK;
  }
  let end = 0;
  texts.forEach((text, i) => {
    index.set(text, FRAME_HEADER_BYTES + EVIDENCE_PREFIX_BYTES + places + end);
    end += text.length;
    view.setUint32(EVIDENCE_PREFIX_BYTES + blockCount * 8 + i * 4, end, true);
  });
  encoder.writer.raw(new Uint8Array(-encoder.writer.length & 7));
  return { index: sealFrame(index, EVIDENCE_MAGIC, EVIDENCE_VERSION), blocks: encoder.writer.view().slice() };
}

/** The attributes that are in two blocks or more, by text. */
function* sharedCircumstances({ entryEnd, entries, circumstances }: RecordColumns): Steps<number[]> {
  const firstBlock = new Int32Array(circumstances.length).fill(-1);
  const isShared = new Uint8Array(circumstances.length);
  let e = 0;
  for (let i = 0; i < entryEnd.length; i++) {
    const block = Math.floor(i / EVIDENCE_BLOCK_NUMBERS);
    if (i % EVIDENCE_BLOCK_NUMBERS === 0) yield LOOK_WORK;
    for (; e < (entryEnd[i] as number); e++) {
      const id = entries.circumstance[e] as number;
      if (firstBlock[id] === -1) firstBlock[id] = block;
      else if (firstBlock[id] !== block) isShared[id] = 1;
    }
  }
  const shared: number[] = [];
  for (let id = 0; id < isShared.length; id++) if (isShared[id] === 1) shared.push(id);
  return byText(shared, circumstances);
}

function byText(ids: number[], circumstances: readonly string[]): number[] {
  return ids.sort((a, b) => ((circumstances[a] as string) < (circumstances[b] as string) ? -1 : 1));
}

class BlockEncoder {
  readonly writer = new ByteWriter();
  readonly #records: RecordColumns;
  readonly #sharedAt: Int32Array;
  /** By attributes: their index in the block being written, once they have been met there. */
  readonly #ownAt: Int32Array;

  constructor(records: RecordColumns, sharedAt: Int32Array) {
    this.#records = records;
    this.#sharedAt = sharedAt;
    this.#ownAt = new Int32Array(sharedAt.length).fill(-1);
  }

  /** Writes the block of `numbers` numbers from rank `from`. */
  block(from: number, numbers: number): void {
    const { writer } = this;
    const { circumstances, entries, entryEnd } = this.#records;
    const { circumstance, firstSeenAt, lastSeenAt, sightings } = entries;
    const firstEntry = from === 0 ? 0 : (entryEnd[from - 1] as number);
    const lastEntry = entryEnd[from + numbers - 1] as number;
    const own: number[] = [];
    let base = LATEST_SECOND;
    for (let e = firstEntry; e < lastEntry; e++) {
      const id = circumstance[e] as number;
      if (this.#sharedAt[id] === -1 && this.#ownAt[id] === -1) {
        this.#ownAt[id] = own.length;
        own.push(id);
      }
      base = Math.min(base, firstSeenAt[e] as number);
    }
    writer.varint(own.length);
    byText(own, circumstances).forEach((id, i) => {
      this.#ownAt[id] = i;
      writer.text(circumstances[id] as string);
    });
    writer.varint(base);
    let e = firstEntry;
    for (let i = from; i < from + numbers; i++) {
      const end = entryEnd[i] as number;
      writer.varint(end - e);
      for (; e < end; e++) {
        const id = circumstance[e] as number;
        const at = this.#sharedAt[id] as number;
        writer.varint(at === -1 ? (this.#ownAt[id] as number) : own.length + at);
        writer.varint((firstSeenAt[e] as number) - base);
        writer.varint((lastSeenAt[e] as number) - (firstSeenAt[e] as number));
        writer.varint(sightings[e] as number);
      }
    }
  }
}
