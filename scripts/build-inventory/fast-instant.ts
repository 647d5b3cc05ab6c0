/** The two usual spellings of a time, read from bytes: `YYYY-MM-DD` and `YYYY-MM-DDThh:mm:ssZ`. */
import { parseInstant } from '../../src/ingest/instant.ts';

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
export class FastInstant {
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
