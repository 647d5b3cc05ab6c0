/** The variables of a rule (docs/POLICY.md): their types, how they are read from the facts, and how large they get. */
import { CHANNELS, INDUSTRIES } from '../../format/vocabulary.ts';
import { MAX_LEVEL } from '../ageing.ts';
import { type PolicyFacts, RuleFailure } from '../policy.ts';
import type { Expression } from './expression.ts';
import { MAX_QUOTED_CHARS } from './limits.ts';

/** Of a label or a scenario (labels.ts, http/lookup-schema.ts); the other strings are shorter. */
const MAX_NAME_CHARS = 64;
/**
 * Of one number, for the steps of a rule alone: 64 labels can be configured (labels.ts), but they exclude each other in
 * the main, and which a number has is up to the feed and not to who writes the rule. A number with more is still right.
 */
const MAX_LABELS = 16;
/** Likewise. A number is rented out for one project after the other. */
const MAX_PROJECTS = 16;
/** Some 2,700 years: longer than any list. */
const MAX_DAYS = 1_000_000;
/** Of a number with more a rule sees this many: a million sightings a second take 12 days to get here. */
const MAX_SIGHTINGS = 2 ** 40;

const NO_DAYS_SINCE_SEEN = new RuleFailure('daysSinceSeen is known of listed numbers only');
const NO_PROJECTS = new RuleFailure('projects are known where the evidence can be read');
const NO_DAYS_LISTED = new RuleFailure('daysListed is known of listed numbers only');

export const VARIABLES = {
  verdict: text(({ verdict }) => verdict),
  level: int(MAX_LEVEL, ({ level }) => level),
  labels: names(MAX_LABELS, ({ labels }) => labels),
  channels: names(CHANNELS.length, ({ channels }) => channels),
  industries: names(INDUSTRIES.length, ({ industries }) => industries),
  projects: names(MAX_PROJECTS, ({ projects }) => {
    if (projects === null) throw NO_PROJECTS;
    return projects;
  }),
  daysSinceSeen: int(MAX_DAYS, ({ daysSinceSeen }) => {
    if (daysSinceSeen === null) throw NO_DAYS_SINCE_SEEN;
    return daysSinceSeen;
  }),
  daysListed: int(MAX_DAYS, ({ daysListed }) => {
    if (daysListed === null) throw NO_DAYS_LISTED;
    return daysListed;
  }),
  sightings: int(MAX_SIGHTINGS, ({ sightings }) => Math.min(sightings, MAX_SIGHTINGS)),
  country: text(({ country }) => country ?? ''),
  lineType: text(({ lineType }) => lineType),
  scenario: text(({ scenario }) => scenario ?? ''),
} as const satisfies Readonly<Record<string, Expression>>;

/** The fields of `neighbourhood`. */
export const NEIGHBOURHOOD = {
  hundred: int(99, ({ neighbourhood }) => neighbourhood.hundred),
  thousand: int(999, ({ neighbourhood }) => neighbourhood.thousand),
  score: { type: 'double', max: 1, steps: 1, run: ({ neighbourhood }) => neighbourhood.score },
} as const satisfies Readonly<Record<string, Expression>>;

export const VARIABLE_NAMES: readonly string[] = [...Object.keys(VARIABLES), 'neighbourhood'];

const BY_NAME: ReadonlyMap<string, Expression> = new Map<string, Expression>([
  ...Object.entries(VARIABLES),
  ...Object.entries(NEIGHBOURHOOD).map(([name, field]): [string, Expression] => [`neighbourhood.${name}`, field]),
]);

/** @param name with a dot, of a field of `neighbourhood` */
export function variableOf(name: string): Expression | undefined {
  return BY_NAME.get(name);
}

export function unknownVariable(name: string): string {
  return `expected one of the variables ${VARIABLE_NAMES.join(', ')}; found ${quoted(name)}`;
}

/** An identifier as an error message shows it. */
export function quoted(identifier: string): string {
  return identifier.length <= MAX_QUOTED_CHARS ? identifier : `${identifier.slice(0, MAX_QUOTED_CHARS)}…`;
}

function int(max: number, run: (facts: PolicyFacts) => number): Expression {
  return { type: 'int', max, steps: 1, run };
}

function text(run: (facts: PolicyFacts) => string): Expression {
  return { type: 'string', max: MAX_NAME_CHARS, steps: 1, run };
}

function names(max: number, run: (facts: PolicyFacts) => readonly string[]): Expression {
  return { type: 'list', max, item: { type: 'string', max: MAX_NAME_CHARS }, steps: 1, run };
}
