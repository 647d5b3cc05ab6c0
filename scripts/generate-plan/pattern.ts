/**
 * The patterns of libphonenumber's metadata as a nondeterministic automaton over digits. They are of a plain kind:
 * digits, `\d`, classes, groups, alternatives, `?`, `{n}`, `{n,m}`, and `$` at the end of an alternative. Anything else
 * is an error, so that a new kind of pattern is never misread.
 */

/** A set of digits, one bit each. */
type DigitSet = number;

const ANY_DIGIT: DigitSet = 0b11_1111_1111;

type Syntax =
  | { readonly kind: 'digits'; readonly digits: DigitSet }
  /** The end of the number. */
  | { readonly kind: 'end' }
  | { readonly kind: 'sequence'; readonly parts: readonly Syntax[] }
  | { readonly kind: 'choice'; readonly options: readonly Syntax[] }
  | { readonly kind: 'repeat'; readonly part: Syntax; readonly min: number; readonly max: number };

/** @throws Error at anything that is not of the plain kind, naming the pattern */
export function parsePattern(pattern: string): Syntax {
  let at = 0;
  const fail = (expected: string): never => {
    throw new Error(`expected ${expected} at ${at} of the pattern ${JSON.stringify(pattern)}`);
  };
  const take = (text: string): boolean => {
    if (!pattern.startsWith(text, at)) return false;
    at += text.length;
    return true;
  };
  const digit = (): number => {
    const found = pattern.charCodeAt(at) - 48;
    if (!(found >= 0 && found <= 9)) fail('a digit');
    at++;
    return found;
  };
  const count = (): number => {
    let value = digit();
    while (/^\d/.test(pattern.slice(at))) value = value * 10 + digit();
    return value;
  };
  const digitClass = (): DigitSet => {
    let digits = 0;
    do {
      const first = digit();
      const last = take('-') ? digit() : first;
      if (last < first) fail('an ascending range');
      for (let one = first; one <= last; one++) digits |= 1 << one;
    } while (!take(']'));
    return digits;
  };
  const atom = (): Syntax => {
    if (take('\\d')) return { kind: 'digits', digits: ANY_DIGIT };
    if (take('[')) return { kind: 'digits', digits: digitClass() };
    if (take('$')) return { kind: 'end' };
    if (take('(?:') || (!pattern.startsWith('(?', at) && take('('))) {
      const group = choice();
      if (!take(')')) fail('a closing bracket');
      return group;
    }
    return { kind: 'digits', digits: 1 << digit() };
  };
  const repeated = (): Syntax => {
    const part = atom();
    if (saysEnd(part)) return part;
    if (take('?')) return { kind: 'repeat', part, min: 0, max: 1 };
    if (!take('{')) return part;
    const min = count();
    const max = take(',') ? count() : min;
    if (!take('}') || max < min) fail('{n} or {n,m}');
    return { kind: 'repeat', part, min, max };
  };
  const sequence = (): Syntax => {
    const parts: Syntax[] = [];
    while (at < pattern.length && pattern[at] !== '|' && pattern[at] !== ')') {
      if (parts.some(saysEnd)) fail('nothing after $');
      parts.push(repeated());
    }
    return { kind: 'sequence', parts };
  };
  const choice = (): Syntax => {
    const options = [sequence()];
    while (take('|')) options.push(sequence());
    return { kind: 'choice', options };
  };
  const all = choice();
  if (at < pattern.length) fail('the end');
  return all;
}

function saysEnd(syntax: Syntax): boolean {
  switch (syntax.kind) {
    case 'digits':
      return false;
    case 'end':
      return true;
    case 'sequence':
      return syntax.parts.some(saysEnd);
    case 'choice':
      return syntax.options.some(saysEnd);
    case 'repeat':
      return saysEnd(syntax.part);
  }
}

/** A state that reads a digit and goes on, or one that does nothing but lead to others, or the mark of a match. */
interface State {
  digits: DigitSet;
  next: number;
  readonly others: number[];
  /** What is matched if a number ends here; -1: nothing. */
  match: number;
}

/** Sorted numbers of states. */
export type StateSet = readonly number[];

/** Many patterns as one nondeterministic automaton, in which each has a number. */
export class Patterns {
  readonly #states: State[] = [];
  readonly #starts: number[] = [];

  /** @returns its number: what `matches` names if the whole of the digits is matched */
  addEntire(pattern: string): number {
    const end = this.#add({ match: this.#starts.length });
    return this.#starts.push(this.#compile(parsePattern(pattern), end, end)) - 1;
  }

  /** @returns its number: what `matches` names if one digit or more from the first on are matched */
  addBeginning(pattern: string): number {
    const match = this.#starts.length;
    const end = this.#add({ match });
    const rest = this.#add({ match, digits: ANY_DIGIT });
    this.#state(rest).next = rest;
    return this.#starts.push(this.#compile(parsePattern(pattern), rest, end)) - 1;
  }

  /** Before the first digit, where nothing is matched: what a pattern says of no digits at all does not count. */
  start(): StateSet {
    return this.#closure(this.#starts).filter((one) => this.#state(one).match < 0);
  }

  step(set: StateSet, digit: number): StateSet {
    const next: number[] = [];
    for (const one of set) {
      const state = this.#state(one);
      if ((state.digits >>> digit) & 1) next.push(state.next);
    }
    return this.#closure(next);
  }

  /** Numbers of the patterns that match if the number ends here. */
  matches(set: StateSet): Set<number> {
    return new Set(set.map((one) => this.#state(one).match).filter((match) => match >= 0));
  }

  #add(state: Partial<State>): number {
    return this.#states.push({ digits: 0, next: -1, others: [], match: -1, ...state }) - 1;
  }

  #state(one: number): State {
    const state = this.#states[one];
    if (state === undefined) throw new Error(`there is no state ${one}`);
    return state;
  }

  /** @returns the state from which `syntax` leads to `next`, or to `end` where it says so */
  #compile(syntax: Syntax, next: number, end: number): number {
    switch (syntax.kind) {
      case 'digits':
        return this.#add({ digits: syntax.digits, next });
      case 'end':
        return end;
      case 'sequence':
        return syntax.parts.reduceRight((then, part) => this.#compile(part, then, end), next);
      case 'choice':
        return this.#add({ others: syntax.options.map((option) => this.#compile(option, next, end)) });
      case 'repeat': {
        let then = next;
        for (let i = syntax.min; i < syntax.max; i++) {
          then = this.#add({ others: [this.#compile(syntax.part, then, end), next] });
        }
        for (let i = 0; i < syntax.min; i++) then = this.#compile(syntax.part, then, end);
        return then;
      }
    }
  }

  #closure(from: readonly number[]): StateSet {
    const found = new Set<number>();
    const left = [...from];
    for (let one = left.pop(); one !== undefined; one = left.pop()) {
      if (found.has(one)) continue;
      found.add(one);
      left.push(...this.#state(one).others);
    }
    const isKept = (one: number) => this.#state(one).digits !== 0 || this.#state(one).match >= 0;
    return [...found].filter(isKept).sort((a, b) => a - b);
  }
}
