/** Uploads and the rules that they are judged by, as the model understands them. */
/** What the model keeps of uploads: plain objects, one a detection. */

export interface PlainLink {
  readonly host: string;
  readonly sha256: string;
}

/** A line that is to be accepted, as whoever sent it meant it. */
export interface PlainDetection {
  readonly number: number;
  readonly isFixed: boolean;
  /** Seconds since 1970; null: none was given, so that it is when the upload came in. */
  readonly observedAt: number | null;
  /** null: as observedAt. */
  readonly firstSeenAt: number | null;
  readonly sightings: number;
  readonly label: string;
  readonly channel: string;
  readonly industry: string | null;
  readonly project: string | null;
  readonly link: PlainLink | null;
  readonly source: string | null;
}

/** The body of an upload. */
export interface PlainBody {
  readonly sha256: string;
  readonly detections: readonly PlainDetection[];
  /** In order of lines: the codes that they are to be rejected with. */
  readonly rejected: readonly {
    readonly line: number;
    readonly code: string;
    readonly source: string | null;
    /** What is wrong with the number: it is none, or of no assigned range; or nothing is. */
    readonly fault: 'invalid' | 'unassigned' | 'other';
  }[];
  readonly lines: number;
}

/** Who uploads. */
export interface PlainOwner {
  readonly tenant: string;
  /** Id of the API key. */
  readonly key: string;
}

/** What is one source: a name within a tenant, or what a key uploads without a name. */
export function feedName({ tenant, key }: PlainOwner, source: string | null): string {
  return source === null ? `what key ${key} of ${tenant} does not name` : `${source} of ${tenant}`;
}

/** A detection with its times, in a batch. */
export interface PlainRow extends PlainDetection {
  readonly batch: string;
  /** feedName of it. */
  readonly feed: string;
  readonly observedAt: number;
  readonly firstSeenAt: number;
}

export interface PlainBatch {
  readonly id: string;
  readonly owner: PlainOwner;
  readonly body: PlainBody;
  readonly rows: readonly PlainRow[];
}

export function rowsOf(
  id: string,
  owner: PlainOwner,
  body: PlainBody,
  stored: readonly { readonly number: number; readonly observedAt: number; readonly firstSeenAt: number }[],
): PlainRow[] | null {
  // Stored in number order, equal numbers in order of arrival: so are these, by a stable sort.
  const meant = [...body.detections].sort((a, b) => a.number - b.number);
  if (meant.length !== stored.length) return null;
  const rows: PlainRow[] = [];
  for (const [i, one] of meant.entries()) {
    const { number, observedAt, firstSeenAt } = stored[i] as (typeof stored)[number];
    if (number !== one.number) return null;
    // Only what was not given is learnt from the store.
    const at = one.observedAt ?? observedAt;
    rows.push({
      ...one,
      batch: id,
      feed: feedName(owner, one.source),
      observedAt: at,
      firstSeenAt: one.firstSeenAt ?? at,
    });
    if (at !== observedAt || (one.firstSeenAt ?? at) !== firstSeenAt) return null;
  }
  return rows;
}

// Labels and policies of a simulation, each twice: as it is configured, and as the model understands it.

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

interface PolicyInput {
  readonly verdict: string;
  /** 0: not listed. */
  readonly level: number;
  readonly sightings: number;
  readonly hundred: number;
}

export interface PlainPolicy {
  readonly source: unknown;
  /** The rule that decides, and its action. */
  decide(input: PolicyInput): readonly [rule: string, action: string];
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
