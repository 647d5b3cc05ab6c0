/**
 * The fast way through the gate for what nearly all rows of a large CSV file are: plain ASCII without quotes, digits
 * for a number, ISO times, and attributes that an earlier row had. It only ever accepts, with the values that
 * `validateLine` gave for the same bytes before; whatever it is not sure of goes the slow way (rows.ts). A property
 * test holds the two equal.
 */

import { attributesText } from '../../src/format/attributes.ts';
import { MAX_LINE_CHARS } from '../../src/ingest/body.ts';
import type { Field } from '../../src/ingest/fields.ts';
import { MAX_AHEAD_SECONDS, MAX_SIGHTINGS, MIN_OBSERVED_AT } from '../../src/ingest/validate.ts';
import { parseInstant } from '../../src/lib/time.ts';
import { parseNumber } from '../../src/phone/parse.ts';
import { readAssigned } from '../../src/phone/plan.ts';
import type { Columns } from '../import/mapping.ts';
import { BytesMemo } from './bytes-memo.ts';
import {
  type AttributesRef,
  attributesRef,
  type ByteLineSink,
  type CsvShape,
  checkRow,
  csvRow,
  notUtf8Row,
  overlongRow,
  type RowContext,
  type RowSink,
} from './rows.ts';

// The two usual spellings of a time, read from bytes: `YYYY-MM-DD` and `YYYY-MM-DDThh:mm:ssZ`.

const DATE_BYTES = 10;
const UTC_SECONDS_BYTES = 20;
const ZERO = 0x30;
const NOT_A_DAY = -1;
const UNKNOWN = -2;
/** 1970 to 2106, where unsigned seconds end; a slot for each day, the 31st of every month included. */
const FIRST_YEAR = 1970;
const YEARS = 137;
const DAY_SLOTS = YEARS * 12 * 31;

/** Remembers the seconds of each date it has met, as `parseInstant` gave them. */
class FastInstant {
  readonly #days = new Float64Array(DAY_SLOTS).fill(UNKNOWN);

  /** Seconds since 1970, or -1 if the bytes have to be read in another way. */
  read(bytes: Uint8Array, start: number, end: number): number {
    const length = end - start;
    if (length !== DATE_BYTES && length !== UTC_SECONDS_BYTES) return -1;
    const day = this.#day(bytes, start);
    if (day < 0 || length === DATE_BYTES) return day;
    const hour = two(bytes, start + 11);
    const minute = two(bytes, start + 14);
    const second = two(bytes, start + 17);
    const isTime =
      bytes[start + 10] === 0x54 &&
      bytes[start + 13] === 0x3a &&
      bytes[start + 16] === 0x3a &&
      bytes[start + 19] === 0x5a &&
      hour >= 0 &&
      hour <= 23 &&
      minute >= 0 &&
      minute <= 59 &&
      second >= 0 &&
      second <= 59;
    return isTime ? day + hour * 3600 + minute * 60 + second : -1;
  }

  #day(bytes: Uint8Array, start: number): number {
    const century = two(bytes, start);
    const year = two(bytes, start + 2);
    const month = two(bytes, start + 5);
    const day = two(bytes, start + 8);
    if (century < 0 || year < 0 || month < 1 || month > 12 || day < 1 || day > 31) return NOT_A_DAY;
    if (bytes[start + 4] !== 0x2d || bytes[start + 7] !== 0x2d) return NOT_A_DAY;
    const index = ((century * 100 + year - FIRST_YEAR) * 12 + month - 1) * 31 + day - 1;
    if (index < 0 || index >= DAY_SLOTS) return NOT_A_DAY;
    const known = this.#days[index] as number;
    if (known !== UNKNOWN) return known;
    const seconds = parseInstant(String.fromCharCode(...bytes.subarray(start, start + DATE_BYTES))) ?? NOT_A_DAY;
    this.#days[index] = seconds;
    return seconds;
  }
}

/** Two digits as a number, or -1. */
function two(bytes: Uint8Array, at: number): number {
  const tens = (bytes[at] as number) - ZERO;
  const ones = (bytes[at + 1] as number) - ZERO;
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : -1;
}

const QUOTE = 0x22;
const PLUS = 0x2b;

/** E.164, and the fewest digits that a number with its calling code can have. */
const MAX_DIGITS = 15;
const MIN_DIGITS = 4;
/** Digits of MAX_SIGHTINGS. */
const MAX_SIGHTINGS_DIGITS = 10;
const ABSENT = -1;
const ATTRIBUTES: readonly Field[] = ['label', 'channel', 'industry', 'project', 'link', 'source'];

export class FastCsvRows implements ByteLineSink {
  readonly #shape: CsvShape;
  readonly #context: RowContext;
  readonly #sink: RowSink;
  readonly #delimiter: number;
  /** Columns before those at the end of a line that are all attributes. */
  readonly #head: number;
  /** Field i of the line is from starts[i] to starts[i + 1] - 1, for those in the head. */
  readonly #starts: Int32Array;
  readonly #number: number;
  readonly #country: number;
  readonly #observedAt: number;
  readonly #firstSeen: number;
  readonly #sightings: number;
  /** Pairs of a first and a last column: adjacent ones are looked up as one piece of the line. */
  readonly #attributes: Int32Array;
  /** Those pieces of the line. */
  readonly #parts: Int32Array;
  readonly #memo = new BytesMemo<AttributesRef>();
  readonly #instant = new FastInstant();
  readonly #latest: number;
  /** `observedAt` of rows without one, or -1 if the slow way has to say what is wrong with it. */
  readonly #defaultTime: number;
  /** Whether the fields that are the same in every row leave the fast way open. */
  readonly #isFast: boolean;
  readonly #decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

  constructor(shape: CsvShape, context: RowContext, sink: RowSink) {
    this.#shape = shape;
    this.#context = context;
    this.#sink = sink;
    this.#delimiter = shape.delimiter.charCodeAt(0);
    this.#number = positionOf(shape.columns, 'number');
    this.#country = positionOf(shape.columns, 'country');
    this.#observedAt = positionOf(shape.columns, 'observedAt');
    this.#firstSeen = positionOf(shape.columns, 'firstSeen');
    this.#sightings = positionOf(shape.columns, 'sightings');
    const { count } = shape.columns;
    const present = ATTRIBUTES.map((field) => positionOf(shape.columns, field)).filter((at) => at !== ABSENT);
    const groups = neighbours(present);
    const last = groups.at(-1);
    this.#head = last?.[1] === count - 1 ? last[0] : count;
    this.#starts = new Int32Array(count + 1);
    this.#attributes = Int32Array.from(groups.flat());
    this.#parts = new Int32Array(this.#attributes.length);
    this.#latest = Math.floor(context.nowMs / 1000) + MAX_AHEAD_SECONDS;
    this.#defaultTime = this.#inRange(parseInstant(context.observedAt) ?? -1);
    const { country, observedAt, firstSeen, sightings } = shape.mapping.set;
    this.#isFast = [country, observedAt, firstSeen, sightings].every((text) => text === undefined);
  }

  overlong(line: number): void {
    checkRow(overlongRow(line), this.#context, this.#sink);
  }

  line(bytes: Buffer, start: number, end: number, line: number): void {
    if (!this.#isFast || !this.#split(bytes, start, end) || !this.#take(bytes)) this.#slow(bytes, start, end, line);
  }

  /**
   * Finds the fields; false if the line is not plain, or has another count of them. Attributes at its end are not
   * looked at: if they are not those of a row that was, none of this counts.
   */
  #split(bytes: Buffer, start: number, end: number): boolean {
    const starts = this.#starts;
    const delimiter = this.#delimiter;
    const count = starts.length - 1;
    const head = this.#head;
    if (end - start > MAX_LINE_CHARS) return false;
    starts[count] = end + 1;
    starts[0] = start;
    let field = 0;
    for (let i = start; i < end && field < head; i++) {
      const byte = bytes[i] as number;
      if (byte === delimiter) {
        field += 1;
        if (field === count) return false;
        starts[field] = i + 1;
      } else if (!isPlain(byte)) {
        return false;
      }
    }
    if (field !== Math.min(head, count - 1)) return false;
    this.#findParts();
    return true;
  }

  #isPlain(bytes: Buffer, start: number, end: number): boolean {
    return bytes.subarray(start, end).every((byte) => isPlain(byte) || byte === this.#delimiter);
  }

  #findParts(): void {
    const starts = this.#starts;
    const columns = this.#attributes;
    const parts = this.#parts;
    for (let i = 0; i < columns.length; i += 2) {
      const behind = (columns[i + 1] as number) + 1;
      parts[i] = starts[columns[i] as number] as number;
      parts[i + 1] = (starts[behind] as number) - 1;
    }
  }

  /** Accepts the row whose fields were found, or does nothing and returns false. */
  #take(bytes: Buffer): boolean {
    const starts = this.#starts;
    if (this.#country !== ABSENT && !this.#isEmpty(this.#country)) return false;
    const isDated = this.#observedAt !== ABSENT && !this.#isEmpty(this.#observedAt);
    const observedAt = isDated ? this.#time(bytes, this.#observedAt) : this.#defaultTime;
    if (observedAt < 0) return false;
    let firstSeenAt = observedAt;
    if (this.#firstSeen !== ABSENT && !this.#isEmpty(this.#firstSeen)) {
      firstSeenAt = this.#time(bytes, this.#firstSeen);
      if (firstSeenAt < 0 || firstSeenAt > observedAt) return false;
    }
    const sightings = this.#sightings === ABSENT ? 1 : this.#count(bytes, this.#sightings);
    if (sightings < 0) return false;
    const attributes = this.#memo.get(bytes, this.#parts);
    if (attributes === undefined) return false;
    const number = numberOf(bytes, starts[this.#number] as number, (starts[this.#number + 1] as number) - 1);
    if (number < 0) return false;
    if (!isDated) this.#sink.undated();
    this.#sink.accept(number, observedAt, firstSeenAt, sightings, attributes);
    return true;
  }

  #isEmpty(column: number): boolean {
    return (this.#starts[column + 1] as number) - 1 === this.#starts[column];
  }

  /** Seconds since 1970 that are in range, or -1. */
  #time(bytes: Buffer, column: number): number {
    const starts = this.#starts;
    const seconds = this.#instant.read(bytes, starts[column] as number, (starts[column + 1] as number) - 1);
    return this.#inRange(seconds);
  }

  #inRange(seconds: number): number {
    return seconds >= MIN_OBSERVED_AT && seconds <= this.#latest ? seconds : -1;
  }

  #count(bytes: Buffer, column: number): number {
    const start = this.#starts[column] as number;
    const end = (this.#starts[column + 1] as number) - 1;
    if (start === end) return 1;
    if (end - start > MAX_SIGHTINGS_DIGITS) return -1;
    const value = digitsOf(bytes, start, end);
    return value >= 1 && value <= MAX_SIGHTINGS ? value : -1;
  }

  #slow(bytes: Buffer, start: number, end: number, line: number): void {
    let text: string;
    try {
      text = this.#decoder.decode(bytes.subarray(start, end));
    } catch {
      checkRow(notUtf8Row(line), this.#context, this.#sink);
      return;
    }
    const row = csvRow(text, line, this.#shape);
    const detection = row === null ? null : checkRow(row, this.#context, this.#sink);
    if (detection === null || !this.#isFast) return;
    // An accepted row has good attributes, whatever was slow about the rest of it, and as many fields as it must have.
    if (!this.#isPlain(bytes, start, end) || !this.#split(bytes, start, end)) return;
    if (this.#memo.get(bytes, this.#parts) === undefined) {
      this.#memo.set(bytes, this.#parts, attributesRef(attributesText(detection)));
    }
  }
}

/** Printable ASCII, and no quote. */
function isPlain(byte: number): boolean {
  return byte <= 0x7e && byte >= 0x20 && byte !== QUOTE;
}

function positionOf({ fields }: Columns, field: Field): number {
  return fields.find((column) => column.field === field)?.position ?? ABSENT;
}

/** Columns in groups that have no other column in between, each as its first and last. */
function neighbours(columns: readonly number[]): [number, number][] {
  const groups: [number, number][] = [];
  for (const column of columns.toSorted((a, b) => a - b)) {
    const last = groups.at(-1);
    if (last?.[1] === column - 1) last[1] = column;
    else groups.push([column, column]);
  }
  return groups;
}

/** A valid number, or -1 for whatever is not digits with or without a plus, or not valid. */
function numberOf(bytes: Buffer, start: number, end: number): number {
  const from = bytes[start] === PLUS ? start + 1 : start;
  const number = readAssigned(bytes, from, end);
  if (number >= 0) return number;
  if (end - from < MIN_DIGITS || end - from > MAX_DIGITS || digitsOf(bytes, from, end) < 0) return -1;
  const parsed = parseNumber(bytes.toString('latin1', start, end));
  return parsed.ok ? parsed.value.number : -1;
}

/** Up to 15 digits as an integer, or -1. */
function digitsOf(bytes: Buffer, start: number, end: number): number {
  let value = 0;
  for (let i = start; i < end; i++) {
    const digit = (bytes[i] as number) - ZERO;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value;
}
