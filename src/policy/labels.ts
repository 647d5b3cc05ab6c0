/**
 * Risk levels by label. They are data: an operator changes or adds labels with the
 * variable RINGFENCE_LABELS, a JSON object such as `{"reported_abuse": 6, "sim_farm": {"level": 9, "horizonDays": 365}}`
 * (label-setting.ts). It is laid over the defaults, so no default label (uploads rely on one) can be lost, only set to 0:
 * known, and harmless.
 */
import { repeatedName } from '../format/json-names.ts';
import { AgedRisk, DEFAULT_LEVELS, type LabelRisk, UNKNOWN_LABEL_RISK } from './ageing.ts';
import { expected, readLabelSetting } from './label-setting.ts';

export { DEFAULT_LEVELS, MAX_LEVEL, UNKNOWN_LABEL_LEVEL } from './ageing.ts';

/** The format's profile dictionary and the error list of an upload name every label; a handful is usual. */
const MAX_LABELS = 64;
const LABEL = /^[a-z0-9][a-z0-9_-]{0,63}$/;

/** The configured labels, in the order they were configured, with their levels and how these fall. */
export class LabelLevels implements Iterable<string> {
  readonly #risks: ReadonlyMap<string, AgedRisk>;
  readonly #unknown: AgedRisk;

  /** @param unknown of labels that are not configured */
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

  /** What the constructor takes, for a replica to have the same. */
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
    if (labels.length === 0) return this.#unknown.levelAt(daysSinceSeen);
    let highest = 0;
    for (const label of labels) highest = Math.max(highest, this.#risk(label).levelAt(daysSinceSeen));
    return highest;
  }

  /**
   * From how many days since its last detection a record with these labels is inactive: the furthest horizon of them.
   * Infinity: it never is.
   */
  horizonDaysOf(labels: readonly string[]): number {
    if (labels.length === 0) return this.#unknown.horizonDays;
    let furthest = 0;
    for (const label of labels) furthest = Math.max(furthest, this.#risk(label).horizonDays);
    return furthest;
  }

  #risk(label: string): AgedRisk {
    return this.#risks.get(label) ?? this.#unknown;
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
