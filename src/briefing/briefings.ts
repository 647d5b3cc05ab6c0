/**
 * Briefings on request: the kept one if nothing that it was computed from has changed, otherwise a new one. One is
 * computed at a time in an isolate.
 */

import type * as v from 'valibot';
import type { ActivitySource } from '../format/activity.ts';
import { changedSince, type Manifest } from '../format/manifest.ts';
import { FormatError } from '../lib/bytes.ts';
import type { Pacer } from '../lib/cooperate.ts';
import { messageOf } from '../lib/errors.ts';
import { framedJson } from '../lib/frame.ts';
import { toSortedSteps } from '../lib/sorted.ts';
import { DAY_MS, dayOfMs, isoDay, parseDay } from '../lib/time.ts';
import { openActivity } from '../storage/activity.ts';
import { BRIEFINGS_PREFIX } from '../storage/keys.ts';
import {
  answering,
  deleteObjects,
  listObjects,
  type ObjectHead,
  type ObjectStore,
  orUnavailable,
  StorageUnavailable,
} from '../storage/store.ts';
import { type Briefing, briefingSchema, type QuarantinedSource } from './briefing.ts';
import { type Census, censusOf, keepCensus } from './census.ts';
import { computeBriefing } from './compute.ts';
import { inventoryOf, storedSegments } from './inventory.ts';
import { type DaySpan, halfMonthBefore, periodOf } from './period.ts';

interface BriefingsContext {
  readonly objects: ObjectStore;
  /** The manifest of the newest generation. These three reject when storage does not answer. */
  readonly manifest: () => Promise<Manifest>;
  /** Sources that this generation holds back. */
  readonly quarantined: (manifest: Manifest) => Promise<readonly QuarantinedSource[]>;
  /** Days without a detection after which a number with these labels is inactive; infinity: never. */
  readonly horizonDaysOf: (labels: readonly string[]) => number;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly sleep: (delayMs: number) => Promise<void>;
  readonly pace: Pacer;
  readonly log: (event: string, details: Readonly<Record<string, string | number>>) => void;
}

export class Briefings {
  readonly #context: BriefingsContext;
  readonly #turns: Turns;

  constructor(context: BriefingsContext) {
    this.#context = context;
    this.#turns = new Turns(context);
  }

  /**
   * The kept briefing, or a new one when its turn has come. Rejects with StorageUnavailable, also if its turn does not
   * come in time.
   *
   * @param span of a period that has begun
   */
  async get(span: DaySpan): Promise<Briefing> {
    const found = await this.#look(span);
    if (found.kept !== null) return found.kept;
    return this.#turns.take(async (turn) => {
      // Whoever had the turn before may have computed just this briefing.
      const { manifest, kept } = turn.hasWaited ? await this.#look(span) : found;
      if (kept !== null) return kept;
      const briefing = await this.#compute(manifest, span, turn);
      await this.#keep(span, briefing);
      return briefing;
    });
  }

  /**
   * Computes and keeps the briefing of the half-month that has just ended, so that it is there when it is asked for.
   */
  async keepHalfMonth(): Promise<Briefing> {
    return this.get(halfMonthBefore(dayOfMs(this.#context.now())));
  }

  /** Counts which numbers are active today, and on which day each will cease to be. */
  async takeCensus(): Promise<Census> {
    const { objects, manifest: read, horizonDaysOf, now, pace } = this.#context;
    const manifest = await orUnavailable(read());
    const census = await this.#turns.take((turn) => {
      const inventory = inventoryOf(manifest, storedSegments(watched(objects, turn)), 'all', pace);
      return censusOf(inventory, dayOfMs(now()), horizonDaysOf);
    });
    await orUnavailable(keepCensus(objects, census));
    return census;
  }

  /** `kept` is null if something that it was computed from has changed since. */
  async #look(span: DaySpan): Promise<{ readonly manifest: Manifest; readonly kept: Briefing | null }> {
    const { objects, manifest: read, now } = this.#context;
    const [manifest, kept] = await orUnavailable(Promise.all([read(), readKept(objects, span)]));
    if (kept === null || kept.generation > manifest.generation) return { manifest, kept: null };
    const today = dayOfMs(now());
    // If the period went on, the figures of today are outdated tomorrow, when another day is over.
    const isOfToday = kept.period.complete || kept.period.until === isoDay(today);
    const isChanged = changedSince(manifest, kept.generation, Math.min(span.to, today));
    return { manifest, kept: isOfToday && !isChanged ? kept : null };
  }

  async #compute(manifest: Manifest, span: DaySpan, turn: Turn): Promise<Briefing> {
    const { quarantined, now, pace, log } = this.#context;
    const objects = watched(this.#context.objects, turn);
    const startedAt = now();
    const [activity, sources] = await orUnavailable(
      Promise.all([openActivity(objects, manifest, pace), quarantined(manifest)]),
    );
    const inventory = inventoryOf(manifest, storedSegments(objects), 'first days', pace);
    const briefing = await computeBriefing(
      { activity: unlessUnavailable(activity), inventory, quarantined: sources },
      span,
      {
        now: now(),
        pace,
      },
    );
    const { from, to } = periodOf(span);
    log('briefing.computed', { from, to, generation: briefing.generation, milliseconds: now() - startedAt });
    return briefing;
  }

  /** Keeps a briefing. If that fails, the answer is as good; the next request computes the briefing again. */
  async #keep(span: DaySpan, briefing: Briefing): Promise<void> {
    try {
      await keep(this.#context.objects, span, briefing);
    } catch (error) {
      this.#context.log('briefing.unkept', { reason: messageOf(error) });
    }
  }
}

/** The store, each answer of which shows that the work goes on. */
function watched(objects: ObjectStore, { goOn }: Turn): ObjectStore {
  return answering(objects, async (answer) => {
    const value = await answer;
    goOn();
    return value;
  });
}

/** The same activity; days that cannot be read reject with StorageUnavailable. */
function unlessUnavailable({ kinds, days }: ActivitySource): ActivitySource {
  return {
    kinds,
    async *days(from, to) {
      const iterator = days(from, to)[Symbol.asyncIterator]();
      for (let next = await orUnavailable(iterator.next()); !next.done; next = await orUnavailable(iterator.next())) {
        yield next.value;
      }
    },
  };
}

// Kept briefings are one object a period: frame "RFBR" version 2 around the JSON. A briefing is replaced by another one
// of the same period and never merged with it, so whoever writes last is right. Any can be computed again, so those
// that are not asked for any more are deleted (KEPT_MS, MAX_KEPT): there are millions of periods, and a key may ask for
// all of them.

/** Since the briefing was computed: people talk about a period for some weeks. */
const KEPT_MS = 30 * DAY_MS;
/**
 * For half-months, which are computed without being asked for: briefings to come compare themselves with those of a
 * year.
 */
const HALF_MONTH_KEPT_MS = 400 * DAY_MS;
/** The newest of those that KEPT_MS is for. With some 20 KB each they are 10 MB. */
const MAX_KEPT = 500;
/** For a period that went on: the next day has other figures, and more detections of the same day change them, too. */
const RUNNING_KEPT_MS = 3_600_000;
/** Pages of 1,000 keys that one collection looks at; the rest is looked at by the next. */
const PAGE_LIMIT = 100;
/** A listed key, in records of a merge. */
const KEY_WORK = 1;

const schema: v.GenericSchema<Briefing> = briefingSchema;
const briefingFile = framedJson('RFBR', 2, schema);

export function briefingKey(span: DaySpan): string {
  const { from, to } = periodOf(span);
  return `${BRIEFINGS_PREFIX}${from}_${to}`;
}

/**
 * The kept briefing of the period; null: there is none, or none that can be read. Rejects when storage does not answer.
 */
async function readKept(objects: ObjectStore, span: DaySpan): Promise<Briefing | null> {
  const object = await objects.get(briefingKey(span));
  if (object === null) return null;
  try {
    const briefing = briefingFile.decode(object.bytes);
    const { from, to } = periodOf(span);
    return briefing.period.from === from && briefing.period.to === to ? briefing : null;
  } catch (error) {
    // It is damaged, or of a later version: the briefing is computed as if none had been kept.
    if (error instanceof FormatError) return null;
    throw error;
  }
}

async function keep(objects: ObjectStore, span: DaySpan, briefing: Briefing): Promise<void> {
  await objects.put(briefingKey(span), briefingFile.encode(briefing));
}

const KEY = /(\d{4}-\d{2}-\d{2})_(\d{4}-\d{2}-\d{2})$/;

/**
 * Deletes kept briefings that nobody is likely to ask for again; if somebody does, they are computed again. Returns how
 * many. Rejects when storage does not answer: what was deleted by then is not needed.
 *
 * @param now milliseconds since 1970
 */
export async function collectBriefings(objects: ObjectStore, now: number, pace: Pacer): Promise<number> {
  const garbage: string[] = [];
  const others: ObjectHead[] = [];
  for await (const head of listObjects(objects, BRIEFINGS_PREFIX, PAGE_LIMIT)) {
    const kind = kindOf(head);
    if (now - head.uploadedAt > KEPT_FOR[kind]) garbage.push(head.key);
    else if (kind === 'other') others.push(head);
    if (pace.count(KEY_WORK)) await pace.giveWay();
  }
  const latest = await pace.run(toSortedSteps(others, (a, b) => b.uploadedAt - a.uploadedAt));
  const collected = garbage.concat(latest.slice(MAX_KEPT).map(({ key }) => key));
  await deleteObjects(objects, collected);
  return collected.length;
}

const KEPT_FOR = { running: RUNNING_KEPT_MS, 'half-month': HALF_MONTH_KEPT_MS, other: KEPT_MS } as const;

/** Told by key and time alone. An object with a key of another form is not of this version. */
function kindOf({ key, uploadedAt }: ObjectHead): keyof typeof KEPT_FOR {
  const [, first = '', last = ''] = KEY.exec(key) ?? [];
  const [from, to] = [parseDay(first), parseDay(last)];
  if (from === null || to === null) return 'other';
  if (to >= dayOfMs(uploadedAt)) return 'running';
  const half = halfMonthBefore(to + 1);
  return half.from === from && half.to === to ? 'half-month' : 'other';
}

// Turns: one briefing is computed at a time in an isolate, since two do not fit into its memory. A request that comes
// while another one computes waits and looks again every now and then, since in Workers the promise of another request
// must not be awaited. Waiting requests are served in no particular order.

const LOOK_EVERY_MS = 200;
/** `npm run briefing` waits two minutes for its answer, and computing it takes time, too. */
const WAIT_LIMIT_MS = 90_000;
/** Each waiting request takes some KiB. More than this are not readers but a faulty client. */
const MAX_WAITING = 64;
/**
 * Work that ends with its request (the client went away) never says so. It reads storage several times a second, so
 * after this long without a read it has ended; and a read that takes longer has failed.
 */
const LOST_AFTER_MS = 30_000;

interface TurnsDeps {
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly sleep: (delayMs: number) => Promise<void>;
}

/** The turn, as the work that has it sees it. */
interface Turn {
  /** Whether others were before it, so that what it read before may be out of date. */
  readonly hasWaited: boolean;
  /** Tells that the work goes on. @throws StorageUnavailable if it was taken for ended and other work has the turn */
  goOn(): void;
}

class Turns {
  readonly #deps: TurnsDeps;
  /** The work that has the turn, and when it last told that it goes on. */
  #holder: { aliveAt: number } | null = null;
  /** When each of those who wait last looked: they may go away without telling, too. */
  #waiting: { aliveAt: number }[] = [];

  constructor(deps: TurnsDeps) {
    this.#deps = deps;
  }

  /**
   * Does the work when its turn has come. Rejects with StorageUnavailable, with nothing done, if that takes too long.
   */
  async take<T>(work: (turn: Turn) => Promise<T>): Promise<T> {
    const { now } = this.#deps;
    const holder = { aliveAt: now() };
    const hasWaited = this.#isTaken();
    if (hasWaited) await this.#wait(holder);
    else this.#holder = holder;
    const goOn = () => {
      if (this.#holder !== holder) throw busy();
      holder.aliveAt = now();
    };
    try {
      return await work({ hasWaited, goOn });
    } finally {
      if (this.#holder === holder) this.#holder = null;
    }
  }

  #isTaken(): boolean {
    return this.#holder !== null && this.#deps.now() - this.#holder.aliveAt < LOST_AFTER_MS;
  }

  /** Waits until it is the turn of `waiter`, and takes it. */
  async #wait(waiter: { aliveAt: number }): Promise<void> {
    const { now, sleep } = this.#deps;
    const until = now() + WAIT_LIMIT_MS;
    this.#waiting = this.#waiting.filter(({ aliveAt }) => now() - aliveAt < LOST_AFTER_MS);
    if (this.#waiting.length >= MAX_WAITING) throw busy();
    this.#waiting.push(waiter);
    try {
      while (this.#isTaken()) {
        if (now() >= until) throw busy();
        await sleep(LOOK_EVERY_MS);
        waiter.aliveAt = now();
      }
      // There is no await between finding the turn free and taking it, so nobody else can take it in between.
      this.#holder = waiter;
    } finally {
      this.#waiting = this.#waiting.filter((each) => each !== waiter);
    }
  }
}

function busy(): StorageUnavailable {
  return new StorageUnavailable('other briefings are being computed; try again');
}
