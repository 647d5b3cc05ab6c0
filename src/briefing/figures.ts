/** Shares, changes and the order of lists: the same everywhere in a briefing. */

/** A fraction of 1; 0 if there is nothing to be a part of. */
export function ratio(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}

/** Against what was before, as a fraction of it; null if that was nothing. */
export function changeOf(now: number, before: number): number | null {
  return before === 0 ? null : (now - before) / before;
}

/** Most first; of equals in code unit order of their names, so that the same figures are always in the same order. */
export function by<T>(count: (item: T) => number, name: (item: T) => string): (a: T, b: T) => number {
  return (a, b) => count(b) - count(a) || (name(a) < name(b) ? -1 : 1);
}
