/**
 * The backfill watermark: how early a day each generation has changed activity of. It tells whether something that was
 * computed from the activity of an earlier generation still holds.
 *
 * A monotone stack: a later generation's entry has a later day, since an entry whose day is no earlier than that of a
 * later generation says nothing that the later one does not say as well.
 */
import type { Manifest, Reached } from './manifest.ts';

/** Activity nearly always comes in the order of days, so a handful of entries is usual; this is 2 KiB of them. */
export const MAX_REACHED = 64;

/**
 * The stack once a generation is published that brings activity of `day` and later; null: it brings none.
 *
 * @param day UTC day since 1970; 0 for a generation that takes activity away
 */
export function reachedBy(reached: readonly Reached[], generation: number, day: number | null): Reached[] {
  if (day === null) return [...reached];
  const next = [...reached.filter((entry) => entry.day < day), { generation, day }];
  const [oldest, second] = next;
  if (next.length <= MAX_REACHED || oldest === undefined || second === undefined) return next;
  // One for both: the later generation with the earlier day covers every change that either of them told.
  return [{ generation: second.generation, day: oldest.day }, ...next.slice(2)];
}

/** Whether activity of this day or an earlier one may have changed after the generation was published. */
export function changedSince({ reached }: Pick<Manifest, 'reached'>, generation: number, day: number): boolean {
  return reached.some((entry) => entry.generation > generation && entry.day <= day);
}
