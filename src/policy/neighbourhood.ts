/**
 * What the neighbours say of a number. Numbers are bought in blocks: on the real history, of the numbers first seen in a
 * later period, 22% already had 3 or more listed numbers in their block of 100 the day before, against 0.22% of random
 * numbers of the same carrier ranges (DESIGN.md, Reading). Three neighbours are a hundredfold likelihood.
 */

/** Listed numbers in its block of 100 that make a number which is not listed itself suspect. */
export const SUSPECT_HUNDRED = 3;

/** A neighbour somewhere in the block of 1,000 counts for about 1/33 of one in the block of 100. */
const THOUSAND_WEIGHT = 100;

export function isSuspect(hundred: number): boolean {
  return hundred >= SUSPECT_HUNDRED;
}

/**
 * From 0 (no listed neighbours) to below 1, two decimals; never falls when a count rises. A heuristic, to be replaced
 * by a table fitted on history: the odds are `hundred / 3 + thousand / 100`, even odds (0.5) at SUSPECT_HUNDRED, and
 * the score is the probability of those odds. It is no measured probability, only an order.
 */
export function neighbourhoodScore(hundred: number, thousand: number): number {
  const odds = hundred / SUSPECT_HUNDRED + thousand / THOUSAND_WEIGHT;
  return Math.round((odds / (1 + odds)) * 100) / 100;
}
