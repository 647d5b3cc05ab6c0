/** Briefings as they are asked for: the kept one if nothing it was computed from has changed, otherwise a new one. */

import type { FactsSource } from '../format/day-facts.ts';
import { changedSince } from '../format/facts-reached.ts';
import type { Manifest } from '../format/manifest.ts';
import { dayOfMs } from '../format/records.ts';
import { orUnavailable, StorageUnavailable } from '../store/errors.ts';
import { openFacts } from '../store/facts.ts';
import type { ObjectStore } from '../store/store.ts';
import type { Briefing, QuarantinedSource } from './briefing.ts';
import { type Census, censusOf, keepCensus } from './census.ts';
import { computeBriefing } from './compute.ts';
import { inventoryOf, storedSegments } from './inventory.ts';
import { keep, readKept } from './kept.ts';
import { type DaySpan, halfMonthBefore, periodOf } from './period.ts';

/** Computing takes seconds; one that has not come to its end by now went down with its request. */
const COMPUTING_LOST_MS = 120_000;

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
  readonly log: (event: string, details: Readonly<Record<string, string | number>>) => void;
}

export class Briefings {
  readonly #context: BriefingsContext;
  #computingSince = Number.NEGATIVE_INFINITY;

  constructor(context: BriefingsContext) {
    this.#context = context;
  }

  /** Rejects with StorageUnavailable, also while another one is being computed here: two do not fit into memory. */
  async get(span: DaySpan): Promise<Briefing> {
    const { objects, manifest: read } = this.#context;
    const [manifest, kept] = await orUnavailable(Promise.all([read(), readKept(objects, span)]));
    if (kept !== null && kept.generation <= manifest.generation && !changedSince(manifest, kept.generation, span.to)) {
      return kept;
    }
    const briefing = await this.#alone(() => this.#compute(manifest, span));
    await this.#keep(span, briefing);
    return briefing;
  }

  /** Computes and keeps that of the half-month that has just ended, so that it is there when it is asked for. */
  async keepHalfMonth(): Promise<Briefing> {
    return this.get(halfMonthBefore(dayOfMs(this.#context.now())));
  }

  /** Counts which numbers are active today, and when each ceases to be. */
  async takeCensus(): Promise<Census> {
    const { objects, manifest: read, horizonDaysOf, now } = this.#context;
    const manifest = await orUnavailable(read());
    const inventory = inventoryOf(manifest, storedSegments(objects), 'all');
    const census = await this.#alone(() => censusOf(inventory, dayOfMs(now()), horizonDaysOf));
    await orUnavailable(keepCensus(objects, census));
    return census;
  }

  async #compute(manifest: Manifest, span: DaySpan): Promise<Briefing> {
    const { objects, quarantined, now, log } = this.#context;
    const startedAt = now();
    const [facts, sources] = await orUnavailable(Promise.all([openFacts(objects, manifest), quarantined(manifest)]));
    const inventory = inventoryOf(manifest, storedSegments(objects), 'first days');
    const briefing = await computeBriefing({ facts: unlessUnavailable(facts), inventory, quarantined: sources }, span, {
      now: now(),
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

  async #alone<T>(work: () => Promise<T>): Promise<T> {
    const now = this.#context.now();
    if (now - this.#computingSince < COMPUTING_LOST_MS) {
      throw new StorageUnavailable('another briefing is being computed; try again');
    }
    this.#computingSince = now;
    try {
      return await work();
    } finally {
      this.#computingSince = Number.NEGATIVE_INFINITY;
    }
  }
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
