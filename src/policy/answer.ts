/** The answer to a lookup, as it goes out. Field names and their order are part of the API. */
import type { Circumstances } from '../format/detection.ts';
import type { Channel, Industry } from '../format/vocabulary.ts';
import type { LineType } from '../number/phone-number.ts';
import type { OverrideList, OverrideScope } from './overrides.ts';
import type { Action, Neighbourhood, Verdict } from './policy.ts';
import type { DecisionReceipt } from './receipt.ts';

/**
 * Which fields say something depends on the verdict. What is known of a number by its record (level to sightings) is
 * there only if it is listed; without a record there is no level either, so it is null and not 0.
 *
 * | verdict | level, firstSeen, lastSeen, sightings | labels, channels, industries | neighbourhood, action, rule, generation |
 * | --- | --- | --- | --- |
 * | listed | yes | yes | yes |
 * | suspect, clear | null | empty | yes; with `expired` too, though there is a record |
 * | unknown | null | empty | null: the caller decides what to do without an answer |
 */
export interface LookupAnswer {
  /** E.164 with `+`. */
  readonly number: string;
  /** ISO 3166-1 alpha-2 by number plan; null for plans of no one country. */
  readonly country: string | null;
  readonly lineType: LineType;
  readonly verdict: Verdict;
  /** 0 to 9. */
  readonly level: number | null;
  readonly labels: readonly string[];
  readonly channels: readonly Channel[];
  readonly industries: readonly Industry[];
  /** UTC dates, YYYY-MM-DD. */
  readonly firstSeen: string | null;
  readonly lastSeen: string | null;
  readonly sightings: number | null;
  readonly neighbourhood: Neighbourhood | null;
  readonly action: Action | null;
  readonly rule: string | null;
  readonly generation: number | null;
  /**
   * Present, and true, if there is a record that is too old to be held against anyone (ageing.ts). The number is answered
   * as one that is not listed.
   */
  readonly expired?: true;
  /** Present if an override decided; `rule` is then "override". The record and the verdict stay those of the data. */
  readonly override?: OverrideAnswer;
  /** Ids of the rules in shadow mode that match; present if there are any. */
  readonly shadow?: readonly string[];
  /** Ids of the rules that failed at run time and were skipped; present if there are any. */
  readonly failed?: readonly string[];
  /** Present if the caller asked for it: null if it could not be read, empty if there is no record. */
  readonly evidence?: readonly EvidenceAnswer[] | null;
  /** Present if the caller asked for an earlier moment. Rules and overrides are those of today. */
  readonly asOf?: AsOfAnswer;
  /** Present if the caller asked for it. */
  readonly receipt?: DecisionReceipt;
  /** Present, and true, if the answer comes from data older than STALE_AFTER_SECONDS. */
  readonly stale?: true;
  /** With `stale`: seconds since the data was last confirmed to be the newest. */
  readonly ageSeconds?: number;
}

/** The earlier moment that an answer is of: what had been observed by the end of a UTC day, or what a generation knew. */
export type AsOfAnswer =
  | {
      readonly date: string;
      /**
       * Present, and false, if the number has more evidence than is kept: `lastSeen` and `sightings` are then at least
       * what is said.
       */
      readonly complete?: false;
    }
  | { readonly generation: number; readonly publishedAt: string };

export interface OverrideAnswer {
  readonly list: OverrideList;
  readonly scope: OverrideScope;
  /** UTC date-time; null: until it is deleted. */
  readonly expiresAt: string | null;
}

export interface EvidenceAnswer extends Circumstances {
  /** UTC date-times, to the second. */
  readonly firstSeenAt: string;
  readonly lastSeenAt: string;
  readonly sightings: number;
}
