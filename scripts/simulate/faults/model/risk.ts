/** Labels and policies of a simulation, each twice: as it is configured, and as the model understands it. */

interface PlainLabel {
  readonly level: number;
  readonly steps: Readonly<Record<string, number>>;
  readonly horizonDays: number | null;
}

const LABELS: Readonly<Record<string, PlainLabel>> = {
  modem_pool_card: { level: 9, steps: { '10': 8, '30': 6 }, horizonDays: 60 },
  public_sms_receiver: { level: 7, steps: { '20': 5 }, horizonDays: 100 },
  reported_abuse: { level: 5, steps: {}, horizonDays: null },
};

export const LABEL_NAMES = Object.keys(LABELS);
/** As RINGFENCE_LABELS. */
export const LABEL_SETTING = JSON.stringify(LABELS);

/** Null: the record is too old to be held against anyone. */
export function levelOf(labels: readonly string[], daysSinceSeen: number): number | null {
  const known = labels.flatMap((label) => LABELS[label] ?? []);
  if (known.every(({ horizonDays }) => horizonDays !== null && daysSinceSeen >= horizonDays)) return null;
  return Math.max(
    ...known.map(({ level, steps, horizonDays }) => {
      if (horizonDays !== null && daysSinceSeen >= horizonDays) return 0;
      const reached = Object.entries(steps).filter(([day]) => daysSinceSeen >= Number(day));
      return Math.min(level, ...reached.map(([, most]) => most));
    }),
  );
}

export interface Facts {
  readonly verdict: string;
  /** 0: not listed. */
  readonly level: number;
  readonly sightings: number;
  readonly hundred: number;
}

export interface PlainPolicy {
  readonly source: unknown;
  /** The rule that decides, and its action. */
  decide(facts: Facts): readonly [rule: string, action: string];
}

const rule = (id: string, when: string, action: string) => ({ id, when, action, mode: 'enforce' });

/** The one of a tenant that has set none, then those that tenants set. */
export const POLICIES: readonly PlainPolicy[] = [
  {
    source: null,
    decide: ({ level, verdict }) =>
      level >= 8
        ? ['modem-pool', 'block']
        : verdict === 'suspect'
          ? ['suspect-neighbourhood', 'challenge']
          : level >= 5
            ? ['known-receiver', 'challenge']
            : ['default', 'allow'],
  },
  {
    source: { rules: [rule('listed', 'verdict == "listed"', 'block')], default: 'flag' },
    decide: ({ verdict }) => (verdict === 'listed' ? ['listed', 'block'] : ['default', 'flag']),
  },
  {
    source: {
      rules: [rule('busy', 'sightings >= 3', 'challenge'), rule('near', 'neighbourhood.hundred >= 2', 'flag')],
      default: 'allow',
    },
    decide: ({ sightings, hundred }) =>
      sightings >= 3 ? ['busy', 'challenge'] : hundred >= 2 ? ['near', 'flag'] : ['default', 'allow'],
  },
];
