/**
 * The risk levels of labels. They are data: an operator changes or adds labels with the variable RINGFENCE_LABELS, a
 * JSON object such as `{"reported_abuse": 6, "sim_farm": {"level": 9, "horizonDays": 365}}`. It is laid over the
 * defaults, so no default label, which uploads rely on, can be removed; it can be set to level 0, which is harmless.
 */

import { repeatedName } from '../lib/json.ts';
import { AgedRisk, DEFAULT_LEVELS, type LabelRisk, MAX_AGEING_DAYS, MAX_LEVEL, UNKNOWN_LABEL_RISK } from './ageing.ts';

/**
 * Reads one label: a level, or an object with what is to differ from the label's defaults. A level alone keeps the
 * ageing of the label, or for a label of the operator's own the ageing of unknown labels. `horizonDays` alone keeps the
 * steps that lie before it; null without steps turns ageing off.
 * @throws RangeError naming what was expected and what was found
 */
function readLabelSetting(label: string, setting: unknown): LabelRisk {
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

function expected(what: string, found: string): RangeError {
  return new RangeError(`RINGFENCE_LABELS: expected ${what}; found ${found}`);
}

const FIELDS: readonly string[] = ['level', 'steps', 'horizonDays'];
/** Days as a key of JSON: without sign, fraction or leading zero. */
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

/**
 * A level that rises with time, or a step that is never reached, is a mistake of the operator: it is refused, not
 * corrected.
 */
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

/** Shows a value of the operator's own configuration, which holds no number. */
function shown(value: unknown): string {
  return value === undefined ? 'none' : JSON.stringify(value);
}

/** The profile dictionary of the format and the error list of an upload name every label; a handful is usual. */
const MAX_LABELS = 64;
const LABEL = /^[a-z0-9][a-z0-9_-]{0,63}$/;

/** The configured labels, in the order they were configured, with their levels and how these fall. */
export class LabelLevels implements Iterable<string> {
  readonly #risks: ReadonlyMap<string, AgedRisk>;
  readonly #unknown: AgedRisk;
  readonly #joint = new WeakMap<readonly string[], RecordRisk>();

  /** @param unknown for labels that are not configured */
  constructor(risks: Readonly<Record<string, LabelRisk>> = DEFAULT_LEVELS, unknown: LabelRisk = UNKNOWN_LABEL_RISK) {
    this.#risks = new Map(Object.entries(risks).map(([label, risk]) => [label, new AgedRisk(risk)]));
    this.#unknown = new AgedRisk(unknown);
  }

  has(label: string): boolean {
    return this.#risks.has(label);
  }

  [Symbol.iterator](): Iterator<string> {
    return this.#risks.keys();
  }

  /** What the constructor takes, so that a replica can have the same. */
  get risks(): Readonly<Record<string, LabelRisk>> {
    return Object.fromEntries([...this.#risks].map(([label, { risk }]) => [label, risk]));
  }

  get unknown(): LabelRisk {
    return this.#unknown.risk;
  }

  /**
   * The highest level of any of the labels of one record, 0 to MAX_LEVEL.
   * @param daysSinceSeen UTC days since its last detection, 0 or more
   */
  levelOf(labels: readonly string[], daysSinceSeen: number): number {
    return this.riskOf(labels).levelAt(daysSinceSeen);
  }

  /**
   * From how many days after its last detection a record with these labels is inactive: the furthest of their horizons.
   * Infinity: never.
   */
  horizonDaysOf(labels: readonly string[]): number {
    return this.riskOf(labels).horizonDays;
  }

  /** What the labels of one record come to: found once for each list, since records with the same profile share it. */
  riskOf(labels: readonly string[]): RecordRisk {
    const known = this.#joint.get(labels);
    if (known !== undefined) return known;
    const risks = labels.map((label) => this.#risks.get(label) ?? this.#unknown);
    const [only = this.#unknown] = risks;
    const risk = risks.length > 1 ? new JointRisk(risks) : only;
    this.#joint.set(labels, risk);
    return risk;
  }
}

/** How bad a record is, by the days since its last detection. */
interface RecordRisk {
  /** From then on it is inactive. Infinity: never. */
  readonly horizonDays: number;
  /** 0 to MAX_LEVEL. */
  levelAt(daysSinceSeen: number): number;
}

class JointRisk implements RecordRisk {
  readonly horizonDays: number;
  readonly #risks: readonly AgedRisk[];

  constructor(risks: readonly AgedRisk[]) {
    this.horizonDays = Math.max(...risks.map(({ horizonDays }) => horizonDays));
    this.#risks = risks;
  }

  levelAt(daysSinceSeen: number): number {
    let highest = 0;
    for (const risk of this.#risks) highest = Math.max(highest, risk.levelAt(daysSinceSeen));
    return highest;
  }
}

/**
 * Reads RINGFENCE_LABELS; undefined or blank means the defaults.
 * @throws RangeError naming what was expected and what was found
 */
export function parseLabelLevels(text: string | undefined): LabelLevels {
  if (text === undefined || text.trim() === '') return new LabelLevels();
  const risks: Record<string, LabelRisk> = { ...DEFAULT_LEVELS };
  for (const [label, setting] of Object.entries(parseObject(text))) {
    if (!LABEL.test(label) || label in {}) {
      throw expected(`labels of a-z, 0-9, _ and -, at most 64 characters`, JSON.stringify(label));
    }
    risks[label] = readLabelSetting(label, setting);
  }
  const count = Object.keys(risks).length;
  if (count > MAX_LABELS) throw expected(`at most ${MAX_LABELS} labels, the defaults included`, String(count));
  return new LabelLevels(risks);
}

function parseObject(text: string): object {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw expected('a JSON object of levels', 'text that is not JSON');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw expected('a JSON object of levels', 'another JSON value');
  }
  const repeated = repeatedName(text, value);
  if (repeated !== null)
    throw expected('each label and each of its settings once', `${JSON.stringify(repeated)} twice`);
  return value;
}
