/** What labels mean, as it is sent: the same for the feed's configuration and for receipts. */
import * as v from 'valibot';
import { type LabelRisk, MAX_AGEING_DAYS, MAX_LEVEL } from './ageing.ts';

const level = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(MAX_LEVEL));
const days = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(MAX_AGEING_DAYS));

export const labelRisk = v.object({
  level,
  steps: v.record(v.pipe(v.string(), v.regex(/^[1-9][0-9]{0,4}$/)), level),
  horizonDays: v.nullable(days),
}) satisfies v.GenericSchema<unknown, LabelRisk>;

/** By label, in the order of their configuration. */
export const labelRisks = v.record(v.string(), labelRisk);
