/** Tells whether a response body is an answer of the lookup. */
import type { Action, LookupAnswer, ServiceError } from './types.ts';

type Guard = (value: unknown) => boolean;
type Field = keyof LookupAnswer;
/** Those that every answer has. */
type UsualField = { [Name in Field]: undefined extends LookupAnswer[Name] ? never : Name }[Field];

/** As policy/policy.ts has them, written out: an import would bring server code into the bundle. */
const VERDICTS: readonly unknown[] = ['listed', 'suspect', 'clear', 'unknown'] satisfies LookupAnswer['verdict'][];
const ACTIONS: readonly unknown[] = ['allow', 'flag', 'challenge', 'block', null] satisfies LookupAnswer['action'][];

const isText: Guard = (value) => typeof value === 'string';
const isNumber: Guard = (value) => typeof value === 'number';
const isTexts: Guard = (value) => Array.isArray(value) && value.every(isText);
const isNeighbourhood: Guard = (value) =>
  isObject(value) && [value.hundred, value.thousand, value.score].every(isNumber);
const orNull =
  (guard: Guard): Guard =>
  (value) =>
    value === null || guard(value);

/**
 * All of the usual fields (test/unit/policy/answer-shape.test.ts). Others may come with a later version of the service, and are handed
 * on as they are.
 */
const SHAPE: readonly (readonly [fits: Guard, ...fields: UsualField[]])[] = [
  [isText, 'number', 'lineType'],
  [orNull(isText), 'country', 'firstSeen', 'lastSeen', 'rule'],
  [orNull(isNumber), 'level', 'sightings', 'generation'],
  [isTexts, 'labels', 'channels', 'industries'],
  [orNull(isNeighbourhood), 'neighbourhood'],
  [(value) => VERDICTS.includes(value), 'verdict'],
  [(value) => ACTIONS.includes(value), 'action'],
];

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

/** An answer that says what to do. "Unknown" is no such answer, and the service says so with a null action. */
export type DecidedAnswer = LookupAnswer & { readonly action: Action };

export function readAnswer(value: unknown): DecidedAnswer | ServiceError {
  if (!isAnswer(value)) return 'malformed';
  return isDecided(value) ? value : 'unavailable';
}

function isAnswer(value: unknown): value is LookupAnswer {
  return isObject(value) && SHAPE.every(([fits, ...fields]) => fields.every((field) => fits(value[field])));
}

function isDecided(answer: LookupAnswer): answer is DecidedAnswer {
  return answer.verdict !== 'unknown' && answer.action !== null;
}
