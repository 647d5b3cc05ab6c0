/**
 * Stored bytes with right checksums and hostile contents: each case changes a few bytes of a good one, seals it anew,
 * and asks it everything. It must be refused with a FormatError, or answer within its ranges, and soon.
 */

import { readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { Random } from '../../../../bench/support/random.ts';
import { openBatch } from '../../../../src/format/batch.ts';
import { EvidenceBlock, EvidenceIndex, encodeEvidence } from '../../../../src/format/evidence.ts';
import { decodeManifest, encodeManifest } from '../../../../src/format/manifest.ts';
import { encodeNumbers } from '../../../../src/format/numbers.ts';
import { NumbersReader } from '../../../../src/format/numbers-reader.ts';
import { encodeRecency, RecencyReader } from '../../../../src/format/recency.ts';
import { encodeSegment, openSegment } from '../../../../src/format/segment.ts';
import { type Verdicts, VerdictsReader } from '../../../../src/format/verdicts.ts';
import { type Bytes, FormatError, fromHex, sha256Hex } from '../../../../src/lib/bytes.ts';
import { finish, UNPACED } from '../../../../src/lib/cooperate.ts';
import { crc32 } from '../../../../src/lib/crc32.ts';
import { frameBytes, frameMagic, frameVersion, sealFrame } from '../../../../src/lib/frame.ts';
import { clusters } from '../../../support/clusters.ts';
import { someDetections } from '../../../support/detections.ts';
import { CASES } from './cases.ts';
import { CODECS, type Contents } from './content.ts';
import { encodeVerdicts, evidenceColumns, recordColumns, verdictColumns } from './plain.ts';
import { manifestInMemory, type StoredManifest } from './stored-manifest.ts';

export const HOSTILE_KINDS = ['numbers', 'fresh', 'verdicts', 'evidence', 'batch', 'manifest', 'segment'] as const;
export type HostileKind = (typeof HOSTILE_KINDS)[number];

const VALUES = [0, 1, 2, 127, 128, 255, 0x7fff, 0x8000, 0xffff, 0x1_0000, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff];

/** Changes up to eight places of bytes[from..]: a word, a double, a byte, a bit, or a stretch copied from elsewhere. */
function mutate(bytes: Bytes, from: number, random: Random): Bytes {
  const copy = bytes.slice();
  const view = new DataView(copy.buffer);
  for (let edits = 1 + random.below(8); edits > 0; edits--) {
    const at = from + random.below(copy.length - from);
    const aligned = at - (at % 4);
    const kind = random.below(6);
    if (kind === 0 && aligned >= from && aligned + 4 <= copy.length) {
      view.setUint32(aligned, VALUES[random.below(VALUES.length)] as number, true);
    } else if (kind === 1 && aligned >= from && aligned + 4 <= copy.length) {
      view.setUint32(aligned, view.getUint32(aligned, true) + random.below(5) - 2, true);
    } else if (kind === 2 && aligned >= from && aligned + 8 <= copy.length) {
      const doubles = [Number.NaN, Number.POSITIVE_INFINITY, -1, 0.5, 2 ** 53, 1e300, random.below(2 ** 32)];
      view.setFloat64(aligned, doubles[random.below(doubles.length)] as number, true);
    } else if (kind === 3) {
      const length = random.below(Math.min(64, copy.length - at));
      copy.copyWithin(at, from + random.below(copy.length - from), copy.length - length);
    } else if (kind === 4) {
      copy[at] = random.below(256);
    } else {
      copy[at] = (copy[at] as number) ^ (1 << random.below(8));
    }
  }
  return copy;
}

/** Mostly the directory, which is at the beginning of the body. */
function mutateFrame(bytes: Bytes, magic: string, random: Random): Bytes {
  const version = frameVersion(bytes);
  if (random.below(2) === 0) return sealFrame(mutate(bytes, 16, random), magic, version);
  const head = mutate(bytes.slice(0, Math.min(bytes.length, 400)), 16, random);
  const copy = bytes.slice();
  copy.set(head);
  return sealFrame(copy, magic, version);
}

/** Nudges entries of a numbers column's directory: nearly right is what slips through a check. */
function mutateDirectory(bytes: Bytes, random: Random): Bytes {
  const copy = bytes.slice();
  const view = new DataView(copy.buffer);
  const [groups, partitions] = [view.getUint32(20, true), view.getUint32(24, true)];
  const ranks = 32 + groups * 12;
  const infos = ranks + groups * 4 + partitions * 4;
  const nudge = (value: number, by: number) =>
    Math.max(0, value + by * (1 + random.below(random.below(2) === 0 ? 3 : 200)));
  for (let edits = 1 + random.below(3); edits > 0; edits--) {
    const sign = random.below(2) * 2 - 1;
    const group = random.below(groups) * 2;
    const info = infos + random.below(partitions) * 4;
    const place = [ranks + group, ranks + groups * 2 + group][random.below(3)];
    if (place !== undefined) view.setUint16(place, nudge(view.getUint16(place, true), sign), true);
    else if (random.below(2) === 0) view.setUint32(info, nudge(view.getUint32(info, true), sign * 2 ** 16), true);
    else view.setUint32(info, ((view.getUint32(info, true) & 0x07ff_ffff) | (random.below(32) << 27)) >>> 0, true);
    if (random.below(8) === 0) view.setUint32(16, nudge(view.getUint32(16, true), sign), true);
  }
  return sealFrame(copy, 'RFNU', 1);
}

function within(value: number, low: number, high: number, what: string): void {
  if (!(value >= low && value <= high)) throw new Error(`${what} is ${value}, expected ${low} to ${high}`);
}

function useNumbers(reader: NumbersReader, random: Random): void {
  const { count } = reader;
  const all = reader.all();
  for (let i = 0; i < 100; i++) {
    const rank = random.below(count);
    const number = all[rank] as number;
    within(number, 0, 2 ** 54, 'a number');
    const far = random.below(2 ** (1 + random.below(33)));
    for (const probe of [number, number + 1, number - far, number + far, random.below(2 ** 32) * 2 ** 18]) {
      const found = reader.find(probe);
      if (!Number.isInteger(found)) throw new Error(`find(${probe}) is ${found}`);
      within(found, -count - 1, count - 1, `find(${probe})`);
    }
    if (reader.select(rank) !== number) throw new Error(`select(${rank}) is not ${number}`);
    const to = rank + random.below(count - rank + 1);
    reader.copyRange(rank, to, new Float64Array(to - rank));
  }
}

function useVerdicts(reader: Verdicts): void {
  for (let rank = 0; rank < Math.min(reader.count, 2000); rank++) {
    within(reader.firstDay(rank), 0, 2 ** 53, 'a day');
    within(reader.lastDay(rank), reader.firstDay(rank), 2 ** 54, 'a day');
    within(reader.sightings(rank), 0, 2 ** 54, 'sightings');
  }
  for (let id = 0; id < Math.min(reader.profileCount, 2000); id++) {
    try {
      reader.profile(id);
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
    }
  }
}

/** Of the version before, whose encoder is gone. */
function goldenOf(kind: string, version: number): Bytes[] {
  const folder = resolve(import.meta.dirname, '../../../golden');
  const names = readdirSync(folder).filter((name) => name.startsWith(`${kind}-`) && name.endsWith(`.v${version}.bin`));
  return names.map((name) => new Uint8Array(readFileSync(resolve(folder, name))));
}

/** The segment with one of the frames of its parts altered, and all checksums and hashes over it made right. */
async function hostileSegment(good: Bytes, random: Random): Promise<Bytes> {
  const file = good.slice();
  const view = new DataView(file.buffer);
  const version = frameVersion(file);
  let at = 64;
  const parts = [36, 40, 44].map((length) => {
    at += view.getUint32(length, true);
    return { from: at - view.getUint32(length, true), to: at };
  }) as [Part, Part, Part];
  const frames = parts.flatMap(({ from, to }) => framesIn(file, from, to));
  const target = frames[random.below(frames.length)] as Part;
  const bytes = file.slice(target.from, target.to);
  file.set(mutateFrame(bytes, frameMagic(bytes), random), target.from);
  const hashes = await Promise.all(parts.map(({ from, to }) => sha256Hex(file.slice(from, to))));
  const directory = framesIn(file, parts[0].from, parts[0].to).find(
    ({ from, to }) => frameMagic(file.subarray(from, to)) === 'RFPD',
  );
  // Otherwise most of them would be refused for a hash alone.
  if (directory !== undefined && directory.from !== target.from) {
    const body = file.slice(directory.from, directory.to);
    const pages = framesIn(file, parts[1].from, parts[1].to);
    const pageHashes = await Promise.all(pages.map(({ from, to }) => sha256Hex(file.slice(from, to))));
    body.set(fromHex([...pageHashes, hashes[1], hashes[2]].join('')), 32 + pages.length * 4);
    file.set(sealFrame(body, 'RFPD', 1), directory.from);
    hashes[0] = await sha256Hex(file.slice(parts[0].from, parts[0].to));
  }
  file.set(fromHex(hashes.join('')), file.length - 96);
  file.set(sealFrame(file.slice(-112), 'RFFT', version), file.length - 112);
  return file;
}

interface Part {
  readonly from: number;
  readonly to: number;
}

/** The frames that follow one another in a part of a file. */
function framesIn(file: Bytes, from: number, to: number): Part[] {
  const frames: Part[] = [];
  for (let at = from; at < to; ) {
    const end = at + frameBytes(file.subarray(at, to));
    frames.push({ from: at, to: end });
    at = end;
  }
  return frames;
}

type Attack = (random: Random) => void | Promise<void>;

/** Makes the good bytes of a kind once, and returns what makes and asks a hostile variant. */
export function attackOn(kind: HostileKind): Attack {
  const seed = new Random(11);
  switch (kind) {
    case 'numbers': {
      const shapes = [
        { length: 100, gap: 2, leapBits: 30 },
        { length: 300, gap: 1500, leapBits: 34 },
        { length: 4, gap: 1, leapBits: 8 },
      ];
      const columns = shapes.map((shape) => encodeNumbers(clusters(900, shape, seed)));
      return (random) => {
        const column = columns[random.below(columns.length)] as Bytes;
        const hostile = random.below(2) === 0 ? mutateDirectory(column, random) : mutateFrame(column, 'RFNU', random);
        useNumbers(new NumbersReader(hostile), random);
      };
    }
    case 'fresh': {
      const columns = Object.values(CASES.fresh).map((days) => encodeRecency(Uint32Array.from(days)));
      return (random) => {
        const column = columns[random.below(columns.length)] as Bytes;
        const end = frameBytes(column);
        const parts = [mutateFrame(column.slice(0, end), 'RFFR', random), column.subarray(end)];
        const fresh = new RecencyReader(Uint8Array.from(parts.flatMap((part) => [...part])));
        let all = 0;
        for (let rank = 0; rank < fresh.count; rank++) {
          within(fresh.firstDay(rank), -32, 2 ** 32, 'a day');
          // Of a newest day that is too early, -1 may be a day.
          if (fresh.newestDay > 64 && fresh.firstDay(rank) >= fresh.newestDay - 10) all += 1;
        }
        if (
          fresh.newestDay > 64 &&
          fresh.countSince(0, fresh.before(fresh.count), fresh.newestDay - 10, Infinity) !== all
        )
          throw new Error('counts differ');
      };
    }
    case 'verdicts': {
      const pages = Object.values(CASES.verdicts).map((verdicts) => encodeVerdicts(verdictColumns(verdicts)));
      const columns = [...pages, ...goldenOf('verdicts', 1)];
      return (random) => {
        const column = columns[random.below(columns.length)] as Bytes;
        useVerdicts(new VerdictsReader(mutateFrame(column, 'RFVE', random)));
      };
    }
    case 'evidence': {
      const { index, blocks } = finish(encodeEvidence(evidenceColumns(CASES.evidence['several-blocks'] ?? [])));
      const good = new EvidenceIndex(index).place(0);
      return (random) => {
        if (random.below(2) === 0) {
          const opened = new EvidenceIndex(mutateFrame(index, 'RFEV', random));
          for (let block = 0; block < opened.blocks; block++) {
            within(opened.place(block).length, 0, 2 ** 32, 'a length');
          }
          for (let text = 0; text < opened.texts; text++) opened.text(text);
        }
        const block = mutate(blocks.slice(0, good.length), 0, random);
        const columns = new EvidenceBlock();
        const opened = new EvidenceIndex(index);
        columns.read(block, { ...good, crc: crc32(block) }, 64, opened.texts);
        for (let i = 0; i < 64; i++) columns.entries(i, opened);
      };
    }
    case 'batch': {
      const content = { ...(CASES.batch.rows as Contents['batch']), detections: someDetections(60, 2) };
      const batch = CODECS.batch.encode(content) as Bytes;
      return (random) => {
        const opened = openBatch(mutateFrame(batch, 'RFBA', random));
        within(opened.rows, 0, 60, 'rows');
        for (const id of opened.attributesIndex) within(id, 0, opened.attributes.length - 1, 'attributes');
        for (const number of opened.numbers) within(number, 0, 2 ** 53, 'a number');
      };
    }
    case 'manifest': {
      const manifests = [
        encodeManifest(manifestInMemory(CASES.manifest.runs as StoredManifest)),
        ...goldenOf('manifest', 2),
      ];
      return (random) => {
        const manifest = decodeManifest(
          mutateFrame(manifests[random.below(manifests.length)] as Bytes, 'RFMF', random),
        );
        within(manifest.generation, 0, 2 ** 53, 'the generation');
        for (const { offset, bytes, last } of manifest.runs.flatMap((run) => run.segments)) {
          within(offset + bytes, 0, 2 ** 53, 'the end of a segment');
          within(last, 0, 2 ** 53, 'a number');
        }
      };
    }
    case 'segment': {
      const made = Promise.all(
        Object.values(CASES.segment).map(async (list) => (await encodeSegment(recordColumns(list), UNPACED)).file),
      );
      const good = made.then((files) => [...files, ...goldenOf('segment', 1)]);
      return async (random) => {
        const files = await good;
        const file = await hostileSegment(files[random.below(files.length)] as Bytes, random);
        const opened = await openSegment(file, UNPACED);
        useNumbers(opened.numbers, random);
        useVerdicts(opened.verdicts);
        const columns = new EvidenceBlock();
        for (let block = 0; block < Math.ceil(opened.shape.count / 64); block++) opened.readEvidence(block, columns);
      };
    }
  }
}
