/**
 * Activity: which numbers were detected on which day, and how. Kept by the merge beside the runs, since a record only
 * knows its first and last day, and a briefing counts every number that was detected in its period.
 */
import type { Circumstances } from './detection.ts';

/** The attributes of a detection, of its link only the host: few texts even where every number has a link. */
export interface FactKind extends Omit<Circumstances, 'link'> {
  readonly linkHost: string | null;
}

/** An activity key, and when it was detected over all history. UTC days since 1970. */
export interface KindSpan {
  readonly kind: FactKind;
  readonly firstDay: number;
  readonly lastDay: number;
}

/**
 * The activity of one UTC day, as columns: a row for each distinct number, activity key and link detected that day. An
 * aggregated detection has a row on its first day and one on its last.
 */
export interface DayFacts {
  /** UTC day since 1970. */
  readonly day: number;
  readonly rows: number;
  /** Ascending; equal numbers in the order of activity key, then link. */
  readonly numbers: Float64Array;
  /** Seconds since 1970 of the earliest such detection of the day. */
  readonly firstSeenAt: Uint32Array;
  /** Index into the activity keys of where the activity comes from. */
  readonly kind: Uint32Array;
  /** The first 64 bits of the link's SHA-256, as two big-endian halves; both 0: no link. */
  readonly linkHigh: Uint32Array;
  readonly linkLow: Uint32Array;
}

/** The activity of one generation. */
export interface FactsSource {
  readonly kinds: readonly KindSpan[];
  /**
   * Days from `from` to `to`, both included, ascending, without those that have no activity. Rejects when storage
   * fails.
   */
  days(from: number, to: number): AsyncIterable<DayFacts>;
}
