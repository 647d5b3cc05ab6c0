/**
 * Captured numbers of one part of the number space, from its rows of activity. What rows alone can tell is tallied at
 * once. What needs a number's first seen over all history waits for the walk through the inventory, at ten bytes a
 * number.
 */
import type { DayActivity } from '../format/activity.ts';
import type { Steps } from '../lib/cooperate.ts';
import { type ActivityKeys, type GatheredRows, visitRows } from './activity-rows.ts';
import type { LinkTally, ProjectTally } from './projects-and-links.ts';
import type { PeriodTally } from './tallies.ts';

/** Ascending, distinct. */
export interface CapturedNumbers {
  readonly count: number;
  readonly numbers: Float64Array;
  /** Channel of the earliest detection in the period, as index into CHANNELS + 1; 0: not captured in the period. */
  readonly channel: Uint8Array;
  /** The same for the days that are compared. The channel is the same, since these are the first days of the period. */
  readonly comparedChannel: Uint8Array;
  /** The same for the period before. */
  readonly previousChannel: Uint8Array;
}

export interface RowTallies {
  readonly kinds: ActivityKeys;
  readonly period: PeriodTally;
  /** For the days of the period that are compared: its first days, all of them, or none. */
  readonly compared: PeriodTally;
  readonly previous: PeriodTally;
  readonly projects: ProjectTally;
  readonly links: LinkTally;
}

export function* collectCaptured({ days, rows }: GatheredRows, tallies: RowTallies): Steps<CapturedNumbers> {
  const collector = new Collector(rows, tallies);
  yield* visitRows(days, (day, from, to) => collector.add(day, from, to));
  return collector.finish();
}

/** What is known so far of the number at hand, over some days. */
interface Present {
  channel: number;
  industries: number;
}

class Collector {
  readonly #tallies: RowTallies;
  readonly #numbers: Float64Array;
  readonly #channel: Uint8Array;
  readonly #comparedChannel: Uint8Array;
  readonly #previousChannel: Uint8Array;
  readonly #now: Present = { channel: 0, industries: 0 };
  readonly #over: Present = { channel: 0, industries: 0 };
  readonly #before: Present = { channel: 0, industries: 0 };
  #number = 0;
  #count = 0;

  /** @param rows at least as many as there are numbers */
  constructor(rows: number, tallies: RowTallies) {
    this.#tallies = tallies;
    this.#numbers = new Float64Array(rows);
    this.#channel = new Uint8Array(rows);
    this.#comparedChannel = new Uint8Array(rows);
    this.#previousChannel = new Uint8Array(rows);
  }

  /** Adds the rows of one number and day. Numbers ascend, and so do the days of each. */
  add(day: DayActivity, from: number, to: number): void {
    const number = day.numbers[from] as number;
    if (number !== this.#number) {
      this.#endNumber();
      this.#number = number;
    }
    const { period, compared, previous } = this.#tallies;
    if (day.day < period.span.from) {
      previous.addDay(day.day);
      this.#addTo(this.#before, day, from, to);
      this.#tallyPreviousRows(number, day, from, to);
      return;
    }
    const isCompared = day.day <= compared.span.to;
    period.addDay(day.day);
    this.#addTo(this.#now, day, from, to);
    if (isCompared) this.#addTo(this.#over, day, from, to);
    this.#tallyRows(number, day, from, to, isCompared);
  }

  finish(): CapturedNumbers {
    this.#endNumber();
    return {
      count: this.#count,
      numbers: this.#numbers,
      channel: this.#channel,
      comparedChannel: this.#comparedChannel,
      previousChannel: this.#previousChannel,
    };
  }

  #addTo(present: Present, day: DayActivity, from: number, to: number): void {
    const { kinds } = this.#tallies;
    // Days ascend, so the first one has the first detection.
    if (present.channel === 0) {
      present.channel = 1 + (kinds.channel[day.kind[earliestRow(day, from, to, kinds)] as number] as number);
    }
    for (let row = from; row < to; row++) {
      const industry = kinds.industry[day.kind[row] as number] as number;
      if (industry >= 0) present.industries |= 1 << industry;
    }
  }

  #tallyRows(number: number, day: DayActivity, from: number, to: number, isCompared: boolean): void {
    const { projects, links } = this.#tallies;
    for (let row = from; row < to; row++) {
      const kind = day.kind[row] as number;
      projects.addRow(number, kind, isCompared);
      links.addRow(number, kind, day.linkHigh[row] as number, day.linkLow[row] as number);
    }
  }

  #tallyPreviousRows(number: number, day: DayActivity, from: number, to: number): void {
    for (let row = from; row < to; row++) this.#tallies.projects.addPreviousRow(number, day.kind[row] as number);
  }

  #endNumber(): void {
    if (this.#number === 0) return;
    const { period, compared, previous, links } = this.#tallies;
    this.#numbers[this.#count] = this.#number;
    this.#channel[this.#count] = this.#now.channel;
    this.#comparedChannel[this.#count] = this.#over.channel;
    this.#previousChannel[this.#count] = this.#before.channel;
    this.#count += 1;
    if (this.#now.channel > 0) {
      period.addCaptured(this.#now.industries);
      links.endNumber();
    }
    if (this.#over.channel > 0) compared.addCaptured(this.#over.industries);
    if (this.#before.channel > 0) previous.addCaptured(this.#before.industries);
    for (const present of [this.#now, this.#over, this.#before]) {
      present.channel = 0;
      present.industries = 0;
    }
  }
}

/** The row of the earliest detection; of several in the same second, that of the first key in canonical order. */
function earliestRow(day: DayActivity, from: number, to: number, { order }: ActivityKeys): number {
  let best = from;
  for (let row = from + 1; row < to; row++) {
    const later = (day.firstSeenAt[row] as number) - (day.firstSeenAt[best] as number);
    const place = (order[day.kind[row] as number] as number) - (order[day.kind[best] as number] as number);
    if (later < 0 || (later === 0 && place < 0)) best = row;
  }
  return best;
}
