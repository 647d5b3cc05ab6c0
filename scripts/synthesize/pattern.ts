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

export interface Prefix {
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
