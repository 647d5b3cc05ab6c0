/**
 * How far back new facts have reached: whether what was computed from the facts of an earlier generation still holds.
 *
 * A monotone stack: a later generation's entry has a later day, since an entry whose day is no earlier than that of a
 * later generation says nothing that the later one does not say as well.
 */
import type { Manifest, Reached } from './manifest.ts';

/** Days that are reached come in order nearly always, so that a handful of entries is usual; this is 2 KiB of them. */
export const MAX_REACHED = 64;

/**
 * The stack once a generation is published that brings facts of `day` and later; null: it brings none.
 *
 * @param day UTC day since 1970; 0 for a generation that takes facts away
 */
export function reachedBy(reached: readonly Reached[], generation: number, day: number | null): Reached[] {
  if (day === null) return [...reached];
  const next = [...reached.filter((entry) => entry.day < day), { generation, day }];
  const [oldest, second] = next;
  if (next.length <= MAX_REACHED || oldest === undefined || second === undefined) return next;
  // One for both: the later generation with the earlier day says "changed" for whatever either of them said it for.
  return [{ generation: second.generation, day: oldest.day }, ...next.slice(2)];
}

/** Whether facts of this day or an earlier one may have come in, or gone, after the generation was published. */
export function changedSince({ reached }: Pick<Manifest, 'reached'>, generation: number, day: number): boolean {
  return reached.some((entry) => entry.generation > generation && entry.day <= day);
}
