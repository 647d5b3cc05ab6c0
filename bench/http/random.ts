/** Repeatable randomness (mulberry32): the same seed gives the same numbers on every machine. */
export type Random = () => number;

/** Values in [0, 1). */
export function seededRandom(seed: number): Random {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** An integer in [0, limit). */
export function below(random: Random, limit: number): number {
  return Math.floor(random() * limit);
}
