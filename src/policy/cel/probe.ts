/** Warnings for rules that compile and yet are hardly what their author meant. Only what is sure is warned of. */
import { CHANNELS, INDUSTRIES } from '../../format/vocabulary.ts';
import { isCountry } from '../../number/country.ts';
import { LINE_TYPES } from '../../number/phone-number.ts';
import { MAX_LEVEL } from '../labels.ts';
import type { Policy } from '../policy.ts';
import {
  ANYTHING,
  EMPTY_LIST,
  type Kind,
  NO_VALUE,
  type Outlook,
  outlook,
  range,
  text,
  type World,
} from './outlook.ts';
import { parseCondition } from './parse.ts';

export interface PolicyWarning {
  /** Id of the rule. */
  readonly rule: string;
  readonly detail: string;
}

const LETTERS = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZ'];

/** At most three for each rule, in the order of the rules. */
export function policyWarnings(policy: Policy): readonly PolicyWarning[] {
  const worlds = [worldOf('listed'), worldOf('suspect'), worldOf('clear')];
  const lastEnforced = policy.source.rules.findLast(({ mode }) => mode === 'enforce');
  return policy.source.rules.flatMap((rule) => {
    const condition = parseCondition(rule.when);
    const details = detailsOf(
      worlds.map((world) => outlook(condition, world)),
      rule.mode === 'enforce' && rule !== lastEnforced,
    );
    return details.map((detail) => ({ rule: rule.id, detail }));
  });
}

function detailsOf(outlooks: readonly Outlook[], decidesBeforeOthers: boolean): readonly string[] {
  const details: string[] = [];
  if (outlooks.some(({ fails }) => fails)) {
    details.push(
      'fails for numbers that are not listed: put verdict == "listed" && before daysSinceSeen and daysListed',
    );
  }
  if (outlooks.every(({ yes }) => !yes)) {
    details.push(
      'matches no number: it compares with a value that does not occur, or its conditions exclude each other',
    );
  }
  if (decidesBeforeOthers && outlooks.every(({ no, fails }) => !no && !fails)) {
    details.push('matches every number: no enforced rule after it is ever reached');
  }
  return details;
}

/** What the variables can be for one kind of number (decide.ts, PolicyFacts). */
export function worldOf(kind: Kind): World {
  const isListed = kind === 'listed';
  const days = isListed ? range(0, Infinity) : NO_VALUE;
  return new Map<string, Outlook>([
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
    ['lineType', text(...Object.values(LINE_TYPES), 'unknown')],
    ['scenario', ANYTHING],
    ['neighbourhood.hundred', range(0, 99)],
    ['neighbourhood.thousand', range(0, 999)],
    ['neighbourhood.score', range(0, 1)],
  ]);
}
