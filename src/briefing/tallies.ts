/** Tallies of a briefing: the headline, origins, channels, industries, days and blocks; and its shares and changes. */
import { CHANNELS, INDUSTRIES } from '../format/attributes.ts';
import { isoDay } from '../lib/time.ts';
import type { BlockFigures, ChannelFigures, ComparedFigures, DayFigures, IndustryFigures, Origin } from './briefing.ts';
import { type DaySpan, periodOf, spanDays } from './period.ts';

/** A fraction of 1; 0 if the whole is 0. */
function ratio(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}

/** The change since before, as a fraction of what was before; null if that was 0. */
export function changeOf(now: number, before: number): number | null {
  return before === 0 ? null : (now - before) / before;
}

/**
 * Orders by count, most first; of equal counts by name in code unit order, so that equal figures always have one order.
 */
export function by<T>(count: (item: T) => number, name: (item: T) => string): (a: T, b: T) => number {
  return (a, b) => count(b) - count(a) || (name(a) < name(b) ? -1 : 1);
}

export class PeriodTally {
  readonly span: DaySpan;
  captured = 0;
  firstTime = 0;
  /** Numbers first seen no later than the end of the period. */
  inventory = 0;
  /** First-time numbers, by the channel of their first detection. */
  readonly #channels = new Float64Array(CHANNELS.length);
  readonly #industries = new Float64Array(INDUSTRIES.length);
  readonly #dayCaptured: Float64Array;
  readonly #dayFirstTime: Float64Array;

  constructor(span: DaySpan) {
    this.span = span;
    this.#dayCaptured = new Float64Array(spanDays(span));
    this.#dayFirstTime = new Float64Array(spanDays(span));
  }

  /** Counts a number that was detected on a day of the period. */
  addDay(day: number): void {
    const at = day - this.span.from;
    this.#dayCaptured[at] = (this.#dayCaptured[at] as number) + 1;
  }

  /** @param industries bit n for INDUSTRIES[n] */
  addCaptured(industries: number): void {
    this.captured += 1;
    for (let bits = industries; bits !== 0; bits &= bits - 1) {
      const industry = 31 - Math.clz32(bits & -bits);
      this.#industries[industry] = (this.#industries[industry] as number) + 1;
    }
  }

  /** @param channel index into CHANNELS */
  addFirstTime(firstDay: number, channel: number): void {
    const at = firstDay - this.span.from;
    this.firstTime += 1;
    this.#channels[channel] = (this.#channels[channel] as number) + 1;
    this.#dayFirstTime[at] = (this.#dayFirstTime[at] as number) + 1;
  }

  figures(): ComparedFigures {
    const { span, captured, firstTime, inventory } = this;
    return {
      period: periodOf(span),
      captured,
      firstTime,
      firstTimeShare: ratio(firstTime, captured),
      inventory,
      channels: this.channels(),
      industries: this.industries(),
    };
  }

  channels(): ChannelFigures[] {
    return CHANNELS.map((channel, i) => ({ channel, firstTime: this.#channels[i] as number }))
      .filter(({ firstTime }) => firstTime > 0)
      .map((figures) => ({ ...figures, share: ratio(figures.firstTime, this.firstTime) }))
      .sort(
        by(
          (each) => each.firstTime,
          (each) => each.channel,
        ),
      );
  }

  industries(): IndustryFigures[] {
    return INDUSTRIES.map((industry, i) => ({ industry, captured: this.#industries[i] as number }))
      .filter(({ captured }) => captured > 0)
      .map((figures) => ({ ...figures, share: ratio(figures.captured, this.captured) }))
      .sort(
        by(
          (each) => each.captured,
          (each) => each.industry,
        ),
      );
  }

  trend(): DayFigures[] {
    return Array.from(this.#dayCaptured, (captured, i) => ({
      day: isoDay(this.span.from + i),
      captured,
      firstTime: this.#dayFirstTime[i] as number,
    }));
  }
}

/** The origin of numbers of no country. */
export const INTERNATIONAL = 'International';
/** US and Canada share one numbering plan and one market: buyers do not ask which of the two a number is from. */
const US_CANADA = 'US/Canada';

interface Counts {
  captured: number;
  firstTime: number;
  /** Captured in the days that are compared, and in the days before the period. */
  compared: number;
  previous: number;
}

export class OriginTally {
  readonly #groups = new Map<string, Counts>();

  countsOf(country: string | null): Counts {
    const group = groupOf(country);
    let counts = this.#groups.get(group);
    if (counts === undefined) {
      counts = { captured: 0, firstTime: 0, compared: 0, previous: 0 };
      this.#groups.set(group, counts);
    }
    return counts;
  }

  /** The origins with numbers in the period, most first. */
  figures(captured: number): Origin[] {
    return [...this.#groups]
      .filter(([, counts]) => counts.captured > 0)
      .map(([group, counts]) => ({
        group,
        captured: counts.captured,
        firstTime: counts.firstTime,
        share: ratio(counts.captured, captured),
        compared: counts.compared,
        previous: counts.previous,
        change: changeOf(counts.compared, counts.previous),
      }))
      .sort(
        by(
          (each) => each.captured,
          (each) => each.group,
        ),
      );
  }
}

function groupOf(country: string | null): string {
  return country === 'US' || country === 'CA' ? US_CANADA : (country ?? INTERNATIONAL);
}

const BLOCK_NUMBERS = 1000;
const MAX_BLOCKS = 20;
/** Blocks that are kept before they are sorted and cut to the best. */
const MAX_CANDIDATES = 1024;

const byCaptured = by<BlockFigures>(
  (each) => each.captured,
  (each) => each.prefix,
);

export class BlockTally {
  #candidates: BlockFigures[] = [];
  /** Blocks with fewer numbers cannot be among the best any more. */
  #least = 1;
  #block = -1;
  #country: string | null = null;
  #captured = 0;
  #firstTime = 0;

  /** Adds a captured number; numbers come in order. A block belongs to the country of its first number. */
  add(number: number, country: string | null, isFirstTime: boolean): void {
    const block = Math.floor(number / BLOCK_NUMBERS);
    if (block !== this.#block) {
      this.#endBlock();
      this.#block = block;
      this.#country = country;
    }
    this.#captured += 1;
    if (isFirstTime) this.#firstTime += 1;
  }

  figures(): BlockFigures[] {
    this.#endBlock();
    this.#cut();
    return this.#candidates;
  }

  #endBlock(): void {
    if (this.#captured >= this.#least) {
      this.#candidates.push({
        prefix: `+${this.#block}`,
        country: this.#country,
        captured: this.#captured,
        firstTime: this.#firstTime,
      });
      if (this.#candidates.length >= MAX_CANDIDATES) this.#cut();
    }
    this.#captured = 0;
    this.#firstTime = 0;
  }

  #cut(): void {
    this.#candidates = this.#candidates.sort(byCaptured).slice(0, MAX_BLOCKS);
    if (this.#candidates.length === MAX_BLOCKS) this.#least = this.#candidates.at(-1)?.captured ?? 1;
  }
}
