/** What is known of a number (Finding, made by src/lookup), the answer that decide.ts makes of it, and its receipt. */

import type { Attributes, Channel, Industry } from '../format/attributes.ts';
import type { Profile } from '../format/records.ts';
import { isoDay } from '../lib/time.ts';
import { LINE_TYPES, type LineType } from '../phone/phone-number.ts';
import type { LabelRisk } from './ageing.ts';
import type { LabelLevels } from './labels.ts';
import type { OverrideList, OverrideScope } from './overrides.ts';
import type { Action, Decision, Neighbourhood, Policy, PolicyFacts, PolicySource, Verdict } from './policy.ts';

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
  /** Seconds since the snapshot was last confirmed to be the newest. */
  readonly ageSeconds: number;
  /** null: the number is not listed. */
  readonly record: RecordFacts | null;
  /** *Other* listed numbers in the same block of 100, and of 1,000. */
  readonly hundred: number;
  readonly thousand: number;
  /** The neighbourhood score of a number that is not listed (score.ts). */
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
  /**
   * The segments that can have the number or its neighbours, newest run first, with the SHA-256 of their parts in hex.
   */
  readonly segments: readonly {
    readonly key: string;
    readonly numbers: string;
    readonly verdicts: string;
    readonly evidence: string;
  }[];
}

/**
 * The receipt of a decision says what an answer was computed from, so that whoever has the segments that it names can
 * compute it again, offline (`npm run verify-receipt`).
 */
export const RECEIPT_VERSION = 1;

export interface DecisionReceipt extends Basis {
  readonly version: typeof RECEIPT_VERSION;
  /** UTC date-time with milliseconds. Days are counted from it. */
  readonly decidedAt: string;
  readonly scenario: string | null;
  /** All rules in order; `rule` of the answer names the one that decided. */
  readonly policy: PolicySource;
  /** The levels of labels and how they fall; `unknownLabel` is that of labels that are not configured. */
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

/**
 * The answer to a lookup as it is sent. The names of its fields and their order are part of the API.
 *
 * Which fields have a value depends on the verdict. Level, dates and sightings come from the record, so they are there
 * only if the number is listed; without a record there is no level, so it is null and not 0.
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
  /** As in PhoneNumber (src/phone/phone-number.ts). */
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
   * Present, and true, if there is a record that is too old to be held against anyone (ageing.ts). The number is then
   * answered as one that is not listed.
   */
  readonly expired?: true;
  /** Present if an override decided; `rule` is then "override". The record and the verdict stay those of the data. */
  readonly override?: OverrideAnswer;
  /** Ids of the rules in shadow mode that match; present if there are any. */
  readonly shadow?: readonly string[];
  /** Ids of the rules that failed at run time and were skipped; present if there are any. */
  readonly failed?: readonly string[];
  /** Present if the caller asked for it; null if it could not be read, empty if there is no record. */
  readonly evidence?: readonly EvidenceAnswer[] | null;
  /** Present if the caller asked for an earlier day or generation. Rules and overrides are those of today. */
  readonly asOf?: AsOfAnswer;
  /** Present if the caller asked for it. */
  readonly receipt?: DecisionReceipt;
  /** Present, and true, if the answer comes from data older than STALE_AFTER_SECONDS. */
  readonly stale?: true;
  /** With `stale`: seconds since the data was last confirmed to be the newest. */
  readonly ageSeconds?: number;
}

/** What an answer is as of: what had been observed by the end of a UTC day, or what a generation knew. */
export type AsOfAnswer =
  | {
      readonly date: string;
      /**
       * Present, and false, if the number has more evidence than is kept: then it was seen at least as late as
       * `lastSeen`, and at least `sightings` times.
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

// Answers as text: the same as JSON.stringify gives, which would take longer than finding the number. So what nearly
// every answer consists of is put together here: our own words, which need no escape, and integers. A lookup begins
// with cold caches, so the fewer and the longer the parts are, the better.

/** The same text as JSON.stringify(answer), field by field in that order. */
export function answerText(answer: LookupAnswer): string {
  if (hasMore(answer) || answer.neighbourhood === null) return JSON.stringify(answer);
  const { number, country, lineType, verdict, level, neighbourhood, action, rule } = answer;
  return (
    `${startText(number, country, lineType)},"verdict":"${verdict}"` +
    `,"level":${level}${listsText(answer)}` +
    `,"firstSeen":${quoted(answer.firstSeen)},"lastSeen":${quoted(answer.lastSeen)},"sightings":${answer.sightings}` +
    `,"neighbourhood":${neighbourhoodText(neighbourhood)}${endText(action, rule, answer.generation, false)}`
  );
}

/** What every answer says that has no record. */
const WITHOUT_RECORD =
  ',"level":null,"labels":[],"channels":[],"industries":[],"firstSeen":null,"lastSeen":null,"sightings":null' +
  ',"neighbourhood":';
const CLEAR = `,"verdict":"clear"${WITHOUT_RECORD}`;
const SUSPECT = `,"verdict":"suspect"${WITHOUT_RECORD}`;

/**
 * The text of an answer with none of the fields that only some answers have, but for `expired`, as it is decided,
 * without the answer itself.
 * @param e164 the number as `formatE164` writes it
 * @param record the active one; null: the number is not listed
 */
export function usualText(
  e164: string,
  facts: Pick<PolicyFacts, 'verdict' | 'level' | 'neighbourhood' | 'country' | 'lineType'>,
  record: RecordFacts | null,
  { action, rule }: Decision,
  generation: number,
  isExpired: boolean,
): string {
  const start = startText(e164, facts.country, facts.lineType);
  const end = neighbourhoodText(facts.neighbourhood) + endText(action, rule, generation, isExpired);
  if (record === null) return start + (facts.verdict === 'clear' ? CLEAR : SUSPECT) + end;
  return (
    `${start},"verdict":"listed","level":${facts.level}${profileText(record)}` +
    `,"firstSeen":"${isoDay(record.firstDay)}","lastSeen":"${isoDay(record.lastDay)}","sightings":${record.sightings}` +
    `,"neighbourhood":${end}`
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

const LINE_TYPE_TEXTS = Object.fromEntries(LINE_TYPES.map((type) => [type, `,"lineType":"${type}"`])) as Readonly<
  Record<LineType, string>
>;

/** The beginning of an answer. */
function startText(number: string, country: string | null, lineType: LineType): string {
  const type = LINE_TYPE_TEXTS[lineType];
  return country === null
    ? `{"number":"${number}","country":null${type}`
    : `{"number":"${number}","country":"${country}"${type}`;
}

const NOBODY = '{"hundred":0,"thousand":0,"score":0}';

/** Scores are told in hundredths: each as it stands at the end of a neighbourhood. */
const SCORES = Array.from({ length: 101 }, (_, hundredths) => `,"score":${hundredths / 100}}`);

function neighbourhoodText({ hundred, thousand, score }: Neighbourhood): string {
  if (hundred === 0 && thousand === 0 && score === 0) return NOBODY;
  const hundredths = Math.round(score * 100);
  const end = hundredths / 100 === score ? SCORES[hundredths] : undefined;
  return `{"hundred":${hundred},"thousand":${thousand}${end ?? `,"score":${score}}`}`;
}

interface KnownEnd {
  readonly action: Action | null;
  readonly rule: string | null;
  readonly generation: number | null;
  readonly isExpired: boolean;
  readonly text: string;
}

/** Mostly the numbers of a tenant come to the same few ends. */
const MAX_KNOWN_ENDS = 8;
const knownEnds: KnownEnd[] = [];
let replacedEnd = 0;

function endText(action: Action | null, rule: string | null, generation: number | null, isExpired: boolean): string {
  for (const end of knownEnds) {
    const isSame = end.action === action && end.rule === rule && end.generation === generation;
    if (isSame && end.isExpired === isExpired) return end.text;
  }
  // Ids of rules have letters, digits and a few signs that need no escape (RULE_ID in schema.ts).
  const members = `,"action":${quoted(action)},"rule":${quoted(rule)},"generation":${generation}`;
  const text = isExpired ? `${members},"expired":true}` : `${members}}`;
  knownEnds[replacedEnd] = { action, rule, generation, isExpired, text };
  replacedEnd = (replacedEnd + 1) % MAX_KNOWN_ENDS;
  return text;
}

function quoted(text: string | null): string {
  return text === null ? 'null' : `"${text}"`;
}

/** The lists of a profile as text, and two of them: whoever has the same three has the same text. */
interface KnownLists {
  readonly channels: readonly string[];
  readonly industries: readonly string[];
  readonly text: string;
}

/** By the list of labels. Records of the same profile share their lists (src/format/records.ts). */
const knownLists = new WeakMap<readonly string[], KnownLists>();

function profileText(profile: Profile): string {
  const { labels, channels, industries } = profile;
  const known = knownLists.get(labels);
  if (known !== undefined && known.channels === channels && known.industries === industries) return known.text;
  const text = listsText(profile);
  knownLists.set(labels, { channels, industries, text });
  return text;
}

/** Labels are named by operators, so they are escaped. */
function listsText({ labels, channels, industries }: Pick<LookupAnswer, keyof Profile>): string {
  return (
    `,"labels":${JSON.stringify(labels)},"channels":${JSON.stringify(channels)}` +
    `,"industries":${JSON.stringify(industries)}`
  );
}
