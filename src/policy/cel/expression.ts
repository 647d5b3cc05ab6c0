/** What an expression is compiled to: a closure, its type, and how large its value and its cost can get. */

import { CHANNELS, INDUSTRIES, MAX_NAME_CHARS } from '../../format/attributes.ts';
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
  /** Largest magnitude of an int, longest string in UTF-16 units, longest list; without meaning for bool and double. */
  readonly max: number;
  /** What the elements of a list are; null if the list is empty. */
  readonly item?: { readonly type: ScalarType; readonly max: number } | null;
  /** Upper bound of the closures called; each call is a step (limits.ts). */
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

/** Only here is an expression trusted to have the type that it states. */
function runOf<T extends Value>(node: Tree, { type, run }: Expression, ...expected: string[]): Run<T> {
  if (!expected.includes(type)) refuse(node, `expected ${expected.join(' or ')}; found ${type}`);
  return run as Run<T>;
}

export function constant(type: ScalarType, value: Scalar): Expression {
  const max = typeof value === 'number' ? Math.abs(value) : typeof value === 'string' ? value.length : 1;
  return { type, max, steps: 1, run: () => value, constant: value };
}

// The variables of a rule (docs/POLICY.md): their types, how they are read from the facts, and how large they get.

/** The longest label (../labels.ts) or scenario (src/lookup/request.ts); other strings but projects are shorter. */
const MAX_WORD_CHARS = 64;
/**
 * Labels of one number, for counting the steps of a rule. 64 labels can be configured, but they exclude each other for
 * the most part, and the feed decides which a number has, not who writes the rule. A number with more is still decided
 * right.
 */
const MAX_LABELS = 16;
/** Projects of one number, likewise. A number is rented out for one project after the other. */
const MAX_PROJECTS = 16;
/** Some 2,700 years: no number is listed for longer. */
const MAX_DAYS = 1_000_000;
/** Rules see no more sightings than this: at a million a second it takes 12 days to get here. */
const MAX_SIGHTINGS = 2 ** 40;

const NO_DAYS_SINCE_SEEN = new RuleFailure('daysSinceSeen is known of listed numbers only');
const NO_PROJECTS = new RuleFailure('projects are known where the evidence can be read');
const NO_DAYS_LISTED = new RuleFailure('daysListed is known of listed numbers only');

export const VARIABLES = {
  verdict: text(({ verdict }) => verdict),
  level: int(MAX_LEVEL, ({ level }) => level),
  labels: list(MAX_LABELS, MAX_WORD_CHARS, ({ labels }) => labels),
  channels: list(CHANNELS.length, MAX_WORD_CHARS, ({ channels }) => channels),
  industries: list(INDUSTRIES.length, MAX_WORD_CHARS, ({ industries }) => industries),
  projects: list(MAX_PROJECTS, MAX_NAME_CHARS, ({ projects }) => {
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
  return { type: 'string', max: MAX_WORD_CHARS, steps: 1, run };
}

function list(max: number, maxChars: number, run: (facts: PolicyFacts) => readonly string[]): Expression {
  return { type: 'list', max, item: { type: 'string', max: maxChars }, steps: 1, run };
}
