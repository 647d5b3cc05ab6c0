/**
 * Ageing: how the level of a record falls while its number is not seen. Carriers give disconnected numbers to other
 * people, so a record must weigh less with every month, and in the end nothing. The level is computed at lookup:
 * nothing is rewritten, and a number that is seen again has its full level again. docs/AGEING.md says where the days
 * come from.
 */

export const MAX_LEVEL = 9;

/** A century. A longer horizon is a mistake; no ageing at all is written as `null`. */
export const MAX_AGEING_DAYS = 36_500;

/** What a label says of a number, and for how long. RINGFENCE_LABELS and the feed have the same shape. */
export interface LabelRisk {
  /** 0 to MAX_LEVEL, for a number seen today. */
  readonly level: number;
  /**
   * By days since the number was last seen: from then on the level is at most this. Later days have lower levels, and
   * all lie before the horizon. An object orders keys such as these ascending, however it was written.
   */
  readonly steps: Readonly<Record<number, number>>;
  /** From this many days after a number was last seen, the label says nothing of it any more; null: it always does. */
  readonly horizonDays: number | null;
}

export type AgeingCurve = Omit<LabelRisk, 'level'>;

/**
 * Argued from how carriers recycle numbers. For 45 days nobody else can have the number in North America. From 90 days
 * on somebody may, there and in India, so the number is challenged and no longer blocked (the built-in policy blocks
 * from level 8). After a year, every carrier that we know of may have given an idle number away.
 */
const RECYCLED: AgeingCurve = { steps: { 45: 8, 90: 7, 180: 6, 365: 5, 540: 4 }, horizonDays: 730 };

/**
 * Fitted (`npm run fit-ageing`): fewer than 1 in 5, in 10, and in 40 numbers that were last seen so long ago are seen
 * again within half a year; at the horizon fewer than 1 in 200.
 */
const RECEIVERS: AgeingCurve = { steps: { 40: 6, 180: 5, 1095: 4 }, horizonDays: 1460 };

/** Argued: what one person did says nothing of the next person who has the number. */
const REPORTS: AgeingCurve = { steps: { 90: 4, 180: 3, 270: 2 }, horizonDays: 365 };

/** Labels that uploads can rely on: an operator can set them to level 0, but not remove them. */
export const DEFAULT_LEVELS: Readonly<Record<string, LabelRisk>> = {
  modem_pool_card: { level: 9, ...RECYCLED },
  public_sms_receiver: { level: 7, ...RECEIVERS },
  reported_abuse: { level: 5, ...REPORTS },
};

/**
 * The level of a record whose label is not configured (any more), or that has none. Somebody reported the number, so it
 * must not pass as harmless; nobody says how bad it is, so it must not be blocked. The middle level is challenged.
 */
export const UNKNOWN_LABEL_LEVEL = 5;
export const UNKNOWN_LABEL_RISK: LabelRisk = { level: UNKNOWN_LABEL_LEVEL, ...RECYCLED };

/** A LabelRisk prepared for lookups: asking it allocates nothing. */
export class AgedRisk {
  readonly risk: LabelRisk;
  /** Infinity: never. */
  readonly horizonDays: number;
  /** Days ascending. */
  readonly #steps: readonly { readonly fromDay: number; readonly level: number }[];

  constructor(risk: LabelRisk) {
    const { level, steps, horizonDays } = risk;
    this.risk = risk;
    this.horizonDays = horizonDays ?? Number.POSITIVE_INFINITY;
    this.#steps = Object.entries(steps).map(([day, most]) => ({ fromDay: Number(day), level: Math.min(level, most) }));
  }

  /** 0 to MAX_LEVEL; 0 beyond the horizon. */
  levelAt(daysSinceSeen: number): number {
    if (daysSinceSeen >= this.horizonDays) return 0;
    let { level } = this.risk;
    for (const step of this.#steps) {
      if (daysSinceSeen < step.fromDay) break;
      level = step.level;
    }
    return level;
  }
}
