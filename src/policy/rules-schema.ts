/** What decides, as it is stored and sent: the same for the feed's configuration and for receipts. */
import * as v from 'valibot';
import { type LabelRisk, MAX_AGEING_DAYS, MAX_LEVEL } from './ageing.ts';
import { ACTIONS, type PolicySource, RULE_MODES } from './policy.ts';

const level = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(MAX_LEVEL));
const days = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(MAX_AGEING_DAYS));

export const labelRisk = v.object({
  level,
  steps: v.record(v.pipe(v.string(), v.regex(/^[1-9][0-9]{0,4}$/)), level),
  horizonDays: v.nullable(days),
}) satisfies v.GenericSchema<unknown, LabelRisk>;

/** By label, in the order of their configuration. */
export const labelRisks = v.record(v.string(), labelRisk);

/** As `PUT /v1/policy` takes it. */
export const policySource = v.object({
  rules: v.array(
    v.object({ id: v.string(), when: v.string(), action: v.picklist(ACTIONS), mode: v.picklist(RULE_MODES) }),
  ),
  default: v.picklist(ACTIONS),
}) satisfies v.GenericSchema<unknown, PolicySource>;
