/**
 * Segments and manifests as they were written before verdicts had pages: segments of version 1, each an object, and a
 * manifest of version 1 or 2. A test holds the encoders to the golden vectors of these versions.
 */
import { EVIDENCE_BLOCK_NUMBERS, EvidenceBlock, encodeEvidence } from '../../src/format/evidence.ts';
import { decodeManifest, type Manifest, type Run, type SegmentEntry } from '../../src/format/manifest.ts';
import { encodeNumbersSlice } from '../../src/format/numbers-slice.ts';
import { type Profile, profileText, type RecordColumns } from '../../src/format/records.ts';
import { joined, type OpenSegment, openSegment, type SegmentShape, wholeObject } from '../../src/format/segment.ts';
import { packField, putWords } from '../../src/lib/bits.ts';
import { type Bytes, ByteWriter, encodeText, fromHex, sha256Hex } from '../../src/lib/bytes.ts';
import { finish, UNPACED } from '../../src/lib/cooperate.ts';
import { FRAME_HEADER_BYTES, frame, roundUp8, sealFrame } from '../../src/lib/frame.ts';
import { TextTable } from '../../src/lib/text-table.ts';
import { readOutput } from '../../src/merge/compaction-output.ts';
import { decodeHistory, type HistoryEntry } from '../../src/merge/history.ts';
import {
  COMPACTION_PREFIX,
  generationKey,
  HISTORY_PREFIX,
  MANIFEST_KEY,
  RETAINED_PREFIX,
} from '../../src/storage/keys.ts';
import { readSegment, writeSlices } from '../../src/storage/slices.ts';
import type { ObjectStore, SliceStore } from '../../src/storage/store.ts';
import { storedManifest } from '../unit/format/support/stored-manifest.ts';

/** The column of a whole segment, whose profiles are texts in code unit order. */
export function encodeVerdictsOfVersion1(records: RecordColumns): Bytes {
  const count = records.numbers.length;
  const textOf = (id: number) => profileText(records.profiles[id] as Profile);
  const texts = [...new Set(Array.from(records.profile, textOf))].sort();
  const ids = new Map(texts.map((text, id) => [text, id]));
  const fields = [
    Float64Array.from(records.profile, (id) => ids.get(textOf(id)) ?? -1),
    new Float64Array(records.firstDay),
    Float64Array.from(records.lastDay, (day, i) => day - (records.firstDay[i] as number)),
    records.sightings,
  ].map(packField);
  const encoded = texts.map(encodeText);
  const textBytes = encoded.reduce((sum, text) => sum + text.length, 0);
  const out = new Uint8Array(64 + count * 64 + fields.length * 4_096 + textBytes + texts.length * 4);
  const view = new DataView(out.buffer);
  let at = FRAME_HEADER_BYTES;
  const u32 = (value: number) => {
    view.setUint32(at, value, true);
    at += 4;
  };
  const u16 = (value: number) => {
    view.setUint16(at, value, true);
    at += 2;
  };
  for (const value of [count, texts.length, textBytes, 0]) u32(value);
  for (const { base, width, exceptionWidth, exceptions } of fields) {
    view.setFloat64(at, base, true);
    at += 8;
    u16(width);
    u16(exceptionWidth);
    u32(exceptions);
  }
  for (const { words, exceptionWords, before } of fields) {
    for (const each of [words, exceptionWords]) at = putWords(out, at, each);
    before.forEach(u16);
    at += before.byteLength % 4;
  }
  let end = 0;
  for (const text of encoded) {
    end += text.length;
    u32(end);
  }
  for (const text of encoded) {
    out.set(text, at);
    at += text.length;
  }
  return sealFrame(out.slice(0, roundUp8(at)), 'RFVE', 1);
}

export async function encodeSegmentOfVersion1(records: RecordColumns): Promise<{ shape: SegmentShape; file: Bytes }> {
  const evidence = finish(encodeEvidence(records));
  const numbers = encodeNumbersSlice(records.numbers, records.firstDay);
  const parts = [numbers, encodeVerdictsOfVersion1(records), evidence.index];
  const hashes = await Promise.all(parts.map(sha256Hex));
  const [first, last] = [records.numbers[0] as number, records.numbers.at(-1) as number];
  const header = new Uint8Array(48);
  const view = new DataView(header.buffer);
  view.setBigUint64(0, BigInt(first), true);
  view.setBigUint64(8, BigInt(last), true);
  const lengths = [...parts, evidence.blocks].map(({ length }) => length);
  for (const [i, value] of [records.numbers.length, ...lengths].entries()) view.setUint32(16 + i * 4, value, true);
  const footer = frame('RFFT', 1, fromHex(hashes.join('')));
  const file = joined([frame('RFSG', 1, header), ...parts, evidence.blocks, footer]);
  return { shape: (await openSegment(file, UNPACED)).shape, file };
}

/** The records of a segment, as the encoders take them. */
function recordsOf({ numbers, verdicts, evidence, readEvidence }: OpenSegment): RecordColumns {
  const { profileId, firstDay, listedDays, sightings } = verdicts.all();
  const table = new TextTable();
  const block = new EvidenceBlock();
  const entryEnd: number[] = [];
  const entries = Array.from({ length: numbers.count }, (_, rank) => {
    if (rank % EVIDENCE_BLOCK_NUMBERS === 0) readEvidence(rank / EVIDENCE_BLOCK_NUMBERS, block);
    const own = block.entries(rank % EVIDENCE_BLOCK_NUMBERS, evidence);
    entryEnd.push((entryEnd.at(-1) ?? 0) + own.length);
    return own;
  }).flat();
  return {
    numbers: numbers.all(),
    firstDay: new Uint32Array(firstDay),
    lastDay: Uint32Array.from(listedDays, (days, rank) => days + (firstDay[rank] as number)),
    sightings,
    profile: new Uint32Array(profileId),
    profiles: Array.from({ length: verdicts.profileCount }, (_, id) => verdicts.profile(id)),
    entryEnd: Uint32Array.from(entryEnd),
    entries: {
      attributesIndex: Uint32Array.from(entries, ({ attributes }) => table.idOf(attributes)),
      firstSeenAt: Uint32Array.from(entries, ({ firstSeenAt }) => firstSeenAt),
      lastSeenAt: Uint32Array.from(entries, ({ lastSeenAt }) => lastSeenAt),
      sightings: Float64Array.from(entries, (entry) => entry.sightings),
    },
    attributes: table,
  };
}

/** Rows of a manifest of version 1 or 2. */
export function oldTable(entries: readonly SegmentEntry[]): Bytes {
  const writer = new ByteWriter();
  for (const { key, first, last, count, numbers, parts } of entries) {
    if (parts === null) throw new RangeError(`${key} is not of version 1`);
    const { verdicts, evidenceIndex, evidenceBlocksBytes } = parts;
    writer.varint(0);
    writer.text(key);
    const lengths = [numbers.bytes, verdicts.bytes, evidenceIndex.bytes, evidenceBlocksBytes];
    for (const integer of [first, last - first, count, ...lengths]) writer.varint(integer);
    for (const { sha256 } of [numbers, verdicts, evidenceIndex]) writer.raw(fromHex(sha256));
  }
  return writer.view();
}

/**
 * @param output what its compaction has written
 * @param change members as version 1 had them
 */
export function encodeOldManifest(
  manifest: Manifest,
  output: readonly SegmentEntry[],
  version: 1 | 2,
  change: object = {},
): Bytes {
  const { runs, compaction, withdrawals, history: _, ...head } = storedManifest(manifest) as unknown as Manifest;
  const lengths = runs.map(({ noSlices: __, segments, ...run }) => ({ ...run, segments: segments.length }));
  const writer = new ByteWriter();
  const progress = compaction === null ? null : { ...compaction, output: output.length };
  const text = {
    ...head,
    runs: lengths,
    compaction: progress,
    ...(withdrawals !== null && { withdrawals }),
    ...change,
  };
  writer.text(JSON.stringify(text));
  writer.raw(oldTable([...runs.flatMap(({ segments }) => segments), ...output]));
  return frame('RFMF', version, writer.view());
}

/** @param page of one generation */
function historyOfVersion1(page: Bytes): Bytes {
  const [{ writtenAt: _, ...entry }, ...more] = decodeHistory(page, 0) as [HistoryEntry, ...HistoryEntry[]];
  if (more.length > 0) throw new RangeError('version 1 has a generation in each object');
  return frame('RFHI', 1, encodeText(JSON.stringify(entry)));
}

interface Stores {
  readonly objects: ObjectStore;
  readonly slices: SliceStore;
}

/** Writes all that is current and retained anew, as it was before: segments, their slices, and manifests. */
export async function asBefore({ objects, slices }: Stores): Promise<void> {
  const rewritten = new Map<string, SegmentEntry>();
  const rewrite = async (entry: SegmentEntry) => {
    const place = `${entry.key} ${entry.offset}`;
    const known = rewritten.get(place);
    if (known !== undefined) return known;
    const { shape, file } = await encodeSegmentOfVersion1(recordsOf(await readSegment(objects, entry, UNPACED)));
    const key = `segments/before-${String(rewritten.size).padStart(6, '0')}`;
    await objects.put(key, file);
    await writeSlices(slices, { shape, file }, 0);
    if (shape.parts === null) throw new RangeError('not of version 1');
    const old = wholeObject({ key, ...shape }, shape.parts);
    rewritten.set(place, old);
    return old;
  };
  const current = await objects.get(MANIFEST_KEY);
  if (current === null) throw new RangeError('no manifest');
  const { retained, generation, commit } = decodeManifest(current.bytes);
  for (const { generation: each, commit: id } of [...retained, { generation, commit }]) {
    const key = generationKey(RETAINED_PREFIX, each, id);
    const object = await objects.get(key);
    if (object === null) throw new RangeError(`${key} is not there`);
    const manifest = decodeManifest(object.bytes);
    const runs: Run[] = [];
    for (const { noSlices: _, segments, ...run } of manifest.runs) {
      runs.push({ ...run, segments: await inOrder(segments, rewrite) });
    }
    const written = manifest.compaction === null ? [] : await readOutput(objects, manifest.compaction.output);
    const output = await inOrder(written, rewrite);
    const bytes = encodeOldManifest({ ...manifest, runs, missingSlices: [] }, output, 2);
    await objects.put(key, bytes);
    if (each === generation) await objects.put(MANIFEST_KEY, bytes);
  }
  for (const { key } of (await objects.list(HISTORY_PREFIX)).objects) {
    const page = await objects.get(key);
    if (page !== null) await objects.put(key, historyOfVersion1(page.bytes));
  }
  const lists = (await objects.list(COMPACTION_PREFIX)).objects;
  await objects.delete(lists.map(({ key }) => key));
}

async function inOrder<T, U>(items: readonly T[], work: (item: T) => Promise<U>): Promise<U[]> {
  const results: U[] = [];
  for (const item of items) results.push(await work(item));
  return results;
}
