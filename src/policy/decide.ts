/** From what the store found to what the caller is told. Pure. */
import { dayOf, isoDay } from '../format/records.ts';
import { formatE164, type PhoneNumber } from '../number/phone-number.ts';
import type { EvidenceAnswer, LookupAnswer, OverrideAnswer } from './answer.ts';
import type { EvidenceLine, Finding } from './finding.ts';
import type { LabelLevels } from './labels.ts';
import { isSuspect, neighbourhoodScore } from './neighbourhood.ts';
import { OVERRIDE_RULE, type Override, type Overrides } from './overrides.ts';
import { applyPolicy, type Decision, type Policy, type PolicyFacts } from './policy.ts';

/**
 * An answer from older data says so. A snapshot is refreshed within seconds while lookups come in, so two minutes mean
 * that storage has failed for a while, not that the isolate was idle.
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
  readonly scenario: string | null;
  /** Whether the caller asked for evidence. */
  readonly evidence: boolean;
}

export function decide(subject: PhoneNumber, finding: Finding, context: DecideContext): LookupAnswer {
  const { record } = finding;
  const facts = factsOf(subject, finding, context);
  const override = context.overrides.find(subject.number, context.now);
  const decision = applyPolicy(context.policy, facts);
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
  const isStale = finding.ageSeconds > STALE_AFTER_SECONDS;
  const hasMore = context.evidence || isStale || override !== null || shadow !== undefined || failed !== undefined;
  if (!hasMore) return answer;
  return {
    ...answer,
    ...(override === null ? undefined : { override: overrideAnswer(override) }),
    ...(shadow === undefined ? undefined : { shadow }),
    ...(failed === undefined ? undefined : { failed }),
    ...(context.evidence ? { evidence: evidenceOf(finding) } : undefined),
    ...(isStale ? { stale: true, ageSeconds: Math.round(finding.ageSeconds) } : undefined),
  };
}

/** The answer when storage could not say: neither listed nor clear, and no action is recommended. */
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

/** What a rule in shadow mode would match is reported as ever. */
function overridden(decision: Decision, { list }: Override): Decision {
  return { ...decision, action: list, rule: OVERRIDE_RULE };
}

function overrideAnswer({ list, scope, expiresAt }: Override): OverrideAnswer {
  return { list, scope, expiresAt: expiresAt === null ? null : new Date(expiresAt).toISOString() };
}

/** What the rules of a policy see. */
export function factsOf(
  subject: PhoneNumber,
  finding: Finding,
  { levels, now, scenario }: Pick<DecideContext, 'levels' | 'now' | 'scenario'>,
): PolicyFacts {
  const { record, hundred, thousand } = finding;
  const today = dayOf(now / 1000);
  return {
    verdict: record !== null ? 'listed' : isSuspect(hundred) ? 'suspect' : 'clear',
    level: record === null ? 0 : levels.levelOf(record.labels),
    labels: record?.labels ?? [],
    channels: record?.channels ?? [],
    industries: record?.industries ?? [],
    // A feed may date an observation up to a day ahead.
    daysSinceSeen: record === null ? null : Math.max(0, today - record.lastDay),
    daysListed: record === null ? null : Math.max(0, today - record.firstDay),
    sightings: record?.sightings ?? 0,
    neighbourhood: { hundred, thousand, score: neighbourhoodScore(hundred, thousand) },
    country: subject.country,
    lineType: subject.lineType,
    scenario,
  };
}

function evidenceOf({ record, evidence }: Finding): readonly EvidenceAnswer[] | null {
  if (record === null) return [];
  return evidence === undefined ? null : evidence.map(evidenceAnswer);
}

function evidenceAnswer({ firstSeenAt, lastSeenAt, sightings, ...circumstances }: EvidenceLine): EvidenceAnswer {
  return { ...circumstances, firstSeenAt: isoInstant(firstSeenAt), lastSeenAt: isoInstant(lastSeenAt), sightings };
}

/** Seconds since 1970 as YYYY-MM-DDTHH:MM:SSZ. */
function isoInstant(seconds: number): string {
  return `${new Date(seconds * 1000).toISOString().slice(0, 19)}Z`;
}
