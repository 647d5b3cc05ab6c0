/** Where numbers may lie: the mobile ranges of each country, from the patterns of libphonenumber's metadata. */
import metadata from 'libphonenumber-js/max/metadata';
import { lowerBound } from '../../src/lib/sorted.ts';
import { MAX_E164_DIGITS } from '../../src/phone/phone-number.ts';
import { readInternational } from '../../src/phone/plan.ts';
import { hash32, Random } from '../support/random.ts';

/**
 * What a number pattern of libphonenumber's metadata matches, as prefixes after which any digits may follow.
 *
 * The patterns use a small part of regular expressions: digits, `\d`, classes, groups, `|`, `?`, `{n}` and `{n,m}`.
 * The pattern becomes a nondeterministic automaton; its sets of states, met while walking digits, are the
 * deterministic one. A prefix is complete if every continuation of the wanted length is accepted.
 */
const ALL_DIGITS = 0x3ff;

/** The digits that lead on (bit n for digit n) and where to; or, without digits, where one may jump to. */
interface Node {
  readonly digits: number;
  readonly next: readonly Node[];
}

type Build = (next: Node) => Node;

interface Prefix {
  readonly prefix: string;
  /** Count of digits after it. */
  readonly freeDigits: number;
}

/** States of the deterministic automaton: the consuming nodes, and whether the end is among them. */
class State {
  readonly #automaton: Automaton;
  readonly #nodes: readonly Node[];
  readonly #steps: (State | undefined)[] = [];
  readonly #counts: (number | undefined)[] = [];

  constructor(automaton: Automaton, nodes: readonly Node[]) {
    this.#automaton = automaton;
    this.#nodes = nodes;
  }

  step(digit: number): State {
    let state = this.#steps[digit];
    if (state === undefined) {
      const ahead = this.#nodes.filter(({ digits }) => (digits >>> digit) & 1);
      state = this.#automaton.stateOf(ahead.flatMap(({ next }) => next));
      this.#steps[digit] = state;
    }
    return state;
  }

  /** How many strings of `length` digits are accepted from here. */
  count(length: number): number {
    if (this.#nodes.length === 0) return 0;
    let count = this.#counts[length];
    if (count === undefined) {
      count = 0;
      if (length === 0) count = this.#nodes.includes(this.#automaton.end) ? 1 : 0;
      else for (let digit = 0; digit < 10; digit++) count += this.step(digit).count(length - 1);
      this.#counts[length] = count;
    }
    return count;
  }
}

class Automaton {
  readonly end: Node = { digits: 0, next: [] };
  readonly #ids = new Map<Node, number>();
  readonly #states = new Map<string, State>();

  stateOf(nodes: readonly Node[]): State {
    const found = new Map<number, Node>();
    const waiting = [...nodes];
    const passed = new Set<Node>();
    for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
      if (passed.has(node)) continue;
      passed.add(node);
      if (node.digits === 0 && node !== this.end) waiting.push(...node.next);
      else found.set(this.#idOf(node), node);
    }
    const ids = [...found.keys()].sort((a, b) => a - b);
    const key = ids.join();
    let state = this.#states.get(key);
    if (state === undefined) {
      state = new State(this, [...found.values()]);
      this.#states.set(key, state);
    }
    return state;
  }

  #idOf(node: Node): number {
    const id = this.#ids.get(node) ?? this.#ids.size;
    this.#ids.set(node, id);
    return id;
  }
}

/** Reads a pattern by recursive descent; what it makes is built from the end backwards. */
class PatternReader {
  readonly #pattern: string;
  #at = 0;

  constructor(pattern: string) {
    this.#pattern = pattern;
  }

  read(): Build {
    const build = this.#alternatives();
    if (this.#at < this.#pattern.length) throw this.#unknown();
    return build;
  }

  #alternatives(): Build {
    const choices = [this.#sequence()];
    while (this.#take('|')) choices.push(this.#sequence());
    const [only] = choices;
    if (choices.length === 1 && only !== undefined) return only;
    return (next) => ({ digits: 0, next: choices.map((choice) => choice(next)) });
  }

  #sequence(): Build {
    const parts: Build[] = [];
    while (this.#at < this.#pattern.length && !'|)'.includes(this.#pattern.charAt(this.#at)))
      parts.push(this.#repeated());
    return (next) => parts.reduceRight((rest, part) => part(rest), next);
  }

  #repeated(): Build {
    const part = this.#part();
    const [least, most] = this.#counts();
    return (next) => {
      let built = next;
      for (let i = most; i > least; i--) built = { digits: 0, next: [part(built), next] };
      for (let i = 0; i < least; i++) built = part(built);
      return built;
    };
  }

  #counts(): readonly [number, number] {
    if (this.#take('?')) return [0, 1];
    const counts = /^\{(\d+)(?:,(\d+))?\}/.exec(this.#pattern.slice(this.#at, this.#at + 8));
    if (counts === null) return [1, 1];
    this.#at += counts[0].length;
    return [Number(counts[1]), Number(counts[2] ?? counts[1])];
  }

  #part(): Build {
    if (this.#take('(?:') || this.#take('(')) {
      const inner = this.#alternatives();
      if (!this.#take(')')) throw this.#unknown();
      return inner;
    }
    const digits = this.#digits();
    return (next) => ({ digits, next: [next] });
  }

  #digits(): number {
    if (this.#take('\\d')) return ALL_DIGITS;
    const one = /^(?:(\d)|\[([\d-]+)\])/.exec(this.#pattern.slice(this.#at, this.#at + 32));
    if (one === null) throw this.#unknown();
    this.#at += one[0].length;
    let digits = 0;
    for (const [, from, to] of (one[1] ?? one[2] ?? '').matchAll(/(\d)(?:-(\d))?/g)) {
      for (let digit = Number(from); digit <= Number(to ?? from); digit++) digits |= 1 << digit;
    }
    return digits;
  }

  #take(text: string): boolean {
    if (!this.#pattern.startsWith(text, this.#at)) return false;
    this.#at += text.length;
    return true;
  }

  #unknown(): Error {
    return new Error(`expected a number pattern; found ${this.#pattern.slice(this.#at, this.#at + 10)} at ${this.#at}`);
  }
}

/** The shortest prefixes, in digit order, that leave at least `leastFree` of `length` digits free. */
export function completePrefixes(pattern: string, length: number, leastFree: number): Prefix[] {
  const automaton = new Automaton();
  const found: Prefix[] = [];
  const walk = (state: State, prefix: string): void => {
    const freeDigits = length - prefix.length;
    const count = state.count(freeDigits);
    if (count === 10 ** freeDigits) found.push({ prefix, freeDigits });
    else if (count > 0 && freeDigits > leastFree) {
      for (let digit = 0; digit < 10; digit++) walk(state.step(digit), `${prefix}${digit}`);
    }
  };
  if (length >= leastFree) walk(automaton.stateOf([new PatternReader(pattern).read()(automaton.end)]), '');
  return found;
}

// Where each country's mobile numbers lie, from libphonenumber's metadata: thousand-blocks, numbered 0, 1, 2, …
//
// A prefix is kept only as far as numbers under it are read back as mobile (or as fixed line or mobile, where the plan
// does not tell, as in the US) of that country: calling codes are shared, and some digits are taken for a trunk prefix.

/** Numbers in a block, its last three digits: the wider of the two blocks that the neighbourhood is counted in. */
export const BLOCK_NUMBERS = 1000;
const BLOCK_DIGITS = 3;
/** No country has anywhere near so many mobiles in use; the open plans of AT and ID would list 5 * 10^11. */
const MAX_COUNTRY_NUMBERS = 10 ** 10;
/** Numbers tried under a prefix, besides one or more for each next digit. */
const TRIES = 20;

/** Positions in a plan of the metadata, version 4; the same as in src/phone/plan.ts. */
const CALLING_CODE = 0;
const LENGTHS = 3;
const TYPES = 11;
const FIXED_LINE = 0;
const MOBILE = 1;

export class CountryRanges {
  readonly country: string;
  /** Count of thousand-blocks. */
  readonly blocks: number;
  /** First number of each range, and the count of blocks in those before it. */
  readonly #starts: Float64Array;
  readonly #blocksBefore: Float64Array;

  /** @param prefixes whole international numbers less their free digits, none of them the start of another */
  constructor(country: string, prefixes: readonly Prefix[]) {
    this.country = country;
    this.#starts = Float64Array.from(prefixes, ({ prefix, freeDigits }) => Number(prefix) * 10 ** freeDigits);
    this.#blocksBefore = new Float64Array(prefixes.length);
    let blocks = 0;
    for (const [i, { freeDigits }] of prefixes.entries()) {
      this.#blocksBefore[i] = blocks;
      blocks += 10 ** (freeDigits - BLOCK_DIGITS);
    }
    this.blocks = blocks;
  }

  /** The first number of a thousand-block. */
  firstNumber(block: number): number {
    const at = lowerBound(this.#blocksBefore, block + 1) - 1;
    return (this.#starts[at] ?? 0) + (block - (this.#blocksBefore[at] ?? 0)) * BLOCK_NUMBERS;
  }
}

/** All countries of the metadata that have at least one whole thousand-block of mobile numbers, in its order. */
export function mobileRanges(): CountryRanges[] {
  const plans: Readonly<Record<string, readonly unknown[]>> = metadata.countries;
  return Object.entries(plans)
    .map(([country, plan]) => new CountryRanges(country, prefixesOf(country, plan)))
    .filter(({ blocks }) => blocks > 0);
}

function prefixesOf(country: string, plan: readonly unknown[]): Prefix[] {
  const callingCode = String(plan[CALLING_CODE]);
  const types = arrayOf(plan[TYPES]);
  const mobile = arrayOf(types[MOBILE]);
  // The metadata leaves the mobile pattern out, or empty, where it is the fixed-line one.
  const type = mobile[0] ? mobile : arrayOf(types[FIXED_LINE]);
  const kept: Prefix[] = [];
  let numbers = 0;
  for (const length of arrayOf(type[1] || plan[LENGTHS]).map(Number)) {
    if (callingCode.length + length > MAX_E164_DIGITS) continue;
    const found = completePrefixes(String(type[0]), length, BLOCK_DIGITS);
    const size = found.reduce((sum, { freeDigits }) => sum + 10 ** freeDigits, 0);
    if (numbers + size > MAX_COUNTRY_NUMBERS) break;
    numbers += size;
    for (const { prefix, freeDigits } of found) {
      kept.push(...usablePart({ prefix: `${callingCode}${prefix}`, freeDigits }, country));
    }
  }
  return kept;
}

/** The prefix if every number tried under it is the country's, else the usable ones of its ten parts. */
function usablePart(range: Prefix, country: string): Prefix[] {
  const good = countUsable(range, country);
  if (good === TRIES) return [range];
  if (range.freeDigits === BLOCK_DIGITS) return [];
  const parts = Array.from({ length: 10 }, (_, digit) => ({
    prefix: `${range.prefix}${digit}`,
    freeDigits: range.freeDigits - 1,
  }));
  // A range that another country's plan takes whole would be followed down to its every block.
  return good === 0 ? [] : parts.flatMap((part) => usablePart(part, country));
}

function countUsable({ prefix, freeDigits }: Prefix, country: string): number {
  const random = new Random(hash32(Number(prefix) % 2 ** 31, freeDigits));
  let good = 0;
  for (let i = 0; i < TRIES; i++) {
    let digits = `${prefix}${i % 10}`;
    for (let j = 1; j < freeDigits; j++) digits += random.below(10);
    const read = readInternational(digits);
    if (read?.country === country && (read.lineType === 'mobile' || read.lineType === 'fixed_line_or_mobile')) good++;
  }
  return good;
}

function arrayOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
