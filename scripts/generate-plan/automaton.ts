/**
 * The smallest deterministic automaton that says of the digits after a calling code what the library says of them as
 * they stand. A state may belong to many calling codes, since what it says is relative to the code
 * (src/phone/table.ts).
 */
import { LINE_TYPES, type LineType } from '../../src/phone/phone-number.ts';
import { COUNTRY_SHIFT, MAY_BE_REWRITTEN } from '../../src/phone/table.ts';
import type { CallingCode, Plan, Range } from './metadata.ts';
import { Patterns, type StateSet } from './pattern.ts';

export interface Automaton {
  readonly states: readonly AutomatonState[];
  /** The state after each calling code, in their order. */
  readonly roots: readonly number[];
}

export interface AutomatonState {
  readonly verdict: number;
  /** The state after each digit, 0 to 9. */
  readonly next: readonly number[];
}

const DIGITS = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
/**
 * The longest national number that the library reads; that an international one of more than 15 digits is refused comes
 * after it is read.
 */
const MAX_NATIONAL_DIGITS = 17;

export function compile(codes: readonly CallingCode[]): Automaton {
  const minimal = new Minimal();
  return { roots: codes.map((code) => compileCode(code, minimal)), states: minimal.states };
}

/** States, each of which is there once. */
class Minimal {
  readonly states: AutomatonState[] = [];
  readonly #known = new Map<string, number>();

  add(verdict: number, next: readonly number[]): number {
    const key = `${verdict} ${next.join(' ')}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    // A state that all digits lead back to is known by itself, and also as what leads to it and says the same.
    const added = this.states.push({ verdict, next }) - 1;
    this.#known.set(key, added);
    return added;
  }

  /** The state that says this whatever digits follow. */
  final(verdict: number): number {
    const key = `final ${verdict}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const added = this.states.length;
    const next = DIGITS.map(() => added);
    this.states.push({ verdict, next });
    this.#known.set(key, added).set(`${verdict} ${next.join(' ')}`, added);
    return added;
  }
}

function compileCode(code: CallingCode, minimal: Minimal): number {
  const { patterns, verdict } = patternsOf(code);
  const known = new Map<string, number>();
  const add = (set: StateSet, length: number): number => {
    const key = `${length} ${set.join(' ')}`;
    const found = known.get(key);
    if (found !== undefined) return found;
    const says = verdict(patterns.matches(set), length);
    const state =
      length > MAX_NATIONAL_DIGITS
        ? minimal.final(says)
        : minimal.add(
            says,
            DIGITS.map((digit) => add(patterns.step(set, digit), length + 1)),
          );
    known.set(key, state);
    return state;
  };
  return add(patterns.start(), 0);
}

/** The numbers of a plan's patterns. */
interface Numbered {
  readonly plan: Plan;
  readonly entire: number;
  readonly leadingDigits: number | null;
  readonly ranges: readonly (readonly [pattern: number, range: Range])[];
}

/**
 * The steps are those of libphonenumber-js 1.13: source/parse.js (parsePhoneNumber), helpers/getCountryByCallingCode,
 * helpers/getCountryByNationalNumber and helpers/getNumberType.
 */
function patternsOf({ plans, prefix }: CallingCode): {
  readonly patterns: Patterns;
  readonly verdict: (matched: ReadonlySet<number>, length: number) => number;
} {
  const patterns = new Patterns();
  const numbered = plans.map(
    (plan): Numbered => ({
      plan,
      entire: patterns.addEntire(plan.pattern),
      leadingDigits: plan.leadingDigits === null ? null : patterns.addBeginning(plan.leadingDigits),
      ranges: plan.ranges.map((range) => [patterns.addEntire(range.pattern), range]),
    }),
  );
  const rewritten = prefix === null ? null : patterns.addBeginning(prefix);
  const asItStands = (matched: ReadonlySet<number>, length: number): number => {
    for (const [i, one] of numbered.entries()) {
      // Leading digits decide the country by themselves: if its ranges do not have the number, no other country's
      // count.
      const isDecided = one.leadingDigits !== null && matched.has(one.leadingDigits);
      if (one.leadingDigits !== null && !isDecided) continue;
      const lineType = lineTypeIn(one, matched, length);
      const country = plans.length === 1 ? 0 : i + 1;
      if (lineType !== null || isDecided) return lineTypeBits(lineType) | (country << COUNTRY_SHIFT);
    }
    return 0;
  };
  const isRewritten = (matched: ReadonlySet<number>) => rewritten !== null && matched.has(rewritten);
  return {
    patterns,
    verdict: (matched, length) => asItStands(matched, length) | (isRewritten(matched) ? MAY_BE_REWRITTEN : 0),
  };
}

function lineTypeIn({ plan, entire, ranges }: Numbered, matched: ReadonlySet<number>, length: number): LineType | null {
  if (!matched.has(entire)) return null;
  const found = ranges
    .filter(([pattern, { lengths }]) => matched.has(pattern) && lengths.includes(length))
    .map(([, { lineType }]) => lineType);
  const [first = null] = found;
  const isMobileToo = plan.fixedLineIsMobile || found.includes('mobile');
  return first === 'fixed_line' && isMobileToo ? 'fixed_line_or_mobile' : first;
}

function lineTypeBits(lineType: LineType | null): number {
  return lineType === null ? 0 : 1 + LINE_TYPES.indexOf(lineType);
}
