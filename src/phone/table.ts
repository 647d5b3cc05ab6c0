/**
 * The number plans as one table: an automaton that reads the digits of an international number and says at their end
 * what number it is. scripts/generate-plan.ts compiles it from libphonenumber's patterns, and
 * src/generated/number-plan.ts holds it as text. An isolate unpacks what it needs: a part that all calling codes
 * have in common, and that of a calling code when the first of its numbers is read.
 *
 * A state of the common part belongs to no one calling code, since what follows the first digits of a mobile number is
 * the same nearly everywhere. So a verdict names the country by its place among those that share the calling code.
 */

// A verdict: what a state says of the number that ends there, in 10 bits.

/** 0: the number lies in no range; else the place of its line type in LINE_TYPES, from 1. */
export const LINE_TYPE_MASK = 0b1111;
/** The digits begin with what the library may strip or rewrite, so only it can say which number is meant. */
export const MAY_BE_REWRITTEN = 0b1_0000;
/** 0: the digits do not decide the country; else its place among those that share the calling code, from 1. */
export const COUNTRY_SHIFT = 5;
export const COUNTRY_MASK = 0b1_1111;
/** The place of the calling code stands above the verdict in what `read` returns. */
export const CODE_SHIFT = 10;

/** Calling codes have 1 to 3 digits (ITU-T E.164), and no number is so short. */
const MAX_CODE_DIGITS = 3;
const NO_CODE = 0xff;

export interface CallingCode {
  readonly code: string;
  /** The main one first; none for a non-geographic code. */
  readonly countries: readonly string[];
}

/** As src/generated/number-plan.ts has it. */
export interface WrittenTable {
  /** `1US,AG;7RU,KZ;800`: each with its countries. */
  readonly callingCodes: string;
  /** Count of all states, and of those in the common part. */
  readonly states: number;
  readonly common: number;
  /** `0 17 33`: all different verdicts. */
  readonly verdicts: string;
  /** The common part, then one for each calling code, in their order. */
  readonly parts: string;
}

// How a part is written; scripts/generate-plan/encode.ts is the writer. It consists of counts, a small one as one
// character and a larger one as two: first the ten digits of each state, then the verdict of each. Equal neighbours
// among the digits are written once. The first state of a part is the one after the calling code.

/** The printable characters of ASCII but for those that a string would have to escape, and the one between parts. */
export const CHARS = ' !#%&()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[]^_abcdefghijklmnopqrstuvwxyz{|}';
export const BETWEEN_PARTS = '~';
/** The state that a digit leads to: a new one, which is the next of its part; */
export const NEW = 0;
/** a new one that others lead to as well, and which is numbered for them; */
export const NEW_SHARED = 1;
/** the same as for the digit before, so often that 2 to 10 digits are the same: this is for 2; */
export const TWICE = 2;
/** one of the common part, by its place there; after these, the shared ones of this part. */
export const COMMON = TWICE + 9;
/** Verdicts below take one character. Digits do if they lead to the common part. */
export const SMALL_VERDICTS = 80;

export class Table {
  readonly #writtenCodes: readonly string[];
  readonly #codes: (CallingCode | undefined)[] = [];
  /** By the first three digits of a number: the place of its calling code. No code is the beginning of another. */
  readonly #codeAt = new Uint8Array(10 ** MAX_CODE_DIGITS).fill(NO_CODE);
  readonly #codeLengths: Uint8Array;
  /** The state after each calling code; 0: its part is not unpacked yet. */
  readonly #roots: Uint16Array;
  readonly #parts: readonly string[];
  /** By the code of a character: its place in CHARS. */
  readonly #values = new Uint8Array(0x80);
  readonly #common: number;
  #unpacked = 0;
  readonly #differentVerdicts: readonly number[];
  readonly #verdicts: Uint16Array;
  /** Ten for each state. */
  readonly #next: Uint16Array;

  constructor(written: WrittenTable) {
    this.#writtenCodes = written.callingCodes.split(';');
    this.#roots = new Uint16Array(this.#writtenCodes.length);
    this.#codeLengths = new Uint8Array(this.#writtenCodes.length);
    for (let place = 0; place < this.#writtenCodes.length; place++) {
      const code = Number.parseInt(this.#writtenCodes[place] ?? '', 10);
      const length = code < 10 ? 1 : code < 100 ? 2 : 3;
      const span = length === 1 ? 100 : length === 2 ? 10 : 1;
      this.#codeLengths[place] = length;
      this.#codeAt.fill(place, code * span, (code + 1) * span);
    }
    for (let i = 0; i < CHARS.length; i++) this.#values[CHARS.charCodeAt(i)] = i;
    this.#parts = written.parts.split(BETWEEN_PARTS);
    this.#common = written.common;
    this.#differentVerdicts = written.verdicts.split(' ').map(Number);
    this.#verdicts = new Uint16Array(written.states);
    this.#next = new Uint16Array(written.states * 10);
    this.#unpack(this.#parts[0] ?? '', written.common);
  }

  /** The calling code that the digits start with, or undefined if there is none or only a part of one. */
  codeOf(digits: string): CallingCode | undefined {
    const first = Number(digits.slice(0, MAX_CODE_DIGITS).padEnd(MAX_CODE_DIGITS, '0'));
    const code = this.code(this.#codeAt[first] ?? NO_CODE);
    return code !== undefined && code.code.length <= digits.length ? code : undefined;
  }

  code(place: number): CallingCode | undefined {
    const written = this.#writtenCodes[place];
    if (written === undefined) return undefined;
    const known = this.#codes[place];
    if (known !== undefined) return known;
    const length = this.#codeLengths[place];
    const countries = written.slice(length);
    const code = { code: written.slice(0, length), countries: countries === '' ? [] : countries.split(',') };
    this.#codes[place] = code;
    return code;
  }

  allCodes(): readonly CallingCode[] {
    return this.#writtenCodes.flatMap((_, place) => this.code(place) ?? []);
  }

  /**
   * Reads a text, or bytes of one, from `start` to `end` as an international number.
   * @returns the verdict and above it the place of the calling code; -1 if something there is not an ASCII digit, or no
   *   number begins so
   */
  read(text: string | Uint8Array, start: number, end: number): number {
    if (end - start <= MAX_CODE_DIGITS) return -1;
    let first = 0;
    for (let i = start; i < start + MAX_CODE_DIGITS; i++) {
      const digit = digitAt(text, i);
      if (digit >>> 0 > 9) return -1;
      first = first * 10 + digit;
    }
    const code = this.#codeAt[first] ?? NO_CODE;
    if (code === NO_CODE) return -1;
    const next = this.#next;
    let state = this.#roots[code] || this.#rootOf(code);
    for (let i = start + (this.#codeLengths[code] ?? 0); i < end; i++) {
      const digit = digitAt(text, i);
      if (digit >>> 0 > 9) return -1;
      state = next[state * 10 + digit] ?? 0;
    }
    return (this.#verdicts[state] ?? 0) | (code << CODE_SHIFT);
  }

  #rootOf(code: number): number {
    const root = this.#unpacked;
    this.#unpack(this.#parts[1 + code] ?? '', 1);
    this.#roots[code] = root;
    return root;
  }

  /** @param known states of the part that no other leads to as a new one, which come first */
  #unpack(part: string, known: number): void {
    const [next, values] = [this.#next, this.#values];
    const first = this.#unpacked;
    const small = COMMON + this.#common;
    const shared: number[] = [];
    let [at, states] = [0, first + known];
    let i = first * 10;
    while (i < states * 10 && at < part.length) {
      const value = values[part.charCodeAt(at++)] ?? 0;
      let state = states;
      if (value >= small) {
        const more = values[part.charCodeAt(at++)] ?? 0;
        state = shared[(value - small) * CHARS.length + more] ?? 0;
      } else if (value >= COMMON) {
        state = value - COMMON;
      } else {
        if (value === NEW_SHARED) shared.push(state);
        states++;
      }
      next[i++] = state;
      // What follows the last digit of a state is not more of the same.
      const same = i % 10 === 0 ? 0 : (values[part.charCodeAt(at)] ?? 0);
      if (same < TWICE || same >= COMMON) continue;
      at++;
      for (const end = i + same - TWICE + 1; i < end; i++) next[i] = state;
    }
    for (let state = first; state < states; state++) {
      const value = values[part.charCodeAt(at++)] ?? 0;
      const place =
        value < SMALL_VERDICTS
          ? value
          : SMALL_VERDICTS + (value - SMALL_VERDICTS) * CHARS.length + (values[part.charCodeAt(at++)] ?? 0);
      this.#verdicts[state] = this.#differentVerdicts[place] ?? 0;
    }
    this.#unpacked = states;
  }
}

/** What a digit stands for; as an unsigned integer above 9 for anything else. */
function digitAt(text: string | Uint8Array, i: number): number {
  return (typeof text === 'string' ? text.charCodeAt(i) : (text[i] as number)) - 0x30;
}
