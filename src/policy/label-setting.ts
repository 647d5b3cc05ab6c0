/** One label of RINGFENCE_LABELS: a level, or an object with what is to differ from the label's defaults. */
import { DEFAULT_LEVELS, type LabelRisk, MAX_AGEING_DAYS, MAX_LEVEL, UNKNOWN_LABEL_RISK } from './ageing.ts';

/**
 * A level alone keeps the label's ageing, which for a label of the operator's own is that of unknown ones. `horizonDays`
 * alone keeps the steps that lie before it; null without steps turns ageing off.
 * @throws RangeError naming what was expected and what was found
 */
export function readLabelSetting(label: string, setting: unknown): LabelRisk {
  const known = Object.hasOwn(DEFAULT_LEVELS, label) ? DEFAULT_LEVELS[label] : undefined;
  const ageing = known ?? UNKNOWN_LABEL_RISK;
  if (!isObject(setting)) return { ...ageing, level: levelOf(label, setting) };
  const stranger = Object.keys(setting).find((field) => !FIELDS.includes(field));
  if (stranger !== undefined) throw expected(`only ${FIELDS.join(', ')} for ${label}`, JSON.stringify(stranger));
  const level = levelOf(`level of ${label}`, setting.level ?? known?.level);
  const horizonDays = horizonOf(label, setting.horizonDays === undefined ? ageing.horizonDays : setting.horizonDays);
  if (setting.steps !== undefined) return { level, steps: stepsOf(label, setting.steps, horizonDays), horizonDays };
  return { level, steps: horizonDays === null ? {} : before(horizonDays, ageing.steps), horizonDays };
}

export function expected(what: string, found: string): RangeError {
  return new RangeError(`RINGFENCE_LABELS: expected ${what}; found ${found}`);
}

const FIELDS: readonly string[] = ['level', 'steps', 'horizonDays'];
/** Days as a key of JSON: no sign, no fraction, no leading zero. */
const DAYS = /^[1-9][0-9]{0,4}$/;

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isInteger(value: unknown, min: number, max: number): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max;
}

function levelOf(what: string, value: unknown): number {
  if (isInteger(value, 0, MAX_LEVEL)) return value;
  throw expected(`an integer from 0 to ${MAX_LEVEL} for ${what}`, shown(value));
}

function horizonOf(label: string, value: unknown): number | null {
  if (value === null || isInteger(value, 1, MAX_AGEING_DAYS)) return value;
  throw expected(`null or from 1 to ${MAX_AGEING_DAYS} days for horizonDays of ${label}`, shown(value));
}

/** A level that rises with time, or a step that is never reached, is a slip of the operator's: none is put right silently. */
function stepsOf(label: string, value: unknown, horizonDays: number | null): LabelRisk['steps'] {
  const what = `steps of ${label}`;
  if (!isObject(value)) throw expected(`an object of days and levels for ${what}`, shown(value));
  const last = (horizonDays ?? MAX_AGEING_DAYS + 1) - 1;
  const steps: Record<number, number> = {};
  let lowest = MAX_LEVEL + 1;
  for (const [day, level] of Object.entries(value)) {
    if (!DAYS.test(day) || Number(day) > last) {
      throw expected(`days from 1 to ${last}, before the horizon, for ${what}`, shown(day));
    }
    const most = levelOf(what, level);
    if (most >= lowest) throw expected(`levels that fall with the days for ${what}`, `${most} after ${lowest}`);
    steps[Number(day)] = most;
    lowest = most;
  }
  return steps;
}

function before(horizonDays: number, steps: LabelRisk['steps']): LabelRisk['steps'] {
  return Object.fromEntries(Object.entries(steps).filter(([day]) => Number(day) < horizonDays));
}

/** Of the operator's own configuration, which holds no number; nothing if the field is missing. */
function shown(value: unknown): string {
  return value === undefined ? 'none' : JSON.stringify(value);
}
