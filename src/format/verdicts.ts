/**
 * The verdicts column: how bad, since when, through what, by rank. Four fields, each bit-packed with one width.
 * Frame "RFVE" version 1 around, little-endian:
 *
 *   u32 count                  N
 *   u32 profiles               P
 *   u32 profileBytes           B
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
 *   u32 profileEnd[P]          where each profile's text ends in the bytes that follow
 *   u8 text[B]                 profile texts (records.ts), ascending; field profile is an index into them
 *   zeros                      to a multiple of eight bytes
 *
 * If there are exceptions, packed bits that are all ones mark one, and it is found by counting those before it. Most
 * numbers are seen on one day only, and counts of sightings have a long tail: both would otherwise set the width of
 * every record.
 */

import { chunks, FieldReader, type PackedField, packedWords, packField, putWords } from '../lib/bits.ts';
import { type Bytes, decodeText, encodeText, FormatError } from '../lib/bytes.ts';
import { finish, type Steps } from '../lib/cooperate.ts';
import { FRAME_HEADER_BYTES, openFrame, roundUp8, sealFrame } from '../lib/frame.ts';
import { SEGMENT_NUMBERS } from './numbers.ts';
import { type Profile, parseProfile, type RecordColumns } from './records.ts';

const MAGIC = 'RFVE';
const VERSION = 1;
const PREFIX_BYTES = 16;
const HEAD_BYTES = 16;
const FIELDS = 4;

/** Packing a value, in records of a merge. */
const FIELD_WORK = 1 / 64;

/** Encodes the verdicts of records. Throws FormatError when the profiles are not in order. */
export function encodeVerdicts(records: RecordColumns): Bytes {
  return finish(encodeVerdictsSteps(records));
}

export function* encodeVerdictsSteps(records: RecordColumns): Steps<Bytes> {
  const count = records.numbers.length;
  const listedDays = new Float64Array(count);
  for (let i = 0; i < count; i++) listedDays[i] = (records.lastDay[i] as number) - (records.firstDay[i] as number);
  const values = [new Float64Array(records.profile), new Float64Array(records.firstDay), listedDays, records.sightings];
  const fields: PackedField[] = [];
  for (const field of values) {
    fields.push(packField(field));
    yield count * FIELD_WORK;
  }
  if (records.profiles.some((text, i) => i > 0 && text <= (records.profiles[i - 1] as string))) {
    throw new FormatError(`${MAGIC}: expected distinct profiles in code unit order`);
  }
  const texts = records.profiles.map(encodeText);
  const textBytes = texts.reduce((sum, text) => sum + text.length, 0);

  let size = FRAME_HEADER_BYTES + PREFIX_BYTES + FIELDS * HEAD_BYTES;
  for (const field of fields) size += fieldBytes(field);
  size = roundUp8(size + texts.length * 4 + textBytes);
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
  for (const value of [count, texts.length, textBytes, 0]) u32(value);
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
  let end = 0;
  for (const text of texts) {
    end += text.length;
    u32(end);
  }
  for (const text of texts) {
    out.set(text, at);
    at += text.length;
  }
  return sealFrame(out, MAGIC, VERSION);
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

/** Answers from a verdicts column by rank, on views of its bytes. */
export class VerdictsReader {
  readonly count: number;
  readonly profileCount: number;
  readonly #profile: FieldReader;
  readonly #firstDay: FieldReader;
  readonly #listedDays: FieldReader;
  readonly #sightings: FieldReader;
  readonly #profileEnd: Uint32Array;
  readonly #text: Uint8Array;
  readonly #profiles = new Map<number, Profile>();

  /** Opens a whole column. Throws FormatError unless it is one, undamaged. */
  constructor(bytes: Bytes) {
    if (bytes.byteOffset % 8 !== 0) throw new RangeError('a verdicts column must begin at a multiple of 8 bytes');
    const body = openFrame(bytes, MAGIC, VERSION);
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
    const textBytes = prefix.getUint32(8, true);
    if (this.count > SEGMENT_NUMBERS) throw new FormatError(`${MAGIC}: ${this.count} records`);
    const heads = new DataView(body.buffer, take(FIELDS * HEAD_BYTES), FIELDS * HEAD_BYTES);
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
      return new FieldReader(field, this.count);
    });
    const [profile, firstDay, listedDays, sightings] = readers;
    if (profile === undefined || firstDay === undefined || listedDays === undefined || sightings === undefined) {
      throw new FormatError(`${MAGIC}: fields are missing`);
    }
    this.#profile = profile;
    this.#firstDay = firstDay;
    this.#listedDays = listedDays;
    this.#sightings = sightings;
    this.#profileEnd = new Uint32Array(body.buffer, take(this.profileCount * 4), this.profileCount);
    this.#text = new Uint8Array(body.buffer, take(textBytes), textBytes);
    const rest = body.subarray(at - body.byteOffset);
    if (rest.length >= 8 || rest.some((byte) => byte !== 0) || prefix.getUint32(12, true) !== 0) {
      throw new FormatError(`${MAGIC}: expected zeros after the profiles' text and ${textBytes} bytes of it`);
    }
    const ends = [0, ...this.#profileEnd];
    if (ends.some((end, i) => end < (ends[i - 1] ?? 0)) || ends.at(-1) !== textBytes) {
      throw new FormatError(`${MAGIC}: ${this.profileCount} profiles do not divide ${textBytes} bytes of text`);
    }
  }

  /** First day seen of the number of this rank, UTC days since 1970. */
  firstDay(rank: number): number {
    return this.#firstDay.at(rank);
  }

  lastDay(rank: number): number {
    return this.#firstDay.at(rank) + this.#listedDays.at(rank);
  }

  sightings(rank: number): number {
    return this.#sightings.at(rank);
  }

  /** Index of the profile in this column's dictionary. */
  profileId(rank: number): number {
    return this.#profile.at(rank);
  }

  /** The fields of all records, by rank, the last days counted from the first: for a merge, which goes through them. */
  all(): VerdictColumns {
    const fields = [this.#profile, this.#firstDay, this.#listedDays, this.#sightings].map((field) => field.all());
    const [profileId, firstDay, listedDays, sightings] = fields as [Values, Values, Values, Values];
    return { profileId, firstDay, listedDays, sightings };
  }

  /** Fills in the first days of all records, by rank: a quarter of the work of `all`. */
  firstDays(out: Float64Array): Float64Array {
    return this.#firstDay.all(out);
  }

  profileText(id: number): string {
    const end = this.#profileEnd[id];
    if (end === undefined) throw new FormatError(`${MAGIC}: no profile ${id}, there are ${this.profileCount}`);
    const start = id === 0 ? 0 : (this.#profileEnd[id - 1] as number);
    return decodeText(this.#text.subarray(start, end), `${MAGIC}: profile ${id}`);
  }

  profile(id: number): Profile {
    const known = this.#profiles.get(id);
    if (known !== undefined) return known;
    const profile = parseProfile(this.profileText(id));
    this.#profiles.set(id, profile);
    return profile;
  }
}
