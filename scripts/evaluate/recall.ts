/** Recall at a false-positive rate, from counts of integer scores. */

export interface Operating {
  /** The least score that is called suspect; above every score if even the highest has too many false positives. */
  readonly threshold: number;
  /** Shares of the first-time and of the null numbers at the threshold or above. */
  readonly recall: number;
  readonly falsePositives: number;
}

/** @param counts by score */
export function shareFrom(counts: ArrayLike<number>, threshold: number): number {
  let [above, all] = [0, 0];
  for (let score = 0; score < counts.length; score++) {
    const count = counts[score] as number;
    all += count;
    if (score >= threshold) above += count;
  }
  return all === 0 ? 0 : above / all;
}

/**
 * The most that can be caught with a false-positive rate of at most `rate`. Nothing is interpolated between two
 * scores: this is what a threshold would do.
 */
export function operatingAt(firstTime: ArrayLike<number>, nulls: ArrayLike<number>, rate: number): Operating {
  const all = sumOf(nulls);
  const allowed = rate * all;
  let threshold = nulls.length;
  let above = 0;
  while (threshold > 0 && above + (nulls[threshold - 1] as number) <= allowed) {
    threshold--;
    above += nulls[threshold] as number;
  }
  return { threshold, recall: shareFrom(firstTime, threshold), falsePositives: all === 0 ? 0 : above / all };
}

function sumOf(counts: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < counts.length; i++) sum += counts[i] as number;
  return sum;
}
