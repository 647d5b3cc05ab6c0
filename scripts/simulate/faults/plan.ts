/** What people and cron do in a seed, and when: a plain list, so that a schedule can be printed and shrunk. */
import { Random } from '../random.ts';
import { DAY_MS } from './model/calendar.ts';

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
/** A seed in so many is about sources that are held back, and little else. */
const ABOUT_SOURCES = 0.15;
const OF_SOURCES: readonly Kind[] = ['release', 'drop', 'canary', 'rollback'];
/** Without these nothing happens. */
const ALWAYS: readonly Kind[] = ['upload', 'tick', 'lookup'];

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
}

const HOUR_MS = 3_600_000;
const COLLECTION_MS = 17 * 60_000 + 5_000;

/** A Monday, some hours before the end of a month: periods and days are near their ends. */
const EPOCH_MS = 1_769_976_000_000;

export function planOf(seed: number): Plan {
  const random = new Random(seed).stream('plan');
  const count = 30 + random.below(90);
  const isAboutSources = random.chance(ABOUT_SOURCES);
  const weights = KINDS.map((kind) => {
    const isThere = ALWAYS.includes(kind) || (isAboutSources ? OF_SOURCES.includes(kind) : random.chance(0.6));
    return [kind, isThere ? WEIGHTS[kind] * spread(random) : 0] as const;
  });
  const hurry = random.next();
  const calendar = random.chance(0.5) ? random.next() : 0;
  const first = random.below(SOURCES.length);
  const sources = SOURCES.slice(first, first + 1 + (isAboutSources ? 0 : random.below(SOURCES.length)));
  const habits = { sources, badChance: isAboutSources ? 0.6 : ([0.1, 0.2, 0.6][random.below(3)] ?? 0.2) };
  const steps: Step[] = [];
  let storm = 0;
  const startMs = EPOCH_MS + random.below(3 * DAY_MS);
  let at = startMs;
  for (let index = 0; index < count; index++) {
    if (random.chance(0.15)) storm = random.chance(0.5) ? 0 : 0.3 + 0.7 * random.next();
    const kind = draw(weights, random);
    const gapMs = gapOf(random, hurry, calendar);
    const collects = kind === 'tick' && random.chance(0.2);
    const step = { index, kind, gapMs: collects ? untilCollection(at + gapMs) - at : gapMs, storm };
    steps.push(step);
    at += step.gapMs;
  }
  return { habits, steps, isolates: 1 + random.below(3), startMs };
}

/** From a quarter to four times: in each seed other things happen much. */
function spread(random: Random): number {
  return 4 ** (2 * random.next() - 1);
}

/** Within the minute of an hour in which a tick collects garbage, by any isolate's clock. */
function untilCollection(ms: number): number {
  const intoHour = ms % HOUR_MS;
  return ms - intoHour + COLLECTION_MS + (intoHour > COLLECTION_MS ? HOUR_MS : 0);
}

function draw(weights: readonly (readonly [Kind, number])[], random: Random): Kind {
  let at = random.next() * weights.reduce((sum, [, weight]) => sum + weight, 0);
  for (const [kind, weight] of weights) {
    at -= weight;
    if (at < 0) return kind;
  }
  return 'tick';
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
