/** Decides: from what is known of a number and what its tenant decides with to the answer. It does no I/O. */
import { dayOf, isoDay } from '../lib/time.ts';
import { formatE164, type PhoneNumber } from '../phone/phone-number.ts';
import {
  type AsOfAnswer,
  answerText,
  type EvidenceAnswer,
  type EvidenceLine,
  type Finding,
  type LookupAnswer,
  type OverrideAnswer,
  type RecordFacts,
  receiptOf,
  usualText,
} from './answer.ts';
import type { LabelLevels } from './labels.ts';
import { OVERRIDE_RULE, type Override, type Overrides } from './overrides.ts';
import { ACTIONS, applyPolicy, type Decision, type Neighbourhood, type Policy, type PolicyFacts } from './policy.ts';
import { isSuspectScore } from './score.ts';

/**
 * An answer from older data says so (`stale`). While lookups come in, a snapshot is refreshed within seconds, so two
 * minutes mean that storage has been failing for a while, and not that the isolate was idle.
 */
export const STALE_AFTER_SECONDS = 120;

/** What a tenant decides with. */
export interface TenantRules {
  readonly policy: Policy;
  readonly overrides: Overrides;
}

export interface DecideContext extends TenantRules {
  readonly levels: LabelLevels;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** The earlier instant that the finding is of, if there is one: days are counted from it. */
  readonly asOf?: AsOfContext;
  readonly scenario: string | null;
  /** Whether the caller asked for evidence. */
  readonly evidence: boolean;
  /** Whether the caller asked for a receipt; the finding then tells what it was read from. */
  readonly receipt?: boolean;
}

export interface AsOfContext {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly answer: AsOfAnswer;
}

const NONE: readonly never[] = [];

/**
 * The facts of the number at hand: one object for all texts, which take turns, since none waits while it is decided.
 */
const atHand = noFacts();

/** The whole answer to a lookup of a number of which something is known. A record beyond its horizon counts as none. */
export function decide(subject: PhoneNumber, finding: Finding, context: DecideContext): LookupAnswer {
  const facts = noFacts();
  const record = fillFacts(facts, subject, finding, context);
  const decision = applyPolicy(context.policy, facts);
  const override = context.overrides.find(subject.number, context.now);
  return answerOf(subject, finding, { record, facts, decision, override }, context);
}

/**
 * The same as text, as it is sent; for the usual answer no object is made of it first.
 * @param e164 the number as `formatE164` writes it, from who has read it so
 */
export function decideText(
  subject: PhoneNumber,
  finding: Finding,
  context: DecideContext,
  e164 = formatE164(subject.number),
): string {
  const facts = atHand;
  const record = fillFacts(facts, subject, finding, context);
  const decision = applyPolicy(context.policy, facts);
  const override = context.overrides.find(subject.number, context.now);
  const isAsked = context.evidence || context.receipt === true || context.asOf !== undefined;
  const isUsual = override === null && !isAsked && !isStale(finding);
  const isExpired = record === null && finding.record !== null;
  return isUsual && decision.shadow === undefined && decision.failed === undefined
    ? usualText(e164, facts, record, decision, finding.generation, isExpired)
    : answerText(answerOf(subject, finding, { record, facts, decision, override }, context));
}

function isStale({ ageSeconds }: Finding): boolean {
  return ageSeconds > STALE_AFTER_SECONDS;
}

interface Decided {
  /** The active one; null: the number is not listed. */
  readonly record: RecordFacts | null;
  readonly facts: PolicyFacts;
  readonly decision: Decision;
  readonly override: Override | null;
}

function answerOf(
  subject: PhoneNumber,
  finding: Finding,
  { record, facts, decision, override }: Decided,
  context: DecideContext,
): LookupAnswer {
  const isExpired = record === null && finding.record !== null;
  const { action, rule, shadow, failed } = override === null ? decision : overridden(decision, override);
  const answer: LookupAnswer = {
    number: formatE164(subject.number),
    country: subject.country,
    lineType: subject.lineType,
    verdict: facts.verdict,
    level: record === null ? null : facts.level,
    labels: facts.labels,
    channels: facts.channels,
    industries: facts.industries,
    firstSeen: record === null ? null : isoDay(record.firstDay),
    lastSeen: record === null ? null : isoDay(record.lastDay),
    sightings: record === null ? null : record.sightings,
    neighbourhood: facts.neighbourhood,
    action,
    rule,
    generation: finding.generation,
  };
  const receipt = context.receipt && finding.basis !== undefined ? receiptOf(finding.basis, context) : undefined;
  return {
    ...answer,
    ...(isExpired ? { expired: true } : undefined),
    ...(context.asOf === undefined ? undefined : { asOf: context.asOf.answer }),
    ...(override === null ? undefined : { override: overrideAnswer(override) }),
    ...(shadow === undefined ? undefined : { shadow }),
    ...(failed === undefined ? undefined : { failed }),
    ...(context.evidence ? { evidence: evidenceOf(finding) } : undefined),
    ...(receipt === undefined ? undefined : { receipt }),
    ...(isStale(finding) ? { stale: true, ageSeconds: Math.round(finding.ageSeconds) } : undefined),
  };
}

/** The answer when storage could not say: the number is neither listed nor clear, and no action is recommended. */
export function unknownAnswer(subject: PhoneNumber): LookupAnswer {
  return {
    number: formatE164(subject.number),
    country: subject.country,
    lineType: subject.lineType,
    verdict: 'unknown',
    level: null,
    labels: [],
    channels: [],
    industries: [],
    firstSeen: null,
    lastSeen: null,
    sightings: null,
    neighbourhood: null,
    action: null,
    rule: null,
    generation: null,
  };
}

/** Rules in shadow mode that would match are reported as without an override. */
function overridden(decision: Decision, { list }: Override): Decision {
  return { ...decision, action: list, rule: OVERRIDE_RULE };
}

function overrideAnswer({ list, scope, expiresAt }: Override): OverrideAnswer {
  return { list, scope, expiresAt: expiresAt === null ? null : new Date(expiresAt).toISOString() };
}

type View = Pick<DecideContext, 'levels' | 'now' | 'asOf' | 'scenario'>;

/** What the rules of a policy see. */
export function factsOf(subject: PhoneNumber, finding: Finding, view: View): PolicyFacts {
  const own = noFacts();
  fillFacts(own, subject, finding, view);
  return own;
}

type Writable<T> = { -readonly [Field in keyof T]: T[Field] };
type FactsSoFar = Writable<Omit<PolicyFacts, 'neighbourhood'>> & { readonly neighbourhood: Writable<Neighbourhood> };

function noFacts(): FactsSoFar {
  return {
    verdict: 'clear',
    level: 0,
    labels: NONE,
    channels: NONE,
    industries: NONE,
    projects: NONE,
    daysSinceSeen: null,
    daysListed: null,
    sightings: 0,
    neighbourhood: { hundred: 0, thousand: 0, score: 0 },
    country: null,
    lineType: 'unknown',
    scenario: null,
  };
}

/** @returns the active record; without it the number is not listed */
function fillFacts(into: FactsSoFar, subject: PhoneNumber, finding: Finding, view: View): RecordFacts | null {
  const known = finding.record;
  // Beyond its horizon, a number is decided on as one that is not listed, and its neighbours can make it suspect at
  // most.
  const risk = known === null ? null : view.levels.riskOf(known.labels);
  const today = known === null ? 0 : todayOf(view);
  const daysSinceSeen = known === null ? 0 : daysUntil(today, known.lastDay);
  const record = risk !== null && daysSinceSeen < risk.horizonDays ? known : null;
  if (record === null || risk === null) {
    into.verdict = isSuspectScore(finding.score) ? 'suspect' : 'clear';
    into.level = 0;
    into.labels = NONE;
    into.channels = NONE;
    into.industries = NONE;
    into.projects = NONE;
    into.daysSinceSeen = null;
    into.daysListed = null;
    into.sightings = 0;
  } else {
    into.verdict = 'listed';
    into.level = risk.levelAt(daysSinceSeen);
    into.labels = record.labels;
    into.channels = record.channels;
    into.industries = record.industries;
    into.projects = projectsOf(finding);
    into.daysSinceSeen = daysSinceSeen;
    into.daysListed = daysUntil(today, record.firstDay);
    into.sightings = record.sightings;
  }
  into.neighbourhood.hundred = finding.hundred;
  into.neighbourhood.thousand = finding.thousand;
  into.neighbourhood.score = Math.round(finding.score * 100) / 100;
  into.country = subject.country;
  into.lineType = subject.lineType;
  into.scenario = view.scenario;
  return record;
}

/** UTC day since 1970. */
function todayOf({ asOf, now }: View): number {
  return dayOf((asOf?.at ?? now) / 1000);
}

/** A feed may date an observation up to a day ahead. */
function daysUntil(today: number, day: number): number {
  return Math.max(0, today - day);
}

function projectsOf({ evidence }: Finding): readonly string[] | null {
  if (evidence === undefined) return null;
  return [...new Set(evidence.flatMap(({ project }) => project ?? []))].sort();
}

/** An expired number has its evidence too: its record is still kept. */
function evidenceOf({ record, evidence }: Finding): readonly EvidenceAnswer[] | null {
  if (record === null) return [];
  return evidence === undefined ? null : evidence.map(evidenceAnswer);
}

function evidenceAnswer({ firstSeenAt, lastSeenAt, sightings, ...attributes }: EvidenceLine): EvidenceAnswer {
  return { ...attributes, firstSeenAt: isoInstant(firstSeenAt), lastSeenAt: isoInstant(lastSeenAt), sightings };
}

/** Seconds since 1970 as YYYY-MM-DDTHH:MM:SSZ. */
function isoInstant(seconds: number): string {
  return `${new Date(seconds * 1000).toISOString().slice(0, 19)}Z`;
}

const SEVEREST_ACTION = ACTIONS.at(-1);

/**
 * Of the answers to the readings of one text (src/phone/parse.ts), the one with the severest action; the first of
 * several.
 * @throws what the first failed lookup was rejected with, unless another answer has the severest action there is: then
 *   the failed one could not change the result
 */
export function severest(lookups: readonly PromiseSettledResult<LookupAnswer>[]): LookupAnswer {
  let worst: LookupAnswer | null = null;
  let failed: PromiseRejectedResult | null = null;
  for (const one of lookups) {
    if (one.status === 'rejected') failed ??= one;
    else if (worst === null || severityOf(one.value) > severityOf(worst)) worst = one.value;
  }
  if (failed !== null && worst?.action !== SEVEREST_ACTION) throw failed.reason;
  if (worst === null) throw new RangeError('expected one lookup at least');
  return worst;
}

/** -1 for an answer that does not say what to do. */
function severityOf({ action }: LookupAnswer): number {
  return action === null ? -1 : ACTIONS.indexOf(action);
}
