/** Warnings for rules that compile and yet hardly do what their author meant. Only what is certain is warned of. */
import { CHANNELS, INDUSTRIES } from '../../format/attributes.ts';
import { LINE_TYPES } from '../../phone/phone-number.ts';
import { isCountry } from '../../phone/plan.ts';
import { MAX_LEVEL } from '../ageing.ts';
import type { Policy } from '../policy.ts';
import {
  type AbstractValue,
  ANYTHING,
  EMPTY_LIST,
  type Environment,
  interpret,
  type Kind,
  NO_VALUE,
  range,
  text,
} from './abstract-value.ts';

export interface PolicyWarning {
  /** Id of the rule. */
  readonly rule: string;
  readonly detail: string;
}

const LETTERS = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZ'];

/** At most three warnings for each rule, in the order of the rules. */
export function policyWarnings({ rules, tree }: Policy): readonly PolicyWarning[] {
  const environments = [environmentOf('listed'), environmentOf('suspect'), environmentOf('clear')];
  const lastEnforced = rules.findLast(({ mode }) => mode === 'enforce');
  return tree.conditions.flatMap((condition, index) => {
    const rule = rules[index];
    if (rule === undefined) return [];
    const details = detailsOf(
      environments.map((environment) => interpret(condition, environment)),
      rule.mode === 'enforce' && rule !== lastEnforced,
    );
    return details.map((detail) => ({ rule: rule.id, detail }));
  });
}

function detailsOf(values: readonly AbstractValue[], decidesBeforeOthers: boolean): readonly string[] {
  const details: string[] = [];
  if (values.some(({ fails }) => fails)) {
    details.push(
      'fails for numbers that are not listed: put verdict == "listed" && before daysSinceSeen and daysListed',
    );
  }
  if (values.every(({ yes }) => !yes)) {
    details.push(
      'matches no number: it compares with a value that does not occur, or its conditions exclude each other',
    );
  }
  if (decidesBeforeOthers && values.every(({ no, fails }) => !no && !fails)) {
    details.push('matches every number: no enforced rule after it is ever reached');
  }
  return details;
}

/** What the variables can be for one kind of number (PolicyFacts in ../policy.ts). */
export function environmentOf(kind: Kind): Environment {
  const isListed = kind === 'listed';
  const days = isListed ? range(0, Infinity) : NO_VALUE;
  return new Map<string, AbstractValue>([
    ['verdict', text(kind)],
    ['level', range(0, isListed ? MAX_LEVEL : 0)],
    ['labels', isListed ? ANYTHING : EMPTY_LIST],
    ['channels', isListed ? text(...CHANNELS) : EMPTY_LIST],
    ['industries', isListed ? text(...INDUSTRIES) : EMPTY_LIST],
    ['projects', isListed ? ANYTHING : EMPTY_LIST],
    ['daysSinceSeen', days],
    ['daysListed', days],
    ['sightings', isListed ? range(1, Infinity) : range(0, 0)],
    ['country', text('', ...LETTERS.flatMap((a) => LETTERS.map((b) => a + b)).filter(isCountry))],
    ['lineType', text(...LINE_TYPES)],
    ['scenario', ANYTHING],
    ['neighbourhood.hundred', range(0, 99)],
    ['neighbourhood.thousand', range(0, 999)],
    ['neighbourhood.score', range(0, 1)],
  ]);
}
