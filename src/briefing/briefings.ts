/** Briefings as they are asked for: the kept one if nothing it was computed from has changed, otherwise a new one. */

import type { FactsSource } from '../format/day-facts.ts';
import { changedSince } from '../format/facts-reached.ts';
import type { Manifest } from '../format/manifest.ts';
import { dayOfMs, isoDay } from '../format/records.ts';
import type { Pacer } from '../lib/cooperate.ts';
import { orUnavailable } from '../store/errors.ts';
import { openFacts } from '../store/facts.ts';
import type { ObjectStore } from '../store/store.ts';
import type { Briefing, QuarantinedSource } from './briefing.ts';
import { type Census, censusOf, keepCensus } from './census.ts';
import { computeBriefing } from './compute.ts';
import { inventoryOf, storedSegments } from './inventory.ts';
import { keep, readKept } from './kept.ts';
import { type DaySpan, halfMonthBefore, periodOf } from './period.ts';
import { type Turn, Turns } from './turns.ts';

export interface BriefingsContext {
  readonly objects: ObjectStore;
  /** The newest generation. These three reject when storage does not answer. */
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
   * The kept one, or a new one when it is its turn to be computed. Rejects with StorageUnavailable, also where its turn
   * does not come in time.
   *
   * @param span of a period that has begun
   */
  async get(span: DaySpan): Promise<Briefing> {
    const found = await this.#look(span);
    if (found.kept !== null) return found.kept;
    return this.#turns.take(async (turn) => {
      // The one before may have computed just this.
      const { manifest, kept } = turn.hasWaited ? await this.#look(span) : found;
      if (kept !== null) return kept;
      const briefing = await this.#compute(manifest, span, turn);
      await this.#keep(span, briefing);
      return briefing;
    });
  }

  /** Computes and keeps that of the half-month that has just ended, so that it is there when it is asked for. */
  async keepHalfMonth(): Promise<Briefing> {
    return this.get(halfMonthBefore(dayOfMs(this.#context.now())));
  }

  /** Counts which numbers are active today, and when each ceases to be. */
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

  /** `kept`: null unless nothing that it was computed from has changed since. */
  async #look(span: DaySpan): Promise<{ readonly manifest: Manifest; readonly kept: Briefing | null }> {
    const { objects, manifest: read, now } = this.#context;
    const [manifest, kept] = await orUnavailable(Promise.all([read(), readKept(objects, span)]));
    if (kept === null || kept.generation > manifest.generation) return { manifest, kept: null };
    const today = dayOfMs(now());
    // Of a period that went on, the figures of today are others tomorrow: then another day is over.
    const isOfToday = kept.period.complete || kept.period.until === isoDay(today);
    const isChanged = changedSince(manifest, kept.generation, Math.min(span.to, today));
    return { manifest, kept: isOfToday && !isChanged ? kept : null };
  }

  async #compute(manifest: Manifest, span: DaySpan, turn: Turn): Promise<Briefing> {
    const { quarantined, now, pace, log } = this.#context;
    const objects = watched(this.#context.objects, turn);
    const startedAt = now();
    const [facts, sources] = await orUnavailable(
      Promise.all([openFacts(objects, manifest, pace), quarantined(manifest)]),
    );
    const inventory = inventoryOf(manifest, storedSegments(objects), 'first days', pace);
    const briefing = await computeBriefing({ facts: unlessUnavailable(facts), inventory, quarantined: sources }, span, {
      now: now(),
      pace,
    });
    const { from, to } = periodOf(span);
    log('briefing.computed', { from, to, generation: briefing.generation, milliseconds: now() - startedAt });
    return briefing;
  }

  /** A briefing that cannot be kept is as good for whoever asked; the next one to ask computes it again. */
  async #keep(span: DaySpan, briefing: Briefing): Promise<void> {
    try {
      await keep(this.#context.objects, span, briefing);
    } catch (error) {
      this.#context.log('briefing.unkept', { reason: error instanceof Error ? error.message : 'failed' });
    }
  }
}

/** The store, each of whose answers says that the work goes on. */
function watched(objects: ObjectStore, { goOn }: Turn): ObjectStore {
  const heard = async <T>(answer: Promise<T>): Promise<T> => {
    const value = await answer;
    goOn();
    return value;
  };
  return {
    get: (key) => heard(objects.get(key)),
    getIfChanged: (key, etag) => heard(objects.getIfChanged(key, etag)),
    getRange: (key, offset, length) => heard(objects.getRange(key, offset, length)),
    head: (key) => heard(objects.head(key)),
    list: (prefix, options) => heard(objects.list(prefix, options)),
    put: (key, bytes, condition, owner) => heard(objects.put(key, bytes, condition, owner)),
    delete: (keys) => heard(objects.delete(keys)),
  };
}

/** The same facts; days that cannot be read reject with StorageUnavailable. */
function unlessUnavailable({ kinds, days }: FactsSource): FactsSource {
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
