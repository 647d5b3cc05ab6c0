/**
 * Compares what Ringfence reads in international digits with what libphonenumber reads in them with all of its
 * metadata, on numbers made for every territory. The libraries' own patterns make the first digits; this folder's
 * reading of the patterns has no part in it.
 */
import fc from 'fast-check';
import { parsePhoneNumberFromString } from 'libphonenumber-js/max';
import { fromOldForm, parsePossible, readClean } from '../../src/phone/parse.ts';
import { LINE_TYPES, MAX_E164_DIGITS, type PhoneNumber } from '../../src/phone/phone-number.ts';
import { readInternational } from '../../src/phone/plan.ts';
import { callingCodes } from './metadata.ts';

// The comparison.

/** What libphonenumber says by itself; null: it is no number that can be looked up. */
function byLibrary(digits: string): { readonly read: string; readonly number: PhoneNumber | null } {
  const found = parsePhoneNumberFromString(`+${digits}`);
  const read = found?.number.slice(1) ?? digits;
  if (found === undefined || read.length > MAX_E164_DIGITS) return { read, number: null };
  const type = found.getType()?.toLowerCase();
  const lineType = LINE_TYPES.find((one) => one === type);
  if (lineType === undefined && !found.isPossible()) return { read, number: null };
  const number = { number: Number(read), country: found.country ?? null, lineType: lineType ?? 'unassigned' };
  return { read, number };
}

const isAssigned = (number: PhoneNumber | null) => number !== null && number.lineType !== 'unassigned';

export interface Compared {
  /** What libphonenumber says, with the forms that plans have dropped (src/phone/parse.ts). */
  readonly expected: PhoneNumber | null;
  /** It was read from the table alone. */
  readonly isClean: boolean;
  /** What a reader says instead; empty: all agree. */
  readonly differing: readonly string[];
}

export function compare(digits: string): Compared {
  const { read, number } = byLibrary(digits);
  const meant = isAssigned(number) ? null : fromOldForm(read);
  const old = meant === null ? null : byLibrary(meant).number;
  const expected = isAssigned(old) ? old : number;
  const clean = readClean(digits, 0);
  const parsed = parsePossible(`+${digits}`);
  const readers: [name: string, found: PhoneNumber | null, expected: PhoneNumber | null][] = [
    ['parsePossible', parsed.ok ? parsed.value : null, expected],
    // null: they leave it to parsePossible.
    ['readClean', clean, clean === null ? null : expected],
    ['readInternational', readInternational(digits), isAssigned(clean) ? expected : null],
  ];
  const differing = readers
    .filter(([, found, other]) => JSON.stringify(found) !== JSON.stringify(other))
    .map(
      ([name, found, other]) => `+${digits}: ${name} ${JSON.stringify(found)}, libphonenumber ${JSON.stringify(other)}`,
    );
  return { expected, isClean: clean !== null, differing };
}

// The numbers.

/** A range of numbers, of a territory and a line type. */
interface Range {
  readonly territory: string;
  readonly code: string;
  /** National numbers that its pattern matches. */
  readonly samples: readonly string[];
}

const SAMPLES = 40;

function ranges(seed: number): Range[] {
  return callingCodes().flatMap(({ code, plans }) =>
    plans.flatMap(({ country, ranges: all }) =>
      all.map(({ pattern }): Range => {
        const matching = fc.stringMatching(new RegExp(`^(?:${pattern})$`));
        return { territory: country ?? code, code, samples: fc.sample(matching, { seed, numRuns: SAMPLES }) };
      }),
    ),
  );
}

/** Uniform in [0, n), a function of the seed (mulberry32). */
function randomIntegers(seed: number): (n: number) => number {
  let state = seed | 0;
  return (n) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * n);
  };
}

/** In one of so many numbers something stands between calling code and national number: a trunk prefix, mostly. */
const PREFIXED = 8;
const PREFIXES = ['0', '1', '8', '00', '06', '15', '9'];

/**
 * Numbers of every range in turn: the first digits of one that lies in it and any digits after them, mostly as many as
 * it has, and one or two more or less where lengths are tried out.
 */
export function* generated(
  count: number,
  seed: number,
): Generator<{ readonly territory: string; readonly digits: string }> {
  const all = ranges(seed);
  const below = randomIntegers(seed);
  for (let i = 0; i < count; i++) {
    const { territory, code, samples } = all[i % all.length] ?? { territory: '', code: '', samples: [] };
    const sample = samples[below(samples.length)] ?? '';
    const length = Math.max(1, sample.length + (below(4) === 0 ? below(5) - 2 : 0));
    let national = sample.slice(0, below(sample.length + 1));
    while (national.length < length) national += below(10);
    const prefix = below(PREFIXED) === 0 ? (PREFIXES[below(PREFIXES.length)] ?? '') : '';
    yield { territory, digits: code + prefix + national };
  }
}

export interface Verified {
  readonly numbers: number;
  readonly territories: number;
  readonly assigned: number;
  readonly unassigned: number;
  /** Read from the table alone. */
  readonly clean: number;
  /** All that differ, of which the first are told. */
  readonly different: number;
  readonly told: readonly string[];
}

const MAX_TOLD = 20;

/** @param progress is called for every millionth number */
export function verify(count: number, seed: number, progress: (done: number) => void = () => undefined): Verified {
  const territories = new Set<string>();
  const told: string[] = [];
  let [numbers, assigned, unassigned, clean, different] = [0, 0, 0, 0, 0];
  for (const { territory, digits } of generated(count, seed)) {
    const { expected, isClean, differing } = compare(digits);
    numbers++;
    territories.add(territory);
    if (isAssigned(expected)) assigned++;
    else if (expected !== null) unassigned++;
    if (isClean) clean++;
    if (differing.length > 0) {
      different++;
      if (told.length < MAX_TOLD) told.push(...differing);
    }
    if (numbers % 1_000_000 === 0) progress(numbers);
  }
  return { numbers, territories: territories.size, assigned, unassigned, clean, different, told };
}
