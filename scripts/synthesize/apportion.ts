/**
 * Divides `total` into whole parts in proportion to `weights`, exactly: largest remainders first, then in order. No
 * part exceeds its limit; what does not fit goes to the others.
 * @returns null if the limits do not hold the total
 */
export function apportion(total: number, weights: readonly number[], limits?: readonly number[]): number[] | null {
  const parts: number[] = weights.map(() => 0);
  const full = weights.map((weight, i) => weight <= 0 || (limits?.[i] ?? total) <= 0);
  let left = total;
  // Each round but the last fills up at least one part.
  while (left > 0) {
    const open = weights.map((weight, i) => (full[i] ? 0 : weight));
    const weightSum = open.reduce((sum, weight) => sum + weight, 0);
    if (weightSum === 0) return null;
    const wanted = open.map((weight) => (left * weight) / weightSum);
    const over = wanted.findIndex((want, i) => !full[i] && want > (limits?.[i] ?? total));
    if (over === -1) return roundUp(parts, wanted, left, full, limits);
    for (const [i, want] of wanted.entries()) {
      const limit = limits?.[i] ?? total;
      if (full[i] || want <= limit) continue;
      parts[i] = limit;
      left -= limit;
      full[i] = true;
    }
  }
  return parts;
}

function roundUp(
  parts: number[],
  wanted: readonly number[],
  total: number,
  full: readonly boolean[],
  limits: readonly number[] | undefined,
): number[] | null {
  let left = total;
  const open = wanted.map((_, i) => i).filter((i) => !full[i]);
  for (const i of open) {
    parts[i] = Math.floor(wanted[i] ?? 0);
    left -= parts[i] ?? 0;
  }
  const remainder = (i: number): number => (wanted[i] ?? 0) % 1;
  open.sort((a, b) => remainder(b) - remainder(a) || a - b);
  for (const i of open) {
    if (left === 0) break;
    if ((parts[i] ?? 0) >= (limits?.[i] ?? total)) continue;
    parts[i] = (parts[i] ?? 0) + 1;
    left--;
  }
  return left === 0 ? parts : null;
}
