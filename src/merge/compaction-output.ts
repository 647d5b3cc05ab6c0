/**
 * What a compaction under way has written so far: segments that nobody asks for until it is done. They are listed in an
 * object of their own, immutable, that the manifest names, so that whoever looks numbers up does not read the base's
 * segments twice. Each chunk writes a new object before the manifest that names it. Frame "RFCO" version 1 around
 *
 *   varint                     how many segments
 *   segments                   as a table (src/format/segment-table.ts), in number order
 *
 * It can be had again by merging the inputs once more: if it is lost, the compaction begins anew.
 */
import { type Compaction, checkOrder, NO_OUTPUT, type OutputKey, type SegmentEntry } from '../format/manifest.ts';
import { encodeSegmentTable, readSegmentTable, TABLE_VERSION } from '../format/segment-table.ts';
import { ByteReader, type Bytes, ByteWriter, FormatError } from '../lib/bytes.ts';
import { messageOf } from '../lib/errors.ts';
import { frame, openFrame } from '../lib/frame.ts';
import { COMPACTION_PREFIX, generationKey } from '../storage/keys.ts';
import type { ObjectStore } from '../storage/store.ts';
import type { MergeContext } from './context.ts';

const MAGIC = 'RFCO';
const VERSION = 1;

export function encodeOutput(segments: readonly SegmentEntry[]): Bytes {
  const writer = new ByteWriter();
  writer.varint(segments.length);
  writer.raw(encodeSegmentTable(segments));
  return frame(MAGIC, VERSION, writer.view());
}

/** Throws FormatError unless the bytes list segments in number order. */
export function decodeOutput(bytes: Bytes): SegmentEntry[] {
  const reader = new ByteReader(openFrame(bytes, MAGIC, VERSION));
  const segments = readSegmentTable(reader, reader.varint(), undefined, TABLE_VERSION);
  if (!reader.atEnd) throw new FormatError(`${MAGIC}: bytes follow the last segment`);
  checkOrder(segments, 'the compaction');
  return segments;
}

/** Throws FormatError when the object is missing or damaged; rejects with another error when storage fails. */
export async function readOutput(
  objects: ObjectStore,
  { key, count, segments }: OutputKey,
): Promise<readonly SegmentEntry[]> {
  if (segments !== undefined) return segments;
  if (key === null) return [];
  const object = await objects.get(key);
  if (object === null) throw new FormatError(`${MAGIC}: ${key} is missing`);
  const read = decodeOutput(object.bytes);
  if (read.length !== count)
    throw new FormatError(`${MAGIC}: expected ${count} segments in ${key}, found ${read.length}`);
  return read;
}

/** Of the generation that is to name it. Not published, the object is garbage. Rejects when storage fails. */
export async function writeOutput(
  objects: ObjectStore,
  generation: number,
  randomId: string,
  segments: readonly SegmentEntry[],
): Promise<OutputKey> {
  if (segments.length === 0) return NO_OUTPUT;
  const key = generationKey(COMPACTION_PREFIX, generation, randomId);
  await objects.put(key, encodeOutput(segments));
  return { key, count: segments.length };
}

/** Where a chunk goes on from. */
export interface Progress {
  readonly inputs: string[];
  readonly output: readonly SegmentEntry[];
  readonly resumeFrom: number;
}

/**
 * What a compaction has come to. If the list of its output is lost or damaged, that is the beginning: its inputs are
 * all there, and what it had written is garbage. Rejects when storage fails: then it is as it was.
 */
export async function progressOf(
  { objects, log }: Pick<MergeContext, 'objects' | 'log'>,
  { inputs, output, resumeFrom }: Compaction,
): Promise<Progress> {
  try {
    return { inputs, output: await readOutput(objects, output), resumeFrom };
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    log('compaction.lost', { segments: output.count, reason: messageOf(error) });
    return { inputs, output: [], resumeFrom: 0 };
  }
}
