/** What an expression is compiled to: a closure, its type, and how large its value and its cost can get. */

import { CHANNELS, INDUSTRIES } from '../../format/attributes.ts';
import { MAX_LEVEL } from '../ageing.ts';
import { type PolicyFacts, RuleFailure } from '../policy.ts';
import { MAX_QUOTED_CHARS } from './limits.ts';
import { type Tree, TreeError } from './tree.ts';

export type Scalar = boolean | number | string;
type Value = Scalar | readonly Scalar[];
export type ScalarType = 'bool' | 'int' | 'double' | 'string';
export type Run<T extends Value> = (facts: PolicyFacts) => T;

export interface Expression {
  readonly type: ScalarType | 'list';
  /** Largest magnitude of an int, longest string in UTF-16 units, longest list; of no meaning for bool and double. */
  readonly max: number;
  /** Of a list: what its elements are; null if it is the empty list, which has none. */
  readonly item?: { readonly type: ScalarType; readonly max: number } | null;
  /** Upper bound of closures called, each a step (limits.ts). */
  readonly steps: number;
  /** A value of `type`: int and double are JS numbers. @throws RuleFailure */
  readonly run: Run<Value>;
  /** The value, if it is the same for all facts and known now. */
  readonly constant?: Value;
}

/** The variables of the macros around an expression, innermost last. */
export type Scope = ReadonlyMap<string, Expression>;

export function refuse(node: Tree, detail: string): never {
  throw new TreeError(detail, { node });
}

export function asBool(node: Tree, expression: Expression): Run<boolean> {
  return runOf<boolean>(node, expression, 'bool');
}

export function asText(node: Tree, expression: Expression): Run<string> {
  return runOf<string>(node, expression, 'string');
}

export function asList(node: Tree, expression: Expression): Run<readonly Scalar[]> {
  return runOf<readonly Scalar[]>(node, expression, 'list');
}

export function asNumber(node: Tree, expression: Expression): Run<number> {
  return runOf<number>(node, expression, 'int', 'double');
}

/** The one place that trusts an expression to be of the type it says. */
function runOf<T extends Value>(node: Tree, { type, run }: Expression, ...expected: string[]): Run<T> {
  if (!expected.includes(type)) refuse(node, `expected ${expected.join(' or ')}; found ${type}`);
  return run as Run<T>;
}

export function constant(type: ScalarType, value: Scalar): Expression {
  const max = typeof value === 'number' ? Math.abs(value) : typeof value === 'string' ? value.length : 1;
  return { type, max, steps: 1, run: () => value, constant: value };
}

/** The variables of a rule (docs/POLICY.md): their types, how they are read from the facts, and how large they get. */

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
