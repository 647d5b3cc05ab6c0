/** What people and cron do in a seed, and when: a plain list, so that a schedule can be printed and shrunk. */
import { COLLECTIONS_APART_MS } from '../../../src/lib/time.ts';
import { Random } from '../../support/random.ts';
import { DAY_MS } from './model/calendar.ts';
import type { Climate } from './weather.ts';

/** How often each is drawn, before a seed leaves some of them out. */
const WEIGHTS = {
  upload: 26,
  tick: 26,
  lookup: 14,
  batch: 7,
  burst: 4,
  rpc: 3,
  watch: 5,
  asOfDay: 4,
  asOfGeneration: 4,
  receipt: 3,
  override: 5,
  policy: 3,
  key: 3,
  rollback: 4,
  release: 5,
  drop: 4,
  canary: 4,
  withdraw: 4,
  bringBack: 2,
  batches: 2,
  briefing: 5,
  census: 1,
  status: 3,
  evict: 3,
  sync: 4,
  replicaLookup: 4,
} as const;

export type Kind = keyof typeof WEIGHTS;
const KINDS = Object.keys(WEIGHTS) as Kind[];
/** Without these nothing happens. */
const ALWAYS: readonly Kind[] = ['upload', 'tick', 'lookup'];

/** What a seed is about, with little else: what takes several steps in a row is rare where everything happens. */
interface Theme {
  /** Of all seeds. */
  readonly share: number;
  /** Beside what always happens, and how much more often than elsewhere. */
  readonly kinds: Partial<Record<Kind, number>>;
  /** Names of sources, at most. */
  readonly sources: number;
  /** Of an upload that has many bad lines. */
  readonly badChance?: number;
  /** Serving isolates, at most. */
  readonly isolates: number;
  /** Whether days go by, or seconds only. */
  readonly pace: 'days' | 'hours' | 'seconds';
  /** Whom storms meet; none: everybody. */
  readonly stormy?: readonly Kind[];
  /** Of which one is drawn; none: as in any other seed. */
  readonly weather: readonly Partial<Climate>[];
  /** Whether cities have caches, whatever the seed; not said: as in any other seed. */
  readonly hasCities?: true;
}

const THEMES: readonly Theme[] = [
  // Held back, released, held back again, dropped: all of one source.
  {
    share: 0.15,
    kinds: { release: 1, drop: 1, canary: 1, rollback: 1 },
    sources: 1,
    badChance: 0.6,
    isolates: 3,
    pace: 'days',
    weather: [],
  },
  // Reads of one isolate that cross each other, and the changes that are made meanwhile.
  {
    share: 0.08,
    kinds: { watch: 4, override: 3, policy: 3, status: 1 },
    sources: 4,
    isolates: 2,
    pace: 'seconds',
    stormy: ['watch', 'lookup'],
    weather: [
      { faults: ['slow'], targets: ['manifest'], faultRate: 0.6 },
      { faults: ['slow'], targets: ['config/'], faultRate: 0.3 },
      { faults: ['slow'], targets: ['config/', 'manifest'], faultRate: 0.1, latencyMs: 200 },
    ],
  },
  // Syncs that overlap, of an origin whose isolates do not know the same.
  {
    share: 0.04,
    kinds: { sync: 4, replicaLookup: 4, rollback: 0.5 },
    sources: 4,
    isolates: 3,
    pace: 'seconds',
    weather: [
      { targets: ['current', 'slices/'], faultRate: 0.3 },
      { originCacheMs: 25_000 },
      { faults: ['slow'], targets: ['current', 'slices/'], faultRate: 0.3 },
    ],
  },
  // Uploads taken back while others come in.
  {
    share: 0.06,
    kinds: { withdraw: 2, bringBack: 1, rollback: 0.3, release: 0.5 },
    sources: 2,
    isolates: 2,
    pace: 'hours',
    weather: [],
  },
  // What the one isolate answers after each change that goes through it, where now and then a look at the change fails.
  {
    share: 0.05,
    kinds: { watch: 5, policy: 9, override: 3, rollback: 0.5 },
    sources: 2,
    isolates: 1,
    pace: 'seconds',
    weather: [
      { faults: ['fails'], targets: ['config/tenants'], faultRate: 0.5 },
      { faults: ['fails', 'slow'], targets: ['config/tenants'], faultRate: 0.5, latencyMs: 200 },
      { faults: ['fails', 'slow'], targets: ['manifest'], faultRate: 0.3, latencyMs: 200 },
    ],
  },
  // Isolates of a city that come and go, and take from each other what they know, while it changes.
  {
    share: 0.06,
    kinds: { watch: 3, evict: 4, status: 5, key: 2, policy: 2, override: 2, rollback: 0.5 },
    sources: 2,
    isolates: 4,
    pace: 'seconds',
    hasCities: true,
    stormy: ['watch', 'lookup'],
    weather: [
      {},
      { faults: ['slow'], targets: ['manifest', 'config/'], faultRate: 0.2 },
      { faults: ['fails', 'slow'], targets: ['manifest', 'config/'], faultRate: 0.3, latencyMs: 200 },
    ],
  },
];

export interface Step {
  /** Its place in the whole plan, which names it and seeds what it does, whatever becomes of the others. */
  readonly index: number;
  readonly kind: Kind;
  /** Since the step before. */
  readonly gapMs: number;
  /** How stormy it is for what it does, 0 to 1. */
  readonly storm: number;
}

/** What uploads of a seed are like. */
export interface Habits {
  /** Names of sources, null for lines that name none: the fewer, the more happens to one. */
  readonly sources: readonly (string | null)[];
  /** Of an upload that has many bad lines. */
  readonly badChance: number;
}

const SOURCES = ['feed-a', 'feed-b', 'scrape', null];

export interface Plan {
  readonly habits: Habits;
  readonly steps: readonly Step[];
  /** Serving isolates. */
  readonly isolates: number;
  readonly startMs: number;
  /** Of the seed's climate, what is not drawn for it. */
  readonly weather: Partial<Climate>;
  /** Whether cities have caches, whatever is drawn. */
  readonly hasCities: boolean;
}

const HOUR_MS = 3_600_000;
const COLLECTION_MS = 17 * 60_000 + 5_000;

/** A Monday, some hours before the end of a month: periods and days are near their ends. */
const EPOCH_MS = 1_769_976_000_000;

export function planOf(seed: number): Plan {
  const random = new Random(seed).stream('plan');
  const count = 30 + random.below(90);
  const theme = themeOf(random.next());
  const weights = KINDS.map((kind) => {
    const factor = ALWAYS.includes(kind) ? 1 : theme === null ? Number(random.chance(0.6)) : (theme.kinds[kind] ?? 0);
    return [kind, factor * WEIGHTS[kind] * spread(random)] as const;
  });
  const hurry = random.next();
  const calendar = (theme?.pace ?? 'days') === 'days' && random.chance(0.5) ? random.next() : 0;
  const first = random.below(SOURCES.length);
  const sources = SOURCES.slice(first, first + 1 + random.below(theme?.sources ?? SOURCES.length));
  const habits = { sources, badChance: theme?.badChance ?? random.pick([0.1, 0.2, 0.6]) };
  const weather = theme?.weather[random.below(Math.max(1, theme.weather.length))] ?? {};
  const steps: Step[] = [];
  let storm = 0;
  const startMs = EPOCH_MS + random.below(3 * DAY_MS);
  let at = startMs;
  for (let index = 0; index < count; index++) {
    if (random.chance(0.15)) storm = random.chance(0.5) ? 0 : 0.3 + 0.7 * random.next();
    const kind = random.weighted(weights) ?? 'tick';
    const gapMs =
      theme?.pace === 'seconds' ? random.below(random.chance(0.5) ? 400 : 15_000) : gapOf(random, hurry, calendar);
    const collects = kind === 'tick' && theme?.pace !== 'seconds' && random.chance(0.2);
    const isMet = theme?.stormy?.includes(kind) ?? true;
    const step = {
      index,
      kind,
      gapMs: collects ? untilCollection(at + gapMs) - at : gapMs,
      storm: isMet ? storm : 0,
    };
    steps.push(step);
    at += step.gapMs;
  }
  const isolates = 1 + random.below(theme?.isolates ?? 3);
  return { habits, steps, isolates, startMs, weather, hasCities: theme?.hasCities ?? false };
}

/** @param at 0 to 1; null: the seed is about everything */
function themeOf(at: number): Theme | null {
  let before = 0;
  for (const theme of THEMES) {
    before += theme.share;
    if (at < before) return theme;
  }
  return null;
}

/** From a quarter to four times: in each seed other things happen much. */
function spread(random: Random): number {
  return 4 ** (2 * random.next() - 1);
}

/** Within the minute in which a tick collects garbage, by any isolate's clock. */
function untilCollection(ms: number): number {
  const sinceTurn = ms % COLLECTIONS_APART_MS;
  return ms - sinceTurn + COLLECTION_MS + (sinceTurn > COLLECTION_MS ? COLLECTIONS_APART_MS : 0);
}

/** From nothing at all to months; what takes days happens in some seeds only. */
function gapOf(random: Random, hurry: number, calendar: number): number {
  if (random.chance(0.02 + calendar * 0.15)) {
    const day = random.chance(0.5) ? random.next() * 2 : random.next() * 40;
    return Math.floor((random.chance(0.1) ? day * 4 : day) * DAY_MS);
  }
  if (random.chance(0.06)) return Math.floor(random.next() * 6 * HOUR_MS);
  const draw = random.next();
  if (draw < 0.3 * hurry) return 0;
  if (draw < 0.5) return random.below(400);
  if (draw < 0.75) return random.below(20_000);
  return 20_000 + random.below(100_000);
}
