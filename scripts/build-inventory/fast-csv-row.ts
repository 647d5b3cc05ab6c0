/**
 * The fast way through the gate for what nearly all rows of a large CSV file are: plain ASCII without quotes, digits for
 * a number, ISO times, and circumstances that an earlier row had. It only ever accepts, with the values that
 * `validateLine` gave for the same bytes before; whatever it is not sure of goes the slow way (checked-row.ts). A
 * property test holds the two equal.
 */
import { circumstancesText } from '../../src/format/circumstances.ts';
import type { Field } from '../../src/ingest/fields.ts';
import { parseInstant } from '../../src/ingest/instant.ts';
import { MAX_LINE_CHARS } from '../../src/ingest/limits.ts';
import { MAX_AHEAD_SECONDS, MAX_SIGHTINGS, MIN_OBSERVED_AT } from '../../src/ingest/validate.ts';
import { parseNumber } from '../../src/number/parse.ts';
import type { Columns } from '../import/mapping.ts';
import type { ByteLineSink } from './byte-lines.ts';
import { BytesMemo } from './bytes-memo.ts';
import { checkRow, type RowContext } from './checked-row.ts';
import { type CsvShape, csvRow, notUtf8Row, overlongRow } from './csv-line.ts';
import { FastInstant } from './fast-instant.ts';
import { type CircumstancesRef, circumstancesRef, type RowSink } from './row-sink.ts';

const QUOTE = 0x22;
const PLUS = 0x2b;
const ZERO = 0x30;
/** E.164, and the fewest digits that a number with its calling code can have. */
const MAX_DIGITS = 15;
const MIN_DIGITS = 4;
/** Digits of MAX_SIGHTINGS. */
const MAX_SIGHTINGS_DIGITS = 10;
const ABSENT = -1;
const CIRCUMSTANCES: readonly Field[] = ['label', 'channel', 'industry', 'project', 'link', 'source'];

export class FastCsvRows implements ByteLineSink {
  readonly #shape: CsvShape;
  readonly #context: RowContext;
  readonly #sink: RowSink;
  readonly #delimiter: number;
  /** Field i of the line is from starts[i] to starts[i + 1] - 1. */
  readonly #starts: Int32Array;
  readonly #number: number;
  readonly #country: number;
  readonly #observedAt: number;
  readonly #firstSeen: number;
  readonly #sightings: number;
  /** Pairs of a first and a last column: those side by side are looked up as one piece of the line. */
  readonly #circumstances: Int32Array;
  readonly #memo = new BytesMemo<CircumstancesRef>();
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
    this.#starts = new Int32Array(shape.columns.count + 1);
    this.#number = positionOf(shape.columns, 'number');
    this.#country = positionOf(shape.columns, 'country');
    this.#observedAt = positionOf(shape.columns, 'observedAt');
    this.#firstSeen = positionOf(shape.columns, 'firstSeen');
    this.#sightings = positionOf(shape.columns, 'sightings');
    const present = CIRCUMSTANCES.map((field) => positionOf(shape.columns, field)).filter((at) => at !== ABSENT);
    this.#circumstances = Int32Array.from(neighbours(present).flat());
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

  /** Finds the fields; false if the line is not plain, or has another count of them. */
  #split(bytes: Buffer, start: number, end: number): boolean {
    const starts = this.#starts;
    const delimiter = this.#delimiter;
    const count = starts.length - 1;
    if (end - start > MAX_LINE_CHARS) return false;
    let field = 0;
    starts[0] = start;
    for (let i = start; i < end; i++) {
      const byte = bytes[i] as number;
      if (byte === delimiter) {
        field += 1;
        if (field === count) return false;
        starts[field] = i + 1;
      } else if (byte > 0x7e || byte < 0x20 || byte === QUOTE) {
        return false;
      }
    }
    starts[count] = end + 1;
    return field === count - 1;
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
    const circumstances = this.#known(bytes);
    if (circumstances === undefined) return false;
    const number = numberOf(bytes, starts[this.#number] as number, (starts[this.#number + 1] as number) - 1);
    if (number < 0) return false;
    if (!isDated) this.#sink.undated();
    this.#sink.accept(number, observedAt, firstSeenAt, sightings, circumstances);
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

  /** The circumstances of an accepted row with the same bytes. */
  #known(bytes: Buffer): CircumstancesRef | undefined {
    return this.#beginKey(bytes) ? this.#memo.get() : undefined;
  }

  #beginKey(bytes: Buffer): boolean {
    const starts = this.#starts;
    const pairs = this.#circumstances;
    let length = 0;
    for (let i = 0; i < pairs.length; i += 2) {
      length += (starts[(pairs[i + 1] as number) + 1] as number) - (starts[pairs[i] as number] as number);
    }
    if (!this.#memo.begin(length)) return false;
    for (let i = 0; i < pairs.length; i += 2) {
      const end = (starts[(pairs[i + 1] as number) + 1] as number) - 1;
      this.#memo.add(bytes, starts[pairs[i] as number] as number, end);
    }
    return true;
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
    // An accepted row has good circumstances, whatever was slow about the rest of it.
    if (!this.#split(bytes, start, end) || !this.#beginKey(bytes) || this.#memo.get() !== undefined) return;
    this.#memo.set(circumstancesRef(circumstancesText(detection)));
  }
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
