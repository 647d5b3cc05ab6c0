/** What the store answers about a number; src/lookup produces it, decide.ts turns it into an answer. */

import type { Attributes, Channel, Industry } from '../format/attributes.ts';
import type { Profile } from '../format/records.ts';
import type { LineType } from '../phone/phone-number.ts';
import type { LabelRisk } from './ageing.ts';
import type { LabelLevels } from './labels.ts';
import type { OverrideList, OverrideScope } from './overrides.ts';
import type { Action, Neighbourhood, Policy, PolicySource, Verdict } from './policy.ts';

/** Everything the verdicts column knows of one listed number, folded over the runs. */
export interface RecordFacts extends Profile {
  /** UTC days since 1970. */
  readonly firstDay: number;
  readonly lastDay: number;
  /** Accepted detections, at least 1. */
  readonly sightings: number;
}

/** Detections of one number that share their attributes. */
export interface EvidenceLine extends Attributes {
  /** Seconds since 1970, UTC. */
  readonly firstSeenAt: number;
  readonly lastSeenAt: number;
  readonly sightings: number;
}

export interface Finding {
  /** The generation of the snapshot that answered. */
  readonly generation: number;
  /** Seconds since that snapshot was last confirmed to be the newest. */
  readonly ageSeconds: number;
  /** null: the number is not listed. */
  readonly record: RecordFacts | null;
  /** *Other* listed numbers in the same block of 100, and of 1,000. */
  readonly hundred: number;
  readonly thousand: number;
  /** What all that is known of its neighbours says of a number that is not listed (score.ts). */
  readonly score: number;
  /** Present if it was asked for and could be read. */
  readonly evidence?: readonly EvidenceLine[];
  /** Present if it was asked for. */
  readonly basis?: Basis;
}

/** What a finding was read from. */
export interface Basis {
  /** Commit id of the generation. */
  readonly commit: string;
  /** The segments that can have the number or its neighbours, of the newest run first; SHA-256 in hex of their parts. */
  readonly segments: readonly {
    readonly key: string;
    readonly numbers: string;
    readonly verdicts: string;
    readonly evidence: string;
  }[];
}

/**
 * The receipt of a decision: what an answer was made of, so that it can be made again, offline, by whoever has the
 * segments that it names (`npm run verify-receipt`).
 */

export const RECEIPT_VERSION = 1;

export interface DecisionReceipt extends Basis {
  readonly version: typeof RECEIPT_VERSION;
  /** UTC date-time with milliseconds: days were counted from it. */
  readonly decidedAt: string;
  readonly scenario: string | null;
  /** Every rule, in order; `rule` of the answer names the one that decided. */
  readonly policy: PolicySource;
  /** Levels of labels and how they fall, and those of labels that are not configured. */
  readonly levels: Readonly<Record<string, LabelRisk>>;
  readonly unknownLabel: LabelRisk;
}

/** @param now milliseconds since 1970 */
export function receiptOf(
  { commit, segments }: Basis,
  context: {
    readonly policy: Policy;
    readonly levels: LabelLevels;
    readonly now: number;
    readonly scenario: string | null;
  },
): DecisionReceipt {
  const { policy, levels, now, scenario } = context;
  return {
    version: RECEIPT_VERSION,
    decidedAt: new Date(now).toISOString(),
    commit,
    segments,
    scenario,
    policy: policy.source,
    levels: levels.risks,
    unknownLabel: levels.unknown,
  };
}

/** The answer to a lookup, as it goes out. Field names and their order are part of the API. */

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

export interface EvidenceAnswer extends Attributes {
  /** UTC date-times, to the second. */
  readonly firstSeenAt: string;
  readonly lastSeenAt: string;
  readonly sightings: number;
}

/**
 * Answers as JSON text. A lookup spends more on JSON.stringify than on finding its number, so what nearly every answer
 * consists of is put together here: texts of our own vocabularies, which need no escape, and integers.
 */

/** The same text as JSON.stringify(answer), field by field in that order. */
export function answerText(answer: LookupAnswer): string {
  if (hasMore(answer)) return JSON.stringify(answer);
  const { number, country, lineType, verdict, level, labels, channels, industries, neighbourhood, action, rule } =
    answer;
  return (
    `{"number":"${number}","country":${quoted(country)},"lineType":"${lineType}","verdict":"${verdict}"` +
    `,"level":${level},"labels":${list(labels)},"channels":${list(channels)},"industries":${list(industries)}` +
    `,"firstSeen":${quoted(answer.firstSeen)},"lastSeen":${quoted(answer.lastSeen)},"sightings":${answer.sightings}` +
    `,"neighbourhood":${neighbourhood === null ? 'null' : neighbourhoodText(neighbourhood)}` +
    // Ids of rules are a-z, 0-9 and a few signs (schema.ts).
    `,"action":${quoted(action)},"rule":${quoted(rule)},"generation":${answer.generation}}`
  );
}

/** Fields that only some answers have. */
function hasMore(answer: LookupAnswer): boolean {
  const { expired, asOf, override, shadow, failed, evidence, receipt, stale, ageSeconds } = answer;
  return (
    expired !== undefined ||
    asOf !== undefined ||
    receipt !== undefined ||
    override !== undefined ||
    shadow !== undefined ||
    failed !== undefined ||
    evidence !== undefined ||
    stale !== undefined ||
    ageSeconds !== undefined
  );
}

function neighbourhoodText({ hundred, thousand, score }: NonNullable<LookupAnswer['neighbourhood']>): string {
  return `{"hundred":${hundred},"thousand":${thousand},"score":${score}}`;
}

function quoted(text: string | null): string {
  return text === null ? 'null' : `"${text}"`;
}

/** Labels are an operator's words, so they are escaped. */
function list(texts: readonly string[]): string {
  return texts.length === 0 ? '[]' : JSON.stringify(texts);
}
