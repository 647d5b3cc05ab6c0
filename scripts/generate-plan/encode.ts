/** Writes the automaton as the text that src/phone/table.ts unpacks, made so that gzip finds it small. */
import {
  BETWEEN_PARTS,
  CHARS,
  COMMON,
  COUNTRY_MASK,
  COUNTRY_SHIFT,
  LINE_TYPE_MASK,
  MAY_BE_REWRITTEN,
  NEW,
  NEW_SHARED,
  SMALL_VERDICTS,
  TWICE,
} from '../../src/phone/table.ts';
import type { Automaton, AutomatonState } from './automaton.ts';

export interface Encoded {
  readonly states: number;
  readonly common: number;
  /** All different verdicts, the most frequent first. */
  readonly verdicts: readonly number[];
  readonly parts: string;
}

/**
 * As many as leave two characters for what is not common. A state that is not among them is written, and unpacked, for
 * each calling code that leads to it: a third more states than there are, of which an isolate unpacks few.
 */
const MAX_COMMON = CHARS.length - COMMON - 2;
const ALL_BITS = LINE_TYPE_MASK | MAY_BE_REWRITTEN | (COUNTRY_MASK << COUNTRY_SHIFT);

export function encode({ states, roots }: Automaton): Encoded {
  const at = (one: number): AutomatonState => {
    const state = states[one];
    if (state === undefined) throw new Error(`there is no state ${one}`);
    return state;
  };
  const common = mostCommon({ states, roots }, at);
  const parts = [partOf(common, common, at), ...roots.map((root) => partOf([root], common, at))];
  const verdicts = byFrequency(parts.flatMap(({ order }) => order.map((one) => at(one).verdict)));
  if (verdicts.some((verdict) => verdict > ALL_BITS)) throw new Error('a verdict does not fit into its bits');
  const places = new Map(verdicts.map((verdict, place) => [verdict, place]));
  const column = (order: readonly number[]) =>
    order.map((one) => written(places.get(at(one).verdict) ?? 0, SMALL_VERDICTS)).join('');
  return {
    states: parts.reduce((count, { order }) => count + order.length, 0),
    common: common.length,
    verdicts,
    parts: parts.map(({ order, rows }) => rows + column(order)).join(BETWEEN_PARTS),
  };
}

interface Part {
  /** Its states, as they are unpacked. */
  readonly order: readonly number[];
  readonly rows: string;
}

/** @param first states that no other of the part leads to as a new one */
function partOf(first: readonly number[], common: readonly number[], at: (one: number) => AutomatonState): Part {
  const isCommon = new Set(common);
  const timesWritten = new Map<number, number>();
  const all = [...first];
  for (const one of all) {
    for (const [next] of runsOf(at(one).next)) {
      if (isCommon.has(next)) continue;
      const times = timesWritten.get(next) ?? 0;
      timesWritten.set(next, times + 1);
      if (times === 0 && !all.includes(next)) all.push(next);
    }
  }
  const order = [...first];
  const shared: number[] = [];
  const small = COMMON + common.length;
  let rows = '';
  for (const one of order) {
    for (const [next, times] of runsOf(at(one).next)) {
      if (isCommon.has(next)) {
        rows += written(COMMON + common.indexOf(next), small);
      } else if (shared.includes(next)) {
        rows += written(small + shared.indexOf(next), small);
      } else {
        const isShared = (timesWritten.get(next) ?? 0) > 1;
        rows += written(isShared ? NEW_SHARED : NEW, small);
        order.push(next);
        if (isShared) shared.push(next);
      }
      if (times > 1) rows += written(TWICE + times - 2, small);
    }
  }
  return { order, rows };
}

/** Equal neighbours as one, with how many they are. */
function runsOf(next: readonly number[]): [one: number, times: number][] {
  const runs: [number, number][] = [];
  for (const one of next) {
    const last = runs.at(-1);
    if (last?.[0] === one) last[1]++;
    else runs.push([one, 1]);
  }
  return runs;
}

/** @param small counts below it take one character */
function written(count: number, small: number): string {
  const char = (place: number): string => {
    const found = CHARS[place];
    if (found === undefined) throw new Error(`the automaton is too large for its text: ${count}`);
    return found;
  };
  if (count < small) return char(count);
  const more = count - small;
  return char(small + Math.floor(more / CHARS.length)) + char(more % CHARS.length);
}

/** States that the most calling codes lead to, and all that these lead to; the most frequent first. */
function mostCommon({ states, roots }: Automaton, at: (one: number) => AutomatonState): number[] {
  const codes = new Map<number, number>();
  for (const root of roots) {
    for (const one of reachedFrom([root], at)) codes.set(one, (codes.get(one) ?? 0) + 1);
  }
  const uses = new Map<number, number>();
  for (const { next } of states) for (const one of next) uses.set(one, (uses.get(one) ?? 0) + 1);
  const by = (counts: ReadonlyMap<number, number>) => (a: number, b: number) =>
    (counts.get(b) ?? 0) - (counts.get(a) ?? 0);
  let common = new Set<number>();
  for (const one of [...codes.keys()].sort((a, b) => by(codes)(a, b) || by(uses)(a, b) || a - b)) {
    const more = reachedFrom([...common, one], at);
    if (more.size <= MAX_COMMON) common = more;
  }
  return [...common].sort((a, b) => by(uses)(a, b) || a - b);
}

function reachedFrom(first: readonly number[], at: (one: number) => AutomatonState): Set<number> {
  const reached = new Set(first);
  for (const one of reached) for (const next of at(one).next) reached.add(next);
  return reached;
}

function byFrequency(values: readonly number[]): number[] {
  const counts = new Map<number, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].sort(([a, times], [b, otherTimes]) => otherTimes - times || a - b).map(([value]) => value);
}
