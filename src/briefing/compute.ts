/**
 * Computes a briefing from the activity and the inventory of one generation, exactly. It goes through the number space
 * in parts, with as many rows in memory as fit. In each part, the rows of the period and of the one before are put into
 * number order and joined with a walk through the inventory, which tells when each number was first seen.
 */
import type { ActivitySource } from '../format/activity.ts';
import type { Pacer } from '../lib/cooperate.ts';
import { dayOfMs } from '../lib/time.ts';
import { activityKeysOf, gatherRows, type RowsWanted } from './activity-rows.ts';
import type { Briefing, QuarantinedSource } from './briefing.ts';
import { type CapturedNumbers, collectCaptured, type RowTallies } from './captured.ts';
import { CountryReader, type Inventory, type InventoryColumns } from './inventory.ts';
import { briefingPeriodOf, type DaySpan, spansOn } from './period.ts';
import { LinkTally, ProjectTally } from './projects-and-links.ts';
import { BlockTally, OriginTally, PeriodTally } from './tallies.ts';

/** Activity and inventory must be of the same generation. */
export interface BriefingSources {
  readonly activity: ActivitySource;
  readonly inventory: Inventory;
  readonly quarantined: readonly QuarantinedSource[];
}

export interface ComputeOptions {
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Rows in memory at a time. The figures do not depend on it. */
  readonly maxRows?: number;
  readonly pace: Pacer;
}

interface Tallies extends RowTallies {
  readonly origins: OriginTally;
  readonly blocks: BlockTally;
  readonly countries: CountryReader;
}

/**
 * Rejects with StorageUnavailable when storage does not answer.
 * @param span of a period that has begun
 */
export async function computeBriefing(
  { activity, inventory, quarantined }: BriefingSources,
  span: DaySpan,
  { now, maxRows, pace }: ComputeOptions,
): Promise<Briefing> {
  const spans = spansOn(span, dayOfMs(now));
  const { elapsed } = spans;
  const kinds = activityKeysOf(activity.kinds);
  const tallies: Tallies = {
    kinds,
    period: new PeriodTally(elapsed),
    compared: new PeriodTally(spans.compared ?? { from: span.from, to: span.from - 1 }),
    previous: new PeriodTally(spans.previous),
    projects: new ProjectTally(kinds),
    links: new LinkTally(kinds),
    origins: new OriginTally(),
    blocks: new BlockTally(),
    countries: new CountryReader(),
  };
  for (let start = 0; start < Number.POSITIVE_INFINITY; ) {
    const wanted = { from: spans.previous.from, to: elapsed.to, linksFrom: span.from };
    const { captured, end } = await collectPart(activity, wanted, start, tallies, { maxRows, pace });
    const joined = new InventoryJoin(captured, tallies);
    await inventory.walk(start, end, (columns, from, to) => joined.visit(columns, from, to));
    joined.finish();
    start = end;
  }
  const { period, compared, previous, origins, projects, links, blocks } = tallies;
  return {
    ...period.figures(),
    period: briefingPeriodOf(spans),
    origins: origins.figures(period.captured),
    trend: period.trend(),
    compared: spans.compared === null ? null : compared.figures(),
    previous: previous.figures(),
    projects: projects.figures(elapsed),
    links: links.figures(),
    blocks: blocks.figures(),
    quarantined,
    generation: inventory.generation,
    computedAt: new Date(now).toISOString(),
  };
}

/** A function of its own, so that the rows are released before the walk. */
async function collectPart(
  activity: ActivitySource,
  wanted: RowsWanted,
  start: number,
  tallies: Tallies,
  { maxRows, pace }: { readonly maxRows: number | undefined; readonly pace: Pacer },
): Promise<{ captured: CapturedNumbers; end: number }> {
  const rows = await gatherRows(activity, wanted, start, maxRows);
  return { captured: await pace.run(collectCaptured(rows, tallies)), end: rows.end };
}

/** Joins captured numbers and inventory, both in number order. */
class InventoryJoin {
  readonly #captured: CapturedNumbers;
  readonly #tallies: Tallies;
  #at = 0;

  constructor(captured: CapturedNumbers, tallies: Tallies) {
    this.#captured = captured;
    this.#tallies = tallies;
  }

  visit({ numbers, firstDay }: InventoryColumns, from: number, to: number): void {
    const { period, compared, previous } = this.#tallies;
    const lastDay = period.span.to;
    const comparedLastDay = compared.span.to;
    const previousLastDay = previous.span.to;
    let known = 0;
    let knownCompared = 0;
    let knownBefore = 0;
    let next = this.#nextNumber();
    for (let i = from; i < to; i++) {
      const day = firstDay[i] as number;
      if (day <= lastDay) known += 1;
      if (day <= comparedLastDay) knownCompared += 1;
      if (day <= previousLastDay) knownBefore += 1;
      if ((numbers[i] as number) < next) continue;
      if (numbers[i] !== next) throw unknownNumber();
      this.#count(next, day);
      next = this.#nextNumber();
    }
    period.inventory += known;
    compared.inventory += knownCompared;
    previous.inventory += knownBefore;
  }

  /** Throws unless the inventory had every captured number. */
  finish(): void {
    if (this.#at < this.#captured.count) throw unknownNumber();
  }

  #nextNumber(): number {
    const { count, numbers } = this.#captured;
    return this.#at < count ? (numbers[this.#at] as number) : Number.POSITIVE_INFINITY;
  }

  /** @param firstDay first seen of the number, over all history */
  #count(number: number, firstDay: number): void {
    const { period, compared, previous, origins, blocks, countries } = this.#tallies;
    const channel = this.#captured.channel[this.#at] as number;
    const comparedChannel = this.#captured.comparedChannel[this.#at] as number;
    const previousChannel = this.#captured.previousChannel[this.#at] as number;
    this.#at += 1;
    const country = countries.countryOf(number);
    const counts = origins.countsOf(country);
    if (previousChannel > 0) {
      counts.previous += 1;
      if (firstDay >= previous.span.from) previous.addFirstTime(firstDay, previousChannel - 1);
    }
    if (channel === 0) return;
    const isFirstTime = firstDay >= period.span.from;
    counts.captured += 1;
    if (comparedChannel > 0) {
      counts.compared += 1;
      if (isFirstTime) compared.addFirstTime(firstDay, comparedChannel - 1);
    }
    blocks.add(number, country, isFirstTime);
    if (!isFirstTime) return;
    counts.firstTime += 1;
    period.addFirstTime(firstDay, channel - 1);
  }
}

/**
 * Activity and inventory are of one generation, and every detection that is kept as activity is merged into the
 * inventory.
 */
function unknownNumber(): Error {
  return new Error('the activity has a number that the inventory does not have');
}
