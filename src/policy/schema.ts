/**
 * Schemas of what a tenant decides with, the same for requests, answers, stored documents, the feed and receipts. The
 * types stand where they are used, since the declarations of the npm package reach them and need no library; the
 * compiler holds each schema to its type.
 */
import * as v from 'valibot';
import { type LabelRisk, MAX_AGEING_DAYS, MAX_LEVEL } from './ageing.ts';
import { ACTIONS, type PolicySource, RULE_MODES, type RuleSource } from './policy.ts';

const level = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(MAX_LEVEL));
const days = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(MAX_AGEING_DAYS));

export const labelRisk = v.object({
  level,
  steps: v.record(v.pipe(v.string(), v.regex(/^[1-9][0-9]{0,4}$/)), level),
  horizonDays: v.nullable(days),
}) satisfies v.GenericSchema<unknown, LabelRisk>;

/** Risks by label, in the order of the configuration. */
export const labelRisks = v.record(v.string(), labelRisk);

/** Short enough to be shown in every answer. Lower case only, so that two ids never differ by case alone. */
export const RULE_ID = /^[a-z0-9][a-z0-9_.-]{0,63}$/;

export const ruleSource = v.object({
  id: v.pipe(v.string('expected text'), v.regex(RULE_ID, 'expected a-z, 0-9, _, . and -, at most 64 characters')),
  when: v.string('expected text'),
  action: v.picklist(ACTIONS, `expected one of ${ACTIONS.join(', ')}`),
  mode: v.picklist(RULE_MODES, `expected one of ${RULE_MODES.join(', ')}`),
}) satisfies v.GenericSchema<unknown, RuleSource>;

export const policySource = v.object({
  rules: v.array(ruleSource, 'expected a list of rules'),
  default: ruleSource.entries.action,
}) satisfies v.GenericSchema<unknown, PolicySource>;
