/**
 * Verdicts: how bad, since when, through what, by rank. Four fields, each bit-packed with one width, and a dictionary
 * of profiles. A segment of today has them in pages of 2,048 ranks (segment.ts), each of them a frame "RFVE" version 2,
 * little-endian:
 *
 *   u32 count                  N
 *   u32 profiles               P
 *   u32 dictionaryBytes        B
 *   u32 zero
 *   4 x head                   of profile, firstDay, listedDays (last day - first day), sightings:
 *     f64 base                 smallest value
 *     u16 width                bits of a packed value, 0 to 32
 *     u16 exceptionWidth       bits of an exception, 0 to 53
 *     u32 exceptions           E
 *   4 x field
 *     u32 words[ceil(N * width / 32) + 1]                  each value - base, least significant bit first
 *     u32 exceptionWords[ceil(E * exceptionWidth / 32) + 1]   value - base of each exception, by rank
 *     u16 before[ceil(N / 64)]                                exceptions before each 64 ranks, then zeros to a
 *                                                             multiple of four bytes; nothing if E = 0
 *   u8 dictionary[B]           field profile is an index into its profiles
 *     text labels             those of the profiles as a JSON array, in the order in which records first have them
 *     P x profile              in that order, too: varint labels, a varint index of each, ascending by text; then two
 *                              varints, bit i of which stands for the i-th channel and the i-th industry
 *   zeros                      to a multiple of eight bytes
 *
 * If there are exceptions, packed bits that are all ones mark one, and it is found by counting those before it. Most
 * numbers are seen on one day only, and counts of sightings have a long tail: both would otherwise set the width of
 * every record.
 *
 * In version 1, one column for a whole segment, B are the bytes of the profiles' texts (records.ts), and the dictionary
 * is u32 profileEnd[P], where each ends, then the texts. Every page would repeat most of them.
 */

import { chunks, FieldReader, type PackedField, packedWords, packField, putWords } from '../lib/bits.ts';
import { ByteReader, type Bytes, ByteWriter, decodeText, FormatError, parseJson } from '../lib/bytes.ts';
import type { Steps } from '../lib/cooperate.ts';
import { FRAME_HEADER_BYTES, frameVersion, openFrame, roundUp8, sealFrame } from '../lib/frame.ts';
import { CHANNELS, INDUSTRIES } from './attributes.ts';
import { SEGMENT_NUMBERS } from './numbers.ts';
import { knownProfile, type Profile, parseProfile, type RecordColumns, textList } from './records.ts';

const MAGIC = 'RFVE';
const VERSION = 2;
const PREFIX_BYTES = 16;
const HEAD_BYTES = 16;
const FIELDS = 4;

/** Packing a value, in records of a merge. */
const FIELD_WORK = 1 / 64;

/** Encodes the verdicts of the records of ranks [from, to) as a page. */
export function* encodeVerdictsSteps(records: RecordColumns, from: number, to: number): Steps<Bytes> {
  const count = to - from;
  const listedDays = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    listedDays[i] = (records.lastDay[from + i] as number) - (records.firstDay[from + i] as number);
  }
  const { ids, profiles } = profilesInUse(records, from, to);
  const firstDay = new Float64Array(records.firstDay.subarray(from, to));
  const fields: PackedField[] = [];
  for (const field of [ids, firstDay, listedDays, records.sightings.subarray(from, to)]) {
    fields.push(packField(field));
    yield count * FIELD_WORK;
  }
  const dictionary = encodeDictionary(profiles);
  let size = FRAME_HEADER_BYTES + PREFIX_BYTES + FIELDS * HEAD_BYTES;
  for (const field of fields) size += fieldBytes(field);
  size = roundUp8(size + dictionary.length);
  const out = new Uint8Array(size);
  const view = new DataView(out.buffer);
  let at = FRAME_HEADER_BYTES;
  const u16 = (value: number) => {
    view.setUint16(at, value, true);
    at += 2;
  };
  const u32 = (value: number) => {
    view.setUint32(at, value, true);
    at += 4;
  };
  for (const value of [count, profiles.length, dictionary.length, 0]) u32(value);
  for (const field of fields) {
    view.setFloat64(at, field.base, true);
    at += 8;
    u16(field.width);
    u16(field.exceptionWidth);
    u32(field.exceptions);
  }
  for (const field of fields) {
    for (const words of [field.words, field.exceptionWords]) at = putWords(out, at, words);
    field.before.forEach(u16);
    at += padding(field.before);
  }
  out.set(dictionary, at);
  return sealFrame(out, MAGIC, VERSION);
}

/** The profiles of some records, in the order of their first use, and of each record its index into them. */
function profilesInUse(records: RecordColumns, from: number, to: number) {
  const local = new Int32Array(records.profiles.length).fill(-1);
  const ids = new Float64Array(to - from);
  const profiles: Profile[] = [];
  for (let i = from; i < to; i++) {
    const id = records.profile[i] as number;
    if (local[id] === -1) local[id] = profiles.push(records.profiles[id] as Profile) - 1;
    ids[i - from] = local[id] as number;
  }
  return { ids, profiles };
}

function encodeDictionary(profiles: readonly Profile[]): Bytes {
  const labels = new Map<string, number>();
  for (const profile of profiles)
    for (const label of profile.labels) if (!labels.has(label)) labels.set(label, labels.size);
  const writer = new ByteWriter();
  // As JSON, since a label may be no well-formed Unicode.
  writer.text(JSON.stringify([...labels.keys()]));
  for (const profile of profiles) {
    writer.varint(profile.labels.length);
    for (const label of profile.labels) writer.varint(labels.get(label) as number);
    writer.varint(maskOf(CHANNELS, profile.channels));
    writer.varint(maskOf(INDUSTRIES, profile.industries));
  }
  return writer.view();
}

function maskOf<Name>(vocabulary: readonly Name[], names: readonly Name[]): number {
  let mask = 0;
  for (const name of names) mask |= 1 << vocabulary.indexOf(name);
  return mask;
}

function fieldBytes({ words, exceptionWords, before }: PackedField): number {
  return words.byteLength + exceptionWords.byteLength + before.byteLength + padding(before);
}

/** Zeros after the counts, to a multiple of four bytes. */
function padding(before: Uint16Array): number {
  return before.byteLength % 4;
}

type Values = Float64Array;

export interface VerdictColumns {
  readonly profileId: Values;
  readonly firstDay: Values;
  readonly listedDays: Values;
  readonly sightings: Values;
}

function columnsOf(count: number): VerdictColumns {
  const values = () => new Float64Array(count);
  return { profileId: values(), firstDay: values(), listedDays: values(), sightings: values() };
}

/** The verdicts of some records by rank. */
export interface Verdicts {
  readonly count: number;
  readonly profileCount: number;
  /** First day seen of the number of this rank, UTC days since 1970. */
  firstDay(rank: number): number;
  lastDay(rank: number): number;
  sightings(rank: number): number;
  /** Of the profile, which may have several: those of two pages are numbered apart. */
  profileId(rank: number): number;
  /** Throws FormatError if there is none, or it is damaged. */
  profile(id: number): Profile;
  /** The fields of all records, by rank, the last days counted from the first: for a merge, which goes through them. */
  all(): VerdictColumns;
  /** Fills in the first days of all records, by rank: a quarter of the work of `all`. */
  firstDays(out: Float64Array): Float64Array;
}

/** Answers from a page, or from a column of version 1, by rank, on views of its bytes. */
export class VerdictsReader implements Verdicts {
  readonly count: number;
  readonly profileCount: number;
  readonly #profile: FieldReader;
  readonly #firstDay: FieldReader;
  readonly #listedDays: FieldReader;
  readonly #sightings: FieldReader;
  readonly #dictionary: Dictionary;
  /** By id, those that have been asked for. */
  readonly #profiles: (Profile | undefined)[] = [];

  /** Opens a whole page or column. Throws FormatError unless it is one, undamaged. */
  constructor(bytes: Bytes) {
    if (bytes.byteOffset % 8 !== 0) throw new RangeError('verdicts must begin at a multiple of 8 bytes');
    const version = frameVersion(bytes) === 1 ? 1 : VERSION;
    const body = openFrame(bytes, MAGIC, version);
    let at = body.byteOffset;
    const take = (needed: number): number => {
      if (at + needed > body.byteOffset + body.length) {
        throw new FormatError(`${MAGIC}: ${needed} bytes at ${at - body.byteOffset} of ${body.length} are missing`);
      }
      at += needed;
      return at - needed;
    };
    const prefix = new DataView(body.buffer, take(PREFIX_BYTES), PREFIX_BYTES);
    this.count = prefix.getUint32(0, true);
    this.profileCount = prefix.getUint32(4, true);
    const dictionaryBytes = prefix.getUint32(8, true);
    if (this.count > SEGMENT_NUMBERS) throw new FormatError(`${MAGIC}: ${this.count} records`);
    const heads = new DataView(body.buffer, take(FIELDS * HEAD_BYTES), FIELDS * HEAD_BYTES);
    const page = new Uint32Array(body.buffer, body.byteOffset, Math.floor(body.length / 4));
    const words = (count: number, width: number) => {
      const length = packedWords(count, width);
      return new Uint32Array(body.buffer, take(length * 4), length);
    };
    const counts = (length: number) => {
      const values = new Uint16Array(body.buffer, take(length * 2), length);
      take(padding(values));
      return values;
    };
    const readers = Array.from({ length: FIELDS }, (_, i) => {
      const width = heads.getUint16(i * HEAD_BYTES + 8, true);
      const exceptionWidth = heads.getUint16(i * HEAD_BYTES + 10, true);
      const exceptions = heads.getUint32(i * HEAD_BYTES + 12, true);
      const field: PackedField = {
        base: heads.getFloat64(i * HEAD_BYTES, true),
        width,
        words: words(this.count, width),
        exceptionWidth,
        exceptions,
        exceptionWords: words(exceptions, exceptionWidth),
        before: counts(chunks(this.count, exceptions)),
      };
      return new FieldReader(field, this.count, page);
    });
    const [profile, firstDay, listedDays, sightings] = readers;
    if (profile === undefined || firstDay === undefined || listedDays === undefined || sightings === undefined) {
      throw new FormatError(`${MAGIC}: fields are missing`);
    }
    this.#profile = profile;
    this.#firstDay = firstDay;
    this.#listedDays = listedDays;
    this.#sightings = sightings;
    const start = take(version === 1 ? this.profileCount * 4 + dictionaryBytes : dictionaryBytes);
    const dictionary = new Uint8Array(body.buffer, start, at - start);
    const rest = body.subarray(at - body.byteOffset);
    if (rest.length >= 8 || rest.some((byte) => byte !== 0) || prefix.getUint32(12, true) !== 0) {
      throw new FormatError(`${MAGIC}: expected zeros after the profiles and ${dictionaryBytes} bytes of them`);
    }
    this.#dictionary =
      version === 1 ? textDictionary(dictionary, this.profileCount) : pageDictionary(dictionary, this.profileCount);
  }

  firstDay(rank: number): number {
    return this.#firstDay.at(rank);
  }

  lastDay(rank: number): number {
    return this.#firstDay.at(rank) + this.#listedDays.at(rank);
  }

  /** Days from the first to the last: a reader of both adds it to the first, which is then read once. */
  listedDays(rank: number): number {
    return this.#listedDays.at(rank);
  }

  sightings(rank: number): number {
    return this.#sightings.at(rank);
  }

  profileId(rank: number): number {
    return this.#profile.at(rank);
  }

  /** @param out from rank `from` on, if there are others before */
  all(out: VerdictColumns = columnsOf(this.count), from = 0): VerdictColumns {
    const part = (values: Values) => values.subarray(from, from + this.count);
    this.#profile.all(part(out.profileId));
    this.#firstDay.all(part(out.firstDay));
    this.#listedDays.all(part(out.listedDays));
    this.#sightings.all(part(out.sightings));
    return out;
  }

  firstDays(out: Float64Array): Float64Array {
    return this.#firstDay.all(out);
  }

  profile(id: number): Profile {
    const known = this.#profiles[id];
    if (known !== undefined) return known;
    if (id >= this.profileCount) throw new FormatError(`${MAGIC}: no profile ${id}, there are ${this.profileCount}`);
    const profile = this.#dictionary(id);
    this.#profiles[id] = profile;
    return profile;
  }
}

/** All pages of a segment. */
export class PagedVerdicts implements Verdicts {
  readonly count: number;
  readonly profileCount: number;
  readonly #pages: readonly VerdictsReader[];
  readonly #pageRanks: number;
  /** Ids of profiles of the pages before each. */
  readonly #before: readonly number[];

  /** @param pages all but the last of `pageRanks` records */
  constructor(pages: readonly VerdictsReader[], pageRanks: number) {
    const before: number[] = [];
    let [count, profileCount] = [0, 0];
    for (const page of pages) {
      before.push(profileCount);
      count += page.count;
      profileCount += page.profileCount;
    }
    this.count = count;
    this.profileCount = profileCount;
    this.#pages = pages;
    this.#pageRanks = pageRanks;
    this.#before = before;
  }

  firstDay(rank: number): number {
    return this.#pageOf(rank).firstDay(rank % this.#pageRanks);
  }

  lastDay(rank: number): number {
    return this.#pageOf(rank).lastDay(rank % this.#pageRanks);
  }

  sightings(rank: number): number {
    return this.#pageOf(rank).sightings(rank % this.#pageRanks);
  }

  profileId(rank: number): number {
    const before = this.#before[Math.floor(rank / this.#pageRanks)] as number;
    return before + this.#pageOf(rank).profileId(rank % this.#pageRanks);
  }

  profile(id: number): Profile {
    const page = this.#before.findLastIndex((before) => before <= id);
    return (this.#pages[page] as VerdictsReader).profile(id - (this.#before[page] as number));
  }

  all(): VerdictColumns {
    const columns = columnsOf(this.count);
    this.#pages.forEach((page, i) => {
      page.all(columns, i * this.#pageRanks);
      const { profileId } = columns;
      const before = this.#before[i] as number;
      const from = i * this.#pageRanks;
      for (let rank = from; rank < from + page.count; rank++) profileId[rank] = (profileId[rank] as number) + before;
    });
    return columns;
  }

  firstDays(out: Float64Array): Float64Array {
    this.#pages.forEach((page, i) => {
      const from = i * this.#pageRanks;
      page.firstDays(out.subarray(from, from + page.count));
    });
    return out;
  }

  #pageOf(rank: number): VerdictsReader {
    return this.#pages[Math.floor(rank / this.#pageRanks)] as VerdictsReader;
  }
}

/** The profile of an id below the count. Throws FormatError if it is damaged. */
type Dictionary = (id: number) => Profile;

/** @param bytes the ends of the texts, then the texts */
function textDictionary(bytes: Uint8Array, profiles: number): Dictionary {
  const ends = new Uint32Array(bytes.buffer, bytes.byteOffset, profiles);
  const text = bytes.subarray(profiles * 4);
  if (ends.some((end, id) => end < (ends[id - 1] ?? 0)) || (ends.at(-1) ?? 0) !== text.length) {
    throw new FormatError(`${MAGIC}: ${profiles} profiles do not divide ${text.length} bytes of text`);
  }
  return (id) => parseProfile(decodeText(text.subarray(ends[id - 1] ?? 0, ends[id]), `${MAGIC}: profile ${id}`));
}

/** Goes through all of it once, so that a profile is found without: pages in memory are many, their profiles more. */
function pageDictionary(bytes: Uint8Array, profiles: number): Dictionary {
  const reader = new ByteReader(bytes);
  const labels = parseLabels(reader.text());
  if (profiles > bytes.length) throw new FormatError(`${MAGIC}: ${profiles} profiles in ${bytes.length} bytes`);
  const starts = new Uint32Array(profiles);
  for (let id = 0; id < profiles; id++) {
    starts[id] = reader.position;
    for (let more = reader.varint() + 2; more > 0; more--) reader.varint();
  }
  if (!reader.atEnd) throw new FormatError(`${MAGIC}: bytes follow the last profile`);
  return (id) => readProfile(new ByteReader(bytes, starts[id]), labels);
}

function parseLabels(text: string): readonly string[] {
  const labels = textList(parseJson(text, MAGIC));
  if (labels === undefined || JSON.stringify(labels) !== text) throw new FormatError(`${MAGIC}: no list of labels`);
  return labels;
}

function readProfile(reader: ByteReader, all: readonly string[]): Profile {
  const count = reader.varint();
  const labels: string[] = [];
  for (let i = 0; i < count; i++) {
    const label = all[reader.varint()];
    if (label === undefined || (i > 0 && label <= (labels[i - 1] as string))) {
      throw new FormatError(`${MAGIC}: a label of a profile is not in the dictionary, or out of order`);
    }
    labels.push(label);
  }
  const channels = namesOf(CHANNELS, reader.varint());
  return knownProfile({ labels, channels, industries: namesOf(INDUSTRIES, reader.varint()) });
}

function namesOf<Name>(vocabulary: readonly Name[], mask: number): Name[] {
  if (mask >= 2 ** vocabulary.length) throw new FormatError(`${MAGIC}: a profile with names that are not known`);
  return vocabulary.filter((_, i) => ((mask >> i) & 1) === 1);
}
