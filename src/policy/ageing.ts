/**
 * How the level of a record falls while its number is not seen. Carriers give disconnected numbers to somebody else, so
 * what was known of a number must weigh less with every month, and in the end nothing. Computed at lookup: nothing is
 * rewritten, and a number that is seen again is as bad as ever. docs/AGEING.md says where the days come from.
 */

export const MAX_LEVEL = 9;

/** A century: beyond it a horizon is a mistake, and no ageing at all is `null`. */
export const MAX_AGEING_DAYS = 36_500;

/** What a label means of a number, and for how long; the shape is that of RINGFENCE_LABELS and of the feed. */
export interface LabelRisk {
  /** 0 to MAX_LEVEL, of a number seen today. */
  readonly level: number;
  /**
   * By days since the number was last seen: from then on the level is at most this. Later days have lower levels, and
   * all lie before the horizon. An object orders keys such as these ascending, however it was written.
   */
  readonly steps: Readonly<Record<number, number>>;
  /** From so many days since it was last seen the label says nothing of a number any more; null: it always does. */
  readonly horizonDays: number | null;
}

export type AgeingCurve = Omit<LabelRisk, 'level'>;

/**
 * Argued from how carriers recycle numbers. 45 days: nobody else can have it in North America. 90: there and in India
 * somebody may, so that a number is not blocked any more (level 8 and above, by the built-in policy), but challenged.
 * A year: every carrier that we know of may have given an idle number away.
 */
const RECYCLED: AgeingCurve = { steps: { 45: 8, 90: 7, 180: 6, 365: 5, 540: 4 }, horizonDays: 730 };

/**
 * Fitted (`npm run fit-ageing`): fewer than 1 in 5, in 10, and in 40 numbers that were last seen so long ago are seen again
 * within half a year; at the horizon fewer than 1 in 200.
 */
const RECEIVERS: AgeingCurve = { steps: { 40: 6, 180: 5, 1095: 4 }, horizonDays: 1460 };

/** Argued: what one person did says nothing of the next one who has the number. */
const REPORTS: AgeingCurve = { steps: { 90: 4, 180: 3, 270: 2 }, horizonDays: 365 };

/** Labels that uploads can rely on: they can be set to level 0, but not be lost. */
export const DEFAULT_LEVELS: Readonly<Record<string, LabelRisk>> = {
  modem_pool_card: { level: 9, ...RECYCLED },
  public_sms_receiver: { level: 7, ...RECEIVERS },
  reported_abuse: { level: 5, ...REPORTS },
};

/**
 * Level of a record whose label is not configured (any more), or that has none. Somebody reported the number, so it
 * must not pass as harmless; nobody says how bad it is, so it must not be blocked: the middle, which is challenged.
 */
export const UNKNOWN_LABEL_LEVEL = 5;
export const UNKNOWN_LABEL_RISK: LabelRisk = { level: UNKNOWN_LABEL_LEVEL, ...RECYCLED };

/** A LabelRisk made ready to be asked at every lookup: it allocates nothing. */
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
