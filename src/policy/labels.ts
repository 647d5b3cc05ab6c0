/**
 * Risk levels by label. They are data: the defaults are DESIGN.md's, and an operator changes or adds labels with the
 * variable RINGFENCE_LABELS, a JSON object of levels such as `{"reported_abuse": 6, "sim_farm": 9}`. It is laid over the
 * defaults, so no default label (uploads rely on one) can be lost, only set to 0: known, and harmless.
 */
export const DEFAULT_LEVELS: Readonly<Record<string, number>> = {
  modem_pool_card: 9,
  public_sms_receiver: 7,
  reported_abuse: 5,
};

export const MAX_LEVEL = 9;

/**
 * Level of a record whose label is not configured (any more), or that has none. Somebody reported the number, so it
 * must not pass as harmless; nobody says how bad it is, so it must not be blocked: the middle, which is challenged.
 */
export const UNKNOWN_LABEL_LEVEL = 5;

/** The format's profile dictionary and the error list of an upload name every label; a handful is usual. */
const MAX_LABELS = 64;
const LABEL = /^[a-z0-9][a-z0-9_-]{0,63}$/;

/** The configured labels, in the order they were configured, and their levels. */
export class LabelLevels implements Iterable<string> {
  readonly #levels: ReadonlyMap<string, number>;

  constructor(levels: Readonly<Record<string, number>> = DEFAULT_LEVELS) {
    this.#levels = new Map(Object.entries(levels));
  }

  has(label: string): boolean {
    return this.#levels.has(label);
  }

  [Symbol.iterator](): Iterator<string> {
    return this.#levels.keys();
  }

  /** The highest level of any of the labels of one record, 0 to MAX_LEVEL. */
  levelOf(labels: readonly string[]): number {
    if (labels.length === 0) return UNKNOWN_LABEL_LEVEL;
    let highest = 0;
    for (const label of labels) highest = Math.max(highest, this.#levels.get(label) ?? UNKNOWN_LABEL_LEVEL);
    return highest;
  }
}

/**
 * Reads RINGFENCE_LABELS; undefined or blank means the defaults.
 * @throws RangeError naming what was expected and what was found
 */
export function parseLabelLevels(text: string | undefined): LabelLevels {
  if (text === undefined || text.trim() === '') return new LabelLevels();
  const configured = Object.entries(parseObject(text));
  for (const [label, level] of configured) {
    if (!LABEL.test(label) || label in {}) {
      throw expected(`labels of a-z, 0-9, _ and -, at most 64 characters`, JSON.stringify(label));
    }
    if (!Number.isInteger(level) || Number(level) < 0 || Number(level) > MAX_LEVEL) {
      throw expected(`an integer from 0 to ${MAX_LEVEL} for ${label}`, JSON.stringify(level));
    }
  }
  const levels: Record<string, number> = { ...DEFAULT_LEVELS };
  for (const [label, level] of configured) levels[label] = Number(level);
  const count = Object.keys(levels).length;
  if (count > MAX_LABELS) throw expected(`at most ${MAX_LABELS} labels, the defaults included`, String(count));
  return new LabelLevels(levels);
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
  return value;
}

function expected(what: string, found: string): RangeError {
  return new RangeError(`RINGFENCE_LABELS: expected ${what}; found ${found}`);
}
